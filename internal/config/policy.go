package config

import (
	"os"
	"slices"

	"golang.org/x/mod/sumdb/note"
)

// Policy says where the policy comes from and who may change it.
type Policy struct {
	// Path is a bundle: a folder or a tar. Without it, that of the program.
	Path string `yaml:"path"`
	// Key verifies the signatures of bundles, as counterfoil policy sign has it
	// (a verifier key of a C2SP signed note). With it, a bundle that is not signed
	// is not taken; without it, none needs to be.
	Key string `yaml:"key"`
	// AdministeredBy is the tenant whose operators may change the policy by the
	// interface. Without it nobody may.
	AdministeredBy string `yaml:"administered_by"`
}

func (s *Serve) validatePolicy(report func(path, rule string)) {
	p := s.Policy
	if p == nil {
		return
	}
	if p.Path != "" {
		if info, err := os.Stat(p.Path); err != nil || (!info.IsDir() && !info.Mode().IsRegular()) {
			report("policy.path", "must be a folder or a file that can be read")
		}
	}
	if p.Key != "" {
		if _, err := note.NewVerifier(p.Key); err != nil {
			report("policy.key", "must be the verifier key of a signed note: name+hash+key")
		}
	}
	if p.AdministeredBy != "" && !s.spokenFor(p.AdministeredBy) {
		report("policy.administered_by", ruleSpokenFor)
	}
}

const ruleSpokenFor = "must be a tenant that an issuer speaks for"

// spokenFor tells whether anybody can be of a tenant.
func (s *Serve) spokenFor(tenant string) bool {
	return slices.ContainsFunc(s.Issuers, func(i Issuer) bool { return slices.Contains(i.Tenants, tenant) })
}

package access

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How long leaves of the log are kept, in months: the entries of tokenize requests,
// which are most of a log, and all others. A policy may lengthen either.
const (
	// minTokenizeMonths is a year's audit and the month in which it is made.
	minTokenizeMonths = 13
	// minOtherMonths is seven years: what SOX auditors keep, and a year above HIPAA.
	minOtherMonths = 84
	// minHIPAAMonths is six years (45 CFR 164.316(b)(2)), for whatever documents who
	// was given what.
	minHIPAAMonths = 72
	// maxLogMonths is a century: beyond it a number is a slip.
	maxLogMonths = 1200
)

// LogRetention is how long leaves of the log are kept of some of its kinds.
type LogRetention struct {
	Kinds    string // "tokenize" or "other"
	Tokenize bool
	Months   int
}

// logRetention is the section of retention.yaml, with its defaults.
type logRetention struct {
	TokenizeMonths int      `yaml:"tokenize_months"`
	OtherMonths    int      `yaml:"other_months"`
	HIPAA          []string `yaml:"hipaa"`
}

func (r *logRetention) check() error {
	if r.TokenizeMonths == 0 {
		r.TokenizeMonths = minTokenizeMonths
	}
	if r.OtherMonths == 0 {
		r.OtherMonths = minOtherMonths
	}
	if r.TokenizeMonths < minTokenizeMonths || r.TokenizeMonths > maxLogMonths {
		return fmt.Errorf("log: tokenize_months must be %d to %d", minTokenizeMonths, maxLogMonths)
	}
	if r.OtherMonths < minOtherMonths || r.OtherMonths > maxLogMonths {
		return fmt.Errorf("log: other_months must be %d to %d", minOtherMonths, maxLogMonths)
	}
	for _, tenant := range r.HIPAA {
		if !tenantName.MatchString(tenant) {
			return fmt.Errorf("log: hipaa: unknown %q", tenant)
		}
	}
	slices.Sort(r.HIPAA)
	if len(slices.Compact(slices.Clone(r.HIPAA))) != len(r.HIPAA) {
		return fmt.Errorf("log: hipaa names a tenant twice")
	}
	return nil
}

// LogRetention returns how long the leaves of a tenant's log are kept: those of
// tokenize requests, then all others.
func (p *Policy) LogRetention(tenant string) []LogRetention {
	tokenize := p.retention.log.TokenizeMonths
	if slices.Contains(p.retention.log.HIPAA, tenant) {
		tokenize = max(tokenize, minHIPAAMonths)
	}
	return []LogRetention{
		{Kinds: "tokenize", Tokenize: true, Months: tokenize},
		{Kinds: "other", Months: p.retention.log.OtherMonths},
	}
}

// aspects are what a comparison tells of.
func (r *logRetention) aspects() []aspect {
	return []aspect{
		about("tokenize entries, in months", strconv.Itoa(r.TokenizeMonths)),
		about("other entries, in months", strconv.Itoa(r.OtherMonths)),
		about("tenants under HIPAA", strings.Join(r.HIPAA, " ")),
	}
}

// NamedTenants are the tenants of which the policy says something of their own,
// sorted.
func (p *Policy) NamedTenants() []string {
	names := append(p.Tenants(), p.retention.log.HIPAA...)
	for _, r := range p.retention.rules {
		if r.Tenant != "" {
			names = append(names, r.Tenant)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

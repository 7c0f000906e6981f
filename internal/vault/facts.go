package vault

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Log walks the entries of a tenant's log up to a size, from the first one on.
func (s *Service) Log(ctx context.Context, tenant string, size int64) evidence.Source {
	return func(yield func(evidence.Entry) error) error {
		for next := int64(0); next < size; {
			page, err := s.StoredEntries(ctx, tenant, next, int(min(PageEntries, size-next)))
			if err != nil {
				return err
			}
			if len(page) == 0 || page[0].Index != next {
				return fmt.Errorf("vault: the log of %s ends after %d entries of %d", tenant, next, size)
			}
			for _, stored := range page {
				one := evidence.Entry{Index: stored.Index, Hash: stored.LeafHash, Leaf: stored.Leaf}
				if stored.Leaf != nil {
					if one.Entry, err = audit.ParseLeaf(stored.Leaf); err != nil {
						return public(err)
					}
				}
				if err := yield(one); err != nil {
					return err
				}
			}
			next = page[len(page)-1].Index + 1
		}
		return nil
	}
}

// Facts are what is in force for a tenant and not in its log.
func (s *Service) Facts(ctx context.Context, tenant string) (evidence.Facts, error) {
	rules := s.policies.of(tenant)
	keys, err := s.tenants.get(ctx, tenant)
	if err != nil {
		return evidence.Facts{}, public(err)
	}
	f := evidence.Facts{
		Tenant: tenant, Origin: keys.signer.Origin(), ToolVersion: s.version, Made: s.clock().UTC().Truncate(time.Second),
		Current: rules.Version(), Matrix: matrixTable(rules, tenant),
		KeyEpoch: s.finality.Epoch, BackupHorizon: s.finality.BackupHorizon, KeyBackups: s.finality.KeyBackups,
		Records: []evidence.RecordSetting{
			{Record: "requests of persons, after they were closed", For: days(rules.RequestsRetention())},
		},
	}
	for _, kept := range rules.LogRetention(tenant) {
		f.Records = append(f.Records, evidence.RecordSetting{Record: "entries of the log: " + kept.Kinds, For: strconv.Itoa(kept.Months) + " months"})
	}
	for _, r := range rules.Reasons() {
		if own, known := rules.ReasonOf(tenant, r.Code); known {
			f.Reasons = append(f.Reasons, evidence.Reason{
				Code: own.Code, Description: own.Description, MaxTokens: own.MaxTokens, Reference: own.Reference.Required,
				Review: own.Review, Consent: own.Consent,
			})
		}
	}
	for _, d := range rules.Destinations() {
		f.Destinations = append(f.Destinations, evidence.Destination{
			Name: d.Name, Vendor: d.Vendor, Region: d.Region, BAA: agreement(d.BAA), DPA: agreement(d.DPA),
			Requires: d.Requires, Training: d.Training, VendorRetentionDays: d.VendorRetentionDays,
		})
	}
	for _, r := range rules.RetentionRules(tenant) {
		f.Retention = append(f.Retention, evidence.RetentionSetting{
			Class: r.Class, Entity: r.Entity, Destination: r.Destination, ScopeKind: r.ScopeKind, For: r.For,
		})
	}
	if note, err := s.Bookmark(ctx, tenant, NoteExport); err != nil {
		return evidence.Facts{}, err
	} else if note.Order > 0 {
		f.Export = &evidence.ExportState{Next: note.Order, At: note.At}
	}
	f.Policies, err = s.policyFiles(ctx, tenant, rules)
	return f, err
}

func days(d time.Duration) string { return strconv.Itoa(int(d/(24*time.Hour))) + " days" }

func agreement(a access.Agreement) evidence.Agreement {
	return evidence.Agreement{Ref: a.Ref, From: a.ValidFrom, To: a.ValidTo}
}

// matrixTable is who may have what back.
func matrixTable(rules *access.Policy, tenant string) *evidence.Table {
	t := &evidence.Table{
		Name: evidence.TableAccessMatrix, Title: "Who may have what back", Query: "the matrix of policy " + rules.Version() + " for the tenant",
		Columns: []evidence.Column{
			{Name: "role", Title: "Role", Kind: evidence.KindText}, {Name: "reason", Title: "Reason", Kind: evidence.KindText},
			{Name: "class", Title: "Class", Kind: evidence.KindText}, {Name: "entities", Title: "Entities", Kind: evidence.KindText},
			{Name: "form", Title: "Form", Kind: evidence.KindText}, {Name: "conditions", Title: "Conditions", Kind: evidence.KindText},
			{Name: "approvals", Title: "Approvals", Kind: evidence.KindCount}, {Name: "mfa", Title: "MFA", Kind: evidence.KindText},
			{Name: "rule", Title: "Rule", Kind: evidence.KindRef},
		},
		Notes: []string{"It says what the policy in force when this was made gives at most; a single restoration can be less."},
	}
	for _, r := range rules.Matrix(tenant) {
		t.Rows = append(t.Rows, []string{
			r.Role, r.Reason, string(r.Class), strings.Join(r.Entities, " "), string(r.Form), strings.Join(r.Conditions, " "),
			strconv.Itoa(r.Approvals), strconv.FormatBool(r.MFA), r.Rule,
		})
	}
	return t
}

// policyFiles are the policy versions that this tenant was or is under, as far as
// their bundles are kept, the oldest first. A bundle that names another tenant is
// not shown: its version stands in the log.
func (s *Service) policyFiles(ctx context.Context, tenant string, now *access.Policy) ([]evidence.PolicyFile, error) {
	var files []evidence.PolicyFile
	var before *access.Policy
	add := func(bundle *access.Bundle) error {
		policy, err := bundle.Load()
		if err != nil {
			return public(err)
		}
		file := evidence.PolicyFile{Version: policy.Version()}
		own := !slices.ContainsFunc(policy.NamedTenants(), func(name string) bool { return name != tenant })
		if own {
			if file.Packed, err = bundle.Pack(); err != nil {
				return public(err)
			}
			if before != nil {
				for _, d := range access.Diff(before, policy) {
					file.Diff = append(file.Diff, d.Sentence)
				}
			}
			before = policy
		}
		files = append(files, file)
		return nil
	}
	if bundle := s.configuredBundle(ctx); bundle != nil {
		if err := add(bundle); err != nil {
			return nil, err
		}
	}
	bodies, err := s.promotedPolicies(ctx)
	if err != nil {
		return nil, err
	}
	for _, body := range bodies {
		bundle, err := access.ReadBundle(body.Bundle)
		if err != nil {
			return nil, public(err)
		}
		if slices.ContainsFunc(files, func(f evidence.PolicyFile) bool { return f.Version == body.Version }) {
			continue
		}
		if err := add(bundle); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(files, func(f evidence.PolicyFile) bool { return f.Version == now.Version() }) {
		files = append(files, evidence.PolicyFile{Version: now.Version()})
	}
	return files, s.whoChangedPolicies(ctx, files)
}

// configuredBundle is the bundle of the policy that was configured, nil where it is
// not to be had: what is at its place may be another by now.
func (s *Service) configuredBundle(ctx context.Context) *access.Bundle {
	read := s.policies.source
	if read == nil {
		read = func(context.Context) (*access.Bundle, error) { return access.BundleOf(s.policies.files) }
		if s.policies.files == nil {
			return nil
		}
	}
	bundle, err := read(ctx)
	if err != nil || bundle.Version() != s.policies.now.Load().configured.Version() {
		return nil
	}
	return bundle
}

// whoChangedPolicies adds who proposed and promoted versions, from the log of the
// system, where that is written down.
func (s *Service) whoChangedPolicies(ctx context.Context, files []evidence.PolicyFile) error {
	for _, kind := range []audit.Kind{audit.KindPolicyPropose, audit.KindPolicyChange} {
		if err := s.eachEntry(ctx, SystemTenant, kind, func(entry audit.Entry) { noteChange(files, &entry) }); err != nil {
			return public(err)
		}
	}
	return nil
}

// noteChange notes an entry about policies with the version that it is about.
func noteChange(files []evidence.PolicyFile, entry *audit.Entry) {
	step := evidence.PolicyStep{By: entry.Actor, Reference: entry.Reference, At: entry.Time}
	about := entry.About(audit.ObligationVersion)
	if entry.Kind == audit.KindPolicyPropose {
		about, step.Reference = []string{entry.Reference}, entry.Code
	}
	for _, version := range about {
		for i := range files {
			switch {
			case files[i].Version != version:
			case entry.Kind == audit.KindPolicyPropose:
				files[i].Proposed = step
			case entry.Code == "promote":
				files[i].Promoted, files[i].Since = step, entry.Time
			}
		}
	}
}

// promotedPolicies are the proposals that were in force once, the oldest first.
func (s *Service) promotedPolicies(ctx context.Context) ([]policyBody, error) {
	var bodies []policyBody
	q := ProceedingQuery{Kind: ProceedingPolicy, Limit: PageProceedings + 1}
	for {
		next, err := pageProceedings(ctx, s, SystemTenant, q, func(_ Proceeding, body policyBody) {
			if body.InForce {
				bodies = append(bodies, body)
			}
		})
		if err != nil {
			return nil, err
		}
		if q.Before = next; next == "" {
			slices.Reverse(bodies)
			return bodies, nil
		}
	}
}

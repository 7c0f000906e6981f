package vault

import (
	"cmp"
	"context"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// MaxReportTokens bounds the values of a person whose restorations a report
	// looks for: each is a walk along an index of the log.
	MaxReportTokens = 2_000
	// MaxReportRestorations bounds the restorations that a report lists.
	MaxReportRestorations = 1_000
)

// reasonSubjectAccess is the reason for which names, and the values of a report,
// are given back.
const reasonSubjectAccess = "SUBJECT_ACCESS"

// ReportOnRequest answers a person who asks what is kept about them, or to whom
// it was given: from what is stored and what the log says. That it was made is an
// entry; with values it is a restoration, decided and recorded as any other.
func (s *Service) ReportOnRequest(ctx context.Context, call Call, id string, req ReportRequest) (SubjectReport, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionRequestReport, audit.KindSubjectSearch)
	if err != nil {
		return SubjectReport{}, err
	}
	row, err := s.openRequest(ctx, call.Caller.Tenant, id)
	if err != nil {
		return SubjectReport{}, err
	}
	switch {
	case row.Kind != RequestAccess && row.Kind != RequestAccounting:
		return SubjectReport{}, Errorf(CodeConflict, "a request for %s has no report", row.Kind)
	case row.Identity == IdentityCheck{}:
		return SubjectReport{}, Errorf(CodeConflict, "nobody established yet that the person asks")
	}
	job := &reportJob{s: s, call: call, keys: keys, row: row, req: req, entry: entry, report: SubjectReport{
		RequestID: row.ID, Reference: row.Reference, Kind: row.Kind, GeneratedAt: s.clock().UTC(),
		Limits: []ReportLimit{LimitExpired, LimitUntied, LimitConsents},
	}}
	if err := job.gather(ctx); err != nil {
		return SubjectReport{}, public(err)
	}
	return job.commit(ctx)
}

// reportJob is one report on its way.
type reportJob struct {
	s       *Service
	call    Call
	keys    *keySet
	row     SubjectRequest
	req     ReportRequest
	entry   audit.Entry
	report  SubjectReport
	tokens  []MappingRef
	demands demands
}

func (j *reportJob) limit(l ReportLimit) {
	if !slices.Contains(j.report.Limits, l) {
		j.report.Limits = append(j.report.Limits, l)
	}
}

// gather reads all that the report says but the values.
func (j *reportJob) gather(ctx context.Context) error {
	tenant := j.call.Caller.Tenant
	q := PersonQuery{Lookups: j.row.Lookups, Limit: MaxSightings + 1}
	if j.row.Subject != (Digest{}) {
		q.Subjects = []Digest{j.row.Subject}
		known, err := j.s.store.Subjects(ctx, tenant, q.Subjects)
		if err != nil {
			return err
		}
		for _, subject := range known {
			j.report.SubjectRefs = append(j.report.SubjectRefs, subject.Ref)
		}
	}
	found, err := j.s.custody.Sightings(ctx, tenant, q)
	if err != nil {
		return err
	}
	if len(found) > MaxSightings {
		found = found[:MaxSightings]
		j.limit(LimitScopes)
	}
	j.describe(found)
	if j.keys.indexVersion > 1 {
		j.limit(LimitIndexKey)
	}
	q.Limit = MaxReportTokens + 1
	if j.tokens, err = j.s.requests.PersonTokens(ctx, tenant, q, MappingRef{}); err != nil {
		return err
	}
	if len(j.tokens) > MaxReportTokens {
		j.tokens = j.tokens[:MaxReportTokens]
		j.limit(LimitTokens)
	}
	return j.restorations(ctx)
}

// describe tells of sightings what a person is told: what is held, and where it
// was sent, with what the catalogue of destinations says of the vendor.
func (j *reportJob) describe(found []Sighting) {
	sent := make(map[string]*ReportDestination)
	classes := make(map[string]bool)
	names := len(found) > 0 && j.row.Subject == Digest{}
	for _, one := range found {
		names = names && one.Entity == entityPerson
		classes[one.Class] = true
		if j.row.Subject == (Digest{}) {
			j.report.SubjectRefs = append(j.report.SubjectRefs, one.SubjectRefs...)
		}
		j.report.Holdings = append(j.report.Holdings, ReportHolding{
			ScopeRef: one.ScopeID, ScopeKind: one.Kind, Entity: one.Entity, Class: one.Class,
			Values: one.Mappings, Expired: one.Expired, First: one.First, Last: one.Last, Ends: one.Ends,
		})
		for _, use := range one.Destinations {
			j.sentTo(sent, use)
		}
	}
	if names {
		j.limit(LimitNamesOnly)
	}
	j.report.SubjectRefs = unique(j.report.SubjectRefs)
	for _, d := range sent {
		j.report.Destinations = append(j.report.Destinations, *d)
	}
	slices.SortFunc(j.report.Destinations, func(a, b ReportDestination) int { return cmp.Compare(a.Destination, b.Destination) })
	for _, line := range j.s.retentionOf(j.call.Caller.Tenant) {
		if classes[line.Class] || line.Class == "" {
			j.report.Retention = append(j.report.Retention, line)
		}
	}
}

// sentTo adds a use of a destination to what is known of it.
func (j *reportJob) sentTo(sent map[string]*ReportDestination, use DestinationUse) {
	d := sent[use.Destination]
	if d == nil {
		known, _ := j.s.rules().Destination(use.Destination) // one that the policy dropped has no vendor
		d = &ReportDestination{
			Destination: use.Destination, Vendor: known.Vendor, Region: known.Region,
			VendorRetentionDays: known.VendorRetentionDays, Training: known.Training, First: use.First, Last: use.Last,
		}
		sent[use.Destination] = d
	}
	d.Values += use.Mappings
	if use.First.Before(d.First) {
		d.First = use.First
	}
	if use.Last.After(d.Last) {
		d.Last = use.Last
	}
}

// restorations finds in the log who had any of the person's values back and why.
func (j *reportJob) restorations(ctx context.Context) error {
	scopes := make(map[string][]string) // of a token id: it is unique within a scope only
	for _, t := range j.tokens {
		scopes[t.TokenID] = append(scopes[t.TokenID], t.ScopeID)
	}
	byIndex := make(map[int64]*ReportRestoration)
	for id, in := range scopes {
		stored, err := j.s.ledger.Entries(ctx, j.call.Caller.Tenant, EntryQuery{
			Kind: string(audit.KindRestore), Token: id, Descending: true, Limit: MaxReportRestorations,
		})
		if err != nil {
			return err
		}
		for _, one := range stored {
			if r := byIndex[one.Index]; r != nil {
				r.Values++
				continue
			}
			entry, err := audit.ParseLeaf(one.Leaf)
			if err != nil {
				return err
			}
			if !slices.Contains(entry.Tokens, id) || !slices.ContainsFunc(in, func(ref string) bool { return slices.Contains(entry.ScopeRefs, ref) }) {
				continue
			}
			byIndex[one.Index] = j.restoration(one.Index, &entry)
		}
	}
	for _, r := range byIndex {
		j.report.Restorations = append(j.report.Restorations, *r)
	}
	slices.SortFunc(j.report.Restorations, func(a, b ReportRestoration) int { return cmp.Compare(b.Index, a.Index) })
	if len(j.report.Restorations) > MaxReportRestorations {
		j.report.Restorations = j.report.Restorations[:MaxReportRestorations]
		j.limit(LimitRestorations)
	}
	j.purposes()
	return nil
}

func (j *reportJob) restoration(index int64, entry *audit.Entry) *ReportRestoration {
	r := &ReportRestoration{
		At: entry.Time, Index: index, Reason: entry.Reason, Roles: j.s.rules().RolesOf(entry.RuleIDs),
		Client: entry.Client.ClientID, Recipient: entry.Recipient, Values: 1,
	}
	if j.req.Actors {
		r.Actor, r.Reference = entry.Actor, entry.Reference
	}
	return r
}

// purposes counts the reasons of the restorations.
func (j *reportJob) purposes() {
	counts := make(map[string]int)
	for _, r := range j.report.Restorations {
		counts[r.Reason]++
	}
	for code, n := range counts {
		reason, _ := j.s.rules().Reason(code)
		basis := reason.GDPR
		if j.row.Regime == "hipaa" {
			basis = reason.HIPAA
		}
		j.report.Purposes = append(j.report.Purposes, ReportPurpose{
			Reason: code, Description: reason.Description, LegalBasis: basis, Restorations: n,
		})
	}
	slices.SortFunc(j.report.Purposes, func(a, b ReportPurpose) int { return cmp.Compare(a.Reason, b.Reason) })
}

// commit writes the entry of the report, and gives values only after it.
func (j *reportJob) commit(ctx context.Context) (SubjectReport, error) {
	describeStep(&j.entry, &j.row, "report")
	j.entry.SubjectRefs = j.report.SubjectRefs
	j.entry.Counts = map[string]int{
		"holdings": len(j.report.Holdings), "destinations": len(j.report.Destinations), "restorations": len(j.report.Restorations),
	}
	if j.req.Values {
		if err := j.values(ctx); err != nil {
			return SubjectReport{}, err
		}
		return j.report, nil
	}
	committed, err := j.s.commit(ctx, j.call.Caller.Tenant, Record{}, j.entry)
	if err != nil {
		return SubjectReport{}, public(err)
	}
	j.report.Audit, err = j.s.receipt(j.keys, committed)
	return j.report, err
}

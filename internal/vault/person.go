package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// entityPerson is the entity of names: many people may have the same one.
const entityPerson = "PERSON"

// SearchSubjects says where a person is found: by the caller's name for the
// person, or by values that the person is known by, in whatever scope. It gives
// no value. Each search is an entry, which says how much was found and nothing
// of what was looked for but the references of subjects.
func (s *Service) SearchSubjects(ctx context.Context, call Call, req SubjectSearchRequest) (SubjectSearchResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionSubjectSearch, audit.KindSubjectSearch)
	if err != nil {
		return SubjectSearchResult{}, err
	}
	if err := s.checkSearch(&req); err != nil {
		return SubjectSearchResult{}, err
	}
	if err := s.searchBudget(ctx, call.Caller); err != nil {
		return SubjectSearchResult{}, err
	}
	if req.Variants {
		req.Identifiers = s.variants(req.Identifiers)
	}
	query := PersonQuery{Lookups: s.lookups(keys, req.Identifiers), Limit: MaxSightings + 1}
	if req.Subject != "" {
		query.Subjects = []Digest{keys.index.Subject(req.Subject)}
	}
	found, err := s.custody.Sightings(ctx, call.Caller.Tenant, query)
	if err != nil {
		return SubjectSearchResult{}, public(err)
	}
	result := SubjectSearchResult{Sightings: found, Ambiguous: onlyNames(req) && len(found) > 0}
	if len(found) > MaxSightings {
		result.Sightings, result.More = found[:MaxSightings], true
	}
	known, err := s.store.Subjects(ctx, call.Caller.Tenant, query.Subjects)
	if err != nil {
		return SubjectSearchResult{}, public(err)
	}
	for _, subject := range known {
		result.SubjectRefs = append(result.SubjectRefs, subject.Ref)
	}
	result.describe(&entry)
	entry.Counts["identifiers"] = len(query.Lookups)
	committed, err := s.commit(ctx, call.Caller.Tenant, Record{}, entry)
	if err != nil {
		return SubjectSearchResult{}, public(err)
	}
	result.Audit, err = s.receipt(keys, committed)
	return result, err
}

// describe completes the entry with what was found, and the result with the
// subjects that stand beside it.
func (r *SubjectSearchResult) describe(entry *audit.Entry) {
	entry.Entities = make(map[string]int)
	mappings := 0
	for i := range r.Sightings {
		one := &r.Sightings[i]
		mappings += one.Mappings
		entry.Entities[one.Entity] += one.Mappings
		entry.ScopeRefs = append(entry.ScopeRefs, one.ScopeID)
		r.SubjectRefs = append(r.SubjectRefs, one.SubjectRefs...)
	}
	r.SubjectRefs, entry.ScopeRefs = unique(r.SubjectRefs), unique(entry.ScopeRefs)
	entry.SubjectRefs = r.SubjectRefs
	entry.Counts = map[string]int{"mappings": mappings, "scopes": len(entry.ScopeRefs)}
}

// MaxSearches bounds how often somebody looks for people in an hour: enough for
// whoever answers requests, too few to walk through a list of customers. Two
// searches at the same moment may both be the last.
const MaxSearches = 200

// searchBudget refuses who has searched too often, by what the log says.
func (s *Service) searchBudget(ctx context.Context, caller Caller) error {
	const window = time.Hour
	now := s.clock()
	stored, err := s.ledger.Entries(ctx, caller.Tenant, EntryQuery{
		Actor: caller.Subject, Kind: string(audit.KindSubjectSearch), Since: now.Add(-window), Limit: MaxSearches,
	})
	if err != nil {
		return public(err)
	}
	if len(stored) < MaxSearches {
		return nil
	}
	e := Errorf(CodeExhausted, "more than %d searches in an hour", MaxSearches)
	e.Limit, e.RetryAfter = "subject_searches", window
	if first, err := audit.ParseLeaf(stored[0].Leaf); err == nil {
		e.RetryAfter = max(first.Time.Add(window).Sub(now), time.Second)
	}
	return e
}

// variants adds to identifiers the other ways in which they may have been
// written.
func (s *Service) variants(given []Identifier) []Identifier {
	all := slices.Clone(given)
	for _, id := range given {
		entity, _ := s.rules().Entity(id.Entity) // checkSearch has seen it
		for _, other := range detect.Variants(detect.Normaliser(entity.Normaliser), id.Entity, id.Value) {
			all = append(all, Identifier{Entity: id.Entity, Value: other})
		}
	}
	return all
}

// onlyNames tells whether nothing but names was searched by.
func onlyNames(req SubjectSearchRequest) bool {
	return req.Subject == "" && !slices.ContainsFunc(req.Identifiers, func(id Identifier) bool { return id.Entity != entityPerson })
}

func (s *Service) checkSearch(req *SubjectSearchRequest) error {
	switch {
	case req.Subject == "" && len(req.Identifiers) == 0:
		return Invalid("/", "subject or identifiers is required")
	case len(req.Identifiers) > MaxIdentifiers:
		return tooLarge("/identifiers", "subject_identifiers", MaxIdentifiers)
	}
	if err := checkName("/subject", req.Subject, false); err != nil {
		return err
	}
	return s.checkIdentifiers("/identifiers", req.Identifiers)
}

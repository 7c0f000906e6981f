package vault

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// MaxAssessedEntries bounds the entries that one assessment reads.
	MaxAssessedEntries = 100_000
	// MaxAssessedTokens bounds the tokens that its answer names.
	MaxAssessedTokens = 10_000
)

// AssessIncident says from the log who was exposed: whose values were restored in a
// time, or sent somewhere, and by whom. Nothing is given back. That it was asked is
// an entry.
func (s *Service) AssessIncident(ctx context.Context, call Call, req AssessRequest) (Assessment, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionIncidentManage, audit.KindSubjectSearch)
	if err != nil {
		return Assessment{}, err
	}
	if err := checkAssessment(&req); err != nil {
		return Assessment{}, err
	}
	scopes, err := s.assessedScopes(ctx, call.Caller.Tenant, keys, req.Scope)
	if err != nil {
		return Assessment{}, public(err)
	}
	found := assessment{req: req, scopes: scopes, tokens: make(map[string]bool), subjects: make(map[string]bool), seen: make(map[string]bool)}
	found.out = Assessment{Entities: make(map[string]int), Actors: make(map[string]int)}
	if err := s.readAssessed(ctx, call.Caller.Tenant, &found); err != nil {
		return Assessment{}, public(err)
	}
	out := found.result()
	entry.Code = "assess"
	entry.Counts = map[string]int{"entries": out.Entries, "tokens": out.Tokens, "subjects": len(out.Subjects), "scopes": len(out.Scopes)}
	committed, err := s.commit(ctx, call.Caller.Tenant, Record{}, entry)
	if err != nil {
		return Assessment{}, public(err)
	}
	out.Audit, err = s.receipt(keys, committed)
	return out, err
}

func checkAssessment(req *AssessRequest) error {
	switch {
	case req.From.IsZero() || req.To.IsZero():
		return Invalid("/from", "is required, and to")
	case !req.To.After(req.From):
		return Invalid("/to", "must be after from")
	case req.To.Sub(req.From) > MaxAssessment:
		return tooLarge("/to", "assessment_seconds", int(MaxAssessment.Seconds()))
	}
	for field, word := range map[string]string{
		"/actor": req.Actor, "/client": req.Client, "/reason": req.Reason, "/entity": req.Entity,
		"/destination": req.Destination, "/subject_ref": req.SubjectRef,
	} {
		if err := checkIdentifier(field, word); err != nil {
			return err
		}
	}
	return checkName("/scope", req.Scope, false)
}

// assessedScopes are all scopes of a name that are still stored.
func (s *Service) assessedScopes(ctx context.Context, tenant string, keys *keySet, name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	scopes, err := s.custody.Scopes(ctx, tenant, keys.index.Scope(name))
	if err != nil {
		return nil, err
	}
	if len(scopes) == 0 {
		return nil, Errorf(CodeNotFound, "there is no such scope any more: its entries name it by its reference only")
	}
	var ids []string
	for _, scope := range scopes {
		ids = append(ids, scope.ID)
	}
	return ids, nil
}

// assessment collects what entries say.
type assessment struct {
	req            AssessRequest
	scopes         []string
	tokens         map[string]bool // by scope and token, as an entry names both
	subjects, seen map[string]bool // seen are scopes
	out            Assessment
}

func (s *Service) readAssessed(ctx context.Context, tenant string, a *assessment) error {
	q := EntryQuery{
		Kind: string(audit.KindRestore), Actor: a.req.Actor, Reason: a.req.Reason, Entity: a.req.Entity,
		Since: a.req.From, Until: a.req.To, Limit: PageEntries,
	}
	if a.req.Tokenized {
		q.Kind = string(audit.KindTokenize)
	}
	for read := 0; ; {
		page, err := s.ledger.Entries(ctx, tenant, q)
		if err != nil {
			return err
		}
		for _, stored := range page {
			entry, err := audit.ParseLeaf(stored.Leaf)
			if err != nil {
				return errors.Join(ErrConflict, err)
			}
			a.add(&entry)
		}
		read += len(page)
		if len(page) < PageEntries {
			return nil
		}
		if read >= MaxAssessedEntries {
			a.out.Truncated = true
			return nil
		}
		q.HasCursor, q.Cursor = true, page[len(page)-1].Index
	}
}

// add counts one entry, where it is one that is asked about.
func (a *assessment) add(e *audit.Entry) {
	about := func(wanted string, has ...string) bool { return wanted == "" || slices.Contains(has, wanted) }
	sent := append([]string{e.Destination}, e.About(audit.ObligationDestination)...)
	inScope := len(a.scopes) == 0 || slices.ContainsFunc(e.ScopeRefs, func(ref string) bool { return slices.Contains(a.scopes, ref) })
	switch {
	case e.Decision == audit.Deny, len(e.Tokens) == 0, !inScope,
		!about(a.req.Client, e.Client.ClientID), !about(a.req.SubjectRef, e.SubjectRefs...), !about(a.req.Destination, sent...):
		return
	}
	if e.Seq == 0 { // further parts of a change name further tokens, and count nothing else
		a.out.Entries++
		a.out.Actors[e.Actor]++
		for entity, n := range e.Entities {
			a.out.Entities[entity] += n
		}
	}
	for _, id := range e.Tokens {
		// A token is unique in its scope. An entry about several names them together.
		key := id
		if len(e.ScopeRefs) == 1 {
			key = e.ScopeRefs[0] + "/" + id
		}
		if !a.tokens[key] {
			a.tokens[key] = true
			if len(a.out.TokenIDs) < MaxAssessedTokens {
				a.out.TokenIDs = append(a.out.TokenIDs, id)
			} else {
				a.out.Truncated = true
			}
		}
	}
	for _, ref := range e.SubjectRefs {
		a.subjects[ref] = true
	}
	for _, ref := range e.ScopeRefs {
		a.seen[ref] = true
	}
}

func (a *assessment) result() Assessment {
	a.out.Tokens = len(a.tokens)
	a.out.Subjects = slices.Sorted(maps.Keys(a.subjects))
	a.out.Scopes = slices.Sorted(maps.Keys(a.seen))
	return a.out
}

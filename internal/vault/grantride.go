package vault

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// granting is the grant that a tokenize request asks for, on its way. What it names
// is decided by what the prompt carries; that the tokens live is seen to by the
// commit that makes them.
type granting struct {
	wish *GrantWish
	job  *restoreJob // of the same caller and reason; nothing is restored by it
	owed demands     // of the last attempt
	body grantBody   // of it, without the tokens that the commit tells
}

// newGranting checks the wish for a grant, nil where there is none.
func (s *Service) newGranting(ctx context.Context, call Call, req *TokenizeRequest) (*granting, error) {
	w := req.Grant
	if w == nil {
		return nil, nil
	}
	if req.DryRun {
		return nil, Invalid("/grant", "goes without dry_run")
	}
	if err := checkWish("/grant", w); err != nil {
		return nil, err
	}
	job, err := s.justifiedIn(ctx, call, "/grant", DetokenizeRequest{
		Scope: req.Scope, ReadScopes: req.ReadScopes, Reason: w.Reason, Recipient: w.Recipient,
	})
	if err != nil {
		return nil, err
	}
	job.entry.Kind = audit.KindGrant
	if some, why := job.anyEntity(); !some {
		entry := job.entry
		entry.Code = string(why)
		return nil, s.deny(ctx, call.Caller.Tenant, entry, Errorf(CodeDenied, "the policy allows no restoration for this reason"))
	}
	return &granting{wish: w, job: job}, job.streamable("/grant/reason/code")
}

// carried is a token of the answer that the grant may name: of the plan's mappings
// or touches, by its place among them, or of a read scope.
type carried struct {
	scope  int // among the scopes of the grant; 0 is that of the request
	entity access.Entity
	slot   int // in Outcome.Standing, -1 where id says it
	id     string
}

// ride puts the grant on the change of a tokenize job.
func (g *granting) ride(j *tokenizeJob, change Change) (Change, error) {
	job := &grantJob{restoreJob: g.job, wish: *g.wish}
	scopes := append([]Scope{j.scope}, j.readScopes...)
	g.body = job.body(scopes)
	body := g.body
	most := min(MaxGrantTokens, body.Budget)
	names, entry := g.decide(j, scopes, most)
	ttl := cmp.Or(g.wish.TTL, GrantLife)
	entry.Counts = map[string]int{audit.CountTTL: int(ttl / time.Second), audit.CountBudget: body.Budget}
	reason := g.wish.Reason.Code
	return change.Granting(GrantRider{
		Entry: entry, Opens: j.s.newGrant(j.call.Caller, ttl), Spends: g.owed.spends(j.call.Caller, j.keys, reason),
		Names: func(o Outcome) []string {
			ids := make([]string, 0, len(names))
			for _, n := range names {
				if id, stands := n.in(o); stands {
					ids = append(ids, id)
				}
			}
			return ids
		},
		Body: func(tokens []string) []byte {
			stands := body
			for i := range min(len(names), len(tokens)) {
				stands.name(MappingRef{scopes[names[i].scope].ID, tokens[i]})
			}
			return encodeBody(stands)
		},
	})
}

// in is the token that stands after the commit.
func (c carried) in(o Outcome) (string, bool) {
	if c.slot < 0 {
		return c.id, true
	}
	if c.slot >= len(o.Standing) {
		return "", false
	}
	return o.Standing[c.slot].TokenID, true
}

// decide picks what the grant names: what the policy would give of what the answer
// carries, if that is no more than a grant may name. Where a decision depends on
// persons who consent it is made when a token is restored.
func (g *granting) decide(j *tokenizeJob, scopes []Scope, most int) ([]carried, audit.Entry) {
	entry := g.job.entry
	entry.Decision, entry.Entities = audit.Allow, make(map[string]int)
	for _, s := range scopes {
		entry.ScopeRefs = append(entry.ScopeRefs, s.ID)
	}
	var names []carried
	var rules, duties []string
	g.owed = demands{}
	all := j.carried(scopes)
	for _, c := range all {
		r := g.job.request()
		r.Entity, r.Class, r.Place, r.Consented = c.entity.Name, c.entity.Class, access.PlaceProse, true
		r.SameClient, r.EndUser = binding(scopes[c.scope], j.call.Caller, j.keys)
		d := j.s.rules().Decide(r)
		if !d.Allow {
			entry.Decision = audit.Partial
			continue
		}
		if names = append(names, c); len(names) > most {
			// Of more than it may name it names none: each flush has its entry.
			entry.Entities, g.owed = nil, demands{}
			return nil, entry
		}
		g.owed.add(d, MappingRef{scopes[c.scope].ID, cmp.Or(c.id, strconv.Itoa(c.slot))})
		entry.Entities[c.entity.Name]++
		rules = append(rules, d.RuleIDs...)
		duties = append(append(duties, d.Obligations...), "form:"+string(d.Form))
	}
	entry.RuleIDs, entry.Obligations = unique(rules), unique(duties)
	return names, entry
}

// exhausted refuses a request whose grant a budget has no room for.
func (g *granting) exhausted(ctx context.Context, j *tokenizeJob) error {
	return j.s.exhausted(ctx, j.call, j.keys, g.job.entry, &g.owed)
}

// carried are the different tokens of the answer.
func (j *tokenizeJob) carried(scopes []Scope) []carried {
	var all []carried
	for i := range j.slots {
		all = append(all, carried{entity: j.slots[i].entity, slot: i})
	}
	seen := make(map[MappingRef]bool)
	for _, f := range j.found {
		if f.kept == nil {
			continue
		}
		at := 0
		if f.read {
			home := j.elsewhere[f.kept.ID].ScopeID
			at = slices.IndexFunc(scopes, func(s Scope) bool { return s.ID == home })
		}
		if ref := (MappingRef{scopes[at].ID, f.kept.ID}); !seen[ref] {
			seen[ref] = true
			all = append(all, carried{scope: at, entity: f.entity, slot: -1, id: f.kept.ID})
		}
	}
	return all
}

// carries tells whether the answer holds any token, of whatever scope.
func (j *tokenizeJob) carries() bool {
	return len(j.slots) > 0 || slices.ContainsFunc(j.found, func(f finding) bool { return f.kept != nil })
}

// granted is the grant as the commit made it.
func (g *granting) granted(s *Service, keys *keySet, rider *GrantRider, committed *Committed) (*GrantResult, error) {
	row, body := rider.Opens, g.body
	row.ID, row.CreatedAt = rider.ID, committed.At
	body.Named = len(unique(rider.Names(committed.Outcome)))
	// The grant's entry is the last of the change.
	receipt, err := s.receipt(keys, *committed)
	return &GrantResult{Grant: s.describeGrant(row, body), Audit: receipt}, err
}

package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/token"
)

// OpenGrant lets the caller restore while an answer streams: one decision and one
// entry now, for what the grant names, instead of one for each piece. Nothing is
// given back by it. What it names is decided as if the tokens were restored, and
// counts against the same budgets; each flush decides again, by where its tokens
// stand, against what lives at that moment.
func (s *Service) OpenGrant(ctx context.Context, call Call, req GrantRequest) (GrantResult, error) {
	s = s.under(call)
	if err := checkGrantRequest(&req); err != nil {
		return GrantResult{}, err
	}
	job, err := s.justified(ctx, call, DetokenizeRequest{
		Scope: req.Scope, ReadScopes: req.ReadScopes, Reason: req.Reason, Recipient: req.Recipient, Tokens: req.Tokens,
	})
	if err != nil {
		return GrantResult{}, err
	}
	g := &grantJob{restoreJob: job, wish: req.GrantWish}
	job.entry.Kind = audit.KindGrant
	if err := job.streamable("/reason/code"); err != nil {
		return GrantResult{}, err
	}
	if err := g.names(ctx); err != nil {
		return GrantResult{}, public(err)
	}
	if err := job.decideLabels(ctx); err != nil {
		return GrantResult{}, err
	}
	job.claim = s.newClaiming(call, job.keys)
	return g.run(ctx)
}

// grantJob is a request for a grant on its way.
type grantJob struct {
	*restoreJob
	wish GrantWish
}

func (g *grantJob) run(ctx context.Context) (GrantResult, error) {
	for range MaxAttempts {
		result, err := g.attempt(ctx)
		switch {
		case err == nil:
			return result, nil
		case errors.Is(err, ErrExhausted):
			return GrantResult{}, g.s.exhausted(ctx, g.call, g.keys, refusedGrant(g.describe()), &g.demands)
		case !plannable(err):
			return GrantResult{}, g.s.settle(ctx, g.call.Caller.Tenant, refusedGrant(g.entry), err)
		}
		g.contended = true
	}
	return GrantResult{}, public(ErrConflict)
}

// refusedGrant is the entry of a grant that was not given.
func refusedGrant(e audit.Entry) audit.Entry {
	e.Counts = nil
	return e
}

// names finds the tokens that the grant is to name.
func (g *grantJob) names(ctx context.Context) error {
	if len(g.req.Tokens) > 0 {
		g.scan()
		return nil
	}
	most := min(MaxGrantTokens, g.budget())
	var ids []string
	for _, name := range unique(append([]string{g.req.Scope}, g.req.ReadScopes...)) {
		scope, err := g.s.store.Scope(ctx, g.call.Caller.Tenant, Digest(g.keys.index.Scope(name)))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		ids = append(ids, scope.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	alive, err := g.s.grants.Alive(ctx, g.call.Caller.Tenant, ids, most)
	if err != nil || len(alive) > most {
		return err // of more than it may name it names none: each flush has its entry
	}
	for i, m := range alive {
		t, err := token.FromID(token.Format(m.Format), m.Entity, m.TokenID)
		if err != nil {
			return fmt.Errorf("vault: a stored token: %w", err)
		}
		g.found = append(g.found, occurrence{
			start: i, end: i, written: t.String(), token: t, readable: true, strict: true, place: access.PlaceProse,
		})
	}
	return nil
}

// budget is how many different tokens the grant may restore.
func (g *grantJob) budget() int {
	budget := cmp.Or(g.wish.Budget, DefaultGrantBudget)
	if reason, _ := g.reason(); reason.MaxTokens > 0 {
		budget = min(budget, reason.MaxTokens)
	}
	return budget
}

// streamable refuses a reason that streams cannot go by: one whose uses are
// reviewed, for a review is of one use.
func (j *restoreJob) streamable(field string) error {
	if reason, _ := j.reason(); reason.Review > 0 {
		return Invalid(field, "is for single restorations: each use of it is reviewed")
	}
	return nil
}

// attempt decides against the mappings as they are read now, and commits the grant
// on the condition that they still stand.
func (g *grantJob) attempt(ctx context.Context) (GrantResult, error) {
	tenant := g.call.Caller.Tenant
	if err := g.claim.read(ctx, g.s, tenant, &g.entry); err != nil {
		return GrantResult{}, err
	}
	if err := g.readMappings(ctx); err != nil {
		return GrantResult{}, err
	}
	refs := g.decideMappings()
	entry := g.describe()
	if len(g.req.Tokens) > 0 && len(refs) == 0 {
		return GrantResult{}, g.s.deny(ctx, tenant, refusedGrant(entry), Errorf(CodeDenied, "nothing of it can be restored"))
	}
	if entry.Decision == audit.Deny {
		entry.Decision = audit.Allow // what lives there is not for this caller; what comes may be
	}
	body := g.body(g.scopes)
	for _, ref := range refs {
		body.name(MappingRef{ref.ScopeID, ref.TokenID})
	}
	ttl := cmp.Or(g.wish.TTL, GrantLife)
	entry.Counts = map[string]int{audit.CountTTL: int(ttl / time.Second), audit.CountBudget: body.Budget}
	row := g.s.newGrant(g.call.Caller, ttl)
	row.Body = encodeBody(body)
	effect := Restore{
		Refs: refs, By: by(g.call.Caller, g.keys, g.req.Reason.Code),
		Spends: g.demands.spends(g.call.Caller, g.keys, g.req.Reason.Code), Standing: g.standing(),
	}
	committed, err := g.s.commitRiding(ctx, tenant, effect, entry, &g.claim, func(c Change) Change {
		row.ID = c.id
		if g.demands.notify {
			c = g.s.notifying(entry)(c)
		}
		return c.Opening(row)
	})
	if err != nil {
		return GrantResult{}, err
	}
	row.CreatedAt = committed.At
	receipt, err := g.s.receipt(g.keys, committed)
	if err != nil {
		return GrantResult{}, err
	}
	result := GrantResult{Grant: g.s.describeGrant(row, body), Audit: receipt}
	for i := range g.req.Tokens {
		o := &g.found[i]
		result.Results = append(result.Results, TokenResult{Token: o.written, Status: o.status, Form: string(o.form)})
	}
	return result, nil
}

// body is what is kept of the grant, without what it names.
func (g *grantJob) body(scopes []Scope) grantBody {
	b := grantBody{
		Client: g.call.Caller.Client, Reason: g.req.Reason.Code, Reference: g.req.Reason.Reference, Recipient: g.req.Recipient,
		PolicyVersion: g.s.rules().Version(), Scopes: grantScopes(scopes), Budget: g.budget(), Renewable: g.wish.Renewable,
	}
	if g.call.Caller.EndUser != "" {
		b.EndUser = g.keys.index.EndUser(g.call.Caller.EndUser)
	}
	return b
}

func checkGrantRequest(req *GrantRequest) error {
	if err := checkScopeNames(req.Scope, req.ReadScopes); err != nil {
		return err
	}
	if len(req.Tokens) > MaxGrantTokens {
		return tooLarge("/tokens", "grant_tokens", MaxGrantTokens)
	}
	for i, t := range req.Tokens {
		if len(t) > token.MaxCandidate*4 {
			return Invalid("/tokens/"+strconv.Itoa(i), "is longer than any token")
		}
	}
	return checkWish("", &req.GrantWish)
}

// checkWish checks what a grant is asked to be; at is where the request says so.
func checkWish(at string, w *GrantWish) error {
	if err := checkIdentifier(at+"/recipient", w.Recipient); err != nil {
		return err
	}
	switch {
	case w.TTL < 0 || w.TTL > GrantLife || w.TTL%time.Second != 0:
		return Invalid(at+"/ttl", fmt.Sprintf("must be between 1 and %d seconds", GrantLife/time.Second))
	case w.Budget < 0 || w.Budget > MaxFindings:
		return Invalid(at+"/budget", fmt.Sprintf("must be between 1 and %d", MaxFindings))
	}
	return nil
}

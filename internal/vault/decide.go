package vault

import (
	"context"
	"errors"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
)

// request is what the policy is asked about this caller and reason.
func (j *restoreJob) request() access.Request {
	r := j.s.plainRequest(j.call.Caller, access.ActionRestore)
	r.Reason = j.req.Reason.Code
	r.Approved = j.redeems.given()
	return r
}

// decideLabels is the first of two stages under one policy version. By the
// token's label alone it fixes what the caller may be told: who may not
// restore an entity gets one answer for all of its tokens, whether they were
// ever issued or not. Where the policy says no to all of it, so does the
// service.
func (j *restoreJob) decideLabels(ctx context.Context) error {
	reason, _ := j.reason()
	different := make(map[string]bool)
	for i := range j.found {
		different[j.found[i].token.ID] = true
	}
	if limit := reason.MaxTokens; limit > 0 && len(different) > limit {
		refusal := Errorf(CodeDenied, "the reason allows at most %d tokens per request", limit)
		refusal.Limit = "reason_max_tokens"
		return j.s.deny(ctx, j.call.Caller.Tenant, j.entry, refusal)
	}
	some, why := j.anyEntity()
	open := j.labels(some)
	denied := slices.ContainsFunc(j.found, func(o occurrence) bool { return o.status == StatusDenied })
	if some && (open > 0 || !denied) {
		return nil
	}
	entry := j.entry
	entry.Code = string(why)
	entry.Results = map[string]int{string(StatusDenied): len(j.found)}
	return j.s.deny(ctx, j.call.Caller.Tenant, entry, Errorf(CodeDenied, "the policy does not allow this"))
}

// labels decides each token by its label alone, and tells how many are still in the
// running.
func (j *restoreJob) labels(some bool) (open int) {
	for i := range j.found {
		o := &j.found[i]
		switch {
		case !some:
			o.status = StatusDenied
		case !o.readable:
			o.status = StatusUnknown
		case o.token.Entity == "":
			// An opaque token has no label: what it stands for decides later,
			// and a refusal then is the answer of an unknown token.
			o.status = undecided
			open++
		default:
			if d := j.bestFor(o.token.Entity); d.Allow {
				o.status = undecided
				open++
			} else {
				o.status = StatusDenied
			}
		}
	}
	return open
}

// anyEntity tells whether the caller may restore anything for the reason.
func (j *restoreJob) anyEntity() (bool, access.Why) {
	why := access.WhyNoRule
	for e := range j.s.rules().EachEntity() {
		d := j.bestFor(e.Name)
		if d.Allow {
			return true, access.WhyNone
		}
		why = d.Why
	}
	return false, why
}

// bestFor decides for an entity as if everything that depends on the mapping
// spoke for the caller.
func (j *restoreJob) bestFor(name string) access.Decision {
	entity, known := j.s.rules().Entity(name)
	if !known {
		return access.Decision{}
	}
	r := j.request()
	r.Entity, r.Class = entity.Name, entity.Class
	return j.s.rules().Best(r) // an approval that it needs counts as given
}

// readMappings reads the scopes and what their tokens stand for, and forgets
// what an earlier attempt decided on them.
func (j *restoreJob) readMappings(ctx context.Context) error {
	ctx, end := stage.Start(ctx, stage.Read)
	defer end()
	var ids []string
	for i := range j.found {
		o := &j.found[i]
		if o.status != StatusDenied && o.readable {
			o.status, o.form, o.decision = undecided, "", access.Decision{}
			o.mapping, o.standing = Mapping{}, nil
			ids = append(ids, o.token.ID)
		}
	}
	ids, j.scopes = unique(ids), nil
	tenant := j.call.Caller.Tenant
	for _, name := range unique(append([]string{j.req.Scope}, j.req.ReadScopes...)) {
		scopes, err := j.scopesOf(ctx, name)
		if err != nil {
			return err
		}
		j.scopes = append(j.scopes, scopes...)
		if len(ids) == 0 {
			continue
		}
		for _, scope := range scopes {
			mappings, err := j.s.store.Mappings(ctx, tenant, MappingQuery{ScopeID: scope.ID, TokenIDs: ids})
			if err != nil {
				return err
			}
			j.stand(mappings)
		}
	}
	return j.readTerms(ctx)
}

// readTerms reads what a decision depends on besides the mappings: the consents of
// those whom they are about and, once a commit found that the world had changed,
// the suspensions that stand. The commit judges both anew.
func (j *restoreJob) readTerms(ctx context.Context) (err error) {
	if err := j.readConsents(ctx); err != nil {
		return err
	}
	if j.contended {
		if j.suspended, err = j.s.suspensions(ctx, j.call.Caller.Tenant); err != nil {
			return err
		}
	}
	if reason, _ := j.reason(); reason.Review > 0 {
		return j.s.overdue(ctx, j.call, j.entry)
	}
	return nil
}

// readConsents reads which of those whom the mappings are about consent.
func (j *restoreJob) readConsents(ctx context.Context) (err error) {
	reason, _ := j.reason()
	if reason.Consent == "" {
		return nil
	}
	var refs []string
	for i := range j.found {
		for _, m := range j.found[i].standing {
			refs = append(refs, m.SubjectRefs...)
		}
	}
	j.consented, err = j.s.consents(ctx, j.call.Caller.Tenant, reason.Consent, refs)
	return err
}

// reason is the one that was given, as it is for the caller's tenant.
func (j *restoreJob) reason() (access.Reason, bool) {
	return j.s.rules().ReasonOf(j.call.Caller.Tenant, j.req.Reason.Code)
}

// scopesOf are the scopes of a name: the one that lives and, for a reason that
// reaches held data, those that have ended.
func (j *restoreJob) scopesOf(ctx context.Context, name string) ([]Scope, error) {
	digest := Digest(j.keys.index.Scope(name))
	if reason, _ := j.reason(); reason.ReachesHeld {
		return j.s.custody.Scopes(ctx, j.call.Caller.Tenant, digest)
	}
	scope, err := j.s.store.Scope(ctx, j.call.Caller.Tenant, digest)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return []Scope{scope}, err
}

// stand gives each occurrence what its token stands for in one scope.
func (j *restoreJob) stand(mappings []Mapping) {
	byID := make(map[string]Mapping, len(mappings))
	for _, m := range mappings {
		byID[m.TokenID] = m
	}
	for i := range j.found {
		o := &j.found[i]
		if m, ok := byID[o.token.ID]; ok && o.status == undecided && sameToken(m, o.token) {
			o.standing = append(o.standing, m)
		}
	}
}

// decideMappings is the second stage: by the mapping, the binding of its scope
// and its place, each scope on its own. It returns what the intent is about.
func (j *restoreJob) decideMappings() []RestoreRef {
	requests := make(map[string]access.Request, len(j.scopes))
	for _, scope := range j.scopes {
		r := j.request()
		r.SameClient, r.EndUser = binding(scope, j.call.Caller, j.keys)
		if j.s.faults.ignoreBinding {
			r.SameClient, r.EndUser = true, access.EndUserUnbound
		}
		requests[scope.ID] = r
	}
	names := make(map[string]Digest, len(j.scopes))
	for _, scope := range j.scopes {
		names[scope.ID] = scope.Digest
	}
	refs := make(map[RestoreRef]bool)
	var order []RestoreRef
	j.demands = demands{}
	for i := range j.found {
		o := &j.found[i]
		if o.status != undecided {
			continue
		}
		j.choose(o, requests)
		if !o.gives() {
			continue
		}
		ref := o.mapping.ref(names[o.mapping.ScopeID])
		if j.stopped(ref) {
			o.status, o.form = StatusSuspended, ""
			continue
		}
		j.demands.add(o.decision, MappingRef{ref.ScopeID, ref.TokenID})
		if !refs[ref] {
			refs[ref] = true
			order = append(order, ref)
		}
	}
	return order
}

// stopped tells whether a suspension that was read stops a value.
func (j *restoreJob) stopped(ref RestoreRef) bool {
	one := Restore{Refs: []RestoreRef{ref}, By: by(j.call.Caller, j.keys, j.req.Reason.Code)}
	return one.Stopped(j.suspended)
}

// choose decides for each scope that has the token. What this caller may not
// know of counts as not there; of the others exactly one may have it, since a
// guess could be somebody else's value.
func (j *restoreJob) choose(o *occurrence, requests map[string]access.Request) {
	var known []occurrence
	for _, m := range o.standing {
		one := *o
		one.mapping = m
		r := requests[m.ScopeID]
		r.Entity, r.Class = m.Entity, access.Class(m.Class)
		r.Consented = agreed(m.SubjectRefs, j.consented)
		if !j.redeems.names(m) {
			r.Approved = 0
		}
		one.decide(j.s.rules(), r, j.s.faults)
		if one.status != StatusUnknown {
			known = append(known, one)
		}
	}
	switch len(known) {
	case 0:
		o.status = StatusUnknown
	case 1:
		*o = known[0]
	default:
		o.status = StatusAmbiguous
	}
}

// agreed tells whether everybody whom a value is about consents. A value of which
// nobody knows whom it is about has nobody's consent.
func agreed(subjectRefs []string, consented map[string]string) bool {
	for _, ref := range subjectRefs {
		if consented[ref] == "" {
			return false
		}
	}
	return len(subjectRefs) > 0
}

// decide sets the status of an occurrence whose mapping was read. The binding
// comes first, since a caller that does not match it must not learn even that
// the token has expired.
func (o *occurrence) decide(policy *access.Policy, r access.Request, f faults) {
	r.Restricted = o.mapping.State == MappingRestricted
	r.Place = access.PlaceProse
	inProse := policy.Decide(r)
	kept := true
	if o.mapping.over() && !f.ignoreExpiry {
		// Its time is over. A hold may keep it, for reasons that reach that.
		r.Held = true
		kept = o.mapping.Held && policy.Decide(r).Why != access.WhyHeld
	}
	here := inProse
	if o.place != access.PlaceProse && !f.ignorePlace {
		r.Place, r.Tool = o.place, o.tool
		here = policy.Decide(r)
	}
	switch {
	case inProse.Why == access.WhyRestricted:
		o.status = StatusRestricted
	case inProse.Why == access.WhyConsent:
		o.status = StatusNeedsConsent
	case inProse.Why == access.WhyNeedsApproval:
		o.status, o.decision = StatusNeedsApproval, inProse
	case !inProse.Allow:
		o.status = StatusUnknown
	case !o.mapping.KeyAlive:
		o.status = StatusErased
	case !kept:
		o.status = StatusExpired
	case !here.Allow:
		o.status = StatusPlace
	default:
		o.decision, o.form = here, here.Form
		o.status = statusOf(here.Form)
	}
}

func statusOf(f access.Form) Status {
	switch f {
	case access.FormFull:
		return StatusRestored
	case access.FormPartial:
		return StatusPartial
	default:
		return StatusMasked
	}
}

// failFast refuses the whole request where the caller asked for all or
// nothing and something is refused.
func (j *restoreJob) failFast(ctx context.Context) error {
	if j.req.OnRefused != RefusedFail {
		return nil
	}
	refused := 0
	entry := j.entry
	entry.Results = make(map[string]int)
	for i := range j.found {
		if o := &j.found[i]; !o.gives() {
			refused++
			entry.Results[string(o.status)]++
		}
	}
	if refused == 0 {
		return nil
	}
	entry.ScopeRefs = j.scopeRefs()
	return j.s.deny(ctx, j.call.Caller.Tenant, entry, Errorf(CodeDenied, "%d of %d tokens are not restored", refused, len(j.found)))
}

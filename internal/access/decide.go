package access

import "slices"

// Decide answers a request as it is. It is pure and safe for concurrent use,
// and a zero or unknown value anywhere is a deny.
func (p *Policy) Decide(r Request) Decision {
	d := p.evaluate(&r, false)
	if d.Why == WhyBinding && len(d.RuleIDs) > 0 {
		// A deny rule on the binding stopped the search before the allow
		// rules. What the caller may know must not depend on the binding: if
		// the best case is a denial too, it is that one.
		if best := p.evaluate(&r, true); !best.Allow {
			return best
		}
	}
	return d
}

// Best answers for the best case of the same caller: a scope that is bound to
// them, prose, live data, approvals and consents given. It fixes what the caller
// may be told; SameClient, EndUser, Place, Tool, Held, Restricted, Approved and
// Consented are not read.
func (p *Policy) Best(r Request) Decision {
	return p.evaluate(&r, true)
}

// evaluate works on its own copy of the request.
func (p *Policy) evaluate(r *Request, best bool) Decision {
	if !slices.Contains(actions, r.Action) {
		return denied(WhyNoRule)
	}
	key := bucket{r.Action, none}
	var lacks shortfall
	var reason *Reason
	if r.Action == ActionRestore {
		var ok bool
		if reason, ok = p.reasonOf(r.Tenant, r.Reason); !ok {
			return denied(WhyReasonUnknown)
		}
		if why := p.fixValue(r, reason); why != WhyNone {
			return denied(why)
		}
		key.reason, lacks = r.Reason, reason.lacks(r)
	} else if r.Reason != "" {
		return denied(WhyReasonUnknown)
	}
	d, err := p.engine.decide(key, r, lacks, best)
	if err != nil {
		return denied(WhyFault)
	}
	if !d.Allow || reason == nil {
		return d
	}
	return reason.meet(d, r, best)
}

// fixValue checks entity and class and settles on the stricter class, so that
// a catalogue that became stricter also holds for mappings made before.
func (p *Policy) fixValue(r *Request, reason *Reason) Why {
	entity, ok := p.entities[r.Entity]
	if !ok || !reason.reachesEntity(r.Entity) {
		return WhyEntity
	}
	given, ok := r.Class.rank()
	if !ok {
		return WhyClass
	}
	if own, _ := entity.Class.rank(); own > given {
		r.Class = entity.Class
	}
	if !slices.Contains(reason.Classes, r.Class) {
		return WhyClass
	}
	return WhyNone
}

func denied(why Why, ids ...string) Decision { return Decision{Why: why, RuleIDs: ids} }

// decision reads what the matcher found. Casbin's answer and the list of rules
// must agree on an allow; anything else is a deny.
func (ev *evaluation) decision(allowed bool) Decision {
	var ids []string
	var form Form
	for _, r := range ev.matched {
		switch {
		case r.deny && r.contextual():
			return denied(WhyBinding, r.id)
		case r.deny:
			return denied(WhyRule, r.id)
		case r.form.rank() > form.rank():
			form, ids = r.form, []string{r.id}
		case r.form.rank() == form.rank():
			ids = append(ids, r.id)
		}
	}
	if !allowed || len(ids) == 0 {
		return denied(ev.why())
	}
	slices.Sort(ids)
	return Decision{Allow: true, Form: form, RuleIDs: ids}
}

// why says what was missing where no rule matched: of the rule that came
// closest. What the caller is counts before how they stand to the scope, so
// that it is the binding only if the best case would be an allow.
func (ev *evaluation) why() Why {
	switch {
	case !ev.sawRole:
		return WhyNoRule
	case !ev.sawClass:
		return WhyClass
	case !ev.sawEntity:
		return WhyEntity
	}
	lacks := lacksAttribute
	for _, near := range ev.near {
		lacks = min(lacks, near&^lacksBinding)
	}
	switch {
	case len(ev.near) == 0:
		return WhyNoRule
	case lacks == 0:
		return WhyBinding
	case lacks&lacksAttribute != 0:
		return WhyAttribute
	case lacks&lacksNetwork != 0:
		return WhyNetwork
	case lacks&lacksHours != 0:
		return WhyHours
	case lacks&lacksMFA != 0:
		return WhyMFA
	}
	return WhySecondPerson
}

// lacks is what the reason demands of every caller and this one has not: facts
// of the caller and the moment, which no rule and no best case grants.
func (r *Reason) lacks(q *Request) shortfall {
	var lacks shortfall
	if r.MFA && !q.MFA || len(r.ACR) > 0 && !slices.Contains(r.ACR, q.ACR) {
		lacks |= lacksMFA
	}
	if r.Hours != nil && !r.Hours.Contain(q.At) {
		lacks |= lacksHours
	}
	if len(r.Networks) > 0 && !r.inNetwork(q.Address) {
		lacks |= lacksNetwork
	}
	if len(r.Environments) > 0 && !slices.Contains(r.Environments, q.Environment) {
		lacks |= lacksAttribute
	}
	return lacks
}

// meet checks what the reason demands whatever the rules say. The place comes
// after the state of the data, and approvals last: each is only reported if
// nothing else is in the way.
func (r *Reason) meet(d Decision, q *Request, best bool) Decision {
	if !best {
		switch {
		case !slices.Contains(EndUserMatches(), q.EndUser):
			return denied(WhyBinding)
		case q.Restricted && !r.ReachesRestricted:
			return denied(WhyRestricted)
		case q.Held && !r.ReachesHeld:
			return denied(WhyHeld)
		case !r.reachesPlace(q.Place, q.Tool):
			return denied(WhyPlace)
		}
	}
	out := Decision{
		RuleIDs: d.RuleIDs, Approvals: r.Approvals(q.Class), Budgets: r.budgetsOf(q.Class), Purpose: r.Consent,
	}
	switch {
	case !best && r.Consent != "" && !q.Consented:
		out.Why = WhyConsent
		return out
	case !best && q.Approved < out.Approvals:
		out.Why = WhyNeedsApproval
		return out
	}
	out.Allow, out.Form = true, d.Form
	// Only an overlay makes the form of the reason the lesser one. What only looks
	// like a token is nobody's data, and a part of it would spoil a text.
	if r.Form.rank() < d.Form.rank() && q.Entity != EntityTokenLike {
		out.Form = r.Form
	}
	out.Obligations, out.Notify, out.Review = slices.Clone(r.obligations), r.Notify, r.Review
	return out
}

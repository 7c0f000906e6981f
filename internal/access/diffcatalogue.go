package access

import (
	"slices"
	"strings"
	"time"
)

// rules compares the lines of policy.csv by their ids.
func (d *differ) rules() {
	for _, deny := range []bool{false, true} {
		added, removed := Changed, Changed
		if deny {
			added, removed = Narrowed, Widened
		}
		named(d, areaRule, rulesOf(d.old, deny), rulesOf(d.new, deny), added, removed, ruleAspects)
	}
}

func rulesOf(p *Policy, deny bool) map[string]*rule {
	out := map[string]*rule{}
	for id, r := range p.engine.rules {
		if r.deny == deny {
			out[id] = r
		}
	}
	return out
}

func ruleAspects(r *rule) []aspect {
	var out []aspect
	for i, name := range columns {
		if name == "id" {
			continue
		}
		text := r.row[i]
		if text == none {
			text = ""
		}
		a := about(name, text)
		if r.deny {
			a = denyAspect(r, a)
		}
		out = append(out, a)
	}
	return out
}

// denyAspect says what it does to others when a deny rule reaches less.
func denyAspect(r *rule, a aspect) aspect {
	switch a.field {
	case "classes":
		return reversed(grants(a.field, strings.Split(a.text, "|")))
	case "entities":
		every := reversed(limits(a.field, r.entities))
		every.text = a.text
		return every
	case "when":
		var names []string
		for _, c := range r.conditions {
			names = append(names, c.name)
		}
		return grants(a.field, names) // with fewer conditions it denies more
	}
	a.effect = func(_, _ aspect) Effect { return Widened } // somebody else is denied now
	return a
}

func (d *differ) entities() {
	named(d, areaEntity, d.old.entities, d.new.entities, Changed, Changed, func(e Entity) []aspect {
		rank, _ := e.Class.rank() // an entity of a policy has one
		return []aspect{
			reversed(ranked("class", string(e.Class), rank)),
			treated("action", e.Action),
			about("normaliser", e.Normaliser),
			about("format", e.Format),
		}
	})
}

func (d *differ) destinations() {
	// A new one is a place where prompts may go that they could not.
	named(d, areaDestination, d.old.destinations, d.new.destinations, Widened, Narrowed, destinationAspects)
	for _, after := range d.new.Destinations() {
		before, ok := d.old.destinations[after.Name]
		d.actions(after, func(e Entity) EntityAction {
			if !ok {
				return "" // nothing was done there, since nothing could go there
			}
			return before.said(e)
		})
	}
}

func destinationAspects(at Destination) []aspect {
	return []aspect{
		about("vendor", at.Vendor),
		about("region", at.Region),
		agreed(agreementBAA, at.BAA, at.Requires),
		agreed(agreementDPA, at.DPA, at.Requires),
		demands("requires", at.Requires),
		gives("training", at.Training),
		more("vendor_retention_days", at.VendorRetentionDays),
		treated("payload.keys", at.Payload.Keys),
		treated("payload.numbers", at.Payload.Numbers),
		ranked("payload.unknown", string(at.Payload.Unknown), slices.Index(unknownShapes, at.Payload.Unknown)),
	}
}

// treated is what is done to a value; a stricter action gives less.
func treated(field string, action EntityAction) aspect {
	return reversed(ranked(field, string(action), slices.Index(strictness, action)))
}

// actions compares what is done on the way to one destination to the entities
// that both policies have, all that changed alike in one sentence.
func (d *differ) actions(at Destination, before func(Entity) EntityAction) {
	names := map[[2]EntityAction][]string{}
	for _, e := range d.old.Entities() {
		if after, ok := d.new.entities[e.Name]; ok {
			key := [2]EntityAction{before(e), at.said(after)}
			names[key] = append(names[key], e.Name)
		}
	}
	for _, was := range append([]EntityAction{""}, strictness...) {
		for _, is := range strictness {
			// Of a new destination only what it lets through is said.
			entities := names[[2]EntityAction{was, is}]
			if len(entities) == 0 || was == "" && !is.InClear() {
				continue
			}
			field := strings.Join(entities, ", ")
			d.add(compared(areaDestination, at.Name, []aspect{treated(field, was)}, []aspect{treated(field, is)})...)
		}
	}
}

// unknownShapes from the strictest.
var unknownShapes = []UnknownShape{UnknownRefuse, UnknownEveryLeaf, UnknownSkip}

// agreed is an agreement. Where the destination requires it, what is allowed goes
// there while it is in force, so one that holds at other times gives more.
func agreed(name string, a Agreement, requires []string) aspect {
	out := about(name, a.text())
	out.agreement = a
	if !slices.Contains(requires, name) {
		return out
	}
	out.effect = func(old, new aspect) Effect {
		was, is := old.agreement, new.agreement
		if is.Ref == "" || was.Ref != "" && !is.ValidFrom.Before(was.ValidFrom) && !is.ValidTo.After(was.ValidTo) {
			return Narrowed
		}
		return Widened
	}
	return out
}

// text is the agreement as people read it.
func (a Agreement) text() string {
	if a.Ref == "" {
		return ""
	}
	return a.Ref + " from " + a.ValidFrom.Format(time.DateOnly) + " to " + a.ValidTo.Format(time.DateOnly)
}

// retention compares how long values are kept at most: by class, by entity
// where it differs from its class, and by rule.
func (d *differ) retention() {
	// One that went lets values be kept for longer, as long as the others say.
	named(d, areaRetention, d.kept(d.old), d.kept(d.new), Narrowed, Widened, func(r RetentionRule) []aspect {
		return []aspect{ranked("longest", r.For.String(), int(r.For/time.Hour))}
	})
	d.add(compared(areaRetention, "requests of persons",
		[]aspect{about("longest", d.old.retention.requests.String())},
		[]aspect{about("longest", d.new.retention.requests.String())})...)
	d.add(compared(areaRetention, "the log", d.old.retention.log.aspects(), d.new.retention.log.aspects())...)
}

// kept are the rules of one of the policies by what they select. An entity that
// only one of them has is kept by no other rule there than here.
func (d *differ) kept(p *Policy) map[string]RetentionRule {
	out := map[string]RetentionRule{}
	note := func(r RetentionRule) {
		if r.Entity != "" && (!has(d.old.entities, r.Entity) || !has(d.new.entities, r.Entity)) {
			return
		}
		// Of two with the same selectors the shorter counts.
		if before, ok := out[r.selectors()]; !ok || r.For < before.For {
			out[r.selectors()] = r
		}
	}
	for _, r := range p.RetentionRules("") {
		note(r)
	}
	for _, r := range p.retention.rules {
		note(r)
	}
	return out
}

func (r RetentionRule) selectors() string {
	var out []string
	for _, s := range []struct{ name, value string }{
		{"tenant", r.Tenant}, {"class", r.Class}, {"entity", r.Entity},
		{"destination", r.Destination}, {"scope_kind", r.ScopeKind},
	} {
		if s.value != "" {
			out = append(out, s.name+" "+s.value)
		}
	}
	return strings.Join(out, ", ")
}

func (d *differ) separations() {
	byID := func(p *Policy) map[string]Separation {
		out := map[string]Separation{}
		for _, s := range p.separations {
			out[s.ID] = s
		}
		return out
	}
	named(d, areaSeparation, byID(d.old), byID(d.new), Narrowed, Widened, func(s Separation) []aspect {
		role := about("role", s.Role)
		role.effect = func(_, _ aspect) Effect { return Widened } // the old role may have all others now
		return []aspect{role, demands("never_with", s.NeverWith), about("because", s.Because)}
	})
}

func (d *differ) operations() {
	rules := func(p *Policy) map[string]OperationRule {
		out := map[string]OperationRule{}
		for _, op := range Operations() {
			out[string(op)] = p.Operation(op)
		}
		return out
	}
	named(d, areaOperation, rules(d.old), rules(d.new), Narrowed, Widened, func(r OperationRule) []aspect {
		return []aspect{fewer("approvals", r.Approvals), more("over", r.Over), asks("restricted", r.Restricted)}
	})
}

package access

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// requests are the combinations of one action and reason that rules, reasons and
// tables of either policy tell apart.
func (d *differ) requests(tenant string, b bucket) ([]Request, error) {
	from, other := d.new, d.old
	if b.action == ActionRestore && !has(from.reasons, b.reason) {
		from, other = other, from
	}
	foreign := []*sentence{{line: other.mentions(b)}}
	settings, err := from.settings(b, foreign)
	if err != nil {
		return nil, err
	}
	callers := relations(settings)
	if b.action != ActionRestore {
		callers = append(callers, withSecondPerson(callers)...)
		return byRole(b, callers), nil
	}
	callers = append(callers, circumstances(settings, from.tools(b, foreign))...)
	var reasons []*Reason
	for _, p := range []*Policy{d.old, d.new} {
		if r, ok := p.reasonOf(tenant, b.reason); ok {
			reasons = append(reasons, r)
		}
	}
	var out []Request
	for _, e := range d.entitiesOf(from, other, b, foreign) {
		for _, r := range fitted(callers, reasons) {
			r.Tenant, r.Reason, r.Entity, r.Class = tenant, b.reason, e.Name, e.Class
			r.Approved, r.Consented = maxApprovals, true
			out = append(out, r)
		}
	}
	return byRole(b, out), nil
}

func byRole(b bucket, callers []Request) []Request {
	var out []Request
	for _, role := range Roles() {
		for _, r := range callers {
			r.Action, r.Roles = b.action, []string{role}
			out = append(out, r)
		}
	}
	return out
}

// mentions is everything that the rules of the bucket and its reason tell apart.
func (p *Policy) mentions(b bucket) *line {
	l := &line{}
	rules := p.rulesFor(b)
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		l.entities = append(l.entities, rules[id].entities...)
		for _, c := range rules[id].conditions {
			if c.fact != "" {
				l.with = append(l.with, c)
			}
		}
	}
	if r, ok := p.reasons[b.reason]; ok {
		l.entities = append(l.entities, r.Entities...)
		l.tools = r.Tools
	}
	return l
}

// entitiesOf are the entities to ask for: those that stand for the others of their
// class, and those that only one policy has or that are in another class there.
func (d *differ) entitiesOf(from, other *Policy, b bucket, foreign []*sentence) []Entity {
	out := from.representatives(b, foreign)
	note := func(e Entity) {
		if !slices.ContainsFunc(out, func(o Entity) bool { return o.Name == e.Name && o.Class == e.Class }) {
			out = append(out, e)
		}
	}
	for _, e := range from.Entities() {
		if same, ok := other.entities[e.Name]; !ok || same.Class != e.Class {
			note(e)
		}
	}
	for _, e := range other.Entities() {
		if same, ok := from.entities[e.Name]; !ok || same.Class != e.Class {
			note(e)
		}
	}
	// A mapping may be of a stricter class than its entity has by now, which for
	// an entity that is named is another case than any above.
	for _, name := range append(from.mentions(b).entities, other.mentions(b).entities...) {
		for rank, class := range Classes() {
			e, ok := from.entities[name]
			if own, _ := e.Class.rank(); ok && rank > own {
				e.Class = class
				note(e)
			}
		}
	}
	return out
}

// moment is what a reason demands of the moment and the credential, but for a
// second factor, which is asked with and without.
type moment struct {
	at          time.Time
	acr         string
	address     netip.Addr
	environment string
}

// fitted gives the callers a moment that all of the reasons take, or else what each
// takes, one after another. That a reason takes less is told of the reason.
func fitted(callers []Request, reasons []*Reason) []Request {
	var fits []moment
	for _, r := range reasons {
		if fit := fitting(reasons, r); !slices.Contains(fits, fit) {
			fits = append(fits, fit)
		}
	}
	var out []Request
	for _, fit := range fits {
		for _, r := range callers {
			r.At, r.ACR, r.Address = fit.at, fit.acr, fit.address
			r.Environment = cmp.Or(r.Environment, fit.environment)
			out = append(out, r)
		}
	}
	return out
}

// fitting is what all reasons take, and in what there is no such, the one.
func fitting(all []*Reason, one *Reason) moment {
	var fit moment
	choose := func(which shortfall, tries int, try func(i int)) {
		for _, reasons := range [][]*Reason{all, {one}} {
			for i := range tries {
				try(i)
				q := Request{MFA: true, At: fit.at, ACR: fit.acr, Address: fit.address, Environment: fit.environment}
				if !slices.ContainsFunc(reasons, func(r *Reason) bool { return r.lacks(&q)&which != 0 }) {
					return
				}
			}
		}
	}
	acrs, networks := []string{""}, []netip.Prefix{{}}
	for _, r := range all {
		acrs, networks = append(acrs, r.ACR...), append(networks, r.Networks...)
	}
	environments := append([]string{""}, knownEnvironments...)
	monday := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC) // of a week in which no clock is changed
	choose(lacksMFA, len(acrs), func(i int) { fit.acr = acrs[i] })
	choose(lacksNetwork, len(networks), func(i int) { fit.address = networks[i].Addr() })
	choose(lacksAttribute, len(environments), func(i int) { fit.environment = environments[i] })
	choose(lacksHours, minutesOfWeek, func(i int) { fit.at = monday.Add(time.Duration(i) * time.Minute) })
	return fit
}

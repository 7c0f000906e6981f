package access

import (
	"fmt"
	"maps"
	"slices"
)

// combinations are the requests that the tables must decide for one bucket.
func (p *Policy) combinations(b bucket, sentences []*sentence) ([]Request, error) {
	settings, err := p.settings(b, sentences)
	if err != nil {
		return nil, err
	}
	callers := relations(settings)
	var out []Request
	if b.action != ActionRestore {
		if p.asksSecondPerson(b, sentences) {
			callers = append(callers, withSecondPerson(callers)...)
		}
		for _, role := range Roles() {
			for _, r := range callers {
				r.Action, r.Roles = b.action, []string{role}
				out = append(out, r)
			}
		}
		return out, nil
	}
	reason := p.reasons[b.reason]
	met := reason.demands()
	callers = across(callers, met)
	for _, r := range circumstances(settings, p.tools(b, sentences)) {
		callers = append(callers, met[0](r)) // the best of the demands
	}
	for _, role := range Roles() {
		for _, entity := range p.representatives(b, sentences) {
			for _, approved := range approvalCounts(reason.Approvals(entity.Class)) {
				for _, r := range callers {
					r.Action, r.Roles, r.Reason = b.action, []string{role}, b.reason
					r.Entity, r.Class, r.Approved = entity.Name, entity.Class, approved
					out = append(out, r)
				}
			}
		}
	}
	return out, nil
}

// approvalCounts are one too few, where any are needed, and enough.
func approvalCounts(needed int) []int {
	if needed == 0 {
		return []int{0}
	}
	return []int{needed - 1, needed}
}

// demand is one way to meet, or not to meet, what a reason demands of the caller
// and the moment.
type demand func(Request) Request

// demands are all ways, the first of which meets all of it.
func (r *Reason) demands() []demand {
	out := []demand{func(q Request) Request { return q }}
	vary := func(meet demand) {
		var met []demand
		for _, before := range out {
			met = append(met, func(q Request) Request { return meet(before(q)) })
		}
		out = append(met, out...)
	}
	if len(r.ACR) > 0 {
		vary(func(q Request) Request { q.ACR = r.ACR[0]; return q })
	}
	if r.Consent != "" {
		vary(func(q Request) Request { q.Consented = true; return q })
	}
	if r.Hours != nil {
		vary(func(q Request) Request { q.At = r.Hours.some(); return q })
	}
	if len(r.Networks) > 0 {
		vary(func(q Request) Request { q.Address = r.Networks[0].Addr(); return q })
	}
	return out
}

// across is every request in every way.
func across(requests []Request, ways []demand) []Request {
	var out []Request
	for _, way := range ways {
		for _, r := range requests {
			out = append(out, way(r))
		}
	}
	return out
}

// asksSecondPerson says whether a rule or a sentence of the bucket depends on it.
func (p *Policy) asksSecondPerson(b bucket, sentences []*sentence) bool {
	for _, r := range p.engine.rules {
		if r.action == b.action && asksSecondPerson(r.conditions) {
			return true
		}
	}
	return slices.ContainsFunc(sentences, func(s *sentence) bool { return s.second != nil })
}

func withSecondPerson(callers []Request) []Request {
	out := slices.Clone(callers)
	for i := range out {
		out[i].SecondPerson = true
	}
	return out
}

// setting is one assignment of the facts that a bucket depends on.
type setting struct {
	attributes  map[string]string
	environment string
}

// settings are all assignments of the facts that a rule or a sentence asks
// for, each absent or of one of the values that are asked for.
func (p *Policy) settings(b bucket, sentences []*sentence) ([]setting, error) {
	values := map[string][]string{}
	note := func(conditions []condition) {
		for _, c := range conditions {
			if c.fact != "" && !slices.Contains(values[c.fact], c.value) {
				values[c.fact] = append(values[c.fact], c.value)
			}
		}
	}
	for _, r := range p.engine.rules {
		if r.action == b.action && r.reason == b.reason {
			note(r.conditions)
		}
	}
	for _, s := range sentences {
		note(s.with)
		note(s.without)
	}
	if reason, ok := p.reasons[b.reason]; ok {
		for _, name := range reason.Environments {
			note([]condition{environmentCondition(name)})
		}
	}
	out := []setting{{}}
	for _, fact := range slices.Sorted(maps.Keys(values)) {
		slices.Sort(values[fact])
		for _, base := range slices.Clone(out) {
			for _, value := range values[fact] {
				out = append(out, base.with(fact, value))
			}
		}
		if len(out) > maxFacts {
			return nil, fmt.Errorf("more than %d combinations of attributes", maxFacts)
		}
	}
	return out, nil
}

func (s setting) with(fact, value string) setting {
	if fact == environmentPrefix {
		s.environment = value
		return s
	}
	s.attributes = maps.Clone(s.attributes)
	if s.attributes == nil {
		s.attributes = map[string]string{}
	}
	s.attributes[fact[len(attributePrefix):]] = value
	return s
}

// relations are all ways in which a caller can stand to a scope, for live data
// in prose.
func relations(settings []setting) []Request {
	var out []Request
	for _, s := range settings {
		for _, sameClient := range []bool{true, false} {
			for _, endUser := range EndUserMatches() {
				for _, mfa := range []bool{true, false} {
					out = append(out, Request{
						SameClient: sameClient, EndUser: endUser, MFA: mfa,
						Attributes: s.attributes, Environment: s.environment, Place: PlaceProse,
					})
				}
			}
		}
	}
	return out
}

// circumstances are all places and states of the data, for the best relation.
func circumstances(settings []setting, tools []string) []Request {
	var out []Request
	for _, s := range settings {
		best := Request{
			SameClient: true, EndUser: EndUserSame, MFA: true,
			Attributes: s.attributes, Environment: s.environment,
		}
		for _, state := range []struct{ held, restricted bool }{{}, {true, false}, {false, true}, {true, true}} {
			best.Held, best.Restricted = state.held, state.restricted
			for _, place := range Places() {
				best.Place, best.Tool = place, ""
				switch {
				case place == PlaceProse && !best.Held && !best.Restricted:
					continue // among the relations
				case place != PlaceTool:
					out = append(out, best)
					continue
				}
				for _, tool := range tools {
					best.Tool = tool
					out = append(out, best)
				}
			}
		}
	}
	return out
}

// tools are those that the reason or a sentence names, and one that none does.
func (p *Policy) tools(b bucket, sentences []*sentence) []string {
	out := append([]string{unnamedTool}, p.reasons[b.reason].Tools...)
	for _, s := range sentences {
		out = append(out, s.tools...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// representatives are the entities to ask for: each that a rule, reason or
// sentence of the bucket names, and of every class one that none names, which
// stands for all of those since nothing tells them apart.
func (p *Policy) representatives(b bucket, sentences []*sentence) []Entity {
	named := map[string]bool{}
	for _, name := range p.reasons[b.reason].Entities {
		named[name] = true
	}
	for _, r := range p.engine.rules {
		if r.action == b.action && r.reason == b.reason {
			for _, name := range r.entities {
				named[name] = true
			}
		}
	}
	for _, s := range sentences {
		for _, name := range s.entities {
			named[name] = true
		}
	}
	var out []Entity
	seen := map[Class]bool{}
	for _, e := range p.Entities() {
		if named[e.Name] || !seen[e.Class] {
			out = append(out, e)
			seen[e.Class] = seen[e.Class] || !named[e.Name]
		}
	}
	return out
}

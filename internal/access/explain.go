package access

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Explanation is a decision and how it came about. Nothing of the request stands
// in it that the policy does not know.
type Explanation struct {
	Decision Decision // as Decide gives it
	Sentence string
	Rules    []RuleExplanation // every rule of the action and reason, by id
	Demands  []Demand          // what must hold beside the rules
}

// RuleExplanation is one rule. It applies where it lacks nothing; a deny that
// applies wins.
type RuleExplanation struct {
	ID      string   `json:"id"`
	Deny    bool     `json:"deny"`
	Role    string   `json:"role"`
	Form    Form     `json:"form"`    // of an allow of ActionRestore
	Decided bool     `json:"decided"` // the decision names it
	Lacks   []string `json:"lacks"`   // the columns and conditions that do not fit
}

// Demand is something that the reason, or the kind of action, demands.
type Demand struct {
	Name  string `json:"name"`
	Wants string `json:"wants"`
	Met   bool   `json:"met"`
}

// Explain answers a request as Decide does, and says why: each rule with what
// the request lacks for it, and each demand with whether it is met. It allows if
// and only if all demands are met, an allow rule lacks nothing and every deny
// rule lacks something.
func (p *Policy) Explain(r Request) Explanation {
	out := Explanation{Decision: p.Decide(r)}
	key := bucket{r.Action, none}
	if r.Action == ActionRestore {
		key.reason = r.Reason
		out.Demands = p.demandsOf(&r)
		if e, ok := p.entities[r.Entity]; ok {
			r.Class = stricterOf(r.Class, e.Class)
		}
	} else {
		out.Demands = []Demand{
			{Name: "action", Wants: "one of the catalogue", Met: slices.Contains(Actions(), r.Action)},
			{Name: "reason", Wants: nothing, Met: r.Reason == ""},
		}
	}
	rules := p.rulesFor(key)
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		rule := rules[id]
		out.Rules = append(out.Rules, RuleExplanation{
			ID: id, Deny: rule.deny, Role: rule.role(), Form: rule.form,
			Decided: slices.Contains(out.Decision.RuleIDs, id), Lacks: rule.lacking(&r),
		})
	}
	out.Sentence = p.told(&r, out.Decision)
	return out
}

// stricterOf is the class that counts: see fixValue. An unknown one stays.
func stricterOf(given, own Class) Class {
	rank, ok := given.rank()
	if most, _ := own.rank(); ok && most > rank {
		return own
	}
	return given
}

// lacking are the columns and conditions that do not fit the request.
func (r *rule) lacking(q *Request) []string {
	out := []string{}
	for _, column := range []struct {
		name string
		fits bool
	}{
		{"role", slices.Contains(q.Roles, r.role())},
		{"classes", r.reachesClass(q.Class)},
		{"entities", r.column("entities") == everyEntity || inColumn(q.Entity, r.column("entities"))},
	} {
		if !column.fits {
			out = append(out, column.name+" "+r.column(column.name))
		}
	}
	for _, c := range r.conditions {
		if !c.holds(q) {
			out = append(out, c.name)
		}
	}
	return out
}

func (r *rule) column(name string) string { return r.row[slices.Index(columns, name)] }

// demandsOf is what the reason demands of a restoration, whatever the rules say.
func (p *Policy) demandsOf(q *Request) []Demand {
	reason, ok := p.reasonOf(q.Tenant, q.Reason)
	if !ok {
		return []Demand{{Name: "reason", Wants: "one of the catalogue", Met: false}}
	}
	entity, known := p.entities[q.Entity]
	class := q.Class
	if known {
		class = stricterOf(q.Class, entity.Class)
	}
	entities := "one of the catalogue"
	if reason.Entities != nil {
		entities = strings.Join(reason.Entities, " or ")
	}
	out := []Demand{
		{"reason", "one of the catalogue", true},
		{"entity", entities, known && reason.reachesEntity(q.Entity)},
		{"class", joined(reason.Classes), slices.Contains(reason.Classes, class)},
		{"end_user", joined(EndUserMatches()), slices.Contains(EndUserMatches(), q.EndUser)},
	}
	out = append(out, reason.credential(q)...)
	if q.Restricted {
		out = append(out, Demand{"restricted", "data that is not under restriction, or a reason that reaches it", reason.ReachesRestricted})
	}
	if q.Held {
		out = append(out, Demand{"held", "data that is not kept by a hold only, or a reason that reaches it", reason.ReachesHeld})
	}
	places := joined(reason.Places)
	if len(reason.Tools) > 0 {
		places += " of " + strings.Join(reason.Tools, " or ")
	}
	out = append(out, Demand{"place", places, reason.reachesPlace(q.Place, q.Tool)})
	if reason.Consent != "" {
		out = append(out, Demand{"consent", "to " + reason.Consent + ", of everyone the value is about", q.Consented})
	}
	if needed := reason.Approvals(class); needed > 0 {
		out = append(out, Demand{"approvals", strconv.Itoa(needed), q.Approved >= needed})
	}
	return out
}

// credential is what the reason demands of the credential and the moment.
func (r *Reason) credential(q *Request) []Demand {
	lacks := r.lacks(q)
	var out []Demand
	if r.MFA {
		out = append(out, Demand{"mfa", "a second factor", q.MFA})
	}
	if len(r.ACR) > 0 {
		out = append(out, Demand{"acr", joined(r.ACR), slices.Contains(r.ACR, q.ACR)})
	}
	if r.Hours != nil {
		out = append(out, Demand{"hours", r.Hours.String(), lacks&lacksHours == 0})
	}
	if len(r.Networks) > 0 {
		out = append(out, Demand{"network", networksOf(r).text, lacks&lacksNetwork == 0})
	}
	if len(r.Environments) > 0 {
		out = append(out, Demand{"environment", joined(r.Environments), lacks&lacksAttribute == 0})
	}
	return out
}

func joined[T ~string](words []T) string {
	var out []string
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, " or ")
}

// told puts the decision into a sentence.
func (p *Policy) told(q *Request, d Decision) string {
	who := "a caller without a role of the policy"
	var roles []string
	for _, role := range Roles() {
		if slices.Contains(q.Roles, role) {
			roles = append(roles, role)
		}
	}
	if len(roles) > 0 {
		who = strings.Join(roles, " and ")
	}
	what := "do what the policy does not know"
	if slices.Contains(Actions(), q.Action) {
		what = phrase("action", q.Action)
	}
	if q.Action == ActionRestore {
		what += " " + p.value(q)
	}
	if !d.Allow {
		out := who + " may not " + what + ": " + whyPhrases[d.Why]
		if d.Why == WhyNeedsApproval {
			out += fmt.Sprintf(" (%d needed, %d given)", d.Approvals, q.Approved)
		}
		return out + byRules(d.RuleIDs)
	}
	out := who + " may " + what
	if d.Form != "" {
		out += ", " + phrase("form", d.Form)
	}
	return out + byRules(d.RuleIDs)
}

// value says which value is wanted for what, as far as the policy knows it.
func (p *Policy) value(q *Request) string {
	class, entity, reason := "data", "unknown entity", "an unknown reason"
	if _, ok := q.Class.rank(); ok {
		class = string(q.Class) + " data"
	}
	if has(p.entities, q.Entity) {
		entity = q.Entity
	}
	if has(p.reasons, q.Reason) {
		reason = q.Reason
	}
	return class + " (" + entity + ") for " + reason
}

func byRules(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ", by " + strings.Join(ids, ", ")
}

// whyPhrases say what a denial is about.
var whyPhrases = map[Why]string{
	WhyNoRule:        "no rule gives it to any of these roles",
	WhyReasonUnknown: "there is no such reason, or the action takes none",
	WhyEntity:        "the entity is unknown or not reached",
	WhyClass:         "the class is unknown or not reached",
	WhyRule:          "a rule denies it",
	WhyAttribute:     "an attribute or the environment does not fit",
	WhyNetwork:       "it is not for this network",
	WhyHours:         "it is not for this hour",
	WhyMFA:           "a second factor, or a stronger authentication, is needed",
	WhyFault:         "the engine failed",
	WhyBinding:       "the scope belongs to another client or end user",
	WhyRestricted:    "the data is under restriction",
	WhyHeld:          "only a legal hold keeps the data",
	WhyPlace:         "it is not restored in this place",
	WhyConsent:       "somebody whom it is about does not consent",
	WhyNeedsApproval: "approvals are missing",
	WhySecondPerson:  "it takes another person",
}

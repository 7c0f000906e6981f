package access

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// decisions asks both policies every combination that the tables of either must
// cover, approved and with consent, and tells for each role, class and reason
// what is given now and was not, or the reverse. How many approvals and whose
// consent it takes is part of what is compared. A tenant with an overlay is told
// of where its decisions change in another way than everybody else's.
func (d *differ) decisions() {
	everybody := map[gain]bool{}
	for _, b := range d.subjects() {
		d.decisionsOf("", b, everybody)
	}
	for _, tenant := range slices.Compact(slices.Sorted(slices.Values(append(d.old.Tenants(), d.new.Tenants()...)))) {
		for _, code := range d.overlaid(tenant) {
			d.decisionsOf(tenant, bucket{ActionRestore, code}, everybody)
		}
	}
}

// subjects are those of both policies.
func (d *differ) subjects() []bucket {
	out := d.new.subjects()
	for _, b := range d.old.subjects() {
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	return out
}

// gain is what somebody gets now and got before.
type gain struct {
	role     string
	class    Class
	bucket   bucket
	old, new yield
}

// yield is what a decision gives, and for what.
type yield struct {
	allow     bool
	form      Form
	approvals int
	consent   string
}

func (p *Policy) yield(r Request) yield {
	d := p.Decide(r)
	if !d.Allow {
		return yield{}
	}
	return yield{true, d.Form, d.Approvals, d.Purpose}
}

// to is what it does that the yield becomes another one.
func (y yield) to(other yield) Effect {
	switch {
	case !other.allow:
		return Narrowed
	case !y.allow, other.form.rank() > y.form.rank(), other.approvals < y.approvals:
		return Widened
	case y.consent != "" && y.consent != other.consent:
		return Widened // those who consent to another purpose are reached
	}
	return Narrowed
}

func (d *differ) decisionsOf(tenant string, b bucket, everybody map[gain]bool) {
	if d.same(tenant, b) {
		return
	}
	requests, err := d.requests(tenant, b)
	if err != nil {
		// Nothing may pass as the same that was not compared.
		d.add(Difference{
			Effect: Widened, Area: areaDecision, Name: b.name(),
			Sentence: b.name() + " could not be compared: " + err.Error(),
		})
		return
	}
	all := map[gain]int{} // by role and class, for all that is asked
	var found []gain
	first := map[gain]*Request{}
	count := map[gain]int{}
	for i := range requests {
		r := &requests[i]
		g := gain{role: r.Roles[0], class: r.Class, bucket: b}
		all[g]++
		g.old, g.new = d.old.yield(*r), d.new.yield(*r)
		if g.old == g.new || everybody[g] {
			continue
		}
		if first[g] == nil {
			found, first[g] = append(found, g), r
		}
		count[g]++
	}
	for _, g := range found {
		if tenant == "" {
			everybody[g] = true
		}
		where := ""
		if some := all[gain{role: g.role, class: g.class, bucket: b}]; count[g] < some {
			where = fmt.Sprintf(" (in %d of %d circumstances, as with %s)", count[g], some, circumstance(untold(first[g])))
		}
		d.add(g.difference(tenant, where))
	}
}

// same says whether the bucket is decided by the same in both policies: the same
// rules, reason and classes of entities, and nothing else is there that decides.
// Most buckets of two policies are, and asking them is what a comparison costs.
func (d *differ) same(tenant string, b bucket) bool {
	if !maps.EqualFunc(d.old.rulesFor(b), d.new.rulesFor(b), func(x, y *rule) bool { return slices.Equal(x.row, y.row) }) {
		return false
	}
	if b.action != ActionRestore {
		return true
	}
	was, inOld := d.old.reasonOf(tenant, b.reason)
	is, inNew := d.new.reasonOf(tenant, b.reason)
	if !inOld || !inNew {
		return inOld == inNew
	}
	return len(compared("", "", reasonAspects(was), reasonAspects(is))) == 0 &&
		maps.EqualFunc(d.old.entities, d.new.entities, func(x, y Entity) bool { return x.Class == y.Class })
}

// rulesFor are the rules of a bucket, by id.
func (p *Policy) rulesFor(b bucket) map[string]*rule {
	out := map[string]*rule{}
	for id, r := range p.engine.rules {
		if r.action == b.action && r.reason == b.reason {
			out[id] = r
		}
	}
	return out
}

// untold is the request without what every request here has.
func untold(r *Request) *Request {
	out := *r
	out.Approved, out.Consented, out.At = 0, false, time.Time{}
	return &out
}

func (b bucket) name() string {
	if b.action == ActionRestore {
		return b.reason
	}
	return string(b.action)
}

func (g gain) difference(tenant, where string) Difference {
	out := Difference{
		Effect: g.old.to(g.new), Area: areaDecision, Name: subject(&Request{
			Action: g.bucket.action, Reason: g.bucket.reason, Roles: []string{g.role}, Class: g.class,
		}),
		Old: g.old.text(), New: g.new.text(),
	}
	who := g.role
	if tenant != "" {
		out.Name = tenant + " × " + out.Name
		who += " of " + tenant
	}
	what := phrase("action", g.bucket.action)
	if g.bucket.action == ActionRestore {
		what += " " + string(g.class) + " data for " + g.bucket.reason
	}
	switch {
	case !g.new.allow && g.bucket.action != ActionRestore:
		out.Sentence = who + " may no longer " + what
	case !g.new.allow:
		out.Sentence = who + " may no longer " + what + ", before " + g.old.text()
	case g.bucket.action != ActionRestore:
		out.Sentence = who + " may now " + what
	default:
		out.Sentence = who + " may " + what + " " + g.new.text() + ", before " + g.old.text()
	}
	out.Sentence += where
	return out
}

// text says what is given, as a part of a sentence.
func (y yield) text() string {
	if !y.allow {
		return "not at all"
	}
	if y.form == "" {
		return getsAllowed
	}
	out := phrase("form", y.form)
	switch {
	case y.approvals == 1:
		out += " after 1 approval"
	case y.approvals > 1:
		out += fmt.Sprintf(" after %d approvals", y.approvals)
	}
	if y.consent != "" {
		out += " with consent to " + y.consent
	}
	return out
}

package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var heldSentClauses = []clause{
	{"Invariant7/a hold by destination keeps what was sent there", heldByDestination},
	{"Invariant7/a hold by the time of sending keeps what overlaps it", heldBySent},
	{"Invariant7/what is sent after the hold is held from then on", heldSentLater},
	{"Invariant7/what is held by its destination is not erased", heldSentErased},
}

// send is one sending of a value, hours after the beginning. They are further
// apart than the resolution, so that what is kept of them is exact.
type send struct {
	hour int
	to   string
}

// sendings are values and where and when each was sent.
var sendings = [][]send{
	{},
	{{0, "vendor"}},
	{{0, "vendor"}, {4, "vendor"}},
	{{0, "other"}, {4, "other"}},
	{{0, "vendor"}, {4, "other"}},
	{{4, "vendor"}},
	{{2, "vendor"}, {6, "vendor"}},
}

// sendAll keeps and sends values as they are listed, and lets their time pass.
func (w *world) sendAll(p Place) (began time.Time, values []vault.NewMapping) {
	w.Helper()
	began = w.now()
	for i := range sendings {
		m := p.Value(fmt.Sprint("value ", i))
		m.TTL = maxAge
		values = append(values, m)
	}
	w.keep(p, values...)
	for hour := range 7 {
		for i, sent := range sendings {
			for _, s := range sent {
				if s.hour == hour {
					w.commit(p.Tenant, p.to(s.to, values[i]))
				}
			}
		}
		w.clock.Advance(time.Hour)
	}
	w.clock.Advance(maxAge)
	return began, values
}

// overlaps says whether a match by destination and time of sending is about a
// value.
func overlaps(sent []send, began time.Time, match vault.HoldMatch) bool {
	if !match.BySent {
		return slices.ContainsFunc(sent, func(s send) bool { return slices.Contains(match.Destinations, s.to) })
	}
	for _, to := range []string{"vendor", "other"} {
		var hours []int
		for _, s := range sent {
			if s.to == to && (len(match.Destinations) == 0 || slices.Contains(match.Destinations, to)) {
				hours = append(hours, s.hour)
			}
		}
		if len(hours) == 0 {
			continue
		}
		first, last := began.Add(time.Duration(hours[0])*time.Hour), began.Add(time.Duration(hours[len(hours)-1])*time.Hour)
		if !last.Add(vault.SentResolution).Before(match.From) && (match.To.IsZero() || first.Before(match.To)) {
			return true
		}
	}
	return false
}

func heldByDestination(w *world) {
	p := w.place("acme")
	began, values := w.sendAll(p)
	for _, tt := range []struct {
		what  string
		match vault.HoldMatch
		test  func(int) bool
	}{
		{"one", vault.HoldMatch{Destinations: []string{"vendor"}}, nil},
		{"either", vault.HoldMatch{Destinations: []string{"nowhere", "vendor", "other"}}, nil},
		{"none", vault.HoldMatch{Destinations: []string{"Vendor", "vendo", "vendor "}}, nil},
		{"one, of a value", vault.HoldMatch{Destinations: []string{"other"}, Lookups: lookupsOf(values[0], values[4])}, func(i int) bool { return i == 4 }},
		{"one, of another entity", vault.HoldMatch{Destinations: []string{"other"}, Entities: []string{"EMAIL_ADDRESS"}}, func(int) bool { return false }},
		{"one, made then", vault.HoldMatch{Destinations: []string{"other"}, From: began, To: began.Add(time.Microsecond)}, nil},
		{"one, made later", vault.HoldMatch{Destinations: []string{"other"}, From: began.Add(time.Microsecond)}, func(int) bool { return false }},
	} {
		tests := []func(int) bool{func(i int) bool {
			return overlaps(sendings[i], began, vault.HoldMatch{Destinations: tt.match.Destinations})
		}}
		if tt.test != nil {
			tests = append(tests, tt.test)
		}
		w.holds(p, tt.what, tt.match, values, tests)
	}
}

// heldBySent tries every pair of bounds at and beside a sending. What a match
// reaches is asked for all of them, and of some whether a hold keeps the same.
func heldBySent(w *world) {
	p := w.place("acme")
	began, values := w.sendAll(p)
	bounds := []time.Time{{}}
	for _, hour := range []int{0, 2, 4, 6} {
		at := began.Add(time.Duration(hour) * time.Hour)
		bounds = append(bounds, at.Add(-time.Microsecond), at, at.Add(time.Microsecond))
	}
	// Until then a value may have been sent whose last sending is kept as began.
	latest := began.Add(vault.SentResolution)
	bounds = append(bounds, latest, latest.Add(time.Microsecond))
	n := 0
	for _, destinations := range [][]string{nil, {"vendor"}, {"other"}, {"other", "vendor"}} {
		for _, from := range bounds {
			for _, to := range bounds {
				match := vault.HoldMatch{BySent: true, Destinations: destinations, From: from, To: to}
				if !to.IsZero() && !from.Before(to) || from.IsZero() && to.IsZero() && destinations == nil {
					continue // no time at all, or no criterion
				}
				test := func(i int) bool { return overlaps(sendings[i], began, match) }
				what := fmt.Sprintf("%q, from %v to %v", destinations, from.Sub(began), to.Sub(began))
				if n++; n%29 == 0 {
					w.holds(p, what, match, values, []func(int) bool{test})
					continue
				}
				want := 0
				for i := range values {
					if test(i) {
						want++
					}
				}
				reach, err := w.Custody.Reach(w.ctx, "acme", match)
				w.no(err)
				if reach.Mappings != want {
					w.Errorf("%s: %d are reached, want %d", what, reach.Mappings, want)
				}
			}
		}
	}
}

func heldSentLater(w *world) {
	p := w.place("acme")
	before, after := p.Value("before"), p.Value("after")
	before.TTL, after.TTL = 2*ttl, 2*ttl
	w.keep(p, before)
	match := vault.HoldMatch{Destinations: []string{"vendor"}, BySent: true, From: w.now().Add(time.Minute)}
	all := w.hold("acme", match)
	existing := w.placeHold("acme", vault.Hold{Matter: "M-1", Reference: "R-1", Match: match, ExistingOnly: true})
	w.clock.Advance(time.Minute)
	w.commit("acme", p.to("vendor", p.Value("before"), after))
	w.clock.Advance(2 * ttl)
	w.kept(p, "both, by what was sent", []string{before.Mapping.TokenID, after.Mapping.TokenID}, before, after)
	w.release("acme", all)
	w.kept(p, "what was there when it was placed", []string{before.Mapping.TokenID}, before, after)
	w.refuse(vault.ErrHeld, "acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	w.release("acme", existing)
	w.kept(p, "none", nil, before, after)
}

func heldSentErased(w *world) {
	for _, tenant := range []string{"acme", "globex"} {
		e := w.estate(tenant)
		match := vault.HoldMatch{Destinations: []string{"vendor"}}
		if tenant == "globex" {
			match.BySent, match.To = true, w.now().Add(time.Microsecond)
		}
		w.commit(tenant, e.p.to("vendor", e.p.Value("hers"), e.p.Value("near")))
		w.commit(tenant, e.p.to("other", e.p.Value("tied")))
		hold := w.hold(tenant, match)
		plan := w.plan(tenant, erasureOf(e.ann))
		deferred := 0
		for _, part := range plan.Parts {
			deferred += part.Deferred
		}
		waits, _ := w.erase(tenant, erasureOf(e.ann))
		if deferred != 1 || waits.State != vault.ErasureDeferred || waits.Counts.Erased != 2 || waits.Counts.Deferred != 1 {
			w.Errorf("with a hold %d are planned to be deferred: %+v", deferred, waits)
		}
		e.people("what was sent there", e.p, e.hers, vault.MappingRestricted, e.ann)
		w.restores(e.p, e.hers, true)
		w.restores(e.p, e.tied, false)
		w.clock.Advance(ttl)
		w.refuse(vault.ErrConflict, tenant, e.p.Sweep(e.hers))
		w.release(tenant, hold)
		if done, _ := w.erase(tenant, waits); done.State != vault.ErasureCompleted || done.Counts.Erased != 3 {
			w.Errorf("after the release: %+v", done)
		}
		w.restores(e.p, e.hers, false)
	}
}

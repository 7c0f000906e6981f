package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var holdClauses = []clause{
	{"Invariant7/a hold keeps what it matches and nothing else", holdMatches},
	{"Invariant7/a hold keeps what comes after it", holdComesFirst},
	{"Invariant7/a hold on what exists keeps that alone", holdExisting},
	{"Invariant7/what a hold names is compared byte for byte", holdExact},
	{"Invariant6/a hold of one tenant keeps nothing of another", holdForeign},
	{"holds/one that contradicts itself is refused", holdRefused},
	{"holds/only a standing one is reviewed or released", holdStanding},
}

// hold places a hold and returns its id.
func (w *world) hold(tenant string, match vault.HoldMatch) string {
	w.Helper()
	return w.placeHold(tenant, vault.Hold{Matter: "M-1", Reference: "R-1", Match: match})
}

func (w *world) placeHold(tenant string, h vault.Hold) string {
	w.Helper()
	change := Change(w, tenant, vault.PlaceHold{Hold: h})
	_, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	return change.ID()
}

func (w *world) release(tenant, id string) {
	w.Helper()
	w.commit(tenant, vault.ReleaseHold{ID: id})
}

// kept checks of values that are past their time that the holds keep exactly
// those of want. All that tells of it must agree.
func (w *world) kept(p Place, what string, want []string, values ...vault.NewMapping) {
	w.Helper()
	var all, gone, told, swept []string
	var reached vault.Restore
	for _, m := range values {
		id := m.Mapping.TokenID
		all = append(all, id)
		reaches := p.Restore(m)
		reaches.Refs[0].Expired = true
		if slices.Contains(want, id) {
			reached.Refs = append(reached.Refs, reaches.Refs...)
			continue
		}
		gone = append(gone, id)
		w.refuse(vault.ErrConflict, p.Tenant, reaches)
	}
	w.commit(p.Tenant, reached)
	for id, m := range w.read(p, all...) {
		if m.Held {
			told = append(told, id)
		}
	}
	sweep, err := w.Registry.Expired(w.ctx, p.Tenant, 1000)
	w.no(err)
	for _, m := range sweep.Mappings {
		if m.ScopeID == p.Scope.ID {
			swept = append(swept, m.TokenID)
		}
	}
	want = slices.Sorted(slices.Values(want))
	for _, list := range [][]string{gone, told, swept} {
		slices.Sort(list)
	}
	if !slices.Equal(told, want) || !slices.Equal(swept, gone) {
		w.Errorf("%s: %d of %d are held, want %d; to be swept are %d", what, len(told), len(all), len(want), len(swept))
	}
}

// variety keeps values that differ in what a hold can name, and lets their time
// pass.
func (w *world) variety(p Place) (ann vault.Subject, values []vault.NewMapping) {
	w.Helper()
	ann = person("ann")
	uses := []vault.SubjectUse{{Subject: ann, New: true}}
	for i := range 16 {
		m := p.Value(fmt.Sprint("value ", i))
		if i&1 != 0 {
			m.Mapping.Entity = "EMAIL_ADDRESS"
		}
		if i&2 != 0 {
			m.Mapping.Class = "restricted"
		}
		if i&4 != 0 {
			m.SubjectRefs = []string{ann.Ref}
		}
		if i == 8 {
			w.clock.Advance(time.Microsecond) // the rest is made later
		}
		effect := about(p, uses, m)
		w.commit(p.Tenant, effect)
		uses[0].New = false
		values = append(values, m)
	}
	w.clock.Advance(ttl)
	return ann, values
}

// holdMatches tries every combination of criteria, of which each is about one
// half of the values or so.
func holdMatches(w *world) {
	p := w.place("acme")
	ann, values := w.variety(p)
	made := w.now().Add(-ttl)
	for combination := 1; combination < 1<<7 && !w.Failed(); combination++ {
		has := func(bit int) bool { return combination&(1<<bit) != 0 }
		var match vault.HoldMatch
		var tests []func(i int) bool
		add := func(test func(int) bool) { tests = append(tests, test) }
		if has(0) {
			match.Subjects = []vault.Digest{Digest("nobody"), ann.Digest}
			add(func(i int) bool { return i&4 != 0 })
		}
		if has(1) {
			for i := 0; i < 16; i += 3 {
				match.Lookups = append(match.Lookups, values[i].Mapping.Lookup)
			}
			add(func(i int) bool { return i%3 == 0 })
		}
		if has(2) {
			match.Scopes = []vault.Digest{p.Scope.Digest, Digest("scope", "nowhere")}
		}
		if has(3) {
			match.Entities = []string{"EMAIL_ADDRESS", "NO_SUCH"}
			add(func(i int) bool { return i&1 != 0 })
		}
		if has(4) {
			match.Classes = []string{"restricted"}
			add(func(i int) bool { return i&2 != 0 })
		}
		if has(5) {
			match.From = made
			add(func(i int) bool { return i >= 8 })
		}
		if has(6) {
			match.To = made
			add(func(i int) bool { return i < 8 })
		}
		if has(5) && has(6) {
			continue // one contradicts the other
		}
		w.holds(p, fmt.Sprintf("combination %07b", combination), match, values, tests)
	}
	w.hold("acme", vault.HoldMatch{Scopes: []vault.Digest{Digest("scope", "another")}})
	w.kept(p, "a hold on another scope", nil, values...)
}

// holds places a hold, compares what it keeps with what passes all tests, and
// with what it is said to reach, and releases it.
func (w *world) holds(p Place, what string, match vault.HoldMatch, values []vault.NewMapping, tests []func(int) bool) {
	w.Helper()
	var want []string
	for i, m := range values {
		if !slices.ContainsFunc(tests, func(test func(int) bool) bool { return !test(i) }) {
			want = append(want, m.Mapping.TokenID)
		}
	}
	reach, err := w.Custody.Reach(w.ctx, p.Tenant, match)
	w.no(err)
	id := w.hold(p.Tenant, match)
	w.kept(p, what, want, values...)
	if reach.Mappings != len(want) || reach.Expired != len(want) {
		w.Errorf("%s: it reaches %+v, and keeps %d", what, reach, len(want))
	}
	w.release(p.Tenant, id)
}

func holdComesFirst(w *world) {
	w.tenant("acme")
	ann := person("ann")
	w.hold("acme", vault.HoldMatch{Subjects: []vault.Digest{ann.Digest}, Scopes: []vault.Digest{Digest("scope", "later")}})
	w.clock.Advance(time.Second)
	p := w.scope("acme", "later")
	hers, other := p.Value("hers"), p.Value("other")
	hers.SubjectRefs = []string{ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}, hers, other))
	w.clock.Advance(ttl / 2)
	if got := w.read(p, hers.Mapping.TokenID)[hers.Mapping.TokenID]; got.Held {
		w.Error("one that lives is told to be held")
	}
	w.clock.Advance(ttl / 2)
	w.kept(p, "a person and a scope that were not known", []string{hers.Mapping.TokenID}, hers, other)
	// A value that somebody is linked to later is held from then on.
	late := p.Value("late")
	w.keep(p, late)
	again := p.Value("late")
	again.SubjectRefs = []string{ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann}}, again))
	w.clock.Advance(ttl)
	w.kept(p, "a value that is linked later", []string{hers.Mapping.TokenID, late.Mapping.TokenID}, hers, other, late)
}

func holdExisting(w *world) {
	p := w.place("acme")
	before, at, after := p.Value("before"), p.Value("at"), p.Value("after")
	w.keep(p, before)
	w.clock.Advance(time.Microsecond)
	w.keep(p, at) // in the microsecond of the hold
	match := vault.HoldMatch{Entities: []string{"PERSON"}}
	existing := func(match vault.HoldMatch) string {
		return w.placeHold("acme", vault.Hold{Matter: "M-1", Reference: "R-1", Match: match, ExistingOnly: true})
	}
	placed := w.now()
	id := existing(match)
	match.To = placed
	earlier := existing(match)
	match.To = placed.Add(life)
	later := existing(match)
	w.clock.Advance(time.Microsecond)
	w.keep(p, after)
	w.clock.Advance(ttl)
	both := []string{before.Mapping.TokenID, at.Mapping.TokenID}
	w.kept(p, "all three", both, before, at, after)
	w.release("acme", later)
	w.kept(p, "without a bound", both, before, at, after)
	w.release("acme", id)
	w.kept(p, "up to the hold", both[:1], before, at, after)
	w.release("acme", earlier)
	w.kept(p, "none", nil, before, at, after)
}

func holdExact(w *world) {
	p := w.place("acme")
	var values []vault.NewMapping
	for i, name := range alike {
		m := p.Value(fmt.Sprint("value ", i))
		m.Mapping.Entity, m.Mapping.Class = name, alike[len(alike)-1-i]
		values = append(values, m)
	}
	other := func(i int) string { return alike[(i+7)%len(alike)] }
	for i, m := range values {
		w.commit("acme", p.to(other(i), m))
	}
	w.clock.Advance(ttl)
	for i, name := range alike {
		if w.Failed() {
			return
		}
		for what, match := range map[string]vault.HoldMatch{
			"entity":      {Entities: []string{name}},
			"class":       {Classes: []string{alike[len(alike)-1-i]}},
			"destination": {Destinations: []string{other(i)}},
		} {
			id := w.hold("acme", match)
			w.kept(p, fmt.Sprintf("%s %q", what, name), []string{values[i].Mapping.TokenID}, values...)
			w.release("acme", id)
		}
	}
}

func holdForeign(w *world) {
	mine, theirs, value := w.twins()
	w.clock.Advance(2 * ttl)
	match := vault.HoldMatch{Entities: []string{"PERSON"}, Subjects: []vault.Digest{Digest("p")}, Scopes: []vault.Digest{mine.Scope.Digest}}
	id := w.hold("acme", match)
	w.kept(mine, "mine", []string{value.Mapping.TokenID}, value)
	w.kept(theirs, "theirs", nil, value)
	w.refuse(vault.ErrConflict, "Acme", vault.ReleaseHold{ID: id})
	w.refuse(vault.ErrConflict, "Acme", vault.ReviewHold{ID: id})
	holds, err := w.Custody.Holds(w.ctx, "Acme", vault.HoldQuery{})
	w.no(err)
	byID, err := w.Custody.Holds(w.ctx, "Acme", vault.HoldQuery{ID: id})
	w.no(err)
	if len(holds)+len(byID) != 0 {
		w.Errorf("%d and %d holds of another tenant are read", len(holds), len(byID))
	}
	w.commit("Acme", theirs.Sweep(value))
	w.refuse(vault.ErrConflict, "acme", mine.Sweep(value))
}

func holdRefused(w *world) {
	w.tenant("acme")
	many := make([]vault.Digest, vault.MaxHoldTerms)
	for i := range many {
		many[i] = Digest("many", fmt.Sprint(i))
	}
	fine := vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{Entities: []string{"PERSON"}}}
	for name, spoil := range map[string]func(*vault.Hold){
		"without a criterion":          func(h *vault.Hold) { h.Match = vault.HoldMatch{} },
		"on all that exists":           func(h *vault.Hold) { h.Match, h.ExistingOnly = vault.HoldMatch{}, true },
		"with too many terms":          func(h *vault.Hold) { h.Match.Lookups = many },
		"on the time of sending alone": func(h *vault.Hold) { h.Match = vault.HoldMatch{BySent: true} },
		"with a destination too many": func(h *vault.Hold) {
			h.Match.Lookups, h.Match.Destinations = many[1:], []string{"vendor"}
		},
		"on an empty destination":     func(h *vault.Hold) { h.Match.Destinations = []string{""} },
		"on a destination with a NUL": func(h *vault.Hold) { h.Match.Destinations = []string{"x\x00"} },
		"on a long destination":       func(h *vault.Hold) { h.Match.Destinations = []string{strings.Repeat("x", 65)} },
		"on an empty entity":          func(h *vault.Hold) { h.Match.Entities = append(h.Match.Entities, "") },
		"on a NUL":                    func(h *vault.Hold) { h.Match.Entities = []string{"PER\x00SON"} },
		"on broken UTF-8":             func(h *vault.Hold) { h.Match.Classes = []string{"\xff"} },
		"on a name that is long":      func(h *vault.Hold) { h.Match.Classes = []string{strings.Repeat("x", 65)} },
		"on no time":                  func(h *vault.Hold) { h.Match.From, h.Match.To = w.now(), w.now() },
		"on a time that goes back":    func(h *vault.Hold) { h.Match.From, h.Match.To = w.now(), w.now().Add(-1000) },
		"without a matter":            func(h *vault.Hold) { h.Matter = "" },
		"without a reference":         func(h *vault.Hold) { h.Reference = "" },
		"of a matter with a NUL":      func(h *vault.Hold) { h.Matter = "M\x00" },
	} {
		bad := fine
		spoil(&bad)
		before := w.size("acme")
		if _, err := w.try("acme", vault.PlaceHold{Hold: bad}); err == nil {
			w.Errorf("a hold %s was taken", name)
		}
		holds, err := w.Custody.Holds(w.ctx, "acme", vault.HoldQuery{})
		w.no(err)
		if len(holds) != 0 || w.size("acme") != before {
			w.Errorf("a hold %s left something", name)
		}
	}
	w.hold("acme", vault.HoldMatch{Lookups: many})
	w.hold("acme", vault.HoldMatch{To: w.now()})
	w.refuse(vault.ErrConflict, "acme", vault.ReleaseHold{})
}

func holdStanding(w *world) {
	w.tenant("acme")
	one := func(id string) vault.Hold {
		w.Helper()
		got, err := w.Custody.Holds(w.ctx, "acme", vault.HoldQuery{ID: id})
		w.no(err)
		if len(got) != 1 {
			w.Fatalf("%d holds of an id", len(got))
		}
		return got[0]
	}
	id := w.hold("acme", vault.HoldMatch{Entities: []string{"PERSON"}})
	if h := one(id); !h.ReviewBy.IsZero() || !h.ReleasedAt.IsZero() || !h.CreatedAt.Equal(w.now()) {
		w.Errorf("a new hold: %+v", h)
	}
	for _, by := range []time.Time{w.now().Add(life), w.now().Add(-life), {}} {
		w.commit("acme", vault.ReviewHold{ID: id, ReviewBy: by})
		if h := one(id); !h.ReviewBy.Equal(by) || h.ReviewBy.IsZero() != by.IsZero() {
			w.Errorf("review by %v, want %v", h.ReviewBy, by)
		}
	}
	before := one(id)
	w.clock.Advance(time.Second)
	w.release("acme", id)
	before.ReleasedAt = w.now()
	if diff := cmp.Diff(before, one(id)); diff != "" {
		w.Errorf("after its release: %s", diff)
	}
	for _, gone := range []string{id, "none", strings.ToUpper(id), ""} {
		w.refuse(vault.ErrConflict, "acme", vault.ReleaseHold{ID: gone})
		w.refuse(vault.ErrConflict, "acme", vault.ReviewHold{ID: gone, ReviewBy: w.now()})
	}
	if diff := cmp.Diff(before, one(id)); diff != "" {
		w.Errorf("after what was refused: %s", diff)
	}
}

package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var planClauses = []clause{
	{"erasure/a plan has keys, all else that they seal, and what becomes of each value", planned},
	{"erasure/a plan is about what was made until then", plannedUntil},
	{"erasure/a plan has what is past its time or replaced, too", plannedOver},
	{"erasure/a plan seals at most so many values anew", plannedMany},
}

// anyPlan compares plans whatever their order.
var anyPlan = gocmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
	cmpopts.SortSlices(func(a, b vault.Mapping) bool { return a.TokenID < b.TokenID }),
	cmpopts.SortSlices(func(a, b vault.Scope) bool { return a.ID < b.ID }),
	cmpopts.SortSlices(func(a, b vault.ErasurePart) bool { return a.ScopeID < b.ScopeID }),
	// Of names what is needed to seal them anew.
	gocmp.Transformer("name", func(s vault.Scope) [3]string { return [3]string{s.ID, string(s.SealedName), s.NameKeyID} }),
}

func (w *world) wantPlan(what string, want, got vault.ErasurePlan) {
	w.Helper()
	// Held tells of those that are over, and a plan has others held as well.
	for _, survivors := range [][]vault.Mapping{want.Survivors, got.Survivors} {
		for i := range survivors {
			survivors[i].Held = false
		}
	}
	if diff := gocmp.Diff(want, got, anyPlan); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func planned(w *world) {
	e := w.estate("acme")
	rows := func(values ...vault.NewMapping) (all []vault.Mapping) {
		for _, m := range values {
			all = append(all, w.in(e.p, m))
			all[len(all)-1].ScopeID = e.p.Scope.ID
		}
		return all
	}
	p, q := e.p.Scope.ID, e.q.Scope.ID
	part := func(scope string, erased, deferred, shared int) vault.ErasurePart {
		return vault.ErasurePart{ScopeID: scope, Erased: erased, Deferred: deferred, Shared: shared}
	}
	w.wantPlan("ann", vault.ErasurePlan{
		Keys: []string{e.own.ID, e.p.Key.ID}, Survivors: rows(e.both, e.near), Names: []vault.Scope{e.p.Scope},
		Parts: []vault.ErasurePart{part(p, 2, 0, 1), part(q, 1, 0, 0)},
	}, w.plan("acme", erasureOf(e.ann)))
	w.wantPlan("bob", vault.ErasurePlan{
		Keys: []string{e.bobs.ID}, Parts: []vault.ErasurePart{part(p, 0, 0, 1), part(q, 1, 0, 0)},
	}, w.plan("acme", erasureOf(e.bob)))
	// What is held stays: with the only one under the key of the scope, the key.
	first := w.hold("acme", onValue(e.tied))
	w.wantPlan("ann, of whom one is held", vault.ErasurePlan{
		Keys: []string{e.own.ID}, Parts: []vault.ErasurePart{part(p, 1, 1, 1), part(q, 1, 0, 0)},
	}, w.plan("acme", erasureOf(e.ann)))
	w.hold("acme", onValue(e.hers))
	w.wantPlan("ann, of whom two are held", vault.ErasurePlan{
		Keys: []string{e.own.ID}, Survivors: rows(e.hers), Parts: []vault.ErasurePart{part(p, 0, 2, 1), part(q, 1, 0, 0)},
	}, w.plan("acme", erasureOf(e.ann)))
	w.release("acme", first)
	w.hold("acme", vault.HoldMatch{Entities: []string{"PERSON"}})
	// All that her key seals is held: it stays, and nothing is sealed anew.
	w.wantPlan("ann, of whom all is held", vault.ErasurePlan{
		Parts: []vault.ErasurePart{part(p, 0, 3, 0), part(q, 0, 1, 0)},
	}, w.plan("acme", erasureOf(e.ann)))
	w.wantPlan("nobody", vault.ErasurePlan{}, w.plan("acme", erasureOf(person("nobody"))))
	w.wantPlan("nobody's name", vault.ErasurePlan{}, w.plan("acme", vault.Erasure{}))
	w.wantPlan("another spelling", vault.ErasurePlan{}, w.plan("acme", vault.Erasure{SubjectRef: strings.ToUpper(e.ann.Ref)}))
}

func plannedUntil(w *world) {
	e := w.estate("acme")
	of := erasureOf(e.ann)
	of.ErasedAt = w.now()
	w.clock.Advance(time.Microsecond)
	late := e.p.Value("late")
	late.Mapping.KeyID, late.SubjectRefs = e.own.ID, []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, late))
	count := func(of vault.Erasure) (erased int, stays []string) {
		w.Helper()
		plan := w.plan("acme", of)
		for _, part := range plan.Parts {
			erased += part.Erased
		}
		for _, m := range plan.Survivors {
			stays = append(stays, m.TokenID)
		}
		slices.Sort(stays)
		return erased, stays
	}
	for what, tt := range map[string]struct {
		until  time.Time
		erased int
		stays  []vault.NewMapping
	}{
		"now":         {time.Time{}, 4, []vault.NewMapping{e.both, e.near}},
		"then":        {of.ErasedAt, 3, []vault.NewMapping{e.both, e.near, late}},
		"before then": {of.ErasedAt.Add(-time.Microsecond), 0, nil},
	} {
		of.ErasedAt = tt.until
		var want []string
		for _, m := range tt.stays {
			want = append(want, m.Mapping.TokenID)
		}
		slices.Sort(want)
		if erased, stays := count(of); erased != tt.erased || !slices.Equal(stays, want) {
			w.Errorf("%s: %d go, %d stay; want %d, %d", what, erased, len(stays), tt.erased, len(want))
		}
	}
}

func plannedOver(w *world) {
	e := w.estate("acme")
	w.clock.Advance(ttl)
	w.keep(e.p, e.p.Value("near"), e.p.Value("tied")) // which replace what is past its time
	plan := w.plan("acme", erasureOf(e.ann))
	got := make(map[string]vault.MappingState)
	for _, m := range plan.Survivors {
		got[m.TokenID] = m.State
		if string(m.Sealed) == "" || m.ScopeID != e.p.Scope.ID || m.KeyID != e.p.Key.ID || !m.KeyAlive {
			w.Errorf("a survivor: %+v", m)
		}
	}
	if len(got) != 4 || got[e.both.Mapping.TokenID] != vault.MappingLive || got[e.near.Mapping.TokenID] != vault.MappingRetired {
		w.Errorf("survivors: %v", got)
	}
	erased := 0
	for _, part := range plan.Parts {
		erased += part.Erased
	}
	if done, _ := w.erase("acme", erasureOf(e.ann)); erased != 3 || done.Counts.Erased != 3 || done.Counts.Rekeyed != 5 {
		w.Errorf("planned %d, erased %+v", erased, done.Counts)
	}
	w.hold("acme", onValue(e.near))
	w.restores(e.p, e.near, true) // which was replaced, sealed anew, and is held
}

func plannedMany(w *world) {
	e := w.estate("acme")
	var values []vault.NewMapping
	for i := range 600 {
		values = append(values, e.p.Value(fmt.Sprint("value ", i)))
	}
	w.keep(e.p, values...)
	other := e.p
	other.Key = e.p.FreshKey()
	second := other.Value("hers, too")
	second.SubjectRefs = []string{e.ann.Ref}
	values = []vault.NewMapping{second}
	for i := range 600 {
		values = append(values, other.Value(fmt.Sprint("other ", i)))
	}
	effect := about(other, []vault.SubjectUse{{Subject: e.ann}}, values...)
	effect.Keys = []vault.DataKey{other.Key}
	w.commit("acme", effect)
	const all = 600 + 600 + 2 + 1 // and the name of the scope
	for limit, want := range map[int]error{1: vault.ErrTooMany, all - 1: vault.ErrTooMany, all: nil, all + 1: nil} {
		plan, err := w.Erasures.PlanErasure(w.ctx, "acme", e.ann.Ref, time.Time{}, limit)
		w.is(err, want)
		if err == nil && len(plan.Survivors)+len(plan.Names) != all {
			w.Errorf("%d survive, want %d", len(plan.Survivors)+len(plan.Names), all)
		}
	}
	// One key of the scope does not take so many.
	before := w.size("acme")
	full := erasing(erasureOf(e.ann), w.plan("acme", erasureOf(e.ann)))
	if _, err := w.try("acme", full); err == nil || w.size("acme") != before {
		w.Errorf("%d values under one key of a scope: %v", all, err)
	}
	third := vault.DataKey{ID: vault.NewID(), ScopeID: e.p.Scope.ID, Wrapped: wrapped("key")}
	full.Fresh = append(full.Fresh, third)
	for i := range full.Reseal {
		if full.Reseal[i].From == other.Key.ID {
			full.Reseal[i].To = third.ID
		}
	}
	if c := w.commit("acme", full); c.Outcome.Erased != (vault.ErasureCounts{Erased: 4, Shared: 1, Keys: 3, Rekeyed: all}) {
		w.Errorf("%+v", c.Outcome.Erased)
	}
	keys, err := w.Store.Keys(w.ctx, "acme", vault.KeyQuery{IDs: []string{third.ID}})
	w.no(err)
	if len(keys) != 1 || keys[0].Sealed != 600 {
		w.Errorf("the key of what was sealed anew: %+v", keys)
	}
}

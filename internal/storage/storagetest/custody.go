package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var custodyClauses = []clause{
	{"holds/come back as they were placed", holdRoundTrip},
	{"holds/are listed page by page, the newest first", holdPages},
	{"holds/a match reaches what is there now", reachCounts},
	{"scopes/all of a name are found while they are stored", scopesOfName},
}

// anyOrder compares the lists of a match as sets.
var anyOrder = cmp.Options{
	cmpopts.SortSlices(func(a, b string) bool { return a < b }),
	cmpopts.SortSlices(func(a, b vault.Digest) bool { return slices.Compare(a[:], b[:]) < 0 }),
}

func holdRoundTrip(w *world) {
	w.tenant("acme")
	from := w.now().Add(-time.Hour + time.Microsecond)
	for _, want := range []vault.Hold{
		{Matter: "M-1", Reference: "R", Match: vault.HoldMatch{Subjects: []vault.Digest{Digest("a")}}},
		{Matter: "m-1", Reference: "r é e\u0301 ſ", Custodian: "counsel", ReviewBy: w.now().Add(life), Match: vault.HoldMatch{
			Subjects: []vault.Digest{Digest("a"), Digest("b"), {0xff}}, Lookups: []vault.Digest{Digest("c"), Digest("a")},
			Scopes: []vault.Digest{Digest("a")}, Entities: alike, Classes: alike[3:], From: from, To: w.now().Add(time.Hour),
		}},
		{Matter: "M-2", Reference: "R", ExistingOnly: true, Match: vault.HoldMatch{Classes: []string{"scope"}, To: w.now().Add(life)}},
		{Matter: "M-2", Reference: "R", ExistingOnly: true, Match: vault.HoldMatch{Classes: []string{"scope"}}},
		{Matter: "M-3", Reference: "R", Backups: true, Match: vault.HoldMatch{Destinations: alike, BySent: true}},
		{Matter: "M-3", Reference: "R", ExistingOnly: true, Match: vault.HoldMatch{Destinations: []string{"vendor"}, From: from, To: w.now()}},
		{Matter: "M-3", Reference: "R", ExistingOnly: true, Match: vault.HoldMatch{BySent: true, From: from, To: w.now()}},
		{Matter: strings.Repeat("M", 128), Reference: strings.Repeat("é", 64), Match: vault.HoldMatch{From: from}},
	} {
		w.clock.Advance(time.Second)
		placed := want
		placed.ID, placed.CreatedAt, placed.ReleasedAt = "of the caller", from, from // none of which counts
		want.ID, want.CreatedAt = w.placeHold("acme", placed), w.now()
		got, err := w.Custody.Holds(w.ctx, "acme", vault.HoldQuery{ID: want.ID})
		w.no(err)
		if diff := cmp.Diff([]vault.Hold{want}, got, anyOrder); diff != "" {
			w.Error(diff)
		}
	}
	if got, err := w.Custody.Holds(w.ctx, "acme", vault.HoldQuery{ID: "none"}); err != nil || len(got) != 0 {
		w.Errorf("of an id that is not there: %d holds, %v", len(got), err)
	}
}

func holdPages(w *world) {
	w.tenant("acme")
	var all, standing []string
	for i := range 9 {
		if i%3 == 0 {
			w.clock.Advance(time.Second) // three of each instant
		}
		all = append(all, w.hold("acme", vault.HoldMatch{Entities: []string{fmt.Sprint(i)}}))
	}
	for i := 0; i < 9; i += 3 {
		slices.Sort(all[i : i+3])
	}
	slices.Reverse(all)
	for i, id := range all {
		if i%4 == 1 {
			w.release("acme", id)
		} else {
			standing = append(standing, id)
		}
	}
	list := func(q vault.HoldQuery) (ids []string) {
		w.Helper()
		holds, err := w.Custody.Holds(w.ctx, "acme", q)
		w.no(err)
		for _, h := range holds {
			ids = append(ids, h.ID)
			if q.Standing && !h.ReleasedAt.IsZero() {
				w.Error("one that was released is listed with those that stand")
			}
		}
		return ids
	}
	for _, tt := range []struct {
		standing bool
		want     []string
	}{{false, all}, {true, standing}} {
		if diff := cmp.Diff(tt.want, list(vault.HoldQuery{Standing: tt.standing})); diff != "" {
			w.Errorf("standing %v: %s", tt.standing, diff)
		}
		for _, size := range []int{1, 2, 4} {
			var got []string
			q := vault.HoldQuery{Standing: tt.standing, Limit: size}
			for page := list(q); len(page) > 0 && len(got) <= len(all); page = list(q) {
				got = append(got, page...)
				q.Before = page[len(page)-1]
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				w.Errorf("standing %v, pages of %d: %s", tt.standing, size, diff)
			}
		}
	}
	// A page goes on after one that was released meanwhile.
	if diff := cmp.Diff(standing[1:], list(vault.HoldQuery{Standing: true, Before: all[1]})); diff != "" {
		w.Errorf("after one that was released: %s", diff)
	}
	if got := list(vault.HoldQuery{Standing: true, ID: all[1]}); len(got) != 0 {
		w.Error("one that was released is read as standing")
	}
	for range vault.PageHolds {
		w.hold("acme", vault.HoldMatch{Entities: []string{"more"}})
	}
	if got := list(vault.HoldQuery{}); len(got) != vault.PageHolds {
		w.Errorf("a page has %d holds, want %d", len(got), vault.PageHolds)
	}
}

func reachCounts(w *world) {
	p := w.place("acme")
	w.tenant("globex")
	ann, values := w.variety(p)
	q := w.scope("acme", "another conversation")
	bob := person("bob")
	fresh, again := q.Value("value 4"), p.Value("value 4") // ann's; the second replaces one past its time
	fresh.SubjectRefs = []string{ann.Ref, bob.Ref}
	w.commit("acme", about(q, []vault.SubjectUse{{Subject: ann}, {Subject: bob, New: true}}, fresh))
	w.keep(p, again)
	for name, tt := range map[string]struct {
		match vault.HoldMatch
		want  vault.Reach
	}{
		"a person": {vault.HoldMatch{Subjects: []vault.Digest{ann.Digest, Digest("nobody"), bob.Digest}}, vault.Reach{
			Mappings: 9, Expired: 8, Scopes: 2, Subjects: 2, Entities: map[string]int{"PERSON": 5, "EMAIL_ADDRESS": 4}}},
		"another": {vault.HoldMatch{Subjects: []vault.Digest{bob.Digest}}, vault.Reach{
			Mappings: 1, Scopes: 1, Subjects: 2, Entities: map[string]int{"PERSON": 1}}},
		"a value": {onValue(values[4]), vault.Reach{
			Mappings: 3, Expired: 1, Scopes: 2, Subjects: 2, Entities: map[string]int{"PERSON": 3}}},
		"a scope": {vault.HoldMatch{Scopes: []vault.Digest{q.Scope.Digest}}, vault.Reach{
			Mappings: 1, Scopes: 1, Subjects: 2, Entities: map[string]int{"PERSON": 1}}},
		"an entity": {vault.HoldMatch{Entities: []string{"EMAIL_ADDRESS"}}, vault.Reach{
			Mappings: 8, Expired: 8, Scopes: 1, Subjects: 1, Entities: map[string]int{"EMAIL_ADDRESS": 8}}},
		"a time": {vault.HoldMatch{From: w.now()}, vault.Reach{
			Mappings: 2, Scopes: 2, Subjects: 2, Entities: map[string]int{"PERSON": 2}}},
		"a class of a person": {vault.HoldMatch{Subjects: []vault.Digest{ann.Digest}, Classes: []string{"restricted"}}, vault.Reach{
			Mappings: 4, Expired: 4, Scopes: 1, Subjects: 1, Entities: map[string]int{"PERSON": 2, "EMAIL_ADDRESS": 2}}},
		"one twice": {vault.HoldMatch{Lookups: []vault.Digest{fresh.Mapping.Lookup, fresh.Mapping.Lookup}, Scopes: []vault.Digest{q.Scope.Digest}},
			vault.Reach{Mappings: 1, Scopes: 1, Subjects: 2, Entities: map[string]int{"PERSON": 1}}},
		"a scope twice": {vault.HoldMatch{Scopes: []vault.Digest{q.Scope.Digest, q.Scope.Digest}},
			vault.Reach{Mappings: 1, Scopes: 1, Subjects: 2, Entities: map[string]int{"PERSON": 1}}},
		"nobody": {vault.HoldMatch{Subjects: []vault.Digest{Digest("nobody")}, Entities: []string{"PERSON"}}, vault.Reach{}},
	} {
		got, err := w.Custody.Reach(w.ctx, "acme", tt.match)
		w.no(err)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			w.Errorf("%s: %s", name, diff)
		}
		if got, err := w.Custody.Reach(w.ctx, "globex", tt.match); err != nil || got.Mappings+got.Scopes+got.Subjects != 0 {
			w.Errorf("%s: of another tenant it reaches %+v, %v", name, got, err)
		}
	}
	if _, err := w.Custody.Reach(w.ctx, "acme", vault.HoldMatch{}); err == nil {
		w.Error("a match of nothing reaches something")
	}
}

func scopesOfName(w *world) {
	w.tenant("acme")
	list := func(tenant, name string) (ids []string) {
		w.Helper()
		scopes, err := w.Custody.Scopes(w.ctx, tenant, Digest("scope", name))
		w.no(err)
		for _, s := range scopes {
			ids = append(ids, s.ID)
		}
		return ids
	}
	var want []string
	var places []Place
	for range 3 {
		p := NewPlace("acme", "again", w.now())
		p.Scope.EndsAt, p.Scope.EndUser = w.now().Add(ttl), Digest("end user")
		w.commit("acme", p.Open())
		w.keep(p, p.Value("v"))
		want, places = append([]string{p.Scope.ID}, want...), append(places, p)
		w.clock.Advance(ttl)
	}
	if diff := cmp.Diff(want, list("acme", "again")); diff != "" {
		w.Error(diff)
	}
	scopes, err := w.Custody.Scopes(w.ctx, "acme", Digest("scope", "again"))
	w.no(err)
	if diff := cmp.Diff(places[2].Scope, scopes[0]); diff != "" {
		w.Errorf("the newest: %s", diff)
	}
	w.hold("acme", vault.HoldMatch{From: places[1].Scope.CreatedAt, To: places[2].Scope.CreatedAt})
	w.sweepUntilDone("acme", 10)
	if diff := cmp.Diff(want[1:2], list("acme", "again")); diff != "" {
		w.Errorf("after a sweep of what is not held: %s", diff)
	}
	w.tenant("Acme")
	if got := append(list("Acme", "again"), list("acme", "Again")...); len(got) != 0 {
		w.Errorf("of another tenant and of another name: %q", got)
	}
}

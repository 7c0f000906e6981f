package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var tombstoneClauses = []clause{
	{"tombstones/are read in order of time and key, from a time on", tombstonePages},
	{"tombstones/tell what destroyed the key, and what went with it", tombstoneTells},
	{"Invariant8/a key with a tombstone is never inserted again", tombstoneRefuses},
	{"sealed/under a key is all that it seals, while it stands", sealedUnder},
	{"Invariant6/what one tenant buried another neither sees nor is kept from", tombstoneForeign},
}

func (w *world) tombstones(tenant string, q vault.TombstoneQuery) []vault.Tombstone {
	w.Helper()
	got, err := w.Remains.Tombstones(w.ctx, tenant, q)
	w.no(err)
	return got
}

func tombstonePages(w *world) {
	p := w.place("acme")
	var times []time.Time
	for i := range 4 {
		w.clock.Advance(time.Second)
		_, erases := w.someone(p, fmt.Sprint("person ", i), 3, 3, 3)
		w.commit("acme", erases())
		if i%2 == 1 { // two in one microsecond
			_, erases := w.someone(p, fmt.Sprint("another ", i), 3, 3)
			w.commit("acme", erases())
		}
		times = append(times, w.now())
	}
	all := w.tombstones("acme", vault.TombstoneQuery{})
	if len(all) != 16 || !slices.IsSortedFunc(all, func(a, b vault.Tombstone) int {
		if d := a.At.Compare(b.At); d != 0 {
			return d
		}
		return strings.Compare(a.KeyID, b.KeyID)
	}) {
		w.Errorf("%d tombstones: %+v", len(all), all)
	}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		var got []vault.Tombstone
		q := vault.TombstoneQuery{Limit: limit}
		for page := w.tombstones("acme", q); len(page) > 0 && len(got) < 100; page = w.tombstones("acme", q) {
			if len(page) > limit {
				w.Errorf("a page of %d has %d", limit, len(page))
			}
			got = append(got, page...)
			q.Since, q.After = page[len(page)-1].At, page[len(page)-1].KeyID
		}
		if diff := cmp.Diff(all, got); diff != "" {
			w.Errorf("by %d: %s", limit, diff)
		}
	}
	from := func(at time.Time) (n int) {
		for _, t := range all {
			if !t.At.Before(at) {
				n++
			}
		}
		return n
	}
	for _, at := range times {
		for _, since := range []time.Time{at.Add(-time.Microsecond), at, at.Add(1), at.Add(time.Microsecond)} {
			if got := w.tombstones("acme", vault.TombstoneQuery{Since: since}); len(got) != from(since) {
				w.Errorf("since %v: %d tombstones, want %d", since, len(got), from(since))
			}
		}
	}
	_, erases := w.someone(p, "many", slices.Repeat([]int{3}, vault.PageTombstones)...)
	w.commit("acme", erases())
	if got := w.tombstones("acme", vault.TombstoneQuery{}); len(got) != vault.PageTombstones {
		w.Errorf("a page has %d tombstones, want %d", len(got), vault.PageTombstones)
	}
}

func tombstoneTells(w *world) {
	e := w.estate("acme")
	w.commit("acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: e.own.ID, From: 3, Wrapped: wrappedAt(5)}}})
	more := e.p.Value("more") // of ann's, beside tied under the key of the scope
	more.SubjectRefs = []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, more))
	w.clock.Advance(time.Second)
	done, c := w.erase("acme", erasureOf(e.ann))
	tokens := e.p.Sweep(e.tied, more).Mappings
	slices.SortFunc(tokens, byScopeAndToken)
	own := vault.Tombstone{KeyID: e.own.ID, ErasureID: done.ID, At: c.At, WrapVersion: 5}
	shared := vault.Tombstone{KeyID: e.p.Key.ID, ErasureID: done.ID, At: c.At, WrapVersion: 3, Rekeyed: true, Tokens: tokens}
	check := func(what string) {
		w.Helper()
		want := []vault.Tombstone{own, shared}
		slices.SortFunc(want, func(a, b vault.Tombstone) int { return strings.Compare(a.KeyID, b.KeyID) })
		if diff := cmp.Diff(want, w.tombstones("acme", vault.TombstoneQuery{})); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	check("erased")
	w.clock.Advance(time.Second)
	one := vault.MappingRef{ScopeID: e.p.Scope.ID, TokenID: more.Mapping.TokenID}
	w.commit("acme", vault.Sweep{Mappings: []vault.MappingRef{one}})
	shared.Tokens = e.p.Sweep(e.tied).Mappings
	check("one swept")
	w.sweepUntilDone("acme", 10)
	shared.Tokens, shared.Swept, own.Swept = nil, true, true
	check("all swept")
	w.no(w.Close())
	w.Stores = w.Reopen()
	check("after a restart")
	// A key that somebody destroyed leaves none: nothing says that it was an erasure.
	w.commit("acme", vault.DestroyKeys{Keys: []string{e.q.Key.ID}})
	check("beside a key that was destroyed")
}

func tombstoneRefuses(w *world) {
	e := w.estate("acme")
	r := w.open("acme", w.request(vault.RequestAccess, e.ann))
	gone, erases := w.someone(e.q, "gone", 3)
	id := w.keyIDs("acme", gone.Ref)[0]
	w.commit("acme", erases())
	fresh := func() vault.DataKey { return vault.DataKey{ID: id, Wrapped: wrapped("key")} }
	refused := func(when string) {
		w.Helper()
		for what, effect := range w.inserts(e, r, fresh) {
			before := w.size("acme")
			_, err := w.try("acme", effect)
			w.is(err, vault.ErrKeyDestroyed)
			if w.stands("acme", id) != 0 || w.size("acme") != before {
				w.Errorf("%s %s brought the key back", when, what)
			}
		}
		e.knows(e.ann, true)
	}
	refused("while what it sealed is there")
	w.sweepUntilDone("acme", 10)
	refused("once that is swept")
	w.no(w.Close())
	w.Stores = w.Reopen()
	refused("after a restart")
	// Of a fresh key all of that may be committed.
	for what, effect := range w.inserts(e, r, func() vault.DataKey { return vault.DataKey{ID: vault.NewID(), Wrapped: wrapped("key")} }) {
		if _, err := w.try("acme", effect); err != nil {
			w.Errorf("%s: %v", what, err)
		}
	}
}

// sealed reads what keys seal.
func (w *world) sealed(tenant string, keys ...string) vault.SealedUnder {
	w.Helper()
	got, err := w.Remains.SealedUnder(w.ctx, tenant, keys, 1000)
	w.no(err)
	return got
}

func sealedUnder(w *world) {
	e := w.estate("acme")
	short := e.p.Value("short")
	short.TTL = time.Second
	w.keep(e.p, short)
	w.clock.Advance(time.Second)
	again := e.p.Value("short")
	w.keep(e.p, again) // which retires the first
	rows := func(p Place, values ...vault.NewMapping) (all []vault.Mapping) {
		for _, m := range values {
			all = append(all, w.in(p, m))
		}
		return all
	}
	want := vault.ErasurePlan{Survivors: rows(e.p, e.tied, e.both, e.near, again), Names: []vault.Scope{e.p.Scope}}
	check := func(what string, want vault.ErasurePlan, keys ...string) {
		w.Helper()
		got := w.sealed("acme", keys...)
		// What was replaced is sealed, too, and is not read where no hold keeps it.
		got.Mappings = slices.DeleteFunc(got.Mappings, func(m vault.Mapping) bool { return m.TokenID == short.Mapping.TokenID })
		w.wantPlan(what, want, vault.ErasurePlan{Survivors: got.Mappings, Names: got.Names})
	}
	check("a scope's", want, e.p.Key.ID)
	if got := w.sealed("acme", e.p.Key.ID); len(got.Mappings) != 5 || string(got.Mappings[0].Sealed) == "" {
		w.Errorf("%d values under the key of a scope, want 5", len(got.Mappings))
	}
	own := vault.ErasurePlan{Survivors: append(rows(e.p, e.hers), rows(e.q, e.there)...)}
	check("a person's", own, e.own.ID)
	both := vault.ErasurePlan{Survivors: append(slices.Clone(own.Survivors), want.Survivors...), Names: want.Names}
	check("both", both, e.own.ID, e.p.Key.ID, "none", "", e.own.ID)
	check("none", vault.ErasurePlan{}, "none", strings.ToUpper(e.own.ID)+" ")
	check("no key", vault.ErasurePlan{})
	const all = 6 // five values and a name
	for limit, want := range map[int]error{1: vault.ErrTooMany, all - 1: vault.ErrTooMany, all: nil, all + 1: nil} {
		_, err := w.Remains.SealedUnder(w.ctx, "acme", []string{e.p.Key.ID}, limit)
		w.is(err, want)
	}
	w.clock.Advance(2 * ttl)
	if got := w.sealed("acme", e.p.Key.ID, e.own.ID); len(got.Mappings) != 7 {
		w.Errorf("past their time %d values, want 7", len(got.Mappings))
	}
	// Under a key that does not stand nothing is sealed.
	w.erase("acme", erasureOf(e.ann))
	check("of keys that were destroyed", vault.ErasurePlan{}, e.own.ID, e.p.Key.ID)
}

func tombstoneForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), Ref: value.SubjectRefs[0]}
	w.erase("acme", erasureOf(ann))
	if got := w.tombstones("Acme", vault.TombstoneQuery{}); len(got) != 0 || len(w.tombstones("acme", vault.TombstoneQuery{})) != 1 {
		w.Errorf("another tenant reads %+v", got)
	}
	if got := w.sealed("Acme", mine.Key.ID); len(got.Mappings) != 1 || string(got.Mappings[0].Sealed) != "of Acme" {
		w.Errorf("another tenant reads %+v", got)
	}
	w.tenant("aCME")
	if got := w.sealed("aCME", mine.Key.ID); len(got.Mappings)+len(got.Names) != 0 {
		w.Errorf("a third reads %+v", got)
	}
	theirs.Tenant = "aCME"
	w.commit("aCME", theirs.Open()) // under the id of the key that acme buried
}

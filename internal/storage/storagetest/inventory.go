package storagetest

import (
	"cmp"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var inventoryClauses = []clause{
	{"inventory/each value is counted once, as it stands", inventoryLines},
	{"inventory/counts all that there is", inventoryCounts},
	{"Invariant6/what one tenant has is counted for no other", inventoryForeign},
}

func (w *world) inventory(tenant string) vault.Inventory {
	w.Helper()
	got, err := w.Remains.Inventory(w.ctx, tenant)
	w.no(err)
	slices.SortFunc(got.Mappings, func(a, b vault.InventoryLine) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Class, b.Class))
	})
	return got
}

func (w *world) wantLines(what, tenant string, want ...vault.InventoryLine) {
	w.Helper()
	if diff := gocmp.Diff(want, w.inventory(tenant).Mappings, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func inventoryLines(w *world) {
	p := w.place("acme")
	q := NewPlace("acme", "documents", w.now())
	q.Scope.Kind = vault.ScopeCorpus
	w.commit("acme", q.Open())
	w.wantLines("nothing", "acme")
	began := w.now()
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	talk := vault.InventoryLine{Class: "confidential", Kind: vault.ScopeConversation}
	secret := vault.InventoryLine{Class: "restricted", Kind: vault.ScopeConversation}
	corpus := vault.InventoryLine{Class: "confidential", Kind: vault.ScopeCorpus}
	// Two of ann's, which are restricted: one is replaced, and both are lifted.
	ann := person("ann")
	first, second := p.Value("first"), p.Value("second")
	first.SubjectRefs, second.SubjectRefs = []string{ann.Ref}, []string{ann.Ref}
	second.Mapping.Class = "restricted"
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}, first, second))
	r, _ := w.restrict("acme", ann)
	w.clock.Advance(time.Second)
	again := p.Value("first")
	again.TTL = 2 * ttl
	w.keep(p, again)
	talk.Live, talk.Oldest, talk.LastEnds = 2, began, at(1).Add(2*ttl)
	secret.Live, secret.Oldest, secret.LastEnds = 1, began, began.Add(ttl)
	w.wantLines("restricted", "acme", talk, secret)
	w.lift("acme", ann, r)
	talk.Live, talk.Retired, talk.Oldest = 1, 1, at(1)
	w.wantLines("lifted", "acme", talk, secret)
	// Some past their time, one of them held.
	x, y := p.Value("x"), p.Value("y")
	x.TTL, y.TTL = time.Second, time.Second
	w.keep(p, x, y, p.Value("z"))
	w.hold("acme", vault.HoldMatch{Lookups: lookupsOf(y, again)})
	w.clock.Advance(time.Second)
	talk.Live, talk.Expired, talk.Held = 2, 2, 1
	w.wantLines("past their time", "acme", talk, secret)
	// In another scope one that is erased, under a key of its own.
	w.keep(q, q.Value("a"))
	_, erases := w.someone(q, "bob", 3)
	corpus.Live, corpus.Oldest, corpus.LastEnds = 2, w.now(), w.now().Add(ttl)
	w.wantLines("in another scope", "acme", talk, secret, corpus)
	w.commit("acme", erases())
	corpus.Live, corpus.Erased = 1, 1
	w.wantLines("erased", "acme", talk, secret, corpus)
	w.clock.Advance(2 * ttl)
	talk = vault.InventoryLine{Class: talk.Class, Kind: talk.Kind, Expired: 5, Held: 3} // with the one that was replaced
	secret = vault.InventoryLine{Class: secret.Class, Kind: secret.Kind, Expired: 1}
	corpus = vault.InventoryLine{Class: corpus.Class, Kind: corpus.Kind, Expired: 1, Erased: 1}
	w.wantLines("all past its time", "acme", talk, secret, corpus)
	w.sweepUntilDone("acme", 100)
	talk.Expired = 3
	w.wantLines("swept", "acme", talk)
}

// someone is a person with a value under each of some keys, of versions of the
// wrapping key, and the effect that erases the person when it is asked for.
func (w *world) someone(p Place, name string, versions ...int) (s vault.Subject, erases func() vault.Erase) {
	w.Helper()
	s = person(name)
	effect := about(p, []vault.SubjectUse{{Subject: s, New: true}})
	for _, version := range versions {
		key := keyOf(s)
		key.Wrapped = wrappedAt(version)
		m := p.Value(name + " " + key.ID)
		m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{s.Ref}
		effect.Keys, effect.Mappings = append(effect.Keys, key), append(effect.Mappings, m)
	}
	w.commit(p.Tenant, effect)
	return s, func() vault.Erase {
		w.Helper()
		return erasing(erasureOf(s), w.plan(p.Tenant, erasureOf(s)))
	}
}

func inventoryCounts(w *world) {
	w.tenant("acme")
	want := vault.Inventory{}
	check := func(what string) {
		w.Helper()
		got := w.inventory("acme")
		got.Mappings = nil
		if diff := gocmp.Diff(want, got); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	check("nothing")
	p := w.scope("acme", "a conversation")
	want.Scopes, want.DataKeys = 1, 1
	check("a scope and its key")
	_, erases := w.someone(p, "ann", 3, 3)
	want.Subjects, want.DataKeys = 1, 3
	check("a person and two keys")
	effect := erases()
	effect.Suppress.For = time.Hour
	w.commit("acme", effect)
	want.Subjects, want.DataKeys, want.Tombstones, want.Erasures = 0, 1, 2, 1
	check("erased")
	w.sweepUntilDone("acme", 10)
	want.Suppressions = 2
	check("swept")
	bob, erases := w.someone(p, "bob", 3)
	m := p.Value("under the key of the scope")
	m.SubjectRefs = []string{bob.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: bob}}, m))
	first := w.hold("acme", onValue(m))
	w.hold("acme", vault.HoldMatch{Classes: []string{"none"}})
	want.Holds, want.Subjects, want.DataKeys = 2, 1, 2
	check("two holds, and another person")
	w.commit("acme", erases())
	want.DataKeys, want.Tombstones, want.Erasures, want.ErasuresDeferred = 1, 3, 2, 1
	check("an erasure that is deferred")
	w.release("acme", first)
	want.Holds = 1
	check("a hold that was released")
	if _, err := w.claim("acme", "key", "body", vault.Record{}); err != nil {
		w.Errorf("a claim: %v", err)
	}
	want.Claims = 1
	check("a claim")
	w.open("acme", w.request(vault.RequestAccess, person("eve")))
	want.RequestsOpen = 1
	check("a request")
	w.clock.Advance(time.Minute)
	oldest := w.request(vault.RequestAccess, person("eve"))
	w.closed("acme", oldest)
	want.RequestsClosed, want.OldestClosed = 1, w.now()
	w.clock.Advance(time.Minute)
	oldest.ReceivedAt = w.now().Add(-life) // closed later, though it is older
	w.closed("acme", oldest)
	want.RequestsClosed = 2
	check("requests that are closed")
}

func inventoryForeign(w *world) {
	e := w.estate("acme")
	w.tenant("Acme")
	w.erase("acme", erasureOf(e.ann))
	w.hold("acme", onValue(e.far))
	w.open("acme", w.request(vault.RequestAccess, e.ann))
	if diff := gocmp.Diff(vault.Inventory{}, w.inventory("Acme"), cmpopts.EquateEmpty()); diff != "" {
		w.Error(diff)
	}
	mine, theirs, value := w.twinsOf("globex", "Globex")
	w.commit("globex", vault.DestroyKeys{Keys: []string{mine.Key.ID}})
	if got := w.inventory("Globex"); len(got.Mappings) != 1 || got.Mappings[0].Live != 1 || got.DataKeys != 1 {
		w.Errorf("theirs: %+v", got)
	}
	w.commit("Globex", theirs.Restore(value))
}

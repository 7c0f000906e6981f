package storagetest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var tokenizeClauses = []clause{
	{"tokenize/a new value stands under its own token", newValue},
	{"tokenize/a value that stands is found again", reusedValue},
	{"Invariant4/the same value on many goroutines has one token", sameValueAtOnce},
	{"Invariant4/two values never share a token", takenID},
	{"tokenize/the entry names what stands, not what was asked for", entryNamesStanding},
	{"tokenize/a malformed mapping fails alone", malformedMapping},
	{"tokenize/a kept token must live", touchedToken},
}

func newValue(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	got := w.keep(p, m)
	want := []vault.Standing{{TokenID: m.Mapping.TokenID, ExpiresAt: w.now().Add(ttl)}}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Error(diff)
	}
	stored := m.Mapping
	stored.CreatedAt, stored.ExpiresAt, stored.MaxExpiresAt = w.now(), w.now().Add(ttl), w.now().Add(maxAge)
	stored.KeyAlive = true
	if diff := cmp.Diff(stored, w.read(p, stored.TokenID)[stored.TokenID]); diff != "" {
		w.Error(diff)
	}
	w.commit("acme", p.Restore(m))
	// What was planned with a longer life than its class allows ends with it.
	long := p.Value("long")
	long.TTL, long.MaxAge = 5*ttl, 2*ttl
	if s := w.keep(p, long)[0]; !s.ExpiresAt.Equal(w.now().Add(2 * ttl)) {
		w.Errorf("expires at %v, want the end of its class", s.ExpiresAt)
	}
}

func reusedValue(w *world) {
	p := w.place("acme")
	first := p.Value("v")
	w.keep(p, first)
	again, other := p.Value("v"), p.Value("w")
	again.Mapping.Sealed = []byte("sealed anew, and of no use")
	got := w.keep(p, other, again)
	want := []vault.Standing{
		{TokenID: other.Mapping.TokenID, ExpiresAt: w.now().Add(ttl)},
		{TokenID: first.Mapping.TokenID, Reused: true, ExpiresAt: w.now().Add(ttl)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Error(diff)
	}
	read := w.read(p, first.Mapping.TokenID, again.Mapping.TokenID)
	if len(read) != 1 || string(read[first.Mapping.TokenID].Sealed) != string(first.Mapping.Sealed) {
		w.Errorf("a value that was found again left %d rows, sealed %q", len(read), read[first.Mapping.TokenID].Sealed)
	}
	// In another scope it is another value.
	q := w.scope("acme", "another conversation")
	if s := w.keep(q, q.Value("v"))[0]; s.Reused {
		w.Error("a token of one scope stands in another")
	}
}

func sameValueAtOnce(w *world) {
	p := w.place("acme")
	const callers, values = 32, 4
	var group sync.WaitGroup
	standing := make([][]vault.Standing, callers)
	for i := range callers {
		var ms []vault.NewMapping
		for v := range values {
			ms = append(ms, p.Value(fmt.Sprint("value ", (v+i)%values)))
		}
		change := Change(w, "acme", p.Tokenize(ms...))
		group.Go(func() {
			c, err := w.Store.Commit(w.ctx, "acme", change)
			if err != nil {
				w.Errorf("caller %d: %v", i, err)
				return
			}
			standing[i] = c.Outcome.Standing
		})
	}
	group.Wait()
	tokens, fresh := make(map[int]string), 0
	for i, s := range standing {
		for v, one := range s {
			value := (v + i) % values
			if known := tokens[value]; known != "" && known != one.TokenID {
				w.Errorf("value %d has the tokens %s and %s", value, known, one.TokenID)
			}
			tokens[value] = one.TokenID
			if !one.Reused {
				fresh++
			}
		}
	}
	if fresh != values {
		w.Errorf("%d values were made %d times", values, fresh)
	}
	w.CheckLog("acme")
}

func takenID(w *world) {
	p := w.place("acme")
	first := p.Value("v")
	w.keep(p, first)
	// Its id is taken while it lives, when it is expired, and when retired.
	second := p.Value("w")
	second.Mapping.TokenID = first.Mapping.TokenID
	fine := p.Value("fine")
	w.refuse(vault.ErrIDTaken, "acme", p.Tokenize(fine, second))
	if got := w.read(p, fine.Mapping.TokenID); len(got) != 0 {
		w.Error("a change with a taken id left its other mapping")
	}
	w.clock.Advance(ttl)
	w.refuse(vault.ErrIDTaken, "acme", p.Tokenize(second))
	w.keep(p, p.Value("v")) // retires the first
	w.refuse(vault.ErrIDTaken, "acme", p.Tokenize(second))
	third := p.Value("v")
	third.Mapping.TokenID = first.Mapping.TokenID // found again, so its id is not asked for
	if s := w.keep(p, third)[0]; !s.Reused || s.TokenID == first.Mapping.TokenID {
		w.Errorf("got %+v, want the token that stands", s)
	}
	a, b := p.Value("a"), p.Value("b")
	b.Mapping.TokenID = a.Mapping.TokenID
	w.refuse(vault.ErrIDTaken, "acme", p.Tokenize(a, b))
	q := w.scope("acme", "another conversation")
	free := q.Value("w")
	free.Mapping.TokenID = first.Mapping.TokenID
	if s := w.keep(q, free)[0]; s.TokenID != first.Mapping.TokenID {
		w.Error("an id of one scope is taken in another")
	}
}

func entryNamesStanding(w *world) {
	p := w.place("acme")
	first, kept := p.Value("v"), p.Value("kept")
	w.keep(p, first, kept)
	effect := p.Tokenize(p.Value("v"), p.Value("w"))
	effect.Touch = []vault.TouchRef{{TokenID: kept.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
	c := w.commit("acme", effect)
	e, err := audit.ParseLeaf(w.leaf("acme", c.First))
	w.no(err)
	want := []string{first.Mapping.TokenID, effect.Mappings[1].Mapping.TokenID, kept.Mapping.TokenID}
	if diff := cmp.Diff(want, e.Tokens); diff != "" {
		w.Error(diff)
	}
}

func malformedMapping(w *world) {
	p := w.place("acme")
	tests := map[string]func(*vault.NewMapping){
		"of another scope":        func(m *vault.NewMapping) { m.Mapping.ScopeID = vault.NewID() },
		"without an id":           func(m *vault.NewMapping) { m.Mapping.TokenID = "" },
		"without an entity":       func(m *vault.NewMapping) { m.Mapping.Entity = "" },
		"without ciphertext":      func(m *vault.NewMapping) { m.Mapping.Sealed = nil },
		"without a life":          func(m *vault.NewMapping) { m.TTL = 0 },
		"without a class":         func(m *vault.NewMapping) { m.MaxAge = 0 },
		"of nobody that it names": func(m *vault.NewMapping) { m.SubjectRefs = []string{vault.NewID()} },
	}
	for name, spoil := range tests {
		fine, bad := p.Value("v"), p.Value("w")
		spoil(&bad)
		before := w.size("acme")
		if _, err := w.try("acme", p.Tokenize(fine, bad)); err == nil {
			w.Errorf("a mapping %s was taken", name)
		}
		if got := w.read(p, fine.Mapping.TokenID); len(got) != 0 || w.size("acme") != before {
			w.Errorf("a mapping %s left something", name)
		}
	}
	w.keep(p, p.Value("v"))
}

func touchedToken(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	touch := func(id, entity string) vault.Tokenize {
		effect := p.Tokenize()
		effect.Touch = []vault.TouchRef{{TokenID: id, Entity: entity, TTL: ttl}}
		return effect
	}
	got := w.commit("acme", touch(m.Mapping.TokenID, "PERSON")).Outcome.Touched
	if len(got) != 1 || !got[0].Equal(w.now().Add(ttl)) {
		w.Errorf("touched: %v", got)
	}
	w.clock.Advance(ttl - 1000)
	extended := w.commit("acme", touch(m.Mapping.TokenID, "PERSON")).Outcome.Touched[0]
	if !extended.Equal(w.now().Add(ttl)) {
		w.Errorf("with a microsecond left it was extended to %v", extended)
	}
	w.refuse(vault.ErrConflict, "acme", touch(m.Mapping.TokenID, "EMAIL_ADDRESS"))
	w.refuse(vault.ErrConflict, "acme", touch("NOSUCHID", "PERSON"))
	w.clock.Advance(ttl)
	w.refuse(vault.ErrConflict, "acme", touch(m.Mapping.TokenID, "PERSON"))
	w.keep(p, p.Value("v")) // retires it
	w.refuse(vault.ErrConflict, "acme", touch(m.Mapping.TokenID, "PERSON"))
}

package storagetest

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var sourceClauses = []clause{
	{"sources/tokens are found by their source, page by page", sourcePages},
	{"sources/what is found again or kept is noted once", sourceAgain},
	{"sources/what is destroyed is listed no more", sourceSwept},
	{"Invariant6/a source is one of its scope and tenant", sourceForeign},
}

// sourced lists the token ids of a source.
func (w *world) sourced(p Place, source, after string, limit int) []string {
	w.Helper()
	got, err := w.Store.Mappings(w.ctx, p.Tenant, vault.MappingQuery{
		ScopeID: p.Scope.ID, Source: Digest(source), After: after, Limit: limit,
	})
	w.no(err)
	var ids []string
	for _, m := range got {
		if m.ScopeID != p.Scope.ID || len(m.Sealed) == 0 {
			w.Errorf("a mapping of a source: %+v", m)
		}
		ids = append(ids, m.TokenID)
	}
	return ids
}

// from is a tokenize of a source.
func (p Place) from(source string, values ...vault.NewMapping) vault.Tokenize {
	effect := p.Tokenize(values...)
	effect.Source = Digest(source)
	return effect
}

func sourcePages(w *world) {
	p := w.place("acme")
	var want []string
	var values []vault.NewMapping
	for i := range 5 {
		m := p.Value(fmt.Sprint(i))
		want = append(want, m.Mapping.TokenID)
		values = append(values, m)
	}
	w.commit("acme", p.from("doc", values...))
	w.commit("acme", p.from("other", p.Value("x")))
	w.keep(p, p.Value("of no source"))
	slices.Sort(want)
	if got := w.sourced(p, "doc", "", 0); !slices.Equal(got, want) {
		w.Errorf("of the source: %q, want %q", got, want)
	}
	first := w.sourced(p, "doc", "", 2)
	rest := w.sourced(p, "doc", first[len(first)-1], 10)
	if len(first) != 2 || !slices.Equal(append(first, rest...), want) {
		w.Errorf("by pages: %q and %q", first, rest)
	}
	if got := w.sourced(p, "none", "", 0); len(got) != 0 {
		w.Errorf("of a source that nobody named: %q", got)
	}
}

func sourceAgain(w *world) {
	p := w.place("acme")
	found, kept := p.Value("found"), p.Value("kept")
	w.keep(p, found, kept)
	for range 2 {
		again := p.Value("found")
		effect := p.from("doc", again)
		effect.Touch = []vault.TouchRef{{TokenID: kept.Mapping.TokenID, Entity: kept.Mapping.Entity, TTL: ttl}}
		w.commit("acme", effect)
	}
	want := []string{found.Mapping.TokenID, kept.Mapping.TokenID}
	slices.Sort(want)
	if got := w.sourced(p, "doc", "", 0); !slices.Equal(got, want) {
		w.Errorf("of the source: %q, want %q", got, want)
	}
}

func sourceSwept(w *world) {
	p := w.place("acme")
	short, long := p.Value("short"), p.Value("long")
	long.TTL = maxAge
	w.commit("acme", p.from("doc", short, long))
	w.clock.Advance(ttl)
	w.commit("acme", p.Sweep(short))
	if got := w.sourced(p, "doc", "", 0); len(got) != 1 || got[0] != long.Mapping.TokenID {
		w.Errorf("after a sweep: %q", got)
	}
	w.commit("acme", vault.DestroyKeys{Keys: []string{p.Key.ID}})
	if got := w.sourced(p, "doc", "", 0); len(got) != 0 {
		w.Errorf("after the key was destroyed: %q", got)
	}
}

func sourceForeign(w *world) {
	p := w.place("acme")
	w.commit("acme", p.from("doc", p.Value("v")))
	other := w.scope("acme", "another")
	twin := w.place("Acme")
	w.commit("Acme", twin.from("doc", twin.Value("v")))
	if got := w.sourced(other, "doc", "", 0); len(got) != 0 {
		w.Errorf("of another scope: %q", got)
	}
	p.Tenant = "Acme"
	if got := w.sourced(p, "doc", "", 0); len(got) != 0 {
		w.Errorf("of another tenant: %q", got)
	}
}

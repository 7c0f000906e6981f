package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var personTokenClauses = []clause{
	{"persons/their tokens are those that are seen, page by page", personTokens},
	{"persons/a page of their tokens has its size", personTokenPage},
	{"Invariant6/tokens of a person of one tenant are no other's", personTokensForeign},
}

// tokensOf reads all pages of a person's tokens.
func (w *world) tokensOf(tenant string, q vault.PersonQuery) (all []vault.MappingRef) {
	w.Helper()
	var after vault.MappingRef
	for {
		page, err := w.Requests.PersonTokens(w.ctx, tenant, q, after)
		w.no(err)
		all = append(all, page...)
		if len(page) == 0 || len(all) > 10_000 {
			return all
		}
		if q.Limit > 0 && len(page) > q.Limit {
			w.Errorf("a page of %d has %d", q.Limit, len(page))
		}
		after = page[len(page)-1]
	}
}

func byScopeAndToken(a, b vault.MappingRef) int {
	return slices.Compare([]string{a.ScopeID, a.TokenID}, []string{b.ScopeID, b.TokenID})
}

// scattered is what several scopes have of two people.
type scattered struct {
	ann, bob vault.Subject
	tokens   []vault.MappingRef // of both, and of what is known by its value
	last     Place
	short    vault.NewMapping // in the last, of both, for a second
}

func (w *world) scattered() *scattered {
	w.Helper()
	w.tenant("acme")
	x := &scattered{ann: person("ann"), bob: person("bob")}
	uses := []vault.SubjectUse{{Subject: x.ann, New: true}, {Subject: x.bob, New: true}}
	for _, id := range []string{"b", "B", "a", "é", "a0"} {
		p := NewPlace("acme", id, w.now())
		p.Scope.ID = id
		p.Key = p.FreshKey()
		p.Scope.NameKeyID = p.Key.ID
		w.commit("acme", p.Open())
		for i, token := range []string{"B", "b", "_", "0A", "0a"} {
			m := p.Value(id + token)
			m.Mapping.TokenID, m.Mapping.Entity = token, fmt.Sprint("KIND_", i%2)
			switch i {
			case 0, 2:
				m.SubjectRefs = []string{x.ann.Ref}
			case 1:
				m.SubjectRefs, m.TTL = []string{x.ann.Ref, x.bob.Ref}, time.Second
				x.short = m
			case 3: // known by its value
				m.Mapping.Lookup = Digest("known")
			}
			if i < 4 {
				x.tokens = append(x.tokens, vault.MappingRef{ScopeID: id, TokenID: token})
			}
			w.commit("acme", about(p, uses, m))
			uses[0].New, uses[1].New = false, false
		}
		x.last = p
	}
	slices.SortFunc(x.tokens, byScopeAndToken)
	return x
}

func personTokens(w *world) {
	x := w.scattered()
	want := x.tokens
	q := vault.PersonQuery{
		Subjects: []vault.Digest{x.ann.Digest, x.bob.Digest, Digest("nobody")},
		Lookups:  []vault.Digest{Digest("known"), x.short.Mapping.Lookup},
	}
	w.clock.Advance(time.Second) // some are past their time
	for _, limit := range []int{0, 1, 3, 7, 1000} {
		q.Limit = limit
		if diff := cmp.Diff(want, w.tokensOf("acme", q)); diff != "" {
			w.Errorf("by %d: %s", limit, diff)
		}
	}
	q.Limit = 0
	seen := 0
	for _, s := range w.seen("acme", q) {
		seen += s.Mappings
	}
	if seen != len(want) {
		w.Errorf("%d are seen, %d are listed", seen, len(want))
	}
	// What was replaced is listed no more.
	again := x.short
	again.Mapping.TokenID, again.SubjectRefs, again.Mapping.Lookup = "again", nil, Digest("other")
	w.keep(x.last, again)
	gone := vault.MappingRef{ScopeID: "a0", TokenID: "b"}
	want = slices.DeleteFunc(want, func(m vault.MappingRef) bool { return m == gone })
	if diff := cmp.Diff(want, w.tokensOf("acme", q)); diff != "" {
		w.Errorf("after one was replaced: %s", diff)
	}
	// Nor is what was erased.
	w.erase("acme", erasureOf(x.ann))
	left := w.tokensOf("acme", q)
	for _, m := range left {
		if m.TokenID == "B" || m.TokenID == "_" {
			w.Errorf("%+v was erased, and is listed", m)
		}
	}
	if len(left) != 9 { // bob's that are not replaced, and what is known by its value
		w.Errorf("%d are left, want 9", len(left))
	}
	if got := w.tokensOf("acme", vault.PersonQuery{}); len(got) != 0 {
		w.Errorf("of nobody: %+v", got)
	}
}

func personTokenPage(w *world) {
	p := w.place("acme")
	var values []vault.NewMapping
	for i := range vault.PageTokens + 1 {
		m := p.Value(fmt.Sprint("value ", i))
		m.Mapping.Lookup = Digest("known")
		values = append(values, m)
	}
	w.keep(p, values...)
	q := vault.PersonQuery{Lookups: []vault.Digest{Digest("known")}}
	page, err := w.Requests.PersonTokens(w.ctx, "acme", q, vault.MappingRef{})
	w.no(err)
	if all := w.tokensOf("acme", q); len(page) != vault.PageTokens || len(all) != len(values) {
		w.Errorf("%d are listed, %d of them on the first page", len(all), len(page))
	}
}

func personTokensForeign(w *world) {
	mine, _, value := w.twins()
	w.tenant("aCME")
	q := vault.PersonQuery{Subjects: []vault.Digest{Digest("p")}, Lookups: []vault.Digest{value.Mapping.Lookup}}
	want := []vault.MappingRef{{ScopeID: mine.Scope.ID, TokenID: value.Mapping.TokenID}}
	for tenant, n := range map[string]int{"acme": 1, "Acme": 1, "aCME": 0} {
		if got := w.tokensOf(tenant, q); !slices.Equal(got, want[:n]) {
			w.Errorf("%s lists %+v", tenant, got)
		}
	}
}

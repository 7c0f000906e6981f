package storagetest

import (
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var personClauses = []clause{
	{"persons/are seen by subject and by value, each mapping once", sightings},
	{"persons/what expired is seen, what was replaced or destroyed is not", sightingsOver},
	{"persons/are listed by scope and entity, to a limit", sightingsOrder},
	{"Invariant6/a person of one tenant is not seen by another", sightingsForeign},
}

// seen asks for a person.
func (w *world) seen(tenant string, q vault.PersonQuery) []vault.Sighting {
	w.Helper()
	got, err := w.Custody.Sightings(w.ctx, tenant, q)
	w.no(err)
	return got
}

func sightings(w *world) {
	p := w.place("acme")
	p.Scope.Kind = vault.ScopeConversation
	ann, bob := person("ann"), person("bob")
	uses := []vault.SubjectUse{{Subject: ann, New: true}, {Subject: bob, New: true}}
	hers, both, known, other := p.Value("hers"), p.Value("both"), p.Value("known"), p.Value("other")
	hers.SubjectRefs, both.SubjectRefs = []string{ann.Ref}, []string{ann.Ref, bob.Ref}
	other.SubjectRefs = []string{bob.Ref}
	first := w.now()
	w.commit("acme", about(p, uses, hers, other))
	w.clock.Advance(time.Second)
	w.keep(p, known)
	w.clock.Advance(time.Microsecond)
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann}, {Subject: bob}}, both))
	refs := []string{ann.Ref, bob.Ref}
	slices.Sort(refs)
	one := vault.Sighting{ScopeID: p.Scope.ID, Kind: p.Scope.Kind, Entity: "PERSON", Class: "confidential"}
	sighting := func(mappings int, first, last time.Time, refs ...string) []vault.Sighting {
		s := one
		s.Mappings, s.First, s.Last, s.SubjectRefs = mappings, first, last, refs
		s.Ends = last.Add(ttl)
		return []vault.Sighting{s}
	}
	for name, tt := range map[string]struct {
		q    vault.PersonQuery
		want []vault.Sighting
	}{
		"by subject":  {vault.PersonQuery{Subjects: []vault.Digest{ann.Digest, Digest("nobody")}}, sighting(2, first, w.now(), refs...)},
		"by value":    {vault.PersonQuery{Lookups: []vault.Digest{hers.Mapping.Lookup}}, sighting(1, first, first, ann.Ref)},
		"by both":     {vault.PersonQuery{Subjects: []vault.Digest{ann.Digest}, Lookups: []vault.Digest{hers.Mapping.Lookup, known.Mapping.Lookup}}, sighting(3, first, w.now(), refs...)},
		"of nobody":   {vault.PersonQuery{Lookups: []vault.Digest{known.Mapping.Lookup}}, sighting(1, w.now().Add(-time.Microsecond), w.now().Add(-time.Microsecond))},
		"of two":      {vault.PersonQuery{Subjects: []vault.Digest{bob.Digest, ann.Digest, ann.Digest}}, sighting(3, first, w.now(), refs...)},
		"of none":     {vault.PersonQuery{}, nil},
		"not a value": {vault.PersonQuery{Lookups: []vault.Digest{hers.Mapping.Identity}}, nil},
	} {
		if diff := cmp.Diff(tt.want, w.seen("acme", tt.q)); diff != "" {
			w.Errorf("%s: %s", name, diff)
		}
	}
}

func sightingsOver(w *world) {
	p := w.place("acme")
	ann := person("ann")
	long, short := p.Value("long"), p.Value("short")
	long.TTL = maxAge
	long.SubjectRefs, short.SubjectRefs = []string{ann.Ref}, []string{ann.Ref}
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}}, long, short))
	q := vault.PersonQuery{Subjects: []vault.Digest{ann.Digest}}
	counts := func(when string, mappings, expired int) {
		w.Helper()
		got := vault.Sighting{}
		if s := w.seen("acme", q); len(s) == 1 {
			got = s[0]
		}
		if got.Mappings != mappings || got.Expired != expired {
			w.Errorf("%s: %d mappings, %d expired; want %d, %d", when, got.Mappings, got.Expired, mappings, expired)
		}
	}
	counts("at first", 2, 0)
	w.clock.Advance(ttl - time.Microsecond)
	counts("just before its time", 2, 0)
	w.clock.Advance(time.Microsecond)
	counts("at its time", 2, 1)
	w.hold("acme", vault.HoldMatch{Subjects: q.Subjects})
	w.keep(p, p.Value("short")) // nobody's, and it replaces ann's
	counts("after it was replaced", 1, 0)
	free := w.scope("acme", "another conversation")
	m := free.Value("v")
	m.SubjectRefs = []string{ann.Ref}
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: wrapped("ann")}
	m.Mapping.KeyID, m.TTL = key.ID, time.Second
	effect := about(free, []vault.SubjectUse{{Subject: ann}}, m)
	effect.Keys = []vault.DataKey{key}
	w.commit("acme", effect)
	if got := w.seen("acme", q); len(got) != 2 {
		w.Errorf("in two scopes: %+v", got)
	}
	w.clock.Advance(time.Second)
	w.refuse(vault.ErrConflict, "acme", free.Sweep(m))
}

func sightingsOrder(w *world) {
	w.tenant("acme")
	ann := person("ann")
	uses := []vault.SubjectUse{{Subject: ann, New: true}}
	var want []string
	for _, id := range []string{"b", "B", "a", "é", "_"} {
		p := NewPlace("acme", id, w.now())
		p.Scope.ID, p.Scope.Kind = id, vault.ScopeCase
		p.Key = p.FreshKey()
		p.Scope.NameKeyID = p.Key.ID
		w.commit("acme", p.Open())
		var values []vault.NewMapping
		for _, kind := range []string{"PERSON confidential", "PERSON restricted", "person confidential", "EMAIL_ADDRESS confidential"} {
			m := p.Value(kind)
			m.Mapping.Entity, m.Mapping.Class, _ = strings.Cut(kind, " ")
			m.SubjectRefs = []string{ann.Ref}
			values = append(values, m)
			want = append(want, id+" "+kind)
		}
		w.commit("acme", about(p, uses, values...))
		uses[0].New = false
	}
	slices.Sort(want)
	list := func(limit int) (got []string) {
		for _, s := range w.seen("acme", vault.PersonQuery{Subjects: []vault.Digest{ann.Digest}, Limit: limit}) {
			got = append(got, s.ScopeID+" "+s.Entity+" "+s.Class)
			if s.Kind != vault.ScopeCase || s.Mappings != 1 {
				w.Errorf("a sighting: %+v", s)
			}
		}
		return got
	}
	for limit, n := range map[int]int{0: len(want), 1: 1, 7: 7, 1000: len(want)} {
		if diff := cmp.Diff(want[:n], list(limit)); diff != "" {
			w.Errorf("at most %d: %s", limit, diff)
		}
	}
}

func sightingsForeign(w *world) {
	mine, _, value := w.twins()
	w.tenant("aCME")
	q := vault.PersonQuery{Subjects: []vault.Digest{Digest("p")}, Lookups: []vault.Digest{value.Mapping.Lookup}}
	for tenant, want := range map[string]int{"acme": 1, "Acme": 1, "aCME": 0} {
		got := w.seen(tenant, q)
		if len(got) != want || want == 1 && (got[0].Mappings != 1 || got[0].ScopeID != mine.Scope.ID) {
			w.Errorf("%s sees %+v", tenant, got)
		}
	}
}

package storagetest

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var linkClauses = []clause{
	{"links/every value that has the digest is tied, in all scopes", linked},
	{"links/the person is made, or is as it was read", linkedPerson},
	{"Invariant8/what was tied is erased with the rest", linkedErased},
	{"links/only such ties are undone", unlinked},
	{"Invariant7/no tie is undone while a hold keeps the value", unlinkedHeld},
	{"Invariant6/ties are of one tenant", linkedForeign},
}

// lookupsOf are the look-up digests of values.
func lookupsOf(values ...vault.NewMapping) (lookups []vault.Digest) {
	for _, m := range values {
		lookups = append(lookups, m.Mapping.Lookup)
	}
	return lookups
}

// link ties values to a person who is known, and tells how many ties came.
func (w *world) link(tenant string, s vault.Subject, values ...vault.NewMapping) int {
	w.Helper()
	return w.commit(tenant, vault.LinkSubject{Subject: vault.SubjectUse{Subject: s}, Lookups: lookupsOf(values...)}).Outcome.Linked
}

func (w *world) unlink(tenant string, s vault.Subject, values ...vault.NewMapping) int {
	w.Helper()
	return w.commit(tenant, vault.UnlinkSubject{SubjectRef: s.Ref, Lookups: lookupsOf(values...)}).Outcome.Linked
}

func linked(w *world) {
	e := w.estate("acme")
	here, there := e.near, e.q.Value("near") // the same value in another scope
	short := e.q.Value("short")
	short.TTL = time.Second
	w.keep(e.q, there, short)
	w.clock.Advance(time.Second) // short is past its time, and stands
	if n := w.link("acme", e.ann, here, here, short, e.p.Value("of nobody")); n != 3 {
		w.Errorf("%d were tied, want 3", n)
	}
	e.people("here", e.p, here, vault.MappingLive, e.ann)
	e.people("there", e.q, there, vault.MappingLive, e.ann)
	e.people("past its time", e.q, short, vault.MappingLive, e.ann)
	e.people("another", e.q, e.far, vault.MappingLive)
	if n := w.link("acme", e.ann, here, short, e.hers); n != 0 {
		w.Errorf("%d were tied again", n)
	}
	if n := w.link("acme", e.bob, here); n != 2 {
		w.Errorf("to somebody else %d were tied, want 2", n)
	}
	e.people("of two", e.p, here, vault.MappingLive, e.ann, e.bob)
	// What was replaced is not tied; what replaced it is.
	again := e.q.Value("short")
	w.keep(e.q, again)
	w.hold("acme", onValue(short))
	if n := w.link("acme", e.bob, short); n != 1 {
		w.Errorf("%d were tied, want the one that stands", n)
	}
	e.people("what was replaced", e.q, short, vault.MappingRetired, e.ann)
	e.people("what replaced it", e.q, again, vault.MappingLive, e.bob)
	if n := w.link("acme", e.ann); n != 0 {
		w.Errorf("of no digests %d were tied", n)
	}
	w.CheckLog("acme")
}

func linkedPerson(w *world) {
	e := w.estate("acme")
	eve := person("eve")
	use := func(s vault.Subject, isNew bool) vault.LinkSubject {
		return vault.LinkSubject{Subject: vault.SubjectUse{Subject: s, New: isNew}, Lookups: lookupsOf(e.near)}
	}
	e.unchanged("one who is not known", vault.ErrConflict, use(eve, false))
	e.unchanged("one who is known, as new", vault.ErrConflict, use(person("ann"), true))
	e.unchanged("one who is another now", vault.ErrConflict, use(person("ann"), false))
	e.unchanged("one whose name in the log is taken", vault.ErrConflict, use(vault.Subject{Digest: eve.Digest, IndexVersion: 1, Ref: e.ann.Ref}, true))
	if n := w.commit("acme", use(eve, true)).Outcome.Linked; n != 1 {
		w.Errorf("%d were tied, want 1", n)
	}
	e.knows(eve, true)
	e.people("near", e.p, e.near, vault.MappingLive, eve)
	frank := person("frank")
	none := vault.LinkSubject{Subject: vault.SubjectUse{Subject: frank, New: true}, Lookups: []vault.Digest{Digest("lookup", "none")}}
	if n := w.commit("acme", none).Outcome.Linked; n != 0 {
		w.Errorf("%d were tied, want none", n)
	}
	e.knows(frank, true)
}

func linkedErased(w *world) {
	e := w.estate("acme")
	w.link("acme", e.ann, e.near, e.far)
	done, _ := w.erase("acme", erasureOf(e.ann))
	if done.Counts != (vault.ErasureCounts{Erased: 5, Shared: 1, Keys: 3, Rekeyed: 3}) || done.State != vault.ErasureCompleted {
		w.Errorf("with what was tied: %+v", done)
	}
	w.restores(e.p, e.near, false)
	w.restores(e.q, e.far, false)
	w.restores(e.p, e.both, true)
	w.restores(e.q, e.his, true)
}

func unlinked(w *world) {
	e := w.estate("acme")
	w.link("acme", e.ann, e.near, e.far, e.his)
	for _, tt := range []struct {
		what   string
		s      vault.Subject
		values []vault.NewMapping
		want   int
	}{
		{"what the caller declared", e.ann, []vault.NewMapping{e.hers, e.both}, 0},
		{"somebody else's", e.bob, []vault.NewMapping{e.near, e.his}, 0},
		{"of nobody", person("nobody"), []vault.NewMapping{e.near}, 0},
		{"of no values", e.ann, nil, 0},
		{"two, one of them twice", e.ann, []vault.NewMapping{e.near, e.his, e.near}, 2},
		{"two again", e.ann, []vault.NewMapping{e.near, e.his}, 0},
	} {
		if n := w.unlink("acme", tt.s, tt.values...); n != tt.want {
			w.Errorf("%s: %d ties were undone, want %d", tt.what, n, tt.want)
		}
	}
	e.people("hers", e.p, e.hers, vault.MappingLive, e.ann)
	e.people("near", e.p, e.near, vault.MappingLive)
	e.people("his", e.q, e.his, vault.MappingLive, e.bob)
	e.people("far", e.q, e.far, vault.MappingLive, e.ann)
	w.clock.Advance(ttl)
	if n := w.unlink("acme", e.ann, e.far); n != 1 {
		w.Errorf("past its time %d ties were undone, want 1", n)
	}
	w.erase("acme", erasureOf(e.ann))
	w.restores(e.p, e.near, false) // past its time, and not held
	if m := w.in(e.p, e.near); !m.KeyAlive {
		w.Error("what was tied no more was erased")
	}
}

func unlinkedHeld(w *world) {
	e := w.estate("acme")
	w.link("acme", e.ann, e.near, e.far)
	undo := func(values ...vault.NewMapping) vault.UnlinkSubject {
		return vault.UnlinkSubject{SubjectRef: e.ann.Ref, Lookups: lookupsOf(values...)}
	}
	hold := w.hold("acme", onValue(e.near))
	e.unchanged("one that is held", vault.ErrHeld, undo(e.near))
	e.unchanged("one of two is held", vault.ErrHeld, undo(e.far, e.near))
	if n := w.unlink("acme", e.ann, e.far); n != 1 {
		w.Errorf("beside what is held %d ties were undone, want 1", n)
	}
	w.link("acme", e.ann, e.far)
	w.release("acme", hold)
	person := w.hold("acme", vault.HoldMatch{Subjects: []vault.Digest{e.ann.Digest}})
	e.unchanged("one of a person on hold", vault.ErrHeld, undo(e.near))
	if n := w.unlink("acme", e.bob, e.near, e.both); n != 0 {
		w.Errorf("where there is nothing to undo %d were", n)
	}
	w.release("acme", person)
	if n := w.unlink("acme", e.ann, e.near, e.far); n != 2 {
		w.Errorf("after the release %d ties were undone, want 2", n)
	}
}

func linkedForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), IndexVersion: 1, Ref: value.SubjectRefs[0]}
	plain := mine.Value("plain")
	for _, p := range []Place{mine, theirs} {
		w.keep(p, plain)
	}
	if n := w.link("acme", ann, plain); n != 1 {
		w.Errorf("%d were tied, want 1", n)
	}
	if got := w.in(theirs, plain).SubjectRefs; len(got) != 0 {
		w.Errorf("of the other tenant it is tied to %q", got)
	}
	w.link("Acme", ann, plain)
	if n := w.unlink("acme", ann, plain); n != 1 {
		w.Errorf("%d ties were undone, want 1", n)
	}
	if got := w.in(theirs, plain).SubjectRefs; len(got) != 1 {
		w.Errorf("of the other tenant it is tied to %q", got)
	}
	w.tenant("aCME")
	w.refuse(vault.ErrConflict, "aCME", vault.LinkSubject{Subject: vault.SubjectUse{Subject: ann}, Lookups: lookupsOf(plain)})
}

package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// preparedRights is what the cases of requests, of finality and of what is kept
// out are about: each person is of one case.
type preparedRights struct {
	*prepared
	place  storagetest.Place
	commit func(vault.Effect) string
	keys   map[string]vault.DataKey
	values map[string]vault.NewMapping
}

func (p *prepared) rights(commit func(vault.Effect) string) []faultCase {
	x := &preparedRights{prepared: p, place: storagetest.NewPlace("acme", "of rights", p.now), commit: commit,
		keys: make(map[string]vault.DataKey), values: make(map[string]vault.NewMapping)}
	commit(x.place.Open())
	for _, name := range []string{"gil", "hal", "jon", "kim", "lea"} {
		s, key := x.person(name)
		m := x.place.Value("of rights: " + name)
		m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{s.Ref}
		effect := x.place.Tokenize(m)
		effect.Subjects, effect.Keys = []vault.SubjectUse{{Subject: s, New: true}}, []vault.DataKey{key}
		effect.Destinations = []string{"vendor"}
		commit(effect)
		x.values[name] = m
	}
	commit(vault.RaiseWrapMinimum{Version: 3})
	commit(vault.RetireVersions{Below: 2})
	cases := []faultCase{x.open(), x.update(), x.note(), x.restrict(), x.lift(), x.named(), x.sweepRecords()}
	return append(cases, x.eraseAsked(), x.sweepKeptOut(), x.retire(), x.final(), x.replay(), x.move())
}

// person is somebody, and a key of theirs.
func (x *preparedRights) person(name string) (vault.Subject, vault.DataKey) {
	s := vault.Subject{Digest: storagetest.Digest("of rights", name), IndexVersion: 1, Ref: "ref of " + name}
	key := vault.DataKey{ID: "key of " + name, SubjectRef: s.Ref, Wrapped: x.place.Key.Wrapped}
	x.keys[name] = key
	return s, key
}

func (x *preparedRights) request(name string) vault.SubjectRequest {
	s, _ := x.person(name)
	return vault.SubjectRequest{
		Kind: vault.RequestErasure, Regime: "gdpr", Subject: s.Digest, SubjectRef: s.Ref, Reference: "R of " + name,
		Lookups: []vault.Digest{storagetest.Digest("a"), storagetest.Digest("b")}, State: vault.StateOpen,
		ReceivedAt: x.now, DueAt: x.now.Add(time.Hour),
	}
}

// opened is a request that stands, with a note.
func (x *preparedRights) opened(name string) vault.SubjectRequest {
	r := x.request(name)
	r.ID, r.Revision = x.commit(vault.OpenRequest{Request: r}), 1
	x.commit(x.noteOf(r, "note key of "+name))
	return r
}

func (x *preparedRights) noteOf(r vault.SubjectRequest, keyID string) vault.NoteRequest {
	return vault.NoteRequest{
		Note: vault.RequestNote{RequestID: r.ID, Author: "officer", KeyID: keyID, Sealed: []byte("sealed")},
		Key:  &vault.DataKey{ID: keyID, SubjectRef: r.ID, Wrapped: x.place.Key.Wrapped},
	}
}

// tells compares what is there with how it was before and after.
func tells(t *testing.T, before, after string, got ...any) bool {
	t.Helper()
	parts := fmt.Sprint(got...)
	if parts != before && parts != after {
		t.Errorf("a part of it is there: %s, neither %s nor %s", parts, before, after)
	}
	return parts == after
}

// standing tells how many of the keys stand.
func standing(t *testing.T, s *sqlite.View, ids ...string) int {
	t.Helper()
	keys, err := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: ids})
	return must(t, len(keys), err)
}

func readRequest(t *testing.T, s *sqlite.View, id string) vault.SubjectRequest {
	t.Helper()
	found, err := s.Requests(t.Context(), "acme", vault.RequestQuery{ID: id})
	if must(t, len(found), err) != 1 {
		t.Fatalf("%d requests of an id", len(found))
	}
	return found[0]
}

func (x *preparedRights) state(t *testing.T, s *sqlite.View, name string) vault.MappingState {
	t.Helper()
	return readMappings(t, s, x.place, x.values[name].Mapping.TokenID)[0].State
}

func (x *preparedRights) open() faultCase {
	asked := x.request("nobody")
	return faultCase{"open request", "acme", vault.OpenRequest{Request: asked}, func(t *testing.T, s *sqlite.View) bool {
		all, err := s.Requests(t.Context(), "acme", vault.RequestQuery{Open: true})
		must(t, 0, err)
		for _, r := range all {
			if r.Reference == asked.Reference {
				return tells(t, "", "2", len(readRequest(t, s, r.ID).Lookups))
			}
		}
		return false
	}}
}

func (x *preparedRights) update() faultCase {
	r := x.opened("who withdraws")
	r.State = vault.StateWithdrawn
	return faultCase{"update request", "acme", vault.UpdateRequest{Request: r}, func(t *testing.T, s *sqlite.View) bool {
		got := readRequest(t, s, r.ID)
		return tells(t, "open 1 2", "withdrawn 2 0", got.State, " ", got.Revision, " ", len(got.Lookups))
	}}
}

func (x *preparedRights) note() faultCase {
	r := x.opened("who is noted")
	return faultCase{"note request", "acme", x.noteOf(r, "another key"), func(t *testing.T, s *sqlite.View) bool {
		notes, err := s.RequestNotes(t.Context(), "acme", r.ID)
		return tells(t, "1 1", "2 2", must(t, len(notes), err), standing(t, s, "another key", "note key of who is noted"))
	}}
}

func (x *preparedRights) restrict() faultCase {
	r := x.opened("gil")
	r.State = vault.StateRunning
	return faultCase{"restrict", "acme", vault.Restrict{SubjectRef: r.SubjectRef, Request: r}, func(t *testing.T, s *sqlite.View) bool {
		return tells(t, "live open", "restricted running", x.state(t, s, "gil"), " ", readRequest(t, s, r.ID).State)
	}}
}

func (x *preparedRights) lift() faultCase {
	r := x.opened("hal")
	x.commit(vault.Restrict{SubjectRef: r.SubjectRef, Request: r})
	r.Revision, r.State = 2, vault.StateCompleted
	return faultCase{"lift restriction", "acme", vault.LiftRestriction{SubjectRef: r.SubjectRef, Request: r}, func(t *testing.T, s *sqlite.View) bool {
		return tells(t, "restricted open", "live completed", x.state(t, s, "hal"), " ", readRequest(t, s, r.ID).State)
	}}
}

func (x *preparedRights) naming(name string) vault.LinkSubject {
	s, key := x.person(name)
	s.SealedName, s.NameKeyID = []byte("sealed"), key.ID
	return vault.LinkSubject{Subject: vault.SubjectUse{Subject: s, New: true}, Keys: []vault.DataKey{key}}
}

func (x *preparedRights) named() faultCase {
	effect := x.naming("ida")
	return faultCase{"link with a name", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		names, err := s.Names(t.Context(), "acme", nil, []string{effect.Subject.Subject.Ref})
		return tells(t, "0 0", "1 1", must(t, len(names), err), standing(t, s, effect.Keys[0].ID))
	}}
}

func (x *preparedRights) sweepRecords() faultCase {
	r, nobody := x.opened("who is answered"), x.naming("who was")
	r.State = vault.StateCompleted
	x.commit(vault.UpdateRequest{Request: r})
	x.commit(nobody)
	effect := vault.Sweep{Requests: []string{r.ID}, Subjects: []string{nobody.Subject.Subject.Ref}}
	return faultCase{"sweep records", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		notes, err := s.RequestNotes(t.Context(), "acme", r.ID)
		n := must(t, len(notes), err)
		known, err := s.Subjects(t.Context(), "acme", []vault.Digest{nobody.Subject.Subject.Digest})
		return tells(t, "1 1 2", "0 0 0", n, must(t, len(known), err), standing(t, s, "note key of who is answered", nobody.Keys[0].ID))
	}}
}

// erasing is an erasure of a person of whom there is one value.
func (x *preparedRights) erasing(name string) vault.Erase {
	s, key := x.person(name)
	return vault.Erase{
		Keys: []string{key.ID}, Suppress: vault.Suppression{For: time.Hour, Common: []string{"LOCATION"}},
		Erasure: vault.Erasure{Subject: s.Digest, SubjectRef: s.Ref, Reference: "R-7", Regime: "gdpr",
			Identity: vault.IdentityCheck{Method: "passport", Reference: "I-1", VerifiedBy: "officer", At: x.now}},
	}
}

func (x *preparedRights) eraseAsked() faultCase {
	r, effect := x.opened("jon"), x.erasing("jon")
	effect.Request = &r
	return faultCase{"erase on request", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		found, err := s.Erasures(t.Context(), "acme", vault.ErasureQuery{ID: r.ID})
		n, sent := must(t, len(found), err), 0
		for _, e := range found {
			sent = len(e.Destinations)
		}
		out, err := s.Suppressed(t.Context(), "acme", x.place.Scope.Digest, []vault.Digest{x.values["jon"].Mapping.Lookup})
		return tells(t, "open 0 0 0 1", "completed 1 1 1 0",
			readRequest(t, s, r.ID).State, " ", n, sent, must(t, len(out), err), standing(t, s, effect.Keys...))
	}}
}

func (x *preparedRights) sweepKeptOut() faultCase {
	x.commit(x.erasing("kim"))
	m := x.values["kim"]
	return faultCase{"sweep what is kept out", "acme", x.place.Sweep(m), func(t *testing.T, s *sqlite.View) bool {
		out, err := s.Suppressed(t.Context(), "acme", x.place.Scope.Digest, []vault.Digest{m.Mapping.Lookup})
		n := must(t, len(out), err)
		all, err := s.Inventory(t.Context(), "acme")
		return tells(t, "1 0 1", "1 1 0", n, must(t, all.Suppressions, err), len(readMappings(t, s, x.place, m.Mapping.TokenID)))
	}}
}

func (x *preparedRights) move() faultCase {
	m, fresh := x.values["gil"], vault.DataKey{ID: "fresh key of a move", SubjectRef: "ref of gil", Wrapped: x.place.Key.Wrapped}
	effect := vault.Move{Fresh: []vault.DataKey{fresh}, Reseal: []vault.Resealed{{
		ScopeID: x.place.Scope.ID, TokenID: m.Mapping.TokenID, From: m.Mapping.KeyID, To: fresh.ID, Sealed: []byte("again"),
	}}}
	return faultCase{"move", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		rows := readMappings(t, s, x.place, m.Mapping.TokenID)
		return tells(t, "0 key of gil sealed of rights: gil", "1 fresh key of a move again",
			standing(t, s, fresh.ID), " ", rows[0].KeyID, " ", string(rows[0].Sealed))
	}}
}

func (x *preparedRights) retire() faultCase {
	return faultCase{"retire versions", "acme", vault.RetireVersions{Below: 3}, func(t *testing.T, s *sqlite.View) bool {
		head, err := s.Head(t.Context(), "acme")
		return must(t, head.RetiredBelow, err) == 3
	}}
}

func (x *preparedRights) final() faultCase {
	nobody := x.erasing("whom nobody knows")
	nobody.Erasure.SubjectRef, nobody.Keys = "", nil
	id := x.commit(nobody)
	return faultCase{"finality", "acme", vault.Finality{Below: 2}, func(t *testing.T, s *sqlite.View) bool {
		found, err := s.Erasures(t.Context(), "acme", vault.ErasureQuery{ID: id})
		return must(t, len(found), err) == 1 && !found[0].FinalAt.IsZero()
	}}
}

func (x *preparedRights) replay() faultCase {
	e := x.erasing("lea").Erasure
	e.ID, e.State, e.ErasedAt, e.CompletedAt, e.Counts.Keys = "lost", vault.ErasureCompleted, x.now, x.now, 1
	e.Destinations = []vault.DestinationUse{{Destination: "vendor", Mappings: 1, First: x.now, Last: x.now}}
	fresh := vault.DataKey{ID: "fresh key of replay", ScopeID: x.place.Scope.ID, Wrapped: x.place.Key.Wrapped}
	effect := vault.Replay{Erasure: e, Fresh: []vault.DataKey{fresh},
		Buried: []vault.Tombstone{
			{KeyID: "key of lea", ErasureID: e.ID, At: x.now, WrapVersion: 3}, {KeyID: x.place.Key.ID, ErasureID: e.ID, At: x.now, WrapVersion: 3, Rekeyed: true}},
		Names: []vault.ResealedName{{ScopeID: x.place.Scope.ID, From: x.place.Key.ID, To: fresh.ID, Sealed: []byte("again")}},
	}
	return faultCase{"replay", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		found, err := s.Erasures(t.Context(), "acme", vault.ErasureQuery{ID: e.ID})
		n := must(t, len(found), err)
		scope, err := s.Scope(t.Context(), "acme", x.place.Scope.Digest)
		must(t, 0, err)
		known, err := s.Subjects(t.Context(), "acme", []vault.Digest{e.Subject})
		return tells(t, "0 sealed of rights 1 2 0", "1 again 0 0 1",
			n, " ", string(scope.SealedName), " ", must(t, len(known), err), standing(t, s, "key of lea", x.place.Key.ID), standing(t, s, fresh.ID))
	}}
}

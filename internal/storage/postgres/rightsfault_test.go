package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// asked is what ann asks for.
func (p *prepared) asked() vault.SubjectRequest {
	return vault.SubjectRequest{
		Kind: vault.RequestErasure, Regime: "gdpr", Subject: p.ann.Digest, SubjectRef: p.ann.Ref, Reference: "R-1",
		Lookups: []vault.Digest{p.card.Mapping.Lookup, p.tied.Mapping.Lookup}, State: vault.StateOpen,
		ReceivedAt: p.now.Add(-time.Hour), DueAt: p.now.Add(time.Hour),
	}
}

// requested is her request, which is opened where there is none.
func (p *prepared) requested() vault.SubjectRequest {
	for {
		open, err := p.s.Requests(context.Background(), "acme", vault.RequestQuery{})
		if err != nil {
			panic(err)
		}
		if len(open) > 0 {
			open[0].Lookups = p.asked().Lookups
			return open[0]
		}
		if _, err := p.s.Commit(context.Background(), "acme", storagetest.Change(p.t, "acme", vault.OpenRequest{Request: p.asked()})); err != nil {
			panic(err)
		}
	}
}

// answered tells whether a request is in a state, with what goes with it.
func (p *prepared) answered(t *testing.T, state vault.RequestState) bool {
	t.Helper()
	found, err := p.s.Requests(t.Context(), "acme", vault.RequestQuery{State: state})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return false
	}
	whole, err := p.s.Requests(t.Context(), "acme", vault.RequestQuery{ID: found[0].ID})
	if err != nil || len(whole) != 1 || (len(whole[0].Lookups) == 2) == state.Closes() {
		t.Errorf("half of a request is there: %+v, %v", whole, err)
	}
	return true
}

var rightsFaultCases = []faultCase{
	{"open a request", func(p *prepared) vault.Effect { return vault.OpenRequest{Request: p.asked()} },
		func(t *testing.T, p *prepared) bool { return p.answered(t, vault.StateOpen) }},
	{"close a request", func(p *prepared) vault.Effect {
		r := p.requested()
		r.State = vault.StateWithdrawn
		return vault.UpdateRequest{Request: r}
	}, func(t *testing.T, p *prepared) bool { return p.answered(t, vault.StateWithdrawn) }},
	{"note a request", func(p *prepared) vault.Effect {
		key := vault.DataKey{ID: vault.NewID(), SubjectRef: p.requested().ID, Wrapped: p.own.Wrapped}
		return vault.NoteRequest{Key: &key, Note: vault.RequestNote{
			RequestID: key.SubjectRef, Author: "a", KeyID: key.ID, Sealed: []byte("sealed"),
		}}
	}, func(t *testing.T, p *prepared) bool {
		id := p.requested().ID
		notes, err := p.s.RequestNotes(t.Context(), "acme", id)
		keys, kerr := p.s.Keys(t.Context(), "acme", vault.KeyQuery{SubjectRef: id})
		if err != nil || kerr != nil || len(notes) != len(keys) {
			t.Errorf("half of a note is there: %v, %v", err, kerr)
		}
		return len(notes) == 1
	}},
	{"restrict", func(p *prepared) vault.Effect {
		r := p.requested()
		r.State = vault.StateRunning
		return vault.Restrict{SubjectRef: p.ann.Ref, Request: r}
	}, func(t *testing.T, p *prepared) bool {
		running := p.answered(t, vault.StateRunning)
		for _, m := range []vault.NewMapping{p.card, p.tied} {
			rows, err := p.s.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.place.Scope.ID, TokenIDs: []string{m.Mapping.TokenID}})
			if err != nil || len(rows) != 1 || (rows[0].State == vault.MappingRestricted) != running {
				t.Errorf("half of a restriction is there: %+v, %v", rows, err)
			}
		}
		return running
	}},
	{"erase for a request, and keep out", func(p *prepared) vault.Effect {
		r := p.requested()
		effect := p.erase(vault.Erasure{})
		effect.Request, effect.Suppress = &r, vault.Suppression{Forever: true, Common: []string{"PERSON"}}
		return effect
	}, func(t *testing.T, p *prepared) bool {
		there := p.erased(t, vault.ErasureDeferred)
		kept, err := p.s.Suppressed(t.Context(), "acme", p.place.Scope.Digest, []vault.Digest{p.tied.Mapping.Lookup})
		if err != nil || there != (len(kept) == 1) || there != p.answered(t, vault.StateDeferred) {
			t.Errorf("half of an erasure is there: %v", err)
		}
		return there
	}},
	{"erase again", func(p *prepared) vault.Effect {
		e := askedFor(p.ann)
		e.ID, e.SubjectRef, e.State, e.ErasedAt, e.CompletedAt = "e", "", vault.ErasureCompleted, p.now, p.now
		return vault.Replay{Erasure: e, Buried: []vault.Tombstone{
			{KeyID: p.doomed.ID, At: p.now, WrapVersion: 3}, {KeyID: "never here", At: p.now, WrapVersion: 3},
		}}
	}, func(t *testing.T, p *prepared) bool {
		buried, err := p.s.Tombstones(t.Context(), "acme", vault.TombstoneQuery{})
		there := len(buried) == 2
		if err != nil || there != (p.keys(t, p.doomed.ID) == 0) {
			t.Errorf("half of an erasure is there: %+v, %v", buried, err)
		}
		return there
	}},
}

// TestInvariant8_ReplayRestricts: a replay of an erasure that is deferred
// restricts what waits for it.
func TestInvariant8_ReplayRestricts(t *testing.T) {
	p := prepare(t)
	e := askedFor(p.ann)
	e.ID, e.State, e.ErasedAt = "e", vault.ErasureDeferred, p.now
	s := p.open(t, postgres.Hooks{})
	if _, err := s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.Replay{Erasure: e})); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		m    vault.NewMapping
		want vault.MappingState
	}{"hers": {p.card, vault.MappingRestricted}, "of two": {p.both, vault.MappingLive}, "nobody's": {p.near, vault.MappingLive}} {
		rows, err := s.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.place.Scope.ID, TokenIDs: []string{tt.m.Mapping.TokenID}})
		if err != nil || len(rows) != 1 || rows[0].State != tt.want {
			t.Errorf("%s: %+v, %v; want %s", name, rows, err, tt.want)
		}
	}
}

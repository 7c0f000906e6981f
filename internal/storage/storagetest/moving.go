package storagetest

import (
	"errors"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var movingClauses = []clause{
	{"Move seals values and names anew, and destroys nothing", moved},
	{"Move fails whole where a value is under another key by now", movedTwice},
	{"Move puts no value under a key of somebody whom it is not about", movedToStranger},
	{"a plan that is too large names as many survivors as it may", planCut},
	{"a key of the subject stays while all that it seals is held", heldKeyStays},
}

// moving is the effect that seals anew what stays of an erasure of ann.
func (e *estate) moving() vault.Move {
	e.Helper()
	all := erasing(erasureOf(e.ann), e.plan(e.tenant, erasureOf(e.ann)))
	return vault.Move{Fresh: all.Fresh, Reseal: all.Reseal, Names: all.Names}
}

func moved(w *world) {
	e := w.estate("acme")
	plan := w.plan("acme", erasureOf(e.ann))
	effect := e.moving()
	if len(effect.Reseal) == 0 || len(effect.Names) == 0 {
		w.Fatalf("nothing to move: %+v", effect)
	}
	w.commit("acme", effect)
	for _, r := range effect.Reseal {
		if r.From == r.To {
			w.Fatal("a value stays where it was")
		}
	}
	if got := w.stands("acme", plan.Keys...); got != len(plan.Keys) {
		w.Errorf("%d keys stand, want %d", got, len(plan.Keys))
	}
	for _, m := range []vault.NewMapping{e.hers, e.tied, e.both, e.near} {
		w.restores(e.p, m, true)
	}
	for _, m := range []vault.NewMapping{e.there, e.far, e.his} {
		w.restores(e.q, m, true)
	}
	after := w.plan("acme", erasureOf(e.ann))
	if len(after.Survivors)+len(after.Names) != 0 || len(after.Parts) != len(plan.Parts) {
		w.Errorf("what is left to seal anew: %+v", after)
	}
	c := w.commit("acme", erasing(erasureOf(e.ann), after))
	// The key says still that it sealed more than went with it.
	buried, err := w.Remains.Tombstones(w.ctx, "acme", vault.TombstoneQuery{Since: c.At})
	w.no(err)
	for _, t := range buried {
		if scopes := t.KeyID == e.p.Key.ID; t.Rekeyed != scopes || scopes && !slices.Equal(t.Tokens, []vault.MappingRef{{ScopeID: e.tied.Mapping.ScopeID, TokenID: e.tied.Mapping.TokenID}}) {
			w.Errorf("the tombstone of a key is %+v", t)
		}
	}
	for _, m := range []vault.NewMapping{e.hers, e.tied} {
		w.restores(e.p, m, false)
	}
	w.restores(e.p, e.near, true)
	w.restores(e.p, e.both, true)
}

func movedTwice(w *world) {
	e := w.estate("acme")
	first, second := e.moving(), e.moving()
	w.commit("acme", first)
	w.refuse(vault.ErrConflict, "acme", second)
	var fresh []string
	for _, k := range second.Fresh {
		fresh = append(fresh, k.ID)
	}
	if n := w.stands("acme", fresh...); n != 0 {
		w.Errorf("%d keys of what failed stand", n)
	}
}

func movedToStranger(w *world) {
	e := w.estate("acme")
	key := keyOf(e.bob)
	to := vault.Move{Fresh: []vault.DataKey{key}, Reseal: []vault.Resealed{{
		ScopeID: e.hers.Mapping.ScopeID, TokenID: e.hers.Mapping.TokenID, From: e.own.ID, To: key.ID, Sealed: []byte("again"),
	}}}
	before := w.size("acme")
	if _, err := w.try("acme", to); err == nil || w.size("acme") != before {
		w.Errorf("ann's value is under a key of bob's: %v", err)
	}
	w.restores(e.p, e.hers, true)
}

func planCut(w *world) {
	e := w.estate("acme")
	whole := w.plan("acme", erasureOf(e.ann))
	all := len(whole.Survivors) + len(whole.Names)
	for limit := 1; limit < all; limit++ {
		cut, err := w.Erasures.PlanErasure(w.ctx, "acme", e.ann.Ref, time.Time{}, limit)
		if !errors.Is(err, vault.ErrTooMany) || len(cut.Survivors)+len(cut.Names) != limit ||
			len(cut.Keys) != len(whole.Keys) || len(cut.Parts) != len(whole.Parts) {
			w.Errorf("limit %d: %d survivors, %d names, %d keys, %d parts: %v",
				limit, len(cut.Survivors), len(cut.Names), len(cut.Keys), len(cut.Parts), err)
		}
	}
}

func heldKeyStays(w *world) {
	e := w.estate("acme")
	hold := w.hold("acme", vault.HoldMatch{Subjects: []vault.Digest{e.ann.Digest}})
	of := erasureOf(e.ann)
	plan := w.plan("acme", of)
	if len(plan.Keys)+len(plan.Survivors) != 0 {
		w.Errorf("all of it is held, and this is to go: %+v", plan)
	}
	c := w.commit("acme", erasing(of, plan))
	if c.Outcome.Erased.Deferred != 4 || w.stands("acme", e.own.ID) != 1 {
		w.Errorf("deferred: %+v", c.Outcome.Erased)
	}
	w.commit("acme", vault.ReleaseHold{ID: hold})
	erasures, err := w.Erasures.Erasures(w.ctx, "acme", vault.ErasureQuery{State: vault.ErasureDeferred})
	w.no(err)
	if len(erasures) != 1 {
		w.Fatalf("%d erasures are deferred", len(erasures))
	}
	of = erasures[0]
	w.commit("acme", erasing(of, w.plan("acme", of)))
	if w.stands("acme", e.own.ID) != 0 {
		w.Error("the key of what is erased stands")
	}
	w.restores(e.p, e.hers, false)
	w.restores(e.p, e.near, true)
}

package storagetest

import (
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// forgetsGrants asks for so many grants to be forgotten, of which there are fewer.
func (w *world) forgetsGrants(limit, want int) {
	w.Helper()
	if n, err := w.Proceedings.ForgetGrants(w.ctx, "acme", limit); err != nil || n != want {
		w.Errorf("%d grants were forgotten of %d, %v; want %d", n, limit, err, want)
	}
}

// grantsThere compares the grants that are there with those that are to be.
func (w *world) grantsThere(what string, all []vault.Proceeding, want ...int) {
	w.Helper()
	left, err := w.Proceedings.Proceedings(w.ctx, "acme", vault.ProceedingQuery{Kind: vault.ProceedingGrant})
	w.no(err)
	there := make(map[string]bool)
	for _, p := range left {
		there[p.ID] = true
	}
	for _, i := range want {
		if !there[all[i].ID] {
			w.Errorf("%s: grant %d is gone", what, i)
		}
	}
	if len(left) != len(want) {
		w.Errorf("%s: %d grants are there, want %d", what, len(left), len(want))
	}
}

func grantsForgotten(w *world) {
	p := w.place("acme")
	w.forgetsGrants(10, 0)
	var grants []vault.Proceeding
	for range 7 {
		grants = append(grants, w.grant(p))
	}
	gave := []vault.MappingRef{{ScopeID: p.Scope.ID, TokenID: "1"}}
	for _, i := range []int{1, 4} {
		w.no(w.Grants.NoteUses(w.ctx, "acme", grants[i].ID, gave))
	}
	// Those from the third on are closed, a minute apart, in two ways.
	for i := 6; i > 1; i-- {
		state := vault.ProceedingDone
		if i == 5 {
			state = vault.ProceedingRejected
		}
		w.end("acme", grants[i], state)
		w.clock.Advance(time.Minute)
	}
	w.forgetsGrants(10, 0)
	// The sixth minute since the first of them was closed begins.
	w.clock.Advance(vault.GrantKept - 5*time.Minute - time.Microsecond)
	w.forgetsGrants(10, 0)
	w.clock.Advance(time.Microsecond)
	w.forgetsGrants(10, 1)
	w.grantsThere("after a day", grants, 0, 1, 2, 3, 4, 5)
	w.clock.Advance(time.Hour)
	w.forgetsGrants(1, 1)
	w.grantsThere("the one that was closed first", grants, 0, 1, 2, 3, 4)
	w.forgetsGrants(10, 2)
	w.grantsThere("what is open, and what has uses", grants, 0, 1, 4)
	n, err := w.Grants.ForgetUses(w.ctx, "acme", 10)
	if err != nil || n != 1 {
		w.Errorf("%d uses were forgotten, %v", n, err)
	}
	w.forgetsGrants(10, 1)
	w.grantsThere("what is open", grants, 0, 1)
	w.wantUses("of what is open", "acme", grants[1].ID, gave...)

	// One that is forgotten is one that never was.
	if _, err := w.Grants.Live(w.ctx, "acme", vault.LiveQuery{GrantID: grants[6].ID}); !errors.Is(err, vault.ErrNotFound) {
		w.Errorf("a flush of it: %v", err)
	}
	w.no(w.Grants.NoteUses(w.ctx, "acme", grants[6].ID, gave))
	w.wantUses("of what is forgotten", "acme", grants[6].ID)
	late := w.scope("acme", "another conversation")
	value := late.Value("late")
	w.keep(late, value)
	w.refuse(vault.ErrConflict, "acme", late.drawing(grants[6].ID, 5, value))
	for _, limit := range []int{0, -1} {
		if n, err := w.Proceedings.ForgetGrants(w.ctx, "acme", limit); err == nil || n != 0 {
			w.Errorf("with the limit %d: %d were forgotten", limit, n)
		}
	}
	if n, err := w.Proceedings.ForgetGrants(w.ctx, "nobody", 5); err != nil || n != 0 {
		w.Errorf("of nobody %d were forgotten, %v", n, err)
	}
	w.CheckLog("acme")
}

func onlyGrantsForgotten(w *world) {
	p := w.place("acme")
	open := w.grant(p)
	closed := make(map[vault.ProceedingKind]vault.Proceeding)
	for _, kind := range []vault.ProceedingKind{
		vault.ProceedingApproval, vault.ProceedingReview, vault.ProceedingSuspension, vault.ProceedingIncident,
	} {
		one := w.begin("acme", proceeding(kind, vault.ProceedingStanding))
		closed[kind] = w.end("acme", one, vault.ProceedingDone)
	}
	w.clock.Advance(10 * vault.GrantKept)
	w.forgetsGrants(100, 0)
	for kind, p := range closed {
		w.sameProceeding(string(kind), p, w.proceeding("acme", p.ID))
	}
	w.grantsThere("one that is over, and not closed", []vault.Proceeding{open}, 0)
	w.CheckLog("acme")
}

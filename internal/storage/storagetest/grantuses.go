package storagetest

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// useClauses are about what a grant gave, as far as nothing is decided by it.
var useClauses = []clause{
	{"grants/uses that are noted are kept, each once and in order", usesNoted},
	{"grants/nothing is noted of what is no grant, or closed", usesRefused},
	{"Invariant8/what is noted while a grant is closed is there when it is, or never", usesRace},
	{"grants/uses are forgotten once their grant is closed, and not before", usesForgotten},
	{"grants/are forgotten once they were closed for long enough, and not before", grantsForgotten},
	{"grants/nothing else that people come back to is forgotten", onlyGrantsForgotten},
}

// drawClauses are about flushes beyond what a grant names.
var drawClauses = []clause{
	{"Invariant17/a grant gives no more than it may, not by one token", drawLimit},
	{"Invariant17/what a grant names is not drawn of it", drawNamed},
	{"Invariant17/only a grant is drawn of", drawOfNone},
	{"Invariant17/a flush that fails draws nothing, and spends nothing", drawFails},
	{"Invariant17/flushes that share a commit draw for one another, in order", drawTogether},
	{"Invariant17/64 streams never draw more than a grant may give", drawRace},
	{"Invariant8/a flush needs its grant standing", drawStanding},
	{"Invariant8/in one window of a close and a flush the first decides", drawInOneWindow},
	{"grants/are renewed and closed, and keep what they gave", grantsChanged},
}

func (w *world) uses(tenant, grant string) []vault.MappingRef {
	w.Helper()
	got, err := w.Grants.Uses(w.ctx, tenant, grant)
	w.no(err)
	return got
}

// wantUses compares what a grant gave with what it is to have, in any order.
func (w *world) wantUses(what, tenant, grant string, want ...vault.MappingRef) {
	w.Helper()
	slices.SortFunc(want, compareRefs)
	if diff := cmp.Diff(want, w.uses(tenant, grant)); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func compareRefs(a, b vault.MappingRef) int {
	if a.ScopeID != b.ScopeID {
		return strings.Compare(a.ScopeID, b.ScopeID)
	}
	return strings.Compare(a.TokenID, b.TokenID)
}

func usesNoted(w *world) {
	p := w.place("acme")
	grant, other := w.grant(p), w.grant(p)
	ref := func(scope, token string) vault.MappingRef { return vault.MappingRef{ScopeID: scope, TokenID: token} }
	all := []vault.MappingRef{ref("b", "2"), ref("a", "é"), ref("B", "1"), ref("b", "10"), ref("a", "E"), ref("a", strings.Repeat("x", 64))}
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, all[:4]))
	w.wantUses("some", "acme", grant.ID, slices.Clone(all[:4])...)
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, append(slices.Clone(all), all...)))
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, all[2:3]))
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, nil))
	w.wantUses("all", "acme", grant.ID, slices.Clone(all)...)
	w.wantUses("of another grant", "acme", other.ID)
	// What no token can be is left out, and takes nothing else with it.
	bad := []vault.MappingRef{ref("", "1"), ref("a", ""), ref("a\x00", "1"), ref("a", "\xff"), ref("a", strings.Repeat("x", 65)), ref("new", "1")}
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, bad))
	all = append(all, bad[5])
	w.wantUses("beside what cannot be", "acme", grant.ID, slices.Clone(all)...)
	// It counts nothing, and leaves no entry.
	if live := w.live("acme", vault.LiveQuery{GrantID: grant.ID}); live.Drawn != 0 {
		w.Errorf("%d are drawn", live.Drawn)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.wantUses("after a restart", "acme", grant.ID, all...)
	if n := w.size("acme"); n != 4 {
		w.Errorf("the log has %d entries, want 4", n)
	}
}

func usesRefused(w *world) {
	p := w.place("acme")
	closed, rejected, over := w.grant(p), w.grant(p), w.grant(p)
	kept := []vault.MappingRef{{ScopeID: "kept", TokenID: "1"}}
	w.no(w.Grants.NoteUses(w.ctx, "acme", closed.ID, kept))
	w.end("acme", closed, vault.ProceedingDone)
	w.end("acme", rejected, vault.ProceedingRejected)
	consent := w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	for _, tenant := range []string{"acme", "nobody", "\x00"} {
		for _, id := range []string{closed.ID, rejected.ID, consent.ID, "", "none", over.ID + " ", "\x00", "\xff"} {
			w.no(w.Grants.NoteUses(w.ctx, tenant, id, []vault.MappingRef{{ScopeID: "s", TokenID: "t"}}))
			var want []vault.MappingRef
			if id == closed.ID && tenant == "acme" {
				want = kept
			}
			w.wantUses(fmt.Sprintf("of %q of %s", id, tenant), tenant, id, want...)
		}
	}
	// One that is over and not closed yet gave what it gave.
	w.clock.Advance(time.Hour)
	w.no(w.Grants.NoteUses(w.ctx, "acme", over.ID, kept))
	w.wantUses("past its end", "acme", over.ID, kept...)
}

func usesRace(w *world) {
	const writers, tries = 4, 25
	p := w.place("acme")
	for round := range 4 {
		grant := w.grant(p)
		var group sync.WaitGroup
		var noted atomic.Int64
		for i := range writers {
			group.Go(func() {
				for n := range tries {
					ref := vault.MappingRef{ScopeID: fmt.Sprint(i), TokenID: fmt.Sprint(n)}
					w.is(w.Grants.NoteUses(w.ctx, "acme", grant.ID, []vault.MappingRef{ref}), nil)
					noted.Add(1)
				}
			})
		}
		for noted.Load() < writers*tries/4 {
			runtime.Gosched() // until some are there, and some not
		}
		w.end("acme", grant, vault.ProceedingDone)
		there := w.uses("acme", grant.ID)
		group.Wait()
		if diff := cmp.Diff(there, w.uses("acme", grant.ID)); diff != "" {
			w.Fatalf("in round %d, noted after it was closed: %s", round, diff)
		}
	}
}

func usesForgotten(w *world) {
	p := w.place("acme")
	forgets := func(limit, want int) {
		w.Helper()
		if n, err := w.Grants.ForgetUses(w.ctx, "acme", limit); err != nil || n != want {
			w.Errorf("forgot %d, %v; want %d", n, err, want)
		}
	}
	forgets(10, 0)
	refs := func(n int) (all []vault.MappingRef) {
		for i := range n {
			all = append(all, vault.MappingRef{ScopeID: p.Scope.ID, TokenID: fmt.Sprint(i)})
		}
		return all
	}
	var grants []vault.Proceeding
	for i := range 6 {
		grant := w.grant(p)
		w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, refs(3+i)))
		grants = append(grants, grant)
	}
	drawn := p.Value("drawn")
	w.keep(p, drawn)
	w.commit("acme", p.drawing(grants[3].ID, 1, drawn))
	w.clock.Advance(life) // one that is over is not closed
	forgets(100, 0)
	for _, i := range []int{1, 3, 4} {
		w.end("acme", grants[i], vault.ProceedingDone)
	}
	// 4, 7 and 7 of them are of those that are closed.
	for _, n := range []int{5, 5, 5, 3, 0} {
		forgets(5, n)
	}
	for i, grant := range grants {
		var want []vault.MappingRef
		if i == 0 || i == 2 || i == 5 {
			want = refs(3 + i)
		}
		w.wantUses(fmt.Sprint("of grant ", i), "acme", grant.ID, want...)
	}
	for _, limit := range []int{0, -1} {
		if n, err := w.Grants.ForgetUses(w.ctx, "acme", limit); err == nil || n != 0 {
			w.Errorf("with the limit %d: %d were forgotten", limit, n)
		}
	}
	if n, err := w.Grants.ForgetUses(w.ctx, "nobody", 5); err != nil || n != 0 {
		w.Errorf("of nobody %d were forgotten, %v", n, err)
	}
	w.CheckLog("acme")
}

// drawing is a flush that takes tokens of a grant.
func (p Place) drawing(grant string, most int, values ...vault.NewMapping) vault.Restore {
	r := p.Restore(values...)
	r.Standing = []string{grant}
	r.Draw = &vault.Draw{GrantID: grant, Most: most, Uses: p.refs(values...)}
	return r
}

// values keeps so many values for as long as anything.
func (w *world) values(p Place, n int) (all []vault.NewMapping) {
	w.Helper()
	for i := range n {
		m := p.Value(fmt.Sprint("value ", i))
		m.TTL, m.MaxAge = life, life
		all = append(all, m)
	}
	w.keep(p, all...)
	return all
}

func (w *world) drawn(grant string) int {
	w.Helper()
	return w.live("acme", vault.LiveQuery{GrantID: grant}).Drawn
}

func drawLimit(w *world) {
	p := w.place("acme")
	v := w.values(p, 8)
	grant, other := w.grant(p), w.grant(p)
	w.commit("acme", p.drawing(grant.ID, 3, v[0], v[1]))
	w.commit("acme", p.drawing(grant.ID, 3, v[1], v[0], v[1])) // what it had before counts once
	w.refuse(vault.ErrExhausted, "acme", p.drawing(grant.ID, 3, v[2], v[3]))
	w.wantUses("after what was refused", "acme", grant.ID, p.refs(v[:2]...)...)
	w.commit("acme", p.drawing(grant.ID, 3, v[2], v[2], v[0]))
	for _, most := range []int{3, 2, 0, -1, math.MinInt} {
		w.refuse(vault.ErrExhausted, "acme", p.drawing(grant.ID, most, v[3]))
	}
	// Where it has more by now than it may, nothing is drawn of it, old or new.
	w.refuse(vault.ErrExhausted, "acme", p.drawing(grant.ID, 2, v[0]))
	w.refuse(vault.ErrExhausted, "acme", p.drawing(grant.ID, 2))
	w.commit("acme", p.drawing(grant.ID, 3, v[0]))
	w.commit("acme", p.drawing(grant.ID, 3))
	w.commit("acme", p.drawing(grant.ID, math.MaxInt, v[3:]...))
	w.wantUses("all", "acme", grant.ID, p.refs(v...)...)
	if n := w.drawn(grant.ID); n != len(v) {
		w.Errorf("%d are drawn, want %d", n, len(v))
	}
	// Another grant has its own.
	w.commit("acme", p.drawing(other.ID, 1, v[0]))
	w.refuse(vault.ErrExhausted, "acme", p.drawing(other.ID, 1, v[1]))
	w.wantUses("of another", "acme", other.ID, p.refs(v[0])...)
	// Ids that no token can have are drawn of nothing.
	for _, bad := range []vault.MappingRef{{ScopeID: "s"}, {TokenID: "t"}, {ScopeID: "s\x00", TokenID: "t"}, {ScopeID: "s", TokenID: strings.Repeat("x", 65)}} {
		effect := p.drawing(other.ID, 100, v[1])
		effect.Draw.Uses = append(effect.Draw.Uses, bad)
		if _, err := w.try("acme", effect); err == nil {
			w.Errorf("%+v was drawn", bad)
		}
	}
	w.wantUses("of another, in the end", "acme", other.ID, p.refs(v[0])...)
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.refuse(vault.ErrExhausted, "acme", p.drawing(other.ID, 1, v[1]))
	w.CheckLog("acme")
}

func drawNamed(w *world) {
	p := w.place("acme")
	v := w.values(p, 4)
	grant := w.grant(p, v[0])
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, p.refs(v[0], v[1])))
	w.commit("acme", p.drawing(grant.ID, 1, v[0], v[1], v[2]))
	if n := w.drawn(grant.ID); n != 1 {
		w.Errorf("%d are drawn, want 1", n)
	}
	// What was drawn stays drawn, whoever notes it.
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, p.refs(v[2])))
	w.refuse(vault.ErrExhausted, "acme", p.drawing(grant.ID, 1, v[3]))
	w.wantUses("all", "acme", grant.ID, p.refs(v[:3]...)...)
	if n := w.drawn(grant.ID); n != 1 {
		w.Errorf("%d are drawn, want 1", n)
	}
}

func drawOfNone(w *world) {
	p := w.place("acme")
	v := w.values(p, 1)
	for _, kind := range []vault.ProceedingKind{vault.ProceedingConsent, vault.ProceedingReview, vault.ProceedingIncident} {
		other := w.begin("acme", proceeding(kind, vault.ProceedingStanding))
		w.commit("acme", p.restingOn(v[0], other.ID))
		w.refuse(vault.ErrConflict, "acme", p.drawing(other.ID, 9, v[0]))
		w.wantUses("of a "+string(kind), "acme", other.ID)
	}
	w.refuse(vault.ErrConflict, "acme", p.drawing("none", 9, v[0]))
}

func drawFails(w *world) {
	p := w.place("acme")
	v := w.values(p, 3)
	grant := w.grant(p)
	with := func(effect vault.Restore, tokens, limit int) vault.Restore {
		effect.Spends = []vault.Spend{spend("a", tokens, limit)}
		return effect
	}
	lost := with(p.drawing(grant.ID, 9, v[0], p.Value("none")), 1, 9)
	over := with(p.drawing(grant.ID, 9, v[0]), 2, 1)
	much := with(p.drawing(grant.ID, 1, v[0], v[1]), 1, 9)
	bare := with(p.drawing(grant.ID, 9, v[0]), 1, 9)
	bare.Standing = nil
	for _, tt := range []struct {
		effect vault.Restore
		want   error
	}{{lost, vault.ErrConflict}, {over, vault.ErrExhausted}, {much, vault.ErrExhausted}, {bare, vault.ErrNoEntry}} {
		w.refuse(tt.want, "acme", tt.effect)
		// Nor in one window with what does not fail.
		before := w.size("acme")
		fine := Change(w, "acme", vault.Record{})
		answers := w.window("acme", fine, Change(w, "acme", tt.effect))
		w.no(answers[0].err)
		w.is(answers[1].err, tt.want)
		if w.size("acme") != before+1 {
			w.Errorf("%d entries, want 1", w.size("acme")-before)
		}
		w.wantUses("after what failed", "acme", grant.ID)
		w.wantSpent("after what failed", "acme", "a", 0)
	}
	// A claim, or a notice, that cannot be takes the rest with it.
	_, err := w.claim("acme", "in use", "b", vault.Record{})
	w.no(err)
	good := with(p.drawing(grant.ID, 1, v[0]), 1, 1)
	w.refuseChange(vault.ErrClaimed, "acme", Change(w, "acme", good).Claiming(Digest("in use"), Digest("b")))
	if _, err := w.Store.Commit(w.ctx, "acme", Change(w, "acme", good).Notifying("x", make([]byte, vault.MaxNoticeBody+1))); err == nil {
		w.Error("a notice that is too long was taken")
	}
	w.wantUses("after riders that failed", "acme", grant.ID)
	w.commit("acme", good)
	w.wantUses("in the end", "acme", grant.ID, p.refs(v[0])...)
	w.wantSpent("in the end", "acme", "a", 1)
}

func drawTogether(w *world) {
	p := w.place("acme")
	v := w.values(p, 6)
	grant, other := w.grant(p), w.grant(p)
	draw := func(grant string, values ...vault.NewMapping) vault.Change {
		return Change(w, "acme", p.drawing(grant, 3, values...))
	}
	answers := w.window("acme",
		draw(grant.ID, v[0], v[1]), draw(other.ID, v[0]), draw(grant.ID, v[2], v[3]), // the third would be one too many
		draw(grant.ID, v[1], v[2]), draw(grant.ID, v[3]), draw(grant.ID, v[0]), draw(other.ID, v[4], v[5]))
	for i, want := range []error{nil, nil, vault.ErrExhausted, nil, vault.ErrExhausted, nil, nil} {
		if !errors.Is(answers[i].err, want) {
			w.Errorf("flush %d: got %v, want %v", i, answers[i].err, want)
		}
		if want == nil && answers[i].Tree != answers[0].Tree {
			w.Errorf("flush %d did not share the commit", i)
		}
	}
	w.wantUses("of one", "acme", grant.ID, p.refs(v[:3]...)...)
	w.wantUses("of the other", "acme", other.ID, p.refs(v[0], v[4], v[5])...)
	// One that is given out in the window may be drawn of in it.
	change := Granting(w, "acme", vault.Restore{}, Grant(w.now().Add(time.Minute)))
	answers = w.window("acme", draw(change.ID(), v[0]), change, draw(change.ID(), v[0]))
	w.is(answers[0].err, vault.ErrConflict)
	w.no(answers[1].err)
	w.no(answers[2].err)
	w.wantUses("of the new one", "acme", change.ID(), p.refs(v[0])...)
	w.CheckLog("acme")
}

func drawRace(w *world) {
	const streams, most = 64, 40
	p := w.place("acme")
	v := w.values(p, streams)
	grant := w.grant(p)
	var drew atomic.Int64
	var group sync.WaitGroup
	for i := range streams {
		group.Go(func() {
			// Notes of tokens that others draw come in between.
			w.is(w.Grants.NoteUses(w.ctx, "acme", grant.ID, []vault.MappingRef{{ScopeID: "named", TokenID: fmt.Sprint(i % 7)}}), nil)
			_, err := w.Store.Commit(w.ctx, "acme", Change(w, "acme", p.drawing(grant.ID, most, v[i])))
			if err == nil {
				drew.Add(1)
				return
			}
			w.is(err, vault.ErrExhausted)
		})
	}
	group.Wait()
	if n := w.drawn(grant.ID); n != most || drew.Load() != most {
		w.Errorf("%d were drawn, by %d flushes; want %d", n, drew.Load(), most)
	}
	if n := len(w.uses("acme", grant.ID)); n != most+7 {
		w.Errorf("it gave %d, want %d", n, most+7)
	}
	w.CheckLog("acme")
}

func drawStanding(w *world) {
	p := w.place("acme")
	v := w.values(p, 2)
	ends, closed := w.grant(p), w.grant(p)
	w.commit("acme", p.drawing(closed.ID, 9, v[0]))
	w.end("acme", closed, vault.ProceedingDone)
	w.refuse(vault.ErrConflict, "acme", p.drawing(closed.ID, 9, v[0]))
	w.refuse(vault.ErrConflict, "acme", p.drawing(closed.ID, 9, v[1]))
	w.refuse(vault.ErrConflict, "acme", p.drawing("none", 9, v[0]))
	w.clock.Advance(15*time.Minute - time.Microsecond)
	w.commit("acme", p.drawing(ends.ID, 9, v[0]))
	// What waits in the queue is judged when it has the lock.
	answers := w.windowThen(func() { w.clock.Advance(time.Microsecond) }, "acme", Change(w, "acme", p.drawing(ends.ID, 9, v[0])))
	w.is(answers[0].err, vault.ErrConflict)
	w.commit("acme", vault.Record{})
	w.clock.Advance(-time.Minute)
	w.refuse(vault.ErrConflict, "acme", p.drawing(ends.ID, 9, v[1]))
	w.wantUses("of what ended", "acme", ends.ID, p.refs(v[0])...)
	// A flush is stopped like every restoration, and of a tenant that is not
	// served there is none.
	stands := w.grant(p)
	stop := w.begin("acme", suspension(w, vault.SuspensionMatch{}))
	w.refuse(vault.ErrConflict, "acme", p.drawing(stands.ID, 9, v[0]))
	w.end("acme", stop, vault.ProceedingDone)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.refuse(vault.ErrSuspended, "acme", p.drawing(stands.ID, 9, v[0]))
	w.wantUses("of what stands", "acme", stands.ID)
}

func drawInOneWindow(w *world) {
	p := w.place("acme")
	v := w.values(p, 2)
	grant := w.grant(p)
	closes := grant
	closes.State = vault.ProceedingDone
	flush := func(m vault.NewMapping) vault.Change { return Change(w, "acme", p.drawing(grant.ID, 9, m)) }
	answers := w.window("acme", flush(v[0]), Change(w, "acme", altering(closes)), flush(v[1]), Change(w, "acme", p.Restore(v[1])))
	for i, want := range []error{nil, nil, vault.ErrConflict, nil} {
		w.is(answers[i].err, want)
	}
	if answers[0].First >= answers[1].First || answers[0].Tree == answers[1].Tree {
		w.Errorf("closed at %d, flushed at %d", answers[1].First, answers[0].First)
	}
	w.wantUses("before it was closed", "acme", grant.ID, p.refs(v[0])...)
	w.CheckLog("acme")
}

func grantsChanged(w *world) {
	p := w.place("acme")
	v := w.values(p, 2)
	grant := w.grant(p, v[0])
	w.no(w.Grants.NoteUses(w.ctx, "acme", grant.ID, p.refs(v[0])))
	w.clock.Advance(10 * time.Minute)
	renewed := grant
	renewed.ExpiresAt, renewed.DueAt, renewed.Body = w.now().Add(15*time.Minute), w.now().Add(20*time.Minute), []byte(`{"renewed":1}`)
	got := w.alter("acme", renewed)
	renewed.Revision++
	w.sameProceeding("renewed", renewed, got)
	w.refuse(vault.ErrConflict, "acme", altering(grant)) // of a revision that is over
	w.clock.Advance(15*time.Minute - time.Microsecond)
	w.commit("acme", p.drawing(grant.ID, 1, v[1]))
	w.clock.Advance(time.Microsecond)
	w.refuse(vault.ErrConflict, "acme", p.drawing(grant.ID, 1, v[1]))
	due := vault.ProceedingQuery{Kind: vault.ProceedingGrant, Open: true, DueBefore: w.now().Add(5*time.Minute + time.Microsecond)}
	if got := w.proceedingIDs(due); len(got) != 1 {
		w.Errorf("%d grants are due, want 1", len(got))
	}
	w.wantUses("renewed", "acme", grant.ID, p.refs(v...)...)
	w.end("acme", got, vault.ProceedingDone)
	w.wantUses("closed", "acme", grant.ID, p.refs(v...)...)
	if got := w.proceedingIDs(due); len(got) != 0 {
		w.Errorf("%d grants are due once it is closed", len(got))
	}
	// A grant is never opened by itself, nor changed beside what is none.
	stands := w.grant(p)
	consent := w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	stands.State, consent.State = vault.ProceedingDone, vault.ProceedingDone
	w.refuse(vault.ErrConflict, "acme", altering(stands, consent))
	if got := w.proceeding("acme", stands.ID); got.State != vault.ProceedingStanding {
		w.Errorf("it is %s", got.State)
	}
	w.CheckLog("acme")
}

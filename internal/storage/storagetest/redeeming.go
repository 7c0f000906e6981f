package storagetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// redeemClauses are about approvals that a change uses.
var redeemClauses = []clause{
	{"Invariant14/an approval is used once, with every effect", redeemEffects},
	{"Invariant14/only what is approved, as it was read, is used", redeemRefused},
	{"Invariant14/an approval that is over is used by nothing", redeemExpired},
	{"Invariant14/a change that fails uses no approval", redeemFails},
	{"Invariant14/an approval is judged before all else", redeemFirst},
	{"Invariant14/of 100 redeems at once one is committed", redeemRace},
	{"batch/a change that redeems commits alone, in its turn", redeemAlone},
	{"Invariant14/in one window of a rejection and a redeem the first decides", redeemRejected},
	{"Invariant6/an approval of one tenant is none of another's", redeemForeign},
}

// approved is an approval that others have agreed to, until a time.
func (w *world) approved(tenant string, kind vault.ProceedingKind, until time.Time) vault.Proceeding {
	w.Helper()
	p := proceeding(kind, vault.ProceedingPending)
	p.Body = []byte(`{"hash":"0123"}`)
	p = w.begin(tenant, p)
	p.State, p.ExpiresAt = vault.ProceedingApproved, until
	return w.alter(tenant, p)
}

// redeeming is a change that uses an approval.
func redeeming(c vault.Change, p vault.Proceeding) vault.Change {
	return c.Redeeming(vault.Redemption{ID: p.ID, Revision: p.Revision})
}

// refuseChange commits a change that must fail with want, and must leave no entry.
func (w *world) refuseChange(want error, tenant string, c vault.Change) {
	w.Helper()
	before := w.size(tenant)
	if _, err := w.Store.Commit(w.ctx, tenant, c); !errors.Is(err, want) || err == nil {
		w.Errorf("got error %v, want %v", err, want)
	}
	if after := w.size(tenant); after != before {
		w.Errorf("a refused change left %d entries", after-before)
	}
}

// used checks that an approval was used, now.
func (w *world) used(what, tenant string, p vault.Proceeding) {
	w.Helper()
	p.State, p.Revision, p.ClosedAt = vault.ProceedingDone, p.Revision+1, w.now()
	w.sameProceeding(what, p, w.proceeding(tenant, p.ID))
}

func redeemEffects(w *world) {
	e := w.estate("acme")
	of := e.p.Value("another")
	r := w.open("acme", w.request(vault.RequestRestriction, e.bob))
	restricts := r
	restricts.State, restricts.SubjectRef = vault.StateRunning, e.bob.Ref
	hold := w.hold("acme", onValue(e.far))
	incident := w.begin("acme", proceeding(vault.ProceedingIncident, vault.ProceedingStanding))
	late := w.scope("acme", "late")
	short := late.Value("short")
	short.TTL = time.Microsecond
	w.keep(late, short)
	w.clock.Advance(time.Microsecond)
	effects := []vault.Effect{
		vault.Record{}, vault.Restore{}, e.p.Restore(e.hers), e.p.Tokenize(of), NewPlace("acme", "new", w.now()).Open(),
		vault.LinkSubject{Subject: vault.SubjectUse{Subject: e.bob}, Lookups: lookupsOf(of)},
		vault.UnlinkSubject{SubjectRef: e.bob.Ref, Lookups: lookupsOf(of)},
		vault.PlaceHold{Hold: vault.Hold{Matter: "M", Reference: "R", Match: onValue(e.near)}},
		vault.ReviewHold{ID: hold, ReviewBy: w.now().Add(life)}, vault.ReleaseHold{ID: hold},
		vault.OpenRequest{Request: w.request(vault.RequestAccess, e.ann)}, vault.Restrict{SubjectRef: e.bob.Ref, Request: restricts},
		vault.OpenProceeding{Proceeding: proceeding(vault.ProceedingPolicy, vault.ProceedingPending)}, altering(incident),
		late.Sweep(short), late.close(), e.moving(),
	}
	for _, effect := range effects {
		w.redeemed(effect)
	}
	w.redeemed(erasing(erasureOf(e.ann), w.plan("acme", erasureOf(e.ann))))
	w.redeemed(vault.DestroyKeys{Keys: []string{e.bobs.ID}})
	w.redeemed(vault.RaiseWrapMinimum{Version: 4})
	w.rewrap("acme", 4)
	w.redeemed(vault.RetireVersions{Below: 4})
	w.redeemed(vault.SetTenant{State: vault.TenantSuspended})
	w.redeemed(vault.SetTenant{State: vault.TenantClosed})
	w.CheckLog("acme")
}

// redeemed commits an effect that uses an approval, which then is used for good.
func (w *world) redeemed(effect vault.Effect) {
	w.Helper()
	what := fmt.Sprintf("%T", effect)
	p := w.approved("acme", vault.ProceedingApproval, w.now().Add(life))
	w.clock.Advance(time.Microsecond)
	if _, err := w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", effect), p)); err != nil {
		w.Errorf("%s: %v", what, err)
		return
	}
	w.used(what, "acme", p)
	w.clock.Advance(time.Microsecond)
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", vault.Record{}), p))
	p.Revision++
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", vault.Record{}), p))
}

func redeemRefused(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	good := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
	state := func(state vault.ProceedingState) vault.Proceeding {
		one := w.begin("acme", proceeding(vault.ProceedingRestoration, vault.ProceedingPending))
		if state == vault.ProceedingPending {
			return one
		}
		one.State = state
		return w.alter("acme", one)
	}
	spoiled := func(spoil func(*vault.Proceeding)) vault.Proceeding {
		one := good
		spoil(&one)
		return one
	}
	for name, bad := range map[string]vault.Proceeding{
		"pending": state(vault.ProceedingPending), "standing": state(vault.ProceedingStanding),
		"done": state(vault.ProceedingDone), "rejected": state(vault.ProceedingRejected),
		"of an older revision": spoiled(func(p *vault.Proceeding) { p.Revision-- }),
		"of a later revision":  spoiled(func(p *vault.Proceeding) { p.Revision++ }),
		"of no revision":       spoiled(func(p *vault.Proceeding) { p.Revision = 0 }),
		"of no id":             spoiled(func(p *vault.Proceeding) { p.ID = "" }),
		"not there":            spoiled(func(p *vault.Proceeding) { p.ID = "none" }),
		"of another spelling":  spoiled(func(p *vault.Proceeding) { p.ID += " " }),
		"with a NUL":           spoiled(func(p *vault.Proceeding) { p.ID += "\x00" }),
		"of broken UTF-8":      spoiled(func(p *vault.Proceeding) { p.ID = "\xff" }),
	} {
		for _, effect := range []vault.Effect{p.Restore(m), vault.SetTenant{State: vault.TenantSuspended}, vault.DestroyKeys{Keys: []string{p.Key.ID}}} {
			before := w.size("acme")
			_, err := w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", effect), bad))
			if !errors.Is(err, vault.ErrConflict) || w.size("acme") != before {
				w.Errorf("%T with one that is %s: %v", effect, name, err)
			}
		}
	}
	w.inState("acme", vault.TenantActive)
	w.sameProceeding("after all that", good, w.proceeding("acme", good.ID))
	_, err := w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", p.Restore(m)), good))
	w.no(err)
	w.used("the good one", "acme", good)
}

func redeemExpired(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	over := w.approved("acme", vault.ProceedingRestoration, w.now().Add(time.Minute))
	just := w.approved("acme", vault.ProceedingRestoration, w.now().Add(time.Minute))
	never := w.approved("acme", vault.ProceedingRestoration, time.Time{})
	waits := w.approved("acme", vault.ProceedingRestoration, w.now().Add(time.Minute))
	w.clock.Advance(time.Minute - time.Microsecond)
	_, err := w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", p.Restore(m)), just))
	w.no(err)
	w.used("just in time", "acme", just)
	// What waits in the queue is judged when it has the lock.
	answers := w.windowThen(func() { w.clock.Advance(time.Microsecond) }, "acme", redeeming(Change(w, "acme", p.Restore(m)), waits))
	w.is(answers[0].err, vault.ErrConflict)
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", p.Restore(m)), over))
	w.commit("acme", vault.Record{}) // from now on the log knows how late it is
	w.clock.Advance(-time.Minute)
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", p.Restore(m)), over))
	w.sameProceeding("what is over", over, w.proceeding("acme", over.ID))
	w.clock.Advance(30 * time.Minute)
	_, err = w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", p.Restore(m)), never))
	w.no(err)
	w.used("without an end", "acme", never)
}

func redeemFails(w *world) {
	p := w.place("acme")
	m, gone := p.Value("v"), p.Value("gone")
	w.keep(p, m)
	one := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
	key := vault.Spend{Key: Digest("budget"), Tokens: 2, Limit: 1}
	costly := p.Restore(m)
	costly.Spends = []vault.Spend{key}
	for want, effects := range map[error][]vault.Effect{
		vault.ErrConflict: {
			p.Restore(gone), p.Sweep(m), vault.DestroyKeys{Keys: []string{"none"}}, vault.SetTenant{State: vault.TenantActive},
			vault.ReleaseHold{ID: "none"}, altering(one),
		},
		vault.ErrExhausted:  {costly},
		vault.ErrScopeMoved: {NewPlace("acme", "a conversation", w.now()).Open()},
	} {
		for _, effect := range effects {
			w.refuseChange(want, "acme", redeeming(Change(w, "acme", effect), one))
			w.sameProceeding(fmt.Sprintf("after %T", effect), one, w.proceeding("acme", one.ID))
		}
	}
	// Nor where what rides along does not fit.
	_, err := w.claim("acme", "in use", "b", vault.Record{})
	w.no(err)
	restore := func() vault.Change { return redeeming(Change(w, "acme", p.Restore(m)), one) }
	w.refuseChange(vault.ErrClaimed, "acme", restore().Claiming(Digest("in use"), Digest("b")))
	if _, err := w.Store.Commit(w.ctx, "acme", restore().Notifying("restore", make([]byte, vault.MaxNoticeBody+1))); err == nil {
		w.Error("a notice that is too long was taken")
	}
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.refuseChange(vault.ErrSuspended, "acme", restore())
	w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	w.sameProceeding("after all that", one, w.proceeding("acme", one.ID))
	// A claim or a notice of it is none either.
	change := redeeming(Change(w, "acme", p.Restore(gone)), one).Claiming(Digest("k"), Digest("b")).Notifying("restore", []byte(`{}`))
	w.refuseChange(vault.ErrConflict, "acme", change)
	w.claimed("acme", "k", "", "")
	w.wantNotices("of what was refused", w.take("acme", 10))
	_, err = w.Store.Commit(w.ctx, "acme", restore())
	w.no(err)
	w.used("in the end", "acme", one)
}

func redeemFirst(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	none := vault.Proceeding{ID: "none", Revision: 1}
	costly := p.Restore(m)
	costly.Spends = []vault.Spend{{Key: Digest("budget"), Tokens: 1, Limit: 0}}
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", costly), none))
	w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", NewPlace("acme", "a conversation", w.now()).Open()), none))
	// What is used is done for the effect, too: it cannot be changed any more.
	one := w.approved("acme", vault.ProceedingApproval, w.now().Add(life))
	later := one
	later.Revision++
	for _, p := range []vault.Proceeding{one, later} {
		w.refuseChange(vault.ErrConflict, "acme", redeeming(Change(w, "acme", altering(p)), one))
	}
	w.sameProceeding("after all that", one, w.proceeding("acme", one.ID))
}

func redeemRace(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	const n = 100
	once := func(submit func([]vault.Change) []answer) {
		w.Helper()
		one := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
		before := w.size("acme")
		changes := make([]vault.Change, n)
		for i := range changes {
			changes[i] = redeeming(Change(w, "acme", p.Restore(m)), one)
		}
		won := 0
		for i, a := range submit(changes) {
			if a.err == nil {
				won++
				continue
			}
			if !errors.Is(a.err, vault.ErrConflict) {
				w.Errorf("redeem %d: %v", i, a.err)
			}
		}
		if entries := w.size("acme") - before; won != 1 || entries != 1 {
			w.Errorf("of %d redeems at once %d were committed, and left %d entries", n, won, entries)
		}
		w.used("once", "acme", one)
	}
	once(func(changes []vault.Change) []answer { return w.window("acme", changes...) })
	once(func(changes []vault.Change) []answer {
		answers := make([]answer, n)
		var group sync.WaitGroup
		for i, c := range changes {
			group.Go(func() { answers[i].Committed, answers[i].err = w.Store.Commit(w.ctx, "acme", c) })
		}
		group.Wait()
		return answers
	})
	w.CheckLog("acme")
}

func redeemAlone(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	one := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
	restore := func() vault.Change { return Change(w, "acme", p.Restore(m)) }
	t := w.window("acme", restore(), restore(), redeeming(restore(), one), restore(), restore())
	for _, a := range t {
		w.no(a.err)
	}
	if t[0].Tree != t[1].Tree || t[1].Tree == t[2].Tree || t[2].Tree == t[3].Tree || t[3].Tree != t[4].Tree {
		w.Error("a redeem shared its commit, or parted what could share")
	}
	for i := 1; i < len(t); i++ {
		if t[i-1].First >= t[i].First {
			w.Errorf("out of order: %d, %d", t[i-1].First, t[i].First)
		}
	}
	e, err := audit.ParseLeaf(w.leaf("acme", t[2].First))
	w.no(err)
	if e.Kind != audit.KindRestore {
		w.Errorf("the entry of a redeem is of kind %s", e.Kind)
	}
}

func redeemRejected(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	for _, first := range []bool{true, false} { // whether the redeem is
		one := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
		rejected := one
		rejected.State = vault.ProceedingRejected
		use, reject := redeeming(Change(w, "acme", p.Restore(m)), one), Change(w, "acme", altering(rejected))
		changes, want := []vault.Change{use, reject}, vault.ProceedingDone
		if !first {
			changes, want = []vault.Change{reject, use}, vault.ProceedingRejected
		}
		answers := w.window("acme", changes...)
		w.no(answers[0].err)
		w.is(answers[1].err, vault.ErrConflict)
		if got := w.proceeding("acme", one.ID); got.State != want || got.Revision != one.Revision+1 {
			w.Errorf("after both it is %s, of revision %d", got.State, got.Revision)
		}
	}
}

func redeemForeign(w *world) {
	mine, theirs, value := w.twins()
	one := w.approved("acme", vault.ProceedingRestoration, w.now().Add(life))
	w.refuseChange(vault.ErrConflict, "Acme", redeeming(Change(w, "Acme", theirs.Restore(value)), one))
	w.sameProceeding("mine", one, w.proceeding("acme", one.ID))
	_, err := w.Store.Commit(w.ctx, "acme", redeeming(Change(w, "acme", mine.Restore(value)), one))
	w.no(err)
	w.used("mine", "acme", one)
}

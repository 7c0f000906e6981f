package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var suppressionClauses = slices.Concat([]clause{
	{"Invariant8/what was erased is kept out, before and after it is swept", suppressed},
	{"Invariant8/a suppression ends at its time, swept or not", suppressionEnds},
	{"suppression/a clock that goes back brings none back", suppressionClock},
	{"Invariant8/a suppression without an end has none", suppressedForever},
	{"suppression/none was asked for, and nothing is kept out", suppressedNone},
	{"suppression/what many share is kept out of the scopes of that name alone", suppressedCommon},
	{"Invariant16/a token that lives is found again, whatever is suppressed", suppressedReuse},
	{"suppression/a change that is refused fails alone, and whole", suppressedAlone},
	{"Invariant8/in one window of an erasure that keeps out and a tokenize the first decides", suppressedInOneWindow},
	{"suppression/what is deferred is kept out once it is erased", suppressedDeferred},
	{"suppression/of two of one value the longer counts", suppressedLonger},
	{"suppression/what is over is forgotten, so many at a time", suppressionForgotten},
	{"Invariant6/what one tenant keeps out another takes", suppressedForeign},
}, suppressionHistoryClauses)

// eraseKeepingOut erases a person and keeps out what went.
func (w *world) eraseKeepingOut(tenant string, s vault.Subject, by vault.Suppression) vault.Erasure {
	w.Helper()
	effect := erasing(erasureOf(s), w.plan(tenant, erasureOf(s)))
	effect.Suppress = by
	change := Change(w, tenant, effect)
	_, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	return w.erasure(tenant, change.ID())
}

// keeps asks which of the values a scope of a name does not take.
func (w *world) keeps(p Place, values ...vault.NewMapping) []vault.Digest {
	w.Helper()
	got, err := w.Remains.Suppressed(w.ctx, p.Tenant, p.Scope.Digest, lookupsOf(values...))
	w.no(err)
	return got
}

// keptOut checks that of values exactly the first are kept out of a scope. What
// is asked beforehand and what a commit says must agree: a change of each of
// those is refused; of one that is not, the store says so.
func (w *world) keptOut(what string, p Place, out, taken []vault.NewMapping) {
	w.Helper()
	all := append(slices.Clone(out), taken...)
	byDigest := cmpopts.SortSlices(func(a, b vault.Digest) bool { return slices.Compare(a[:], b[:]) < 0 })
	if diff := cmp.Diff(lookupsOf(out...), w.keeps(p, all...), byDigest, cmpopts.EquateEmpty()); diff != "" {
		w.Errorf("%s: %d of %d are to be kept out: %s", what, len(out), len(all), diff)
	}
	key := p.FreshKey()
	try := func(m vault.NewMapping) error {
		fresh := p.Value("")
		fresh.Mapping.Identity, fresh.Mapping.Lookup = Digest("identity of", p.Scope.ID, string(m.Mapping.Lookup[:])), m.Mapping.Lookup
		fresh.Mapping.Entity, fresh.Mapping.KeyID, fresh.TTL = m.Mapping.Entity, key.ID, time.Microsecond
		effect := p.Tokenize(fresh)
		effect.Keys = []vault.DataKey{key}
		_, err := w.try(p.Tenant, effect)
		return err
	}
	for _, m := range out {
		before := w.size(p.Tenant)
		w.is(try(m), vault.ErrSuppressed)
		if w.size(p.Tenant) != before || w.stands(p.Tenant, key.ID) != 0 {
			w.Errorf("%s: a change that was refused left something", what)
		}
	}
	for _, m := range taken {
		key = p.FreshKey()
		w.no(try(m))
	}
}

func suppressed(w *world) {
	e := w.estate("acme")
	r := w.scope("acme", "another conversation")
	w.clock.Advance(time.Second)
	done := w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: month})
	if !done.SuppressUntil.Equal(w.now().Add(month)) {
		w.Errorf("kept out until %v", done.SuppressUntil)
	}
	out, taken := []vault.NewMapping{e.hers, e.tied, e.there}, []vault.NewMapping{e.both, e.near, e.far, e.his, e.p.Value("none")}
	check := func(what string) {
		w.Helper()
		for _, p := range []Place{e.p, e.q, r} {
			w.keptOut(what, p, out, taken)
		}
	}
	check("erased")
	w.sweepUntilDone("acme", 2)
	check("swept")
	w.no(w.Close())
	w.Stores = w.Reopen()
	check("after a restart")
	if got := w.keeps(e.p); len(got) != 0 {
		w.Errorf("of no values %d are kept out", len(got))
	}
	if diff := cmp.Diff(done, w.erasure("acme", done.ID)); diff != "" {
		w.Error(diff)
	}
	w.CheckLog("acme")
}

func suppressionEnds(w *world) {
	for tenant, sweeps := range map[string]bool{"acme": true, "globex": false} {
		e := w.estate(tenant)
		w.eraseKeepingOut(tenant, e.ann, vault.Suppression{For: time.Minute})
		if sweeps {
			w.sweepUntilDone(tenant, 10)
		}
		out := []vault.NewMapping{e.hers, e.tied, e.there}
		w.clock.Advance(time.Minute - time.Microsecond)
		w.keptOut("a microsecond before its end", e.q, out, nil)
		w.clock.Advance(time.Microsecond)
		w.keptOut("at its end", e.q, nil, out)
		w.sweepUntilDone(tenant, 10)
		if got := w.inventory(tenant).Suppressions; !sweeps && got != 0 {
			w.Errorf("what is swept after the end leaves %d suppressions", got)
		}
	}
}

func suppressionClock(w *world) {
	e := w.estate("acme")
	w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: time.Minute})
	out := []vault.NewMapping{e.hers, e.tied, e.there}
	w.clock.Advance(time.Minute)
	w.commit("acme", vault.Record{}) // the log has this time from now on
	w.clock.Advance(-time.Minute)
	w.keptOut("before the sweep", e.q, nil, out)
	w.sweepUntilDone("acme", 10)
	w.keptOut("after the sweep", w.scope("acme", "another conversation"), nil, out)
	if got := w.inventory("acme").Suppressions; got != 0 {
		w.Errorf("what is swept after the end leaves %d suppressions", got)
	}
}

func suppressedForever(w *world) {
	w.tenant("acme")
	for i, by := range []vault.Suppression{{Forever: true}, {Forever: true, For: time.Minute}} {
		q := w.scope("acme", fmt.Sprint("somewhere ", i))
		s, erases := w.someone(q, "somebody", 3)
		m := q.Value("somebody " + w.keyIDs("acme", s.Ref)[0])
		effect := erases()
		effect.Suppress = by
		change := Change(w, "acme", effect)
		_, err := w.Store.Commit(w.ctx, "acme", change)
		w.no(err)
		if got := w.erasure("acme", change.ID()); !got.SuppressUntil.Equal(vault.SuppressForever) {
			w.Errorf("for ever is until %v", got.SuppressUntil)
		}
		w.sweepUntilDone("acme", 10)
		w.clock.Advance(10 * life)
		p := w.scope("acme", fmt.Sprint("ten years later ", i))
		w.keptOut("ten years later", p, []vault.NewMapping{m}, nil)
		if n, err := w.Remains.ForgetSuppressions(w.ctx, "acme", 100); err != nil || n != 0 {
			w.Errorf("%d were forgotten, %v", n, err)
		}
	}
}

func suppressedNone(w *world) {
	e := w.estate("acme")
	done := w.eraseKeepingOut("acme", e.ann, vault.Suppression{Common: []string{"PERSON"}})
	if !done.SuppressUntil.IsZero() {
		w.Errorf("kept out until %v", done.SuppressUntil)
	}
	all := []vault.NewMapping{e.hers, e.tied, e.there}
	w.keptOut("erased", e.q, nil, all)
	w.sweepUntilDone("acme", 10)
	w.keptOut("swept", e.q, nil, all)
	if got := w.inventory("acme").Suppressions; got != 0 {
		w.Errorf("%d suppressions are kept", got)
	}
}

func suppressedCommon(w *world) {
	e := w.estate("acme")
	mail := e.p.Value("mail")
	mail.Mapping.Entity, mail.SubjectRefs = "EMAIL_ADDRESS", []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, mail))
	w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: life, Common: []string{"PERSON", "LOCATION"}})
	r := w.scope("acme", "another conversation")
	check := func(what string, p Place) {
		w.Helper()
		w.keptOut(what+", where they were", p, []vault.NewMapping{e.hers, e.tied, mail}, []vault.NewMapping{e.there})
		w.keptOut(what+", in the other", e.q, []vault.NewMapping{e.there, mail}, []vault.NewMapping{e.hers, e.tied})
		w.keptOut(what+", elsewhere", r, []vault.NewMapping{mail}, []vault.NewMapping{e.hers, e.tied, e.there})
	}
	check("erased", e.p)
	w.sweepUntilDone("acme", 10)
	check("swept", e.p)
	// The name is what counts, not the scope that had it.
	w.commit("acme", e.p.close())
	check("in a scope of the name that was opened later", w.scope("acme", "p"))
}

func suppressedReuse(w *world) {
	e := w.estate("acme")
	same := e.q.Value("hers") // the same value, of nobody, in another scope
	same.TTL = maxAge
	w.keep(e.q, same)
	w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: month})
	r := w.scope("acme", "another conversation")
	check := func(what string) {
		w.Helper()
		effect := e.q.Tokenize(e.q.Value("hers"))
		effect.Touch = []vault.TouchRef{{TokenID: same.Mapping.TokenID, Entity: "PERSON", TTL: ttl}}
		if s := w.commit("acme", effect).Outcome.Standing[0]; !s.Reused || s.TokenID != same.Mapping.TokenID {
			w.Errorf("%s: %+v", what, s)
		}
		if s := w.keep(e.p, e.p.Value("both"))[0]; !s.Reused {
			w.Errorf("%s: what is about somebody else was not found again", what)
		}
		w.commit("acme", e.q.Restore(same))
		w.keptOut(what, r, []vault.NewMapping{e.hers}, nil)
	}
	check("erased")
	w.sweepUntilDone("acme", 10)
	check("swept")
	// Past its time a token would have to be made.
	w.clock.Advance(maxAge)
	w.refuse(vault.ErrSuppressed, "acme", e.q.Tokenize(e.q.Value("hers")))
	w.clock.Advance(month)
	if s := w.keep(e.q, e.q.Value("hers"))[0]; s.Reused {
		w.Errorf("after the suppression: %+v", s)
	}
}

func suppressedAlone(w *world) {
	e := w.estate("acme")
	w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: month})
	eve, free, bad := person("eve"), e.q.Value("free"), e.q.Value("hers")
	effect := about(e.q, []vault.SubjectUse{{Subject: eve, New: true}}, free, bad)
	effect.Destinations = []string{"vendor"}
	w.refuse(vault.ErrSuppressed, "acme", effect)
	e.knows(eve, false)
	if got := w.read(e.q, free.Mapping.TokenID, bad.Mapping.TokenID); len(got) != 0 {
		w.Errorf("a change that was refused left %d values", len(got))
	}
	scope := NewPlace("acme", "one more", w.now())
	beside := scope.Value("hers")
	fresh := vault.Tokenize{Scope: scope.Scope, NewScope: true, Keys: []vault.DataKey{scope.Key}, Mappings: []vault.NewMapping{beside}}
	one, two := e.q.Value("one"), e.q.Value("two")
	answers := w.window("acme", Change(w, "acme", e.q.Tokenize(one)), Change(w, "acme", fresh),
		Change(w, "acme", e.q.Tokenize(bad)), Change(w, "acme", e.q.Tokenize(two)))
	w.no(answers[0].err)
	w.is(answers[1].err, vault.ErrSuppressed)
	w.is(answers[2].err, vault.ErrSuppressed)
	w.no(answers[3].err)
	if answers[0].Tree != answers[3].Tree {
		w.Error("those that are not refused do not share a commit")
	}
	if _, err := w.Store.Scope(w.ctx, "acme", scope.Scope.Digest); err == nil {
		w.Error("a scope was made by what was refused")
	}
	w.commit("acme", e.q.Restore(one))
	w.CheckLog("acme")
}

func suppressedInOneWindow(w *world) {
	e := w.estate("acme")
	effect := erasing(erasureOf(e.ann), w.plan("acme", erasureOf(e.ann)))
	effect.Suppress.For = month
	before, after := e.q.Value("hers"), e.q.Value("tied")
	answers := w.window("acme", Change(w, "acme", e.q.Tokenize(before)), Change(w, "acme", effect),
		Change(w, "acme", e.q.Tokenize(after)), Change(w, "acme", e.q.Tokenize(e.q.Value("hers"))))
	w.no(answers[0].err)
	w.no(answers[1].err)
	w.is(answers[2].err, vault.ErrSuppressed)
	w.no(answers[3].err) // it was there before, and is nobody's
	w.commit("acme", e.q.Restore(before))
	w.CheckLog("acme")
}

func suppressedDeferred(w *world) {
	e := w.estate("acme")
	hold := w.hold("acme", onValue(e.hers))
	waits := w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: month})
	until := w.now().Add(month)
	if !waits.SuppressUntil.Equal(until) || waits.State != vault.ErasureDeferred {
		w.Errorf("deferred: %+v", waits)
	}
	w.keptOut("deferred", e.q, []vault.NewMapping{e.tied, e.there}, []vault.NewMapping{e.hers})
	w.sweepUntilDone("acme", 10)
	w.release("acme", hold)
	w.clock.Advance(time.Minute)
	done, _ := w.erase("acme", waits)
	if !done.SuppressUntil.Equal(until) || done.State != vault.ErasureCompleted {
		w.Errorf("completed: %+v", done)
	}
	all := []vault.NewMapping{e.tied, e.there, e.hers}
	r := w.scope("acme", "another conversation")
	w.keptOut("completed", r, all, nil)
	w.sweepUntilDone("acme", 10)
	w.clock.Advance(until.Sub(w.now()) - time.Microsecond)
	w.keptOut("a microsecond before its end", r, all, nil)
	w.clock.Advance(time.Microsecond)
	w.keptOut("at its end", r, nil, all)
}

func suppressedLonger(w *world) {
	short, long := vault.Suppression{For: time.Minute}, vault.Suppression{For: time.Hour}
	for i, by := range [][2]vault.Suppression{{short, long}, {long, short}} {
		tenant := []string{"acme", "globex"}[i]
		e := w.estate(tenant)
		e.uses(e.q, "hers", e.bobs, false, e.bob)
		w.eraseKeepingOut(tenant, e.ann, by[0])
		w.eraseKeepingOut(tenant, e.bob, by[1])
		r := w.scope(tenant, "another conversation")
		w.keptOut("both", r, []vault.NewMapping{e.hers, e.his, e.there}, nil)
		w.sweepUntilDone(tenant, 2)
		w.clock.Advance(time.Minute)
		longer, shorter := e.there, e.his
		if i == 0 {
			longer, shorter = shorter, longer
		}
		w.keptOut("after the shorter", r, []vault.NewMapping{e.hers, longer}, []vault.NewMapping{shorter})
		w.clock.Advance(time.Hour - time.Minute - time.Microsecond)
		w.keptOut("before the end of the longer", r, []vault.NewMapping{e.hers, longer}, nil)
		w.clock.Advance(time.Microsecond)
		w.keptOut("after both", r, nil, []vault.NewMapping{e.hers, longer})
	}
}

func suppressionForgotten(w *world) {
	e, other := w.estate("acme"), w.estate("globex")
	forget := func(tenant string, limit, want int) {
		w.Helper()
		if n, err := w.Remains.ForgetSuppressions(w.ctx, tenant, limit); err != nil || n != want {
			w.Errorf("%s: of at most %d %d were forgotten, want %d: %v", tenant, limit, n, want, err)
		}
	}
	w.eraseKeepingOut("acme", e.ann, vault.Suppression{For: time.Minute})
	w.eraseKeepingOut("acme", e.bob, vault.Suppression{For: time.Hour})
	w.eraseKeepingOut("globex", other.ann, vault.Suppression{For: time.Hour}) // of the same digests
	forget("acme", 10, 0)
	w.sweepUntilDone("acme", 10)
	w.sweepUntilDone("globex", 10)
	w.clock.Advance(time.Minute - time.Microsecond)
	forget("acme", 10, 0)
	w.clock.Advance(time.Microsecond)
	forget("globex", 10, 0)
	forget("acme", 2, 2)
	forget("acme", 10, 1)
	forget("acme", 10, 0)
	w.keptOut("beside what was forgotten", e.p, []vault.NewMapping{e.his, e.both}, []vault.NewMapping{e.hers, e.tied, e.there})
	w.keptOut("in the other tenant", other.p, []vault.NewMapping{e.hers, e.tied, e.there}, nil)
	w.clock.Advance(time.Hour)
	forget("globex", 10, 3)
	forget("acme", 10, 2)
}

func suppressedForeign(w *world) {
	mine, theirs, value := w.twins()
	ann := vault.Subject{Digest: Digest("p"), Ref: value.SubjectRefs[0]}
	w.eraseKeepingOut("acme", ann, vault.Suppression{Forever: true})
	other := theirs
	other.Scope.ID = strings.Repeat("x", 8)
	other.Scope.Digest = Digest("scope", "other")
	other.Key = other.FreshKey()
	other.Scope.NameKeyID = other.Key.ID
	w.commit("Acme", other.Open())
	for range 2 {
		w.keptOut("mine", mine, []vault.NewMapping{value}, nil)
		w.keptOut("theirs", other, nil, []vault.NewMapping{value})
		w.clock.Advance(time.Second)
		w.sweepUntilDone("acme", 10)
	}
	w.commit("Acme", theirs.Restore(value))
}

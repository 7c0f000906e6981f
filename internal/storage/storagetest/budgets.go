package storagetest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// budgetClauses are about budgets that are counted in the commit.
var budgetClauses = []clause{
	{"Invariant17/a budget is counted to its limit, not by one token further", budgetLimit},
	{"Invariant17/of several budgets all are counted or none", budgetsTogether},
	{"Invariant17/a change that fails counts nothing", budgetFails},
	{"Invariant17/a budget begins anew with the hour of the store's clock", budgetHours},
	{"Invariant17/no spend gives a budget back, however strange", budgetStrange},
	{"Invariant17/changes that share a commit count for one another, in order", budgetBatch},
	{"Invariant17/64 clients never pass a budget, not by one token", budgetRace},
	{"budgets/are told in the order that is asked, and after a restart", budgetTold},
	{"budgets/hours that are over are forgotten, so many at a time", budgetForgotten},
	{"Invariant6/a budget of one tenant is none of another's", budgetForeign},
}

// spending is a restoration of nothing that counts for something.
func spending(spends ...vault.Spend) vault.Restore { return vault.Restore{Spends: spends} }

func spend(name string, tokens, limit int) vault.Spend {
	return vault.Spend{Key: Digest("budget", name), Tokens: tokens, Limit: limit}
}

// spent is what was counted of a budget in this hour.
func (w *world) spent(tenant, name string) int {
	w.Helper()
	got, _, err := w.Proceedings.Spent(w.ctx, tenant, []vault.Digest{Digest("budget", name)})
	w.no(err)
	if len(got) != 1 {
		w.Fatalf("one budget was asked for, and %d are told", len(got))
	}
	return got[0]
}

func (w *world) wantSpent(what, tenant, name string, want int) {
	w.Helper()
	if got := w.spent(tenant, name); got != want {
		w.Errorf("%s: of %s %d are spent, want %d", what, name, got, want)
	}
}

func budgetLimit(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.wantSpent("at first", "acme", "a", 0)
	for i, tokens := range []int{4, 1, 3} {
		effect := p.Restore(m)
		effect.Spends = []vault.Spend{spend("a", tokens, 10)}
		w.commit("acme", effect)
		w.wantSpent("spent", "acme", "a", []int{4, 5, 8}[i])
	}
	w.refuse(vault.ErrExhausted, "acme", spending(spend("a", 3, 10)))
	w.wantSpent("refused", "acme", "a", 8)
	w.commit("acme", spending(spend("a", 2, 10)))
	w.refuse(vault.ErrExhausted, "acme", spending(spend("a", 1, 10)))
	// The limit is that of the change: it may be another tomorrow, or at once.
	w.refuse(vault.ErrExhausted, "acme", spending(spend("a", 1, 5)))
	w.commit("acme", spending(spend("a", 1, 11)))
	w.refuse(vault.ErrExhausted, "acme", spending(spend("new", 1, 0)))
	w.refuse(vault.ErrExhausted, "acme", spending(spend("new", 11, 10)))
	w.wantSpent("all at once", "acme", "new", 0)
	w.commit("acme", spending(spend("new", 10, 10)))
	w.wantSpent("all at once", "acme", "new", 10)
	w.wantSpent("in the end", "acme", "a", 11)
	w.commit("acme", p.Restore(m)) // without a budget nothing is counted
	w.CheckLog("acme")
}

func budgetsTogether(w *world) {
	w.tenant("acme")
	w.commit("acme", spending(spend("a", 1, 10), spend("b", 2, 10), spend("c", 3, 3)))
	for _, bad := range []vault.Restore{
		spending(spend("a", 1, 10), spend("b", 1, 10), spend("c", 1, 3)),
		spending(spend("c", 1, 3), spend("a", 1, 10), spend("b", 1, 10)),
		spending(spend("new", 1, 10), spend("c", 1, 3), spend("a", 1, 10)),
	} {
		w.refuse(vault.ErrExhausted, "acme", bad)
	}
	for name, want := range map[string]int{"a": 1, "b": 2, "c": 3, "new": 0} {
		w.wantSpent("after what was refused", "acme", name, want)
	}
	// One that was never counted stands beside one that was.
	w.commit("acme", spending(spend("new", 5, 5), spend("a", 9, 10)))
	w.wantSpent("new", "acme", "new", 5)
	w.wantSpent("and old", "acme", "a", 10)
}

func budgetFails(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	costs := func(r vault.Restore) vault.Restore {
		r.Spends = []vault.Spend{spend("a", 1, 2)}
		return r
	}
	consents := costs(p.Restore(m))
	consents.Standing = []string{"none"}
	for _, effect := range []vault.Restore{costs(p.Restore(m, p.Value("none"))), consents} {
		w.refuse(vault.ErrConflict, "acme", effect)
	}
	stop := w.begin("acme", suspension(w, vault.SuspensionMatch{}))
	w.refuse(vault.ErrConflict, "acme", costs(p.Restore(m)))
	w.end("acme", stop, vault.ProceedingDone)
	w.wantSpent("after what was refused", "acme", "a", 0)
	// Beside others in one commit, too.
	answers := w.window("acme",
		Change(w, "acme", costs(p.Restore(p.Value("none")))), Change(w, "acme", costs(p.Restore(m))),
		Change(w, "acme", consents), Change(w, "acme", costs(p.Restore(m))), Change(w, "acme", costs(p.Restore(m))))
	for i, want := range []error{vault.ErrConflict, nil, vault.ErrConflict, nil, vault.ErrExhausted} {
		w.is(answers[i].err, want)
	}
	if answers[1].Tree != answers[3].Tree {
		w.Error("what failed kept others from their commit")
	}
	w.wantSpent("in the end", "acme", "a", 2)
	// An idempotency key of what was refused is free.
	_, err := w.claim("acme", "k", "b", costs(p.Restore(m)))
	w.is(err, vault.ErrExhausted)
	w.claimed("acme", "k", "", "")
	w.CheckLog("acme")
}

func budgetHours(w *world) {
	w.tenant("acme")
	ends := w.now().Truncate(time.Hour).Add(time.Hour)
	until := func(what string, want time.Time) {
		w.Helper()
		_, got, err := w.Proceedings.Spent(w.ctx, "acme", []vault.Digest{Digest("budget", "a")})
		w.no(err)
		if !got.Equal(want) || got.Location() != time.UTC {
			w.Errorf("%s: the hour ends at %v, want %v", what, got, want)
		}
	}
	until("at first", ends)
	w.commit("acme", spending(spend("a", 2, 2)))
	w.clock.Advance(ends.Sub(w.clock.Now()) - time.Microsecond)
	w.refuse(vault.ErrExhausted, "acme", spending(spend("a", 1, 2)))
	until("just before its end", ends)
	w.wantSpent("just before its end", "acme", "a", 2)
	w.clock.Advance(time.Microsecond)
	w.wantSpent("the next hour", "acme", "a", 0)
	until("the next hour", ends.Add(time.Hour))
	w.commit("acme", spending(spend("a", 1, 2)))
	// A clock that goes back does not bring the hour back: the log knows better.
	w.clock.Advance(-time.Hour)
	w.commit("acme", spending(spend("a", 1, 2)))
	w.refuse(vault.ErrExhausted, "acme", spending(spend("a", 1, 2)))
	w.wantSpent("with the clock back", "acme", "a", 2)
	until("with the clock back", ends.Add(time.Hour))
	// What waits counts in the hour in which it is committed.
	w.clock.Advance(time.Hour)
	answers := w.windowThen(func() { w.clock.Advance(time.Hour) }, "acme", Change(w, "acme", spending(spend("a", 2, 2))))
	w.no(answers[0].err)
	w.wantSpent("of what waited", "acme", "a", 2)
	w.clock.Advance(-24 * time.Hour)
	until("a day back", ends.Add(2*time.Hour))
}

func budgetStrange(w *world) {
	w.tenant("acme")
	w.commit("acme", spending(spend("a", 5, 10)))
	for _, s := range []vault.Spend{
		spend("a", -1, 10), spend("a", math.MinInt, 10), spend("a", 0, 10), spend("a", math.MinInt64+5, math.MaxInt),
		spend("b", -1, 10), spend("b", 0, 0), spend("a", 0, 0),
	} {
		before := w.size("acme")
		if _, err := w.try("acme", spending(s)); err != nil && w.size("acme") != before {
			w.Errorf("%+v failed with %v and left an entry", s, err)
		}
		w.wantSpent(fmt.Sprintf("after %+v", s), "acme", "a", 5)
		w.wantSpent(fmt.Sprintf("after %+v", s), "acme", "b", 0)
	}
	for _, s := range []vault.Spend{
		spend("a", 1, -1), spend("a", 1, math.MinInt), spend("a", math.MaxInt, 10), spend("a", math.MaxInt-4, 10), spend("b", 1, -1),
		spend("a", math.MaxInt-4, math.MaxInt),
	} {
		w.refuse(vault.ErrExhausted, "acme", spending(s))
	}
	// One budget twice in a change is refused, or counted twice: not once.
	for _, twice := range []vault.Restore{spending(spend("c", 3, 5), spend("c", 3, 5)), spending(spend("a", 3, 10), spend("a", 3, 10))} {
		if _, err := w.try("acme", twice); err == nil {
			w.Errorf("a budget was passed by naming it twice: %+v", twice.Spends)
		}
	}
	w.wantSpent("in the end", "acme", "a", 5)
	w.wantSpent("in the end", "acme", "c", 0)
	w.commit("acme", spending(spend("a", 5, 10)))
}

func budgetBatch(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	w.commit("acme", spending(spend("a", 7, 50)))
	// A plain count, in the order of the log.
	counted, both, mostA, mostBoth := 7, 0, 50, 20
	var changes []vault.Change
	var want []error
	for i := range 60 {
		effect := p.Restore(m)
		effect.Spends = []vault.Spend{spend("a", i%4+1, mostA)}
		a, b := i%4+1, 0
		if i%3 == 0 {
			b = i % 5
		}
		if b > 0 {
			effect.Spends = append(effect.Spends, spend("both", b, mostBoth))
		}
		if i%7 == 0 {
			effect.Refs = p.Restore(p.Value("none")).Refs
			want = append(want, vault.ErrConflict)
		} else if counted+a > mostA || both+b > mostBoth {
			want = append(want, vault.ErrExhausted)
		} else {
			counted, both = counted+a, both+b
			want = append(want, nil)
		}
		changes = append(changes, Change(w, "acme", effect))
	}
	answers := w.window("acme", changes...)
	trees := make(map[*vault.Tree]bool)
	for i, a := range answers {
		if !errors.Is(a.err, want[i]) {
			w.Errorf("change %d: got %v, want %v", i, a.err, want[i])
		}
		if a.err == nil {
			trees[a.Tree] = true
		}
	}
	if len(trees) != 1 || !slices.Contains(want, vault.ErrExhausted) {
		w.Errorf("what waited took %d commits", len(trees))
	}
	w.wantSpent("in the end", "acme", "a", counted)
	w.wantSpent("in the end", "acme", "both", both)
	w.CheckLog("acme")
}

func budgetRace(w *world) {
	p := w.place("acme")
	m := p.Value("v")
	w.keep(p, m)
	const clients, limit = 64, 150
	var given, refused atomic.Int64
	var group sync.WaitGroup
	release := w.Hold() // so that the first of all share commits
	for i := range clients {
		group.Go(func() {
			// Who may not have three has two, until not even one is left.
			for tokens := i%3 + 1; tokens > 0 && given.Load() <= limit; {
				effect := p.Restore(m)
				effect.Spends = []vault.Spend{spend("a", tokens, limit), spend(fmt.Sprint("client ", i), tokens, limit)}
				_, err := w.Store.Commit(w.ctx, "acme", Change(w, "acme", effect))
				switch {
				case err == nil:
					given.Add(int64(tokens))
				case errors.Is(err, vault.ErrExhausted):
					refused.Add(1)
					tokens--
				default:
					w.Errorf("unexpected error: %v", err)
					return
				}
			}
		})
	}
	w.awaitWaiting("acme", clients)
	release()
	group.Wait()
	if given.Load() != limit || refused.Load() < clients {
		w.Errorf("of %d tokens %d were given, and %d refused", limit, given.Load(), refused.Load())
	}
	w.wantSpent("in the end", "acme", "a", limit)
	each := 0
	for i := range clients {
		each += w.spent("acme", fmt.Sprint("client ", i))
	}
	if each != limit {
		w.Errorf("of each of the clients %d were counted, of all of them %d", each, limit)
	}
	w.CheckLog("acme")
}

func budgetTold(w *world) {
	w.tenant("acme")
	var keys []vault.Digest
	var want []int
	for i := range 30 {
		keys = append(keys, Digest("budget", fmt.Sprint(i)))
		if want = append(want, 0); i%3 != 0 {
			want[i] = i
			w.commit("acme", spending(spend(fmt.Sprint(i), i, 100)))
		}
	}
	check := func(what string, keys []vault.Digest, want []int) {
		w.Helper()
		got, _, err := w.Proceedings.Spent(w.ctx, "acme", keys)
		w.no(err)
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	check("in order", keys, want)
	slices.Reverse(keys)
	slices.Reverse(want)
	check("the other way round", keys, want)
	check("one twice", []vault.Digest{keys[1], keys[2], keys[1]}, []int{want[1], want[2], want[1]})
	got, until, err := w.Proceedings.Spent(w.ctx, "acme", nil)
	w.no(err)
	if len(got) != 0 || !until.After(w.now()) {
		w.Errorf("of no budgets: %v, %v", got, until)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	check("after a restart", keys, want)
	w.refuse(vault.ErrExhausted, "acme", spending(spend("29", 1, 29)))
}

func budgetForgotten(w *world) {
	w.tenant("acme")
	forget := func(what string, limit, want int) {
		w.Helper()
		before := w.size("acme")
		got, err := w.Proceedings.ForgetSpent(w.ctx, "acme", limit)
		w.no(err)
		if got != want || w.size("acme") != before {
			w.Errorf("%s: %d counts were forgotten, want %d", what, got, want)
		}
	}
	forget("nothing", 10, 0)
	w.clock.Advance(w.now().Truncate(time.Hour).Add(time.Hour).Sub(w.now()))
	for i := range 5 {
		w.commit("acme", spending(spend("a", 1, 10), spend(fmt.Sprint(i), 1, 10)))
	}
	forget("in their hour", 10, 0)
	w.clock.Advance(time.Hour - time.Microsecond)
	forget("just before its end", 10, 0)
	w.wantSpent("in their hour", "acme", "a", 5)
	w.clock.Advance(time.Microsecond)
	w.commit("acme", spending(spend("a", 2, 10)))
	forget("at most four", 4, 4)
	forget("the rest", 10, 2)
	forget("none is left", 10, 0)
	w.wantSpent("of this hour", "acme", "a", 2)
	// The log knows how late it is.
	w.clock.Advance(-time.Hour)
	forget("with the clock back", 10, 0)
	w.wantSpent("with the clock back", "acme", "a", 2)
	w.clock.Advance(3 * time.Hour)
	forget("much later", 10, 1)
}

func budgetForeign(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	w.commit("acme", spending(spend("a", 10, 10)))
	w.wantSpent("theirs", "Acme", "a", 0)
	w.commit("Acme", spending(spend("a", 3, 10)))
	w.wantSpent("mine", "acme", "a", 10)
	w.wantSpent("theirs", "Acme", "a", 3)
	w.clock.Advance(2 * time.Hour)
	if got, err := w.Proceedings.ForgetSpent(w.ctx, "Acme", 10); got != 1 || err != nil {
		w.Errorf("forgot %d counts, %v", got, err)
	}
	if got, err := w.Proceedings.ForgetSpent(w.ctx, "acme", 10); got != 1 || err != nil {
		w.Errorf("forgot %d counts of the other, %v", got, err)
	}
}

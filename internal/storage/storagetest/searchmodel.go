package storagetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// searchModel compares searches with what a reader of all leaves finds: entries and
// queries of a few values each, so that most combinations meet something.
func searchModel(w *world) {
	w.tenant("acme")
	random := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // a log that is the same each time
	for range 12 {
		var changes []vault.Change
		for range 5 {
			changes = append(changes, changeWith(w, "acme", vault.Record{}, randomEntry(random)))
		}
		w.clock.Advance(time.Second)
		for _, a := range w.window("acme", changes...) {
			w.no(a.err)
		}
	}
	all, err := w.Ledger.Entries(w.ctx, "acme", vault.EntryQuery{})
	w.no(err)
	for range Scale(300, 5000) {
		q := randomQuery(random)
		var want []int64
		for _, e := range all {
			if fulfils(w, e, q) {
				want = append(want, e.Index)
			}
		}
		if q.Descending {
			slices.Reverse(want)
		}
		n, err := w.Ledger.CountEntries(w.ctx, "acme", q)
		w.no(err)
		if n != int64(len(want)) {
			w.Errorf("%+v: %d are counted, want %d", q, n, len(want))
		}
		if q.Limit > 0 && len(want) > q.Limit {
			want = want[:q.Limit]
		}
		if diff := cmp.Diff(want, w.find(q)); diff != "" {
			w.Fatalf("%+v: %s", q, diff)
		}
	}
}

// fulfils reads from a leaf whether a query selects it.
func fulfils(w *world, stored vault.StoredEntry, q vault.EntryQuery) bool {
	e, err := audit.ParseLeaf(stored.Leaf)
	w.no(err)
	if !q.Since.IsZero() && e.Time.Before(q.Since) || !q.Until.IsZero() && !e.Time.Before(q.Until) {
		return false
	}
	terms := entryrow.TermsOf(&e)
	for _, wish := range entryrow.Wanted(q) {
		if !slices.ContainsFunc(wish.Values, func(value string) bool {
			return slices.Contains(terms, entryrow.Term{Field: wish.Field, Value: value})
		}) {
			return false
		}
	}
	return true
}

// one of a few, or none.
func oneOf(random *rand.Rand, of string) string {
	if n := random.IntN(4); n > 0 {
		return fmt.Sprint(of, n)
	}
	return ""
}

func someOf(random *rand.Rand, of string) (some []string) {
	for range random.IntN(4) {
		some = append(some, fmt.Sprint(of, random.IntN(5)))
	}
	return some
}

func randomEntry(random *rand.Rand) audit.Entry {
	kinds := []audit.Kind{audit.KindOutcome, audit.KindIntegrityFailure, audit.KindDispatch, audit.KindControl}
	e := audit.Entry{
		Kind: kinds[random.IntN(len(kinds))], Actor: oneOf(random, "a"), Reason: oneOf(random, "r"), Reference: oneOf(random, "f"),
		Client: audit.Client{ClientID: oneOf(random, "c")}, Destination: oneOf(random, "d"), RequestID: oneOf(random, "q"),
		ScopeRefs: someOf(random, "s"), SubjectRefs: someOf(random, "p"),
	}
	for _, approver := range someOf(random, "a") {
		e.Obligations = append(e.Obligations, audit.ObligationApprover+approver)
	}
	return e
}

func randomQuery(random *rand.Rand) vault.EntryQuery {
	q := vault.EntryQuery{Descending: random.IntN(2) == 0, Limit: random.IntN(3) * 4}
	if random.IntN(3) == 0 {
		q.Since = start.Add(time.Duration(random.IntN(8)) * time.Second)
		q.Until = q.Since.Add(time.Duration(random.IntN(8)) * time.Second)
	}
	for range 1 + random.IntN(3) {
		switch random.IntN(7) {
		case 0:
			q.Actor = oneOf(random, "a")
		case 1:
			q.Approver = oneOf(random, "a")
		case 2:
			q.Reason, q.Client = oneOf(random, "r"), oneOf(random, "c")
		case 3:
			q.Destination = oneOf(random, "d")
		case 4:
			q.Reference = oneOf(random, "f")
		case 5:
			q.Scopes = someOf(random, "s")
		default:
			q.Subjects = someOf(random, "p")
		}
	}
	return q
}

// Package storagetest is the contract of vault.Store, vault.Ledger,
// vault.Bookkeeping, vault.Registry, vault.Custody, vault.Erasures,
// vault.Requests, vault.Remains, vault.Proceedings, vault.Outbox, vault.Grants and vault.Pruner
// as tests: a clause for each sentence of it.
// A store runs all of them in three lines:
//
//	func TestContract(t *testing.T) {
//		storagetest.Run(t, openStores)
//	}
//
// A store that is broken on purpose shows that a clause would notice:
//
//	storagetest.MustFail(t, "Invariant9/an expired mapping is not restorable", openBroken)
//
// The suite drives a store through the interfaces alone. It needs two things
// beside them: a clock that it sets, and a hold on the commit queue, to have
// changes wait together and so share a batch.
package storagetest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Stores is one store in its roles.
type Stores struct {
	Store    vault.Store
	Ledger   vault.Ledger
	Books    vault.Bookkeeping
	Registry vault.Registry
	Custody  vault.Custody
	Erasures vault.Erasures
	Requests vault.Requests
	Remains  vault.Remains

	Proceedings vault.Proceedings
	Outbox      vault.Outbox
	Grants      vault.Grants

	// Hold keeps the queue from taking a batch until release is called.
	Hold func() (release func())
	// Waiting tells how many changes of a tenant wait in the queue.
	Waiting func(tenant string) int
	// Pruner opens the same data to prune it, after Close, in batches of PrunesAtOnce;
	// done closes it.
	Pruner func() (p vault.Pruner, done func() error)
	// Close closes the store. It may be called twice.
	Close func() error
	// Reopen opens the same data again, after Close.
	Reopen func() Stores
}

// Open makes an empty store that goes by the clock. It registers with t what
// has to be cleaned up.
type Open func(t testing.TB, clock func() time.Time) Stores

// clause is one sentence of the contract.
type clause struct {
	name string
	run  func(*world)
}

func clauses() []clause {
	var all []clause
	for _, part := range [][]clause{
		tenantClauses, identifierClauses, timeClauses, scopeClauses, tokenizeClauses, expiryClauses, subjectClauses,
		keyClauses, stateClauses, rewrapClauses, claimClauses, sourceClauses, restoreClauses, sweepClauses,
		holdClauses, heldClauses, custodyClauses, personClauses, personTokenClauses, closingClauses,
		erasureClauses, erasedClauses, planClauses, refusalClauses, deferredClauses, linkClauses, erasureRaceClauses,
		requestClauses, restrictionClauses, destinationClauses, nameClauses, inventoryClauses,
		finalityClauses, tombstoneClauses, replayClauses, suppressionClauses, movingClauses, strangeClauses,
		proceedingClauses, redeemClauses, budgetClauses, suspensionClauses, reviewClauses, noticeClauses, exposureClauses,
		liveClauses, useClauses, drawClauses, riderClauses,
		logClauses, logKeyClauses, pruneClauses, searchClauses, batchClauses, lifeClauses, pairClauses(), entitledClauses(), entitledModelClauses,
	} {
		all = append(all, part...)
	}
	return all
}

// Run runs every clause against a store of its own.
func Run(t *testing.T, open Open) {
	for _, c := range clauses() {
		t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, open)) })
	}
}

// RunOnly runs the clauses whose names begin in one of these ways, each of which some
// clause does: where a store is opened in another way, and all would take too long.
func RunOnly(t *testing.T, open Open, names ...string) {
	for _, name := range names {
		if !slices.ContainsFunc(clauses(), func(c clause) bool { return strings.HasPrefix(c.name, name) }) {
			t.Errorf("there is no clause %q", name)
		}
	}
	for _, c := range clauses() {
		if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(c.name, name) }) {
			t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, open)) })
		}
	}
}

// MustFail runs one clause, or all whose names begin like it, against a store
// that is broken, and fails unless the clause did.
func MustFail(t *testing.T, name string, open Open) {
	t.Helper()
	if underRace {
		t.Skip("the race detector finds nothing in a broken store: twins run without it")
	}
	known, failed := false, false
	for _, c := range clauses() {
		if !strings.HasPrefix(c.name, name) {
			continue
		}
		known = true
		failed = failed || fails(t, func(tb testing.TB) { c.run(newWorld(tb, open)) })
	}
	switch {
	case !known:
		t.Errorf("there is no clause %q", name)
	case !failed:
		t.Errorf("the clause %q holds for a broken store", name)
	}
}

// fails runs a test on the side and tells whether it failed. What it said is
// logged, so that a reader sees that it failed for the right reason.
func fails(t *testing.T, test func(testing.TB)) bool {
	r := &recorder{TB: t}
	done := make(chan struct{})
	// FailNow ends the goroutine that calls it.
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	if r.failed.Load() {
		t.Logf("noticed: %s", *r.first.Load())
	}
	return r.failed.Load()
}

// recorder is a TB whose failures are counted and not passed on. Cleanup and
// the rest go to the test that it stands for.
type recorder struct {
	testing.TB
	failed atomic.Bool
	first  atomic.Pointer[string]
}

func (r *recorder) fail(what string) {
	r.first.CompareAndSwap(nil, &what)
	r.failed.Store(true)
}

func (r *recorder) Helper()                           {}
func (r *recorder) Error(args ...any)                 { r.fail(fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) { r.fail(fmt.Sprintf(format, args...)) }
func (r *recorder) Fail()                             { r.fail("") }
func (r *recorder) Failed() bool                      { return r.failed.Load() }
func (r *recorder) FailNow()                          { r.fail(""); runtime.Goexit() }
func (r *recorder) Fatal(args ...any)                 { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }

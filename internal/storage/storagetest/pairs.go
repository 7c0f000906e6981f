package storagetest

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Every ordered pair of what uses and what destroys a mapping is submitted
// while the queue is held, so that both are in one window. Whatever the store
// makes of it, the answers and what is left must be those of one of the two
// serial orders, and where both are in the log, of the order in which they
// stand there. A model says what those are.

// operation is one side of a pair.
type operation string

const (
	opRestore  operation = "restore"
	opReuse    operation = "tokenize the same value"
	opFresh    operation = "tokenize another value"
	opSweep    operation = "expire and sweep"
	opDestroy  operation = "destroy the key"
	opSuspend  operation = "suspend the tenant"
	opPlace    operation = "hold the value"
	opRelease  operation = "release what is held"
	opReach    operation = "restore what is past its time"
	opClose    operation = "close the scope"
	opErase    operation = "erase the person"
	pairTimes            = 200
	pairTimesL           = 2000 // with COUNTERFOIL_LONG=1
	// Under the race detector it is a part of them; the Makefile runs all of them
	// without it as well.
	pairPart = 5
	// Pairs with a hold or a closing are a thousand in all, and a hundred
	// thousand with COUNTERFOIL_LONG=1.
	custodyTimes  = 50
	custodyTimesL = 5000
)

var operations = []operation{opRestore, opReuse, opFresh, opSweep, opDestroy, opSuspend, opPlace, opRelease, opReach, opClose, opErase}

// pairClauses has one clause for each ordered pair, under the invariant that
// it is about: a suspension (15), a hold (7), expiry (9), destruction (8), else
// the entry (2).
func pairClauses() []clause {
	var all []clause
	for _, a := range operations {
		for _, b := range operations {
			invariant := 2
			switch {
			case a.apart(b) || b.apart(a):
				continue // they have nothing to do with each other
			case a == opSuspend || b == opSuspend:
				invariant = 15
			case a.holds() || b.holds():
				invariant = 7
			case a == opClose || b == opClose:
				invariant = 9
			case a == opSweep || b == opSweep:
				invariant = 9
			case a == opDestroy || b == opDestroy, a == opErase || b == opErase:
				invariant = 8
			}
			all = append(all, clause{
				fmt.Sprintf("Invariant%d/in one window/%s, then %s", invariant, a, b),
				func(w *world) { pair(w, a, b) },
			})
		}
	}
	return all
}

// serves tells whether a suspended tenant refuses the operation.
func (op operation) serves() bool { return op == opRestore || op == opReuse || op == opFresh }

// holds tells whether the operation decides what is held.
func (op operation) holds() bool { return op == opPlace || op == opRelease }

// uses tells whether a hold makes a difference to the operation.
func (op operation) uses() bool {
	return op == opSweep || op == opDestroy || op == opReach || op == opErase
}

// apart tells of those that matter to a few others only that another is none
// of them.
func (op operation) apart(other operation) bool {
	switch op {
	case opSuspend:
		return !other.serves()
	case opPlace, opRelease:
		return !other.uses()
	case opReach:
		return !other.holds()
	case opClose:
		return !other.serves() && other != opDestroy && other != opErase
	default:
		return false
	}
}

// pairWorld is what a pair is about: a mapping, and its key.
type pairWorld struct {
	*world
	Place
	old          vault.NewMapping // kept before
	again, fresh vault.NewMapping // what opReuse and opFresh bring
	holdID       string           // of the hold that opRelease ends
	ann          vault.Subject    // whom opErase erases
}

// model is the state that the operations meet. The zero value is what is there
// before a pair whose clock stands still.
type model struct {
	swept, destroyed, expired bool
	replaced                  bool // an expired mapping was retired by another
	againStands, freshStands  bool
	suspended                 bool
	held, closed              bool
	erased                    bool // the key is gone, the row stands
}

// does says how an operation ends in a state, and what it leaves.
func (m model) does(op operation) (model, error) {
	standing := !m.swept && !m.destroyed && !m.expired && !m.replaced && !m.erased
	if m.suspended && op.serves() {
		return m, vault.ErrSuspended
	}
	switch op {
	case opSuspend:
		m.suspended = true
	case opPlace, opRelease:
		m.held = op == opPlace
	case opClose:
		m.closed, m.expired = true, true
	case opRestore:
		if !standing {
			return m, vault.ErrConflict
		}
	case opReach:
		if m.swept || m.destroyed || m.erased || !standing && !m.held {
			return m, vault.ErrConflict
		}
	case opReuse:
		switch {
		case m.closed:
			return m, vault.ErrScopeMoved
		case standing || m.againStands:
		case m.destroyed || m.erased:
			return m, vault.ErrKeyDestroyed
		default:
			m.againStands, m.replaced = true, !m.swept
		}
	case opFresh:
		switch {
		case m.closed:
			return m, vault.ErrScopeMoved
		case m.freshStands:
		case m.destroyed || m.erased:
			return m, vault.ErrKeyDestroyed
		default:
			m.freshStands = true
		}
	case opSweep:
		if m.swept || m.destroyed || !m.erased && (!m.expired || m.held) {
			return m, vault.ErrConflict
		}
		m.swept = true
	case opDestroy:
		switch {
		case m.destroyed || m.erased:
			return m, vault.ErrConflict
		case m.held:
			return m, vault.ErrHeld
		}
		m.destroyed, m.againStands, m.freshStands = true, false, false
	case opErase:
		// It was planned where nothing but the value was under the key.
		if m.swept || m.destroyed || m.erased || m.held || m.againStands || m.freshStands {
			return m, vault.ErrConflict
		}
		m.erased = true
	}
	return m, nil
}

func pair(w *world, a, b operation) {
	times, long := pairTimes, pairTimesL
	if a.holds() || b.holds() || a == opClose || b == opClose {
		times, long = custodyTimes, custodyTimesL
	}
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		times = long
	} else if underRace {
		times /= pairPart
	}
	p := w.place("acme")
	for i := range times {
		if !pairOnce(w, p, i, a, b) {
			w.Fatalf("in repetition %d", i)
		}
	}
	w.CheckLog("acme")
}

func pairOnce(w *world, p Place, i int, a, b operation) bool {
	is := func(op operation) bool { return a == op || b == op }
	if is(opClose) {
		p = w.scope("acme", fmt.Sprint("conversation ", i))
	}
	p.Key = p.FreshKey()
	x := &pairWorld{
		world: w, Place: p, old: p.Value(fmt.Sprint("value ", i)), again: p.Value(fmt.Sprint("value ", i)),
		fresh: p.Value(fmt.Sprint("other ", i)),
	}
	setup := p.Tokenize(x.old)
	setup.Keys = []vault.DataKey{p.Key}
	if is(opErase) {
		x.ann = person(fmt.Sprint("ann ", i))
		setup.Subjects, setup.Mappings[0].SubjectRefs = []vault.SubjectUse{{Subject: x.ann, New: true}}, []string{x.ann.Ref}
	}
	w.commit("acme", setup)
	if is(opRelease) {
		x.holdID = w.hold("acme", onValue(x.old))
	}
	changes := []vault.Change{Change(w, "acme", x.effect(a)), Change(w, "acme", x.effect(b))}
	expires := is(opSweep) || is(opReach)
	answers := w.windowThen(func() {
		if expires {
			w.clock.Advance(ttl)
		}
	}, "acme", changes...)
	begin := model{expired: expires, held: is(opRelease)}
	ab := x.matches(begin, []operation{a, b}, answers[0].err, answers[1].err)
	ba := x.matches(begin, []operation{b, a}, answers[1].err, answers[0].err)
	if answers[0].err == nil && answers[1].err == nil {
		// Both are in the log, so the log says which order it was.
		ab, ba = ab && answers[0].First < answers[1].First, ba && answers[1].First < answers[0].First
	}
	if !ab && !ba {
		w.Errorf("%s: %v; %s: %v; left: %s; that is neither order", a, answers[0].err, b, answers[1].err, x.left())
	}
	for i, c := range changes {
		entries, err := w.Ledger.Entries(context.Background(), "acme", vault.EntryQuery{ChangeID: c.ID()})
		w.no(err)
		if (answers[i].err == nil) != (len(entries) == 1) {
			w.Errorf("answer %v, and %d entries", answers[i].err, len(entries))
		}
	}
	if is(opSuspend) {
		w.commit("acme", vault.SetTenant{State: vault.TenantActive})
	}
	return !w.Failed()
}

func (x *pairWorld) effect(op operation) vault.Effect {
	switch op {
	case opRestore:
		return x.Restore(x.old)
	case opReuse:
		return x.Tokenize(x.again)
	case opFresh:
		return x.Tokenize(x.fresh)
	case opSweep:
		return x.Sweep(x.old)
	case opSuspend:
		return vault.SetTenant{State: vault.TenantSuspended}
	case opPlace:
		return vault.PlaceHold{Hold: vault.Hold{Matter: "M-1", Reference: "R-1", Match: onValue(x.old)}}
	case opRelease:
		return vault.ReleaseHold{ID: x.holdID}
	case opReach:
		r := x.Restore(x.old)
		r.Refs[0].Expired = true
		return r
	case opClose:
		return x.close()
	case opErase:
		return vault.Erase{Erasure: erasureOf(x.ann), Keys: []string{x.Key.ID}}
	default:
		return vault.DestroyKeys{Keys: []string{x.Key.ID}}
	}
}

// matches plays operations in an order on the model, and compares the answers
// and what is left.
func (x *pairWorld) matches(m model, order []operation, answers ...error) bool {
	for i, op := range order {
		var want error
		if m, want = m.does(op); !errors.Is(answers[i], want) {
			return false
		}
	}
	return x.left() == m.left()
}

// left says which rows a state leaves to be read.
func (m model) left() string {
	return fmt.Sprint("old ", !m.swept && !m.destroyed && !m.replaced, ", again ", m.againStands,
		", other ", m.freshStands, ", key ", !m.destroyed && !m.erased)
}

// left says which rows are read.
func (x *pairWorld) left() string {
	ids := []string{x.old.Mapping.TokenID, x.again.Mapping.TokenID, x.fresh.Mapping.TokenID}
	got := x.read(x.Place, ids...)
	has := func(i int) bool { _, ok := got[ids[i]]; return ok }
	keys, err := x.Store.Keys(context.Background(), "acme", vault.KeyQuery{IDs: []string{x.Key.ID}})
	x.no(err)
	return fmt.Sprint("old ", has(0), ", again ", has(1), ", other ", has(2), ", key ", len(keys) == 1)
}

package storagetest

import (
	"errors"
	"fmt"
	"os"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Pairs of what uses an approval, a consent, a budget and a grant, and what takes
// one of them away, are submitted like those of pairs.go: the answers and what is left
// are those of one of the two serial orders, and of the log.

const (
	opUse      operation = "redeem"
	opSpend    operation = "spend the last of a budget"
	opFlush    operation = "draw the last of a grant"
	opEnd      operation = "close the grant"
	opReject   operation = "reject the approval"
	opWithdraw operation = "withdraw the consent"
	opStop     operation = "suspend restorations"
	opLift     operation = "lift the suspension"

	// Of each order. A repetition prepares with five commits that share none; what
	// comes of two changes in one window hangs on their order alone.
	entitledTimes  = 5
	entitledTimesL = 500 // with COUNTERFOIL_LONG=1
)

// entitledClauses has one clause for each pair of which one restores.
func entitledClauses() []clause {
	var all []clause
	for _, uses := range []operation{opUse, opSpend, opFlush} {
		for _, other := range []operation{opUse, opSpend, opFlush, opReject, opWithdraw, opStop, opLift, opEnd, opDestroy} {
			invariant := 17
			switch {
			case uses != opUse && (other == opUse || other == opReject || other == opWithdraw), uses == opFlush && other == opSpend,
				uses != opFlush && other == opEnd:
				continue // the pair is there the other way round, or they have nothing to do with each other
			case other == opStop || other == opLift:
				invariant = 15
			case other == opDestroy || other == opWithdraw || other == opEnd:
				invariant = 8
			case other == opUse || other == opReject:
				invariant = 14
			}
			name := fmt.Sprintf("Invariant%d/in one window/%s and %s, in either order", invariant, uses, other)
			all = append(all, clause{name, func(w *world) { entitledPair(w, uses, other) }})
		}
	}
	return all
}

// entitledWorld is what such a pair is about.
type entitledWorld struct {
	*world
	Place
	value             vault.NewMapping
	approval, consent vault.Proceeding
	given             vault.Proceeding // the grant
	stop              vault.Proceeding // that opLift lifts
	budget            string
}

// entitled is the state that the operations meet.
type entitled struct {
	approval        vault.ProceedingState
	withdrawn, stop bool
	spent, drawn    int
	closed          bool // the grant is
	destroyed       bool
}

// does says how an operation ends in a state, and what it leaves.
func (m entitled) does(op operation) (entitled, error) {
	approved := m.approval == vault.ProceedingApproved
	switch op {
	case opUse, opSpend:
		switch {
		case op == opUse && (!approved || m.withdrawn) || m.stop || m.destroyed:
			return m, vault.ErrConflict
		case m.spent > 0:
			return m, vault.ErrExhausted
		}
		if m.spent++; op == opUse {
			m.approval = vault.ProceedingDone
		}
	case opFlush:
		switch {
		case m.closed || m.stop || m.destroyed:
			return m, vault.ErrConflict
		case m.spent > 0 || m.drawn > 0:
			return m, vault.ErrExhausted
		}
		m.spent, m.drawn = 1, 1
	case opEnd:
		m.closed = true
	case opReject:
		if !approved {
			return m, vault.ErrConflict
		}
		m.approval = vault.ProceedingRejected
	case opWithdraw:
		m.withdrawn = true
	case opStop, opLift:
		m.stop = op == opStop
	case opDestroy:
		m.destroyed = true
	}
	return m, nil
}

func entitledPair(w *world, a, b operation) {
	times := entitledTimes
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		times = entitledTimesL
	} else if underRace {
		times /= pairPart
	}
	p := w.place("acme")
	for i := range 2 * times {
		first, second := a, b
		if i%2 == 1 {
			first, second = b, a
		}
		if !entitledOnce(w, p, i, first, second) {
			w.Fatalf("in repetition %d", i)
		}
	}
	w.CheckLog("acme")
}

func entitledOnce(w *world, p Place, i int, a, b operation) bool {
	p.Key = p.FreshKey()
	x := &entitledWorld{
		world: w, Place: p, value: p.Value(fmt.Sprint("value ", i)), budget: fmt.Sprint("budget ", i),
		approval: w.approved("acme", vault.ProceedingRestoration, w.now().Add(life)),
		consent:  w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding)),
		given:    w.grant(p),
	}
	setup := p.Tokenize(x.value)
	setup.Keys = []vault.DataKey{p.Key}
	w.commit("acme", setup)
	begin := entitled{approval: vault.ProceedingApproved, stop: a == opLift || b == opLift}
	if begin.stop {
		x.stop = w.begin("acme", suspension(w, vault.SuspensionMatch{}))
	}
	changes := []vault.Change{x.change(a), x.change(b)}
	answers := w.window("acme", changes...)
	ab := x.matches(begin, []operation{a, b}, answers[0].err, answers[1].err)
	ba := x.matches(begin, []operation{b, a}, answers[1].err, answers[0].err)
	if answers[0].err == nil && answers[1].err == nil {
		ab, ba = ab && answers[0].First < answers[1].First, ba && answers[1].First < answers[0].First
	}
	if !ab && !ba {
		w.Errorf("%s: %v; %s: %v; left: %s; that is neither order", a, answers[0].err, b, answers[1].err, x.left())
	}
	for _, stop := range w.proceedings("acme", vault.ProceedingQuery{Kind: vault.ProceedingSuspension, Open: true}) {
		w.end("acme", stop, vault.ProceedingDone)
	}
	return !w.Failed()
}

func (x *entitledWorld) change(op operation) vault.Change {
	x.Helper()
	restore := x.Restore(x.value)
	restore.Spends = []vault.Spend{spend(x.budget, 1, 1)}
	closing := func(p vault.Proceeding, state vault.ProceedingState) vault.Change {
		p.State = state
		return Change(x, "acme", altering(p))
	}
	switch op {
	case opUse:
		restore.Standing = []string{x.consent.ID}
		return redeeming(Change(x, "acme", restore), x.approval)
	case opSpend:
		return Change(x, "acme", restore)
	case opFlush:
		// A token that is drawn for the first time: what was drawn before counts once.
		flush := x.drawing(x.given.ID, 1, x.value)
		flush.Draw.Uses, flush.Spends = []vault.MappingRef{{ScopeID: x.Scope.ID, TokenID: vault.NewID()}}, restore.Spends
		return Change(x, "acme", flush)
	case opEnd:
		return closing(x.given, vault.ProceedingDone)
	case opReject:
		return closing(x.approval, vault.ProceedingRejected)
	case opWithdraw:
		return closing(x.consent, vault.ProceedingDone)
	case opStop:
		return Change(x, "acme", vault.OpenProceeding{Proceeding: suspension(x, vault.SuspensionMatch{})})
	case opLift:
		return closing(x.stop, vault.ProceedingDone)
	default:
		return Change(x, "acme", vault.DestroyKeys{Keys: []string{x.Key.ID}})
	}
}

// matches plays operations in an order on the state, and compares the answers
// and what is left.
func (x *entitledWorld) matches(m entitled, order []operation, answers ...error) bool {
	for i, op := range order {
		var want error
		if m, want = m.does(op); !errors.Is(answers[i], want) {
			return false
		}
	}
	return x.left() == m.left()
}

func (m entitled) left() string {
	return fmt.Sprint("approval ", m.approval, ", withdrawn ", m.withdrawn, ", stopped ", m.stop, ", spent ", m.spent,
		", drawn ", m.drawn, ", closed ", m.closed, ", key ", !m.destroyed)
}

// left says what is read.
func (x *entitledWorld) left() string {
	stops := len(x.proceedings("acme", vault.ProceedingQuery{Kind: vault.ProceedingSuspension, Open: true})) > 0
	return fmt.Sprint("approval ", x.proceeding("acme", x.approval.ID).State,
		", withdrawn ", x.proceeding("acme", x.consent.ID).State == vault.ProceedingDone, ", stopped ", stops,
		", spent ", x.spent("acme", x.budget), ", drawn ", len(x.uses("acme", x.given.ID)),
		", closed ", x.proceeding("acme", x.given.ID).State.Closes(), ", key ", x.stands("acme", x.Key.ID) == 1)
}

package storagetest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Whatever is opened, changed, used, spent, granted and drawn, some of it in one window and with
// a clock that moves to and fro: the answers are those of a plain list, to which
// the same is done one after the other.

var entitledModelClauses = []clause{
	{"Invariant20/whatever is asked in whatever order, the answers are those of a plain list", plainList},
}

const (
	// Each window takes a few commits. With so many of this seed each of the
	// guards is met that decide, also those that are met rarely.
	plainWindows  = 80
	plainWindowsL = 1000 // with COUNTERFOIL_LONG=1
	plainSeed     = 3
	// plainStep is what the clock moves by, so that it often stands at the very
	// instant at which something ends.
	plainStep = 500 * time.Millisecond
	// plainPage is how many proceedings are compared, the newest.
	plainPage = 200
	// plainLimit is the limit of one budget of the list, and half of it that of the
	// other.
	plainLimit = 12
	// plainMost is how many tokens a grant may give that it does not name.
	plainMost = 2
)

// errWhatever stands for any error at all: of a change that makes no sense.
var errWhatever = errors.New("storagetest: any error")

// plain is the list, and what draws what is done to it.
type plain struct {
	*world
	rand        *rand.Rand
	p           Place
	value       vault.NewMapping
	last        time.Time // of the log, which never goes back
	proceedings map[string]vault.Proceeding
	order       []string                   // in which they were opened
	spent       map[string]int             // by budget and hour
	uses        map[string]map[string]bool // by grant and token: whether it was drawn
}

func plainList(w *world) {
	windows := plainWindows
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		windows = plainWindowsL
	} else if underRace {
		windows /= pairPart
	}
	l := &plain{
		world: w, rand: rand.New(rand.NewPCG(plainSeed, plainSeed)), p: w.place("acme"), //nolint:gosec // a test that is the same each time
		proceedings: make(map[string]vault.Proceeding), spent: make(map[string]int),
		uses: make(map[string]map[string]bool),
	}
	l.value = l.p.Value("v")
	l.value.TTL, l.value.MaxAge = life, life
	w.keep(l.p, l.value)
	l.last = w.now()
	outcomes := make(map[string]int)
	for i := range windows {
		var changes []vault.Change
		for range 1 + l.rand.IntN(6) {
			changes = append(changes, l.draw(changes))
		}
		for n, a := range w.window("acme", changes...) {
			want := l.does(changes[n])
			outcomes[fmt.Sprintf("%T %v", changes[n].Effect(), want)]++
			fits := func(want error) bool { return errors.Is(want, errWhatever) || errors.Is(a.err, want) }
			if (a.err == nil) != (want == nil) || a.err != nil && !slices.ContainsFunc(want, fits) {
				w.Fatalf("window %d, change %d: %+v: got %v, want any of %v", i, n, changes[n].Effect(), a.err, want)
			}
		}
		l.note()
		if i%10 == 9 {
			l.compare(fmt.Sprint("after window ", i))
		}
		w.clock.Advance(time.Duration(l.rand.IntN(5)-1) * plainStep)
		if l.rand.IntN(20) == 0 {
			w.clock.Advance(time.Hour)
		}
	}
	l.compare("in the end")
	w.Logf("so often: %v", outcomes)
	if len(outcomes) < 5 {
		w.Error("only so much came about")
	}
	w.CheckLog("acme")
}

// now is the time of a commit.
func (l *plain) now() time.Time {
	if now := l.world.now(); now.After(l.last) {
		return now
	}
	return l.last
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// soon is no time, or one of the next steps.
func (l *plain) soon() time.Time {
	if n := l.rand.IntN(6); n > 0 {
		return l.world.now().Add(time.Duration(n) * plainStep)
	}
	return time.Time{}
}

// known is a proceeding as somebody read it: of an earlier window, or of this one,
// or one that is not there. Sometimes it is another one by now.
func (l *plain) known(window []vault.Change) vault.Proceeding {
	none := proceeding(vault.ProceedingApproval, vault.ProceedingPending)
	none.ID, none.Revision = "none", 1
	all := []vault.Proceeding{none}
	for _, c := range window {
		opened := c.Opens(vault.Outcome{})
		if e, opens := c.Effect().(vault.OpenProceeding); opens {
			opened = &e.Proceeding
		}
		if opened != nil {
			p := *opened
			if p.Revision = 1; c.Grant() == nil {
				p.ID = c.ID()
			}
			all = append(all, p)
		}
	}
	for _, id := range l.order[max(0, len(l.order)-8):] {
		all = append(all, l.proceedings[id])
	}
	p := pick(l.rand, all...)
	p.Revision += l.rand.IntN(5) / 4
	return p
}

// in is one that is known to be in a state, if chance will have it.
func (l *plain) in(state vault.ProceedingState, window []vault.Change) (p vault.Proceeding) {
	for range 6 {
		if p = l.known(window); p.State == state {
			break
		}
	}
	return p
}

// waits are the oldest of those that keep others from restoring: suspensions or
// reviews.
func (l *plain) waits() (open []vault.Proceeding) {
	kind := pick(l.rand, vault.ProceedingSuspension, vault.ProceedingReview)
	for _, id := range l.order {
		if p := l.proceedings[id]; p.Kind == kind && !p.State.Closes() && len(open) < 5 {
			open = append(open, p)
		}
	}
	return open
}

// draw makes a change.
func (l *plain) draw(window []vault.Change) vault.Change {
	kinds := []vault.ProceedingKind{
		vault.ProceedingApproval, vault.ProceedingConsent, vault.ProceedingReview, vault.ProceedingSuspension, vault.ProceedingPolicy,
	}
	switch l.rand.IntN(6) {
	case 0:
		p := proceeding(pick(l.rand, kinds...), pick(l.rand, vault.ProceedingPending, vault.ProceedingApproved, vault.ProceedingStanding))
		p.Actor, p.DueAt, p.ExpiresAt = pick(l.rand, "mia", "max"), l.soon(), l.soon()
		if p.Kind == vault.ProceedingSuspension {
			p.Body = suspension(l, vault.SuspensionMatch{Callers: []string{pick(l.rand, "mia", "max", "eve")}}).Body
		}
		return Change(l, "acme", vault.OpenProceeding{Proceeding: p})
	case 1:
		if open := l.waits(); len(open) > 0 && l.rand.IntN(2) == 0 {
			for i := range open {
				open[i].State = vault.ProceedingDone
			}
			return Change(l, "acme", altering(open...))
		}
		var all []vault.Proceeding
		for range 1 + l.rand.IntN(2) {
			p := l.known(window)
			p.State = pick(l.rand, vault.ProceedingPending, vault.ProceedingApproved, vault.ProceedingStanding,
				vault.ProceedingStanding, vault.ProceedingDone, vault.ProceedingRejected)
			p.DueAt, p.ExpiresAt = l.soon(), l.soon()
			all = append(all, p)
		}
		return Change(l, "acme", altering(all...))
	case 2:
		return l.drawGrant(window)
	default:
		return l.drawRestore(window)
	}
}

// drawGrant makes a change that gives out a grant, or a flush that draws of one.
func (l *plain) drawGrant(window []vault.Change) vault.Change {
	given := Grant(l.soon())
	switch l.rand.IntN(4) {
	case 0:
		effect := vault.Restore{By: vault.Restorer{Actor: "mia"}, Spends: []vault.Spend{spend("a", 1, plainLimit)}}
		return Granting(l, "acme", effect, given)
	case 1:
		var spends []vault.Spend
		if l.rand.IntN(3) == 0 {
			spends = []vault.Spend{spend("b", 1, plainLimit/2)}
		}
		return l.ridden(l.p.Tokenize(l.p.Value(fmt.Sprint("of a grant ", l.rand.IntN(3)))), Rider(given, spends...))
	default:
		grant := l.known(window)
		for range 20 {
			if grant.Kind == vault.ProceedingGrant && grant.State == vault.ProceedingStanding {
				break
			}
			grant = l.known(window)
		}
		effect := l.p.drawing(grant.ID, plainMost, l.value)
		effect.Draw.Uses = nil
		for range 1 + l.rand.IntN(2) {
			effect.Draw.Uses = append(effect.Draw.Uses, vault.MappingRef{ScopeID: l.p.Scope.ID, TokenID: fmt.Sprint(l.rand.IntN(8))})
		}
		return Change(l, "acme", effect)
	}
}

func (l *plain) drawRestore(window []vault.Change) vault.Change {
	effect := l.p.Restore(l.value)
	effect.By.Actor = pick(l.rand, "mia", "mia", "max")
	if l.rand.IntN(2) == 0 {
		effect.Spends = []vault.Spend{spend("a", 1+l.rand.IntN(3), plainLimit), spend("b", 1+l.rand.IntN(2), plainLimit/2)}
	}
	if l.rand.IntN(4) == 0 {
		effect.Standing = []string{l.in(vault.ProceedingStanding, window).ID}
	}
	effect.MaxOverdue = l.rand.IntN(4)
	change := Change(l, "acme", effect)
	if l.rand.IntN(4) == 0 {
		change = change.Opening(review(effect.By.Actor, l.world.now().Add(plainStep)))
	}
	if l.rand.IntN(4) == 0 {
		change = redeeming(change, l.in(vault.ProceedingApproved, window))
	}
	return change
}

// does plays a change, and returns the errors of which it has one, or none.
func (l *plain) does(c vault.Change) []error {
	now := l.now()
	if r := c.Redeems(); r != nil {
		p := l.proceedings[r.ID]
		if p.State != vault.ProceedingApproved || p.Revision != r.Revision || over(p, now) {
			return []error{vault.ErrConflict}
		}
	}
	var refused []error
	switch e := c.Effect().(type) {
	case vault.OpenProceeding:
		refused = l.opens(c.ID(), e.Proceeding, now)
	case vault.ChangeProceedings:
		refused = l.changes(e.Proceedings, now)
	case vault.Restore:
		refused = l.restores(e, now)
	case vault.Tokenize:
		refused = l.spends(c.Grant().Spends, now)
	}
	if refused != nil {
		return refused
	}
	l.last = now
	if r := c.Redeems(); r != nil {
		p := l.proceedings[r.ID]
		p.State, p.Revision, p.ClosedAt = vault.ProceedingDone, p.Revision+1, now
		l.proceedings[r.ID] = p
	}
	if p := c.Opens(vault.Outcome{}); p != nil {
		id := c.ID()
		if g := c.Grant(); g != nil {
			p, id = l.proceedingOf(g), g.ID
		}
		return l.opens(id, *p, now)
	}
	return nil
}

// proceedingOf is a grant that rode along, as it was completed by what stands: only
// the store knows that, and the clauses of riders check it.
func (l *plain) proceedingOf(g *vault.GrantRider) *vault.Proceeding {
	p := l.proceeding("acme", g.ID)
	opened := g.Opens
	opened.Body = p.Body
	return &opened
}

func over(p vault.Proceeding, now time.Time) bool {
	return !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// policies counts the policies that stand.
func policies(all map[string]vault.Proceeding) (n int) {
	for _, p := range all {
		if p.Kind == vault.ProceedingPolicy && p.State == vault.ProceedingStanding {
			n++
		}
	}
	return n
}

func (l *plain) opens(id string, p vault.Proceeding, now time.Time) []error {
	after := maps.Clone(l.proceedings)
	p.ID, p.Revision, p.CreatedAt = id, 1, now
	after[id] = p
	if policies(after) > 1 {
		return []error{vault.ErrConflict}
	}
	l.proceedings, l.order = after, append(l.order, id)
	return nil
}

func (l *plain) changes(all []vault.Proceeding, now time.Time) []error {
	after := maps.Clone(l.proceedings)
	for i, p := range all {
		was, known := after[p.ID]
		switch {
		case i > 0 && (p.ID == all[0].ID || p.Kind != all[0].Kind):
			return []error{errWhatever}
		case !known || was.Revision != p.Revision || was.State.Closes():
			return []error{vault.ErrConflict, errWhatever} // of two the other may be worse
		}
		p.Kind, p.Actor, p.CreatedAt, p.Revision = was.Kind, was.Actor, was.CreatedAt, was.Revision+1
		if p.State.Closes() {
			p.ClosedAt = now
		}
		after[p.ID] = p
	}
	if policies(after) > 1 {
		return []error{vault.ErrConflict}
	}
	l.proceedings = after
	return nil
}

func (l *plain) restores(e vault.Restore, now time.Time) []error {
	var refused []error
	overdue := 0
	var standing []vault.Proceeding
	for _, p := range l.proceedings {
		if p.Kind == vault.ProceedingReview && p.Actor == e.By.Actor && !p.State.Closes() && !p.DueAt.IsZero() && p.DueAt.Before(now) {
			overdue++
		}
		if p.Kind == vault.ProceedingSuspension && p.State == vault.ProceedingStanding && !over(p, now) {
			standing = append(standing, p)
		}
	}
	falls := func(id string) bool {
		p := l.proceedings[id]
		if e.Draw != nil && p.Kind != vault.ProceedingGrant {
			return true
		}
		return p.State != vault.ProceedingStanding || over(p, now)
	}
	if e.Stopped(standing) || e.MaxOverdue > 0 && overdue >= e.MaxOverdue || slices.ContainsFunc(e.Standing, falls) {
		refused = append(refused, vault.ErrConflict)
	}
	uses := l.draws(e.Draw)
	if uses == nil && e.Draw != nil || l.overspends(e.Spends, now) {
		refused = append(refused, vault.ErrExhausted)
	}
	if refused != nil {
		return refused
	}
	if e.Draw != nil {
		l.uses[e.Draw.GrantID] = uses
	}
	return l.spends(e.Spends, now)
}

// hourOf names a budget in an hour.
func hourOf(s vault.Spend, now time.Time) string { return fmt.Sprint(s.Key, now.Truncate(time.Hour)) }

func (l *plain) overspends(all []vault.Spend, now time.Time) bool {
	return slices.ContainsFunc(all, func(s vault.Spend) bool { return l.spent[hourOf(s, now)]+s.Tokens > s.Limit })
}

// spends counts against budgets, or none of it.
func (l *plain) spends(all []vault.Spend, now time.Time) []error {
	if l.overspends(all, now) {
		return []error{vault.ErrExhausted}
	}
	for _, s := range all {
		l.spent[hourOf(s, now)] += s.Tokens
	}
	return nil
}

// draws is what a grant gave after a draw, nil where that is more than it may.
func (l *plain) draws(d *vault.Draw) map[string]bool {
	if d == nil {
		return nil
	}
	after, drawn := maps.Clone(l.uses[d.GrantID]), 0
	if after == nil {
		after = make(map[string]bool)
	}
	for _, r := range d.Uses {
		if _, there := after[r.TokenID]; !there {
			after[r.TokenID] = true
		}
	}
	for _, is := range after {
		if is {
			drawn++
		}
	}
	if drawn > d.Most {
		return nil
	}
	return after
}

// note notes a use of a grant that stands, now and then.
func (l *plain) note() {
	p := l.known(nil)
	if l.rand.IntN(3) > 0 || p.Kind != vault.ProceedingGrant || p.ID == "none" {
		return
	}
	token := fmt.Sprint(l.rand.IntN(8))
	l.no(l.Grants.NoteUses(l.ctx, "acme", p.ID, []vault.MappingRef{{ScopeID: l.p.Scope.ID, TokenID: token}}))
	if _, there := l.uses[p.ID][token]; there || l.proceedings[p.ID].State.Closes() {
		return
	}
	if l.uses[p.ID] == nil {
		l.uses[p.ID] = make(map[string]bool)
	}
	l.uses[p.ID][token] = false
}

// compare compares what can be read with the list.
func (l *plain) compare(what string) {
	l.Helper()
	want := slices.SortedFunc(maps.Values(l.proceedings), func(a, b vault.Proceeding) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	want = want[:min(plainPage, len(want))]
	got := l.world.proceedings("acme", vault.ProceedingQuery{Limit: plainPage})
	if diff := gocmp.Diff(want, got, gocmp.Comparer(bytes.Equal)); diff != "" {
		l.Fatalf("%s: %s", what, diff)
	}
	for id, uses := range l.uses {
		var want []vault.MappingRef
		drawn := 0
		for token, is := range uses {
			want = append(want, vault.MappingRef{ScopeID: l.p.Scope.ID, TokenID: token})
			if is {
				drawn++
			}
		}
		l.wantUses(what, "acme", id, want...)
		if got := l.drawn(id); got != drawn {
			l.Errorf("%s: of %s %d are drawn, want %d", what, id, got, drawn)
		}
	}
	for _, name := range []string{"a", "b"} {
		key := Digest("budget", name)
		l.wantSpent(what, "acme", name, l.spent[fmt.Sprint(key, l.now().Truncate(time.Hour))])
	}
}

package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// riderClauses are about grants that are given out with something else.
var riderClauses = []clause{
	{"Invariant2/a restoration gives out a grant, or neither is there", grantOfRestore},
	{"Invariant2/a tokenize gives out a grant of what stands, or neither is there", grantOfTokenize},
	{"Invariant2/a tokenize whose grant fails does nothing", riderFails},
	{"Invariant2/only a tokenize takes a grant along", riderElsewhere},
	{"Invariant17/a grant that rides along counts against its budgets", riderSpends},
	{"batch/a tokenize with a grant shares its commit", riderShares},
	{"grants/the entries of a grant of many tokens stand in a row", riderOfMany},
}

// entriesOf reads the entries of a change.
func (w *world) entriesOf(tenant, changeID string) (all []audit.Entry) {
	w.Helper()
	stored, err := w.Ledger.Entries(w.ctx, tenant, vault.EntryQuery{ChangeID: changeID})
	w.no(err)
	for _, s := range stored {
		e, err := audit.ParseLeaf(s.Leaf)
		w.no(err)
		all = append(all, e)
	}
	return all
}

func grantOfRestore(w *world) {
	p := w.place("acme")
	v := w.values(p, 2)
	want := Grant(w.now().Add(time.Minute))
	want.Body = bodyOf([]string{"a"})
	asked := want
	asked.ID, asked.Revision, asked.CreatedAt = "of the caller", 7, start // none of which counts
	w.clock.Advance(time.Second)
	effect := p.Restore(v...)
	effect.Spends = []vault.Spend{spend("a", 2, 3)}
	given, over, lost := Granting(w, "acme", effect, asked), Granting(w, "acme", effect, asked), Granting(w, "acme", p.Restore(p.Value("none")), asked)
	answers := w.window("acme", given, over, lost)
	for i, want := range []error{nil, vault.ErrExhausted, vault.ErrConflict} {
		w.is(answers[i].err, want)
	}
	want.ID, want.Revision, want.CreatedAt = given.ID(), 1, w.now()
	w.sameProceeding("given out", want, w.proceeding("acme", given.ID()))
	if got := w.proceedings("acme", vault.ProceedingQuery{Kind: vault.ProceedingGrant}); len(got) != 1 {
		w.Errorf("%d grants are there, want 1", len(got))
	}
	if e := w.entriesOf("acme", given.ID()); len(e) != 1 || e[0].Kind != audit.KindGrant {
		w.Errorf("its entries: %+v", e)
	}
	// The entry and what it opens are the same thing.
	other := review("mia", w.now())
	w.refuseChange(vault.ErrNoEntry, "acme", Granting(w, "acme", p.Restore(v...), other))
	w.refuseChange(vault.ErrNoEntry, "acme", Change(w, "acme", p.Restore(v...)).Opening(asked))
	w.refuseChange(vault.ErrNoEntry, "acme", changeWith(w, "acme", p.Restore(v...), audit.Entry{Kind: audit.KindGrant, Actor: "svc-1", Decision: audit.Allow}))
	closed := asked
	closed.State = vault.ProceedingDone
	w.refuseChange(vault.ErrNoEntry, "acme", Granting(w, "acme", p.Restore(v...), closed))
	if _, err := vault.NewChange("acme", vault.OpenProceeding{Proceeding: asked}, audit.Entry{Kind: audit.KindGrant, Actor: "svc-1", Decision: audit.Allow}); err == nil {
		w.Error("a grant is opened by itself")
	}
	w.wantSpent("in the end", "acme", "a", 2)
	w.CheckLog("acme")
}

// ridden makes a tokenize with a grant.
func (w *world) ridden(effect vault.Tokenize, rider vault.GrantRider) vault.Change {
	w.Helper()
	change, err := Change(w, "acme", effect).Granting(rider)
	w.no(err)
	return change
}

func grantOfTokenize(w *world) {
	p := w.place("acme")
	old := p.Value("old")
	w.keep(p, old)
	again, fresh := p.Value("old"), p.Value("new")
	w.clock.Advance(time.Second)
	asked := Grant(w.now().Add(time.Minute))
	asked.ID, asked.Revision, asked.Body = "of the caller", 7, []byte("of the caller") // none of which counts
	change := w.ridden(p.Tokenize(again, fresh, again), Rider(asked, spend("a", 2, 2)))
	before := w.size("acme")
	committed, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	id := change.Grant().ID
	if id == change.ID() || committed.First != before || committed.Count != 2 || w.size("acme") != before+2 {
		w.Errorf("it has %d entries from %d on, the grant is %s", committed.Count, committed.First, id)
	}
	// What it names is what stands, not what was proposed.
	want := asked
	want.ID, want.Revision, want.CreatedAt = id, 1, w.now()
	want.Body = bodyOf([]string{old.Mapping.TokenID, fresh.Mapping.TokenID, old.Mapping.TokenID})
	w.sameProceeding("given out", want, w.proceeding("acme", id))
	first, second := w.entriesOf("acme", change.ID()), w.entriesOf("acme", id)
	if len(first) != 1 || len(second) != 1 || first[0].Kind != audit.KindTokenize || second[0].Kind != audit.KindGrant {
		w.Fatalf("its entries: %+v and %+v", first, second)
	}
	named := []string{old.Mapping.TokenID, fresh.Mapping.TokenID}
	slices.Sort(named)
	if diff := cmp.Diff(named, slices.Sorted(slices.Values(second[0].Tokens))); diff != "" {
		w.Errorf("the entry of the grant names: %s", diff)
	}
	if e, err := audit.ParseLeaf(w.leaf("acme", committed.First+1)); err != nil || e.Kind != audit.KindGrant {
		w.Errorf("behind it stands %s, %v", e.Kind, err)
	}
	w.wantSpent("given out", "acme", "a", 2)
	// It is a grant like any other.
	w.no(w.Grants.NoteUses(w.ctx, "acme", id, p.refs(fresh)))
	w.commit("acme", p.drawing(id, 1, old))
	w.wantUses("of it", "acme", id, p.refs(old, fresh)...)
	w.end("acme", w.proceeding("acme", id), vault.ProceedingDone)
	// One that names nothing is one, too.
	change = w.ridden(p.Tokenize(), Rider(asked))
	_, err = w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	if got := w.proceeding("acme", change.Grant().ID); string(got.Body) != "null" {
		w.Errorf("of nothing: %s", got.Body)
	}
	// The same change is not committed again, nor its grant.
	w.refuseChange(vault.ErrConflict, "acme", change)
	w.CheckLog("acme")
}

func riderFails(w *world) {
	p := w.place("acme")
	taken := p.Value("taken")
	w.keep(p, taken)
	until := w.now().Add(time.Minute)
	place := NewPlace("acme", "another", w.now())
	spoiled := func(spoil func(*vault.Proceeding)) vault.GrantRider {
		p := Grant(until)
		spoil(&p)
		return Rider(p)
	}
	kind := Rider(Grant(until))
	kind.Entry.Kind = audit.KindGrantRenew
	late := place.Value("late")
	late.Mapping.KeyID = "none"
	for name, tt := range map[string]struct {
		rider vault.GrantRider
		also  []vault.NewMapping
		want  error // nil for any
	}{
		"closed":                   {rider: spoiled(func(p *vault.Proceeding) { p.State = vault.ProceedingDone }), want: vault.ErrNoEntry},
		"of another kind":          {rider: spoiled(func(p *vault.Proceeding) { p.Kind = vault.ProceedingConsent }), want: vault.ErrNoEntry},
		"with another entry":       {rider: kind, want: vault.ErrNoEntry},
		"of nobody":                {rider: spoiled(func(p *vault.Proceeding) { p.Actor = "" })},
		"of somebody with a NUL":   {rider: spoiled(func(p *vault.Proceeding) { p.Actor = "a\x00" })},
		"of a person not there":    {rider: spoiled(func(p *vault.Proceeding) { p.SubjectRef = "nobody" }), want: vault.ErrConflict},
		"in no state":              {rider: spoiled(func(p *vault.Proceeding) { p.State = "" })},
		"of a body too large":      {rider: huge(Grant(until))},
		"beyond a budget":          {rider: Rider(Grant(until), spend("a", 1, 9), spend("b", 2, 1)), want: vault.ErrExhausted},
		"with a spend back":        {rider: Rider(Grant(until), spend("a", -1, 9))},
		"of what is not tokenized": {rider: Rider(Grant(until), spend("a", 1, 9)), also: []vault.NewMapping{late}},
	} {
		effect := place.Tokenize(append([]vault.NewMapping{place.Value("v")}, tt.also...)...)
		effect.NewScope, effect.Keys = true, []vault.DataKey{place.Key}
		change, err := Change(w, "acme", effect).Granting(tt.rider)
		w.no(err)
		change = change.Claiming(Digest("claim"), Digest("body")).Notifying("tokenize", []byte(`{}`))
		before := w.size("acme")
		answers := w.window("acme", Change(w, "acme", p.Tokenize(p.Value("x"))), change, Change(w, "acme", p.Tokenize(p.Value("y"))))
		w.no(answers[0].err)
		w.no(answers[2].err)
		if err := answers[1].err; err == nil || tt.want != nil && !errors.Is(err, tt.want) || w.size("acme") != before+2 {
			w.Errorf("a grant %s: got %v, want %v, and %d entries more", name, err, tt.want, w.size("acme")-before)
		}
		_, err = w.Store.Scope(w.ctx, "acme", place.Scope.Digest)
		if got := w.proceedings("acme", vault.ProceedingQuery{}); !errors.Is(err, vault.ErrNotFound) || len(got) != 0 {
			w.Errorf("a grant %s: the scope: %v; %d proceedings", name, err, len(got))
		}
		w.wantSpent(name, "acme", "a", 0)
		w.wantSpent(name, "acme", "b", 0)
		w.claimed("acme", "claim", "", "")
		w.wantNotices(name, w.take("acme", 10))
	}
	// A tokenize that fails gives out nothing either.
	effect := p.Tokenize(p.Value("z"))
	effect.Mappings[0].Mapping.TokenID = taken.Mapping.TokenID
	w.refuseChange(vault.ErrIDTaken, "acme", w.ridden(effect, Rider(Grant(until), spend("a", 1, 9))))
	w.wantSpent("after an id that is taken", "acme", "a", 0)
	w.commit("acme", vault.SetTenant{State: vault.TenantSuspended})
	w.refuseChange(vault.ErrSuspended, "acme", w.ridden(p.Tokenize(), Rider(Grant(until))))
	if got := w.proceedings("acme", vault.ProceedingQuery{}); len(got) != 0 {
		w.Errorf("%d proceedings are there", len(got))
	}
	w.CheckLog("acme")
}

// huge is a grant with details that are too long.
func huge(p vault.Proceeding) vault.GrantRider {
	rider := Rider(p)
	rider.Body = func([]string) []byte { return make([]byte, vault.MaxProceedingBody+1) }
	return rider
}

func riderElsewhere(w *world) {
	p := w.place("acme")
	v := w.values(p, 1)
	consent := w.begin("acme", proceeding(vault.ProceedingConsent, vault.ProceedingStanding))
	for _, effect := range []vault.Effect{
		vault.Record{}, p.Restore(v...), NewPlace("acme", "new", w.now()).Open(), vault.SetTenant{State: vault.TenantSuspended}, p.Sweep(v...),
		vault.OpenProceeding{Proceeding: review("mia", w.now())}, altering(consent), vault.DestroyKeys{Keys: []string{p.Key.ID}}, p.close(),
	} {
		change, err := Change(w, "acme", effect).Granting(Rider(Grant(w.now().Add(time.Minute))))
		w.no(err)
		before := w.size("acme")
		if _, err := w.Store.Commit(w.ctx, "acme", change); err == nil || w.size("acme") != before {
			w.Errorf("%T gave out a grant: %v", effect, err)
		}
	}
	w.commit("acme", p.Restore(v...))
	if got := w.proceedings("acme", vault.ProceedingQuery{Kind: vault.ProceedingGrant}); len(got) != 0 {
		w.Errorf("%d grants are there", len(got))
	}
}

func riderSpends(w *world) {
	p := w.place("acme")
	until := w.now().Add(time.Minute)
	give := func(tokens int) vault.Change {
		return w.ridden(p.Tokenize(p.Value(vault.NewID())), Rider(Grant(until), spend("a", tokens, 5), spend("b", 1, 9)))
	}
	restore := func(tokens int) vault.Change {
		return Change(w, "acme", vault.Restore{Spends: []vault.Spend{spend("a", tokens, 5)}})
	}
	// Grants and restorations count for one another, also in one commit.
	answers := w.window("acme", give(2), restore(1), give(3), give(2), restore(1))
	for i, want := range []error{nil, nil, vault.ErrExhausted, nil, vault.ErrExhausted} {
		if !errors.Is(answers[i].err, want) {
			w.Errorf("change %d: got %v, want %v", i, answers[i].err, want)
		}
	}
	w.wantSpent("together", "acme", "a", 5)
	w.wantSpent("together", "acme", "b", 2)
	w.refuseChange(vault.ErrExhausted, "acme", give(1))
	w.clock.Advance(time.Hour)
	_, err := w.Store.Commit(w.ctx, "acme", give(5))
	w.no(err)
	w.wantSpent("in the next hour", "acme", "a", 5)
	w.wantSpent("in the next hour", "acme", "b", 1)
}

func riderShares(w *world) {
	p := w.place("acme")
	until := w.now().Add(time.Minute)
	var changes []vault.Change
	for i := range 6 {
		if i%2 == 0 {
			changes = append(changes, w.ridden(p.Tokenize(p.Value("the same"), p.Value(fmt.Sprint(i))), Rider(Grant(until))))
		} else {
			changes = append(changes, Change(w, "acme", p.Tokenize(p.Value("the same"))))
		}
	}
	before := w.size("acme")
	answers := w.window("acme", changes...)
	at := before
	for i, a := range answers {
		w.no(a.err)
		if a.Tree != answers[0].Tree || a.First != at || a.Count != 2-i%2 {
			w.Errorf("change %d stands at %d, %d entries, want %d", i, a.First, a.Count, at)
		}
		at += int64(a.Count)
		if g := changes[i].Grant(); g != nil {
			got, want := w.proceeding("acme", g.ID), bodyOf([]string{answers[0].Outcome.Standing[0].TokenID, a.Outcome.Standing[1].TokenID})
			if string(got.Body) != string(want) {
				w.Errorf("grant %d names %s, want %s", i, got.Body, want)
			}
		}
	}
	if ids := w.proceedingIDs(vault.ProceedingQuery{Kind: vault.ProceedingGrant}); len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 3 {
		w.Errorf("%d grants are there, want 3", len(ids))
	}
	w.CheckLog("acme")
}

func riderOfMany(w *world) {
	const tokens = 1100 // more than one entry may name
	p := w.place("acme")
	var all []vault.NewMapping
	for i := range tokens {
		p.Key = p.FreshKey()
		m := p.Value(fmt.Sprint(i))
		all = append(all, m)
	}
	effect := p.Tokenize(all...)
	for _, m := range all {
		effect.Keys = append(effect.Keys, vault.DataKey{ID: m.Mapping.KeyID, ScopeID: p.Scope.ID, Wrapped: wrapped("key")})
	}
	change := w.ridden(effect, Rider(Grant(w.now().Add(time.Minute))))
	committed, err := w.Store.Commit(w.ctx, "acme", change)
	w.no(err)
	first, second := w.entriesOf("acme", change.ID()), w.entriesOf("acme", change.Grant().ID)
	if len(first) != 2 || len(second) != 2 || committed.Count != 4 {
		w.Fatalf("%d entries, %d of them of the tokenize and %d of the grant", committed.Count, len(first), len(second))
	}
	if n := len(second[0].Tokens) + len(second[1].Tokens); n != tokens || !strings.HasPrefix(string(second[1].Kind), "grant") {
		w.Errorf("its entries name %d tokens, want %d", n, tokens)
	}
	w.CheckLog("acme")
}

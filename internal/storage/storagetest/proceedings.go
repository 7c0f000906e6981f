package storagetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// proceedingClauses are about what people have to come back to.
var proceedingClauses = slices.Concat([]clause{
	{"proceedings/come back as they were opened", proceedingRoundTrip},
	{"proceedings/one that contradicts itself is refused", proceedingRefused},
	{"proceedings/are listed page by page, the newest first", proceedingPages},
	{"proceedings/each filter selects, alone and together", proceedingFilters},
	{"proceedings/one of a person is of one who stands", proceedingSubjects},
	{"Invariant6/proceedings of one tenant are no other's", proceedingForeign},
}, changedProceedingClauses)

// proceeding is one as an officer opens it.
func proceeding(kind vault.ProceedingKind, state vault.ProceedingState) vault.Proceeding {
	return vault.Proceeding{Kind: kind, State: state, Actor: "officer-1", Body: []byte(`{}`)}
}

// begin opens a proceeding and returns it as it stands.
func (w *world) begin(tenant string, p vault.Proceeding) vault.Proceeding {
	w.Helper()
	change := opening(w, tenant, p)
	_, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	return w.proceeding(tenant, change.ID())
}

// opening is the change that opens a proceeding: a grant is opened by what it
// rests on, and all others by themselves.
func opening(t testing.TB, tenant string, p vault.Proceeding) vault.Change {
	t.Helper()
	if p.Kind == vault.ProceedingGrant {
		return Granting(t, tenant, vault.Restore{}, p)
	}
	return Change(t, tenant, vault.OpenProceeding{Proceeding: p})
}

// proceeding is the one of an id.
func (w *world) proceeding(tenant, id string) vault.Proceeding {
	w.Helper()
	got := w.proceedings(tenant, vault.ProceedingQuery{ID: id})
	if len(got) != 1 {
		w.Fatalf("%d proceedings of an id", len(got))
	}
	return got[0]
}

func (w *world) proceedings(tenant string, q vault.ProceedingQuery) []vault.Proceeding {
	w.Helper()
	got, err := w.Proceedings.Proceedings(w.ctx, tenant, q)
	w.no(err)
	return got
}

// proceedingIDs lists the ids of a page.
func (w *world) proceedingIDs(q vault.ProceedingQuery) (ids []string) {
	w.Helper()
	for _, p := range w.proceedings("acme", q) {
		ids = append(ids, p.ID)
	}
	return ids
}

func (w *world) sameProceeding(what string, want, got vault.Proceeding) {
	w.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

func proceedingRoundTrip(w *world) {
	w.tenant("acme")
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	bodies := [][]byte{
		nil, []byte(`{}`), []byte(" {\"b\": 1.0,\r\n\t\"a\":\"\\u0000é\", \"a\": 2 } "), every, make([]byte, vault.MaxProceedingBody),
		[]byte("null"), []byte("\x00"), []byte("\xff{}"),
	}
	states := []vault.ProceedingState{vault.ProceedingPending, vault.ProceedingApproved, vault.ProceedingStanding}
	var all []vault.Proceeding
	for i, kind := range vault.ProceedingKinds() {
		w.clock.Advance(time.Second)
		want := vault.Proceeding{Kind: kind, State: states[i%len(states)], Actor: alike[i%len(alike)], Body: bodies[i%len(bodies)]}
		if i%2 == 1 {
			want.DueAt, want.ExpiresAt = w.now().Add(time.Microsecond), w.now().Add(life)
		}
		asked := want
		asked.ID, asked.Revision, asked.CreatedAt, asked.ClosedAt = "of the caller", 7, start, start // none of which counts
		if i%4 == 1 {
			cet := time.FixedZone("CET", 3600)
			asked.DueAt, asked.ExpiresAt = want.DueAt.In(cet), want.ExpiresAt.In(cet)
		}
		got := w.begin("acme", asked)
		want.ID, want.Revision, want.CreatedAt = got.ID, 1, w.now()
		w.sameProceeding("by its id", want, got)
		all = append(all, want)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	for _, want := range all {
		w.sameProceeding("after a restart", want, w.proceeding("acme", want.ID))
		for _, got := range w.proceedings("acme", vault.ProceedingQuery{Kind: want.Kind}) {
			w.sameProceeding("of a list", want, got)
		}
	}
	if got := w.proceedings("acme", vault.ProceedingQuery{ID: "none"}); len(got) != 0 {
		w.Errorf("%d of an id that is not there", len(got))
	}
	w.CheckLog("acme")
}

func proceedingRefused(w *world) {
	w.tenant("acme")
	stands := w.begin("acme", proceeding(vault.ProceedingReview, vault.ProceedingStanding))
	for name, spoil := range map[string]func(*vault.Proceeding){
		"in no state":               func(p *vault.Proceeding) { p.State = "" },
		"in a state that is none":   func(p *vault.Proceeding) { p.State = "Standing" },
		"with a body too large":     func(p *vault.Proceeding) { p.Body = make([]byte, vault.MaxProceedingBody+1) },
		"of nobody":                 func(p *vault.Proceeding) { p.Actor = "" },
		"of somebody with a NUL":    func(p *vault.Proceeding) { p.Actor = "a\x00" },
		"of somebody who is no one": func(p *vault.Proceeding) { p.Actor = "\xff" },
		"of somebody too long":      func(p *vault.Proceeding) { p.Actor = strings.Repeat("x", 257) },
		"of a person that is none":  func(p *vault.Proceeding) { p.SubjectRef = "r\x00" },
		"of a person too long":      func(p *vault.Proceeding) { p.SubjectRef = strings.Repeat("x", 65) },
	} {
		asked, changed := proceeding(vault.ProceedingReview, vault.ProceedingStanding), stands
		spoil(&asked)
		spoil(&changed)
		before := w.size("acme")
		if _, err := w.try("acme", vault.OpenProceeding{Proceeding: asked}); err == nil || w.size("acme") != before {
			w.Errorf("opened %s: %v", name, err)
		}
		// Who began it and whose it is are not changed, and so are not asked.
		if changed.Actor != stands.Actor || changed.SubjectRef != stands.SubjectRef {
			continue
		}
		if _, err := w.try("acme", vault.ChangeProceedings{Proceedings: []vault.Proceeding{changed}}); err == nil || w.size("acme") != before {
			w.Errorf("changed to one %s: %v", name, err)
		}
	}
	w.sameProceeding("what stands", stands, w.proceeding("acme", stands.ID))
	if got := w.proceedings("acme", vault.ProceedingQuery{}); len(got) != 1 {
		w.Errorf("%d are there, want the one that stands", len(got))
	}
}

func proceedingPages(w *world) {
	w.tenant("acme")
	var all []string
	for i := range 9 {
		if i%3 == 0 {
			w.clock.Advance(time.Second) // three of each instant
		}
		kind := []vault.ProceedingKind{vault.ProceedingReview, vault.ProceedingApproval}[i%2]
		all = append(all, w.begin("acme", proceeding(kind, vault.ProceedingPending)).ID)
	}
	for i := 0; i < 9; i += 3 {
		slices.Sort(all[i : i+3])
	}
	slices.Reverse(all)
	for _, size := range []int{0, 1, 2, 4, 100} {
		var got []string
		q := vault.ProceedingQuery{Limit: size}
		for page := w.proceedingIDs(q); len(page) > 0 && len(got) <= len(all); page = w.proceedingIDs(q) {
			got = append(got, page...)
			q.Before = page[len(page)-1]
		}
		if diff := cmp.Diff(all, got); diff != "" {
			w.Errorf("by %d: %s", size, diff)
		}
	}
	// A page goes on after one that no longer is one of those asked for.
	closed := w.proceeding("acme", all[4])
	closed.State = vault.ProceedingDone
	w.alter("acme", closed)
	if diff := cmp.Diff(all[5:], w.proceedingIDs(vault.ProceedingQuery{Open: true, Before: all[4]})); diff != "" {
		w.Errorf("after one that was closed: %s", diff)
	}
	var more []vault.Change
	for range vault.PageProceedings {
		more = append(more, Change(w, "acme", vault.Restore{}).Opening(proceeding(vault.ProceedingReview, vault.ProceedingStanding)))
	}
	for _, a := range w.window("acme", more...) {
		w.no(a.err)
	}
	if got := w.proceedingIDs(vault.ProceedingQuery{}); len(got) != vault.PageProceedings {
		w.Errorf("a page has %d, want %d", len(got), vault.PageProceedings)
	}
}

func proceedingFilters(w *world) {
	p := w.place("acme")
	ann, bob := person("ann"), person("bob")
	w.commit("acme", about(p, []vault.SubjectUse{{Subject: ann, New: true}, {Subject: bob, New: true}}))
	began := w.now()
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	kinds := []vault.ProceedingKind{vault.ProceedingConsent, vault.ProceedingReview, vault.ProceedingIncident}
	states := []vault.ProceedingState{vault.ProceedingStanding, vault.ProceedingPending, vault.ProceedingDone, vault.ProceedingApproved, vault.ProceedingRejected}
	var all []vault.Proceeding
	for i := range 15 {
		w.clock.Advance(time.Second)
		one, state := proceeding(kinds[i%3], vault.ProceedingPending), states[i%5]
		one.Actor, one.SubjectRef = []string{"mia", "Mia", "max"}[i%3], []string{ann.Ref, "", bob.Ref, ann.Ref}[i%4]
		if i%2 == 0 {
			one.DueAt = at(100 - i)
		}
		one = w.begin("acme", one)
		if one.State = state; state != vault.ProceedingPending {
			one = w.alter("acme", one)
		}
		all = append(all, one)
	}
	slices.Reverse(all)
	for _, q := range []vault.ProceedingQuery{
		{}, {ID: all[3].ID}, {ID: all[3].ID, Kind: all[3].Kind}, {ID: all[3].ID, Kind: all[4].Kind}, {ID: all[2].ID, Open: true}, {ID: all[0].ID, Open: true},
		{Kind: vault.ProceedingConsent}, {Kind: vault.ProceedingPolicy}, {State: vault.ProceedingApproved}, {State: "Approved"},
		{Open: true}, {State: vault.ProceedingDone}, {State: vault.ProceedingDone, Open: true}, {Kind: vault.ProceedingReview, Open: true},
		{Actor: "Mia"}, {Actor: "mia", Open: true}, {Actor: "m%"}, {Kind: vault.ProceedingReview, Actor: "Mia", Open: true, DueBefore: at(97)},
		{SubjectRefs: []string{ann.Ref}}, {SubjectRefs: []string{ann.Ref, bob.Ref, ann.Ref, "none"}, Open: true}, {SubjectRefs: []string{"none"}},
		{SubjectRefs: []string{ann.Ref}, Kind: vault.ProceedingConsent, State: vault.ProceedingStanding},
		{DueBefore: at(90)}, {DueBefore: at(90).Add(time.Microsecond)}, {DueBefore: at(1000)}, {DueBefore: at(94), Open: true, Kind: vault.ProceedingIncident},
		{ID: all[3].ID, Actor: all[3].Actor, SubjectRefs: []string{all[3].SubjectRef, "none"}}, {ID: all[0].ID, DueBefore: at(86)},
	} {
		var want []string
		for _, p := range all {
			if (q.ID == "" || q.ID == p.ID) && (q.Kind == "" || q.Kind == p.Kind) && (q.State == "" || q.State == p.State) &&
				(!q.Open || !p.State.Closes()) && (q.Actor == "" || q.Actor == p.Actor) &&
				(len(q.SubjectRefs) == 0 || slices.Contains(q.SubjectRefs, p.SubjectRef)) &&
				(q.DueBefore.IsZero() || !p.DueAt.IsZero() && p.DueAt.Before(q.DueBefore)) {
				want = append(want, p.ID)
			}
		}
		if diff := cmp.Diff(want, w.proceedingIDs(q)); diff != "" {
			w.Errorf("%+v: %s", q, diff)
		}
	}
}

func proceedingSubjects(w *world) {
	e := w.estate("acme")
	consent := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	for name, ref := range map[string]string{"nobody": vault.NewID(), "one in capitals": strings.ToUpper(e.ann.Ref) + "X", "a scope": e.p.Scope.ID} {
		consent.SubjectRef = ref
		e.unchanged("a consent of "+name, vault.ErrConflict, vault.OpenProceeding{Proceeding: consent})
	}
	consent.SubjectRef = e.ann.Ref
	hers := w.begin("acme", consent)
	if hers.SubjectRef != e.ann.Ref {
		w.Errorf("a consent of ann is of %q", hers.SubjectRef)
	}
	consent.SubjectRef = e.bob.Ref
	w.begin("acme", consent)
	w.erase("acme", erasureOf(e.bob))
	e.unchanged("a consent of who was erased", vault.ErrConflict, vault.OpenProceeding{Proceeding: consent})
	// In one window of an erasure and a consent the first decides.
	consent.SubjectRef = e.ann.Ref
	effect := erasing(erasureOf(e.ann), w.plan("acme", erasureOf(e.ann)))
	answers := w.window("acme", Change(w, "acme", effect), Change(w, "acme", vault.OpenProceeding{Proceeding: consent}))
	w.no(answers[0].err)
	w.is(answers[1].err, vault.ErrConflict)
}

func proceedingForeign(w *world) {
	mine, _, value := w.twins()
	of := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	of.SubjectRef, of.DueAt = value.SubjectRefs[0], w.now().Add(time.Second)
	p := w.begin("acme", of)
	for _, q := range []vault.ProceedingQuery{
		{}, {ID: p.ID}, {Kind: p.Kind, Open: true}, {Actor: p.Actor}, {SubjectRefs: []string{p.SubjectRef}}, {DueBefore: w.now().Add(life)},
	} {
		if got := w.proceedings("Acme", q); len(got) != 0 {
			w.Errorf("%+v: %d proceedings of another tenant are read", q, len(got))
		}
	}
	w.refuse(vault.ErrConflict, "Acme", vault.ChangeProceedings{Proceedings: []vault.Proceeding{p}})
	w.sameProceeding("mine", p, w.proceeding("acme", p.ID))
	// A page of one does not go on in the other.
	theirs := w.begin("Acme", of)
	got := w.proceedings("Acme", vault.ProceedingQuery{Before: p.ID})
	if slices.ContainsFunc(got, func(g vault.Proceeding) bool { return g.ID != theirs.ID }) {
		w.Errorf("a page after another tenant's: %+v", got)
	}
	// A person of mine is none of a third's.
	w.tenant("globex")
	w.refuse(vault.ErrConflict, "globex", vault.OpenProceeding{Proceeding: of})
	w.commit("acme", mine.Restore(value))
	for range 3 {
		w.begin("acme", proceeding(vault.ProceedingReview, vault.ProceedingStanding))
	}
	if got := fmt.Sprint(len(w.proceedings("acme", vault.ProceedingQuery{})), len(w.proceedings("Acme", vault.ProceedingQuery{}))); got != "4 1" {
		w.Errorf("of the two there are %s, want 4 1", got)
	}
}

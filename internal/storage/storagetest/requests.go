package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var requestClauses = slices.Concat([]clause{
	{"requests/come back as they were written down", requestRoundTrip},
	{"requests/one that contradicts itself is refused", requestRefused},
	{"requests/are listed page by page, the newest first", requestPages},
	{"requests/each filter selects, alone and together", requestFilters},
	{"requests/a change is of the revision that was read", requestRevisions},
	{"requests/what began stays, and all else is replaced", requestReplaced},
	{"requests/one that is closed is closed for good, and forgets who it was", requestClosed},
	{"Invariant6/requests of one tenant are no other's", requestForeign},
}, noteClauses, staleClauses, askedErasureClauses)

// month is the clock of a request.
const month = 30 * 24 * time.Hour

// request is what a person asks for now.
func (w *world) request(kind vault.RequestKind, s vault.Subject) vault.SubjectRequest {
	return vault.SubjectRequest{
		Kind: kind, Regime: "gdpr", Subject: s.Digest, Reference: "R-7", State: vault.StateReceived,
		ReceivedAt: w.now(), DueAt: w.now().Add(month),
	}
}

// open opens a request and returns it as it stands.
func (w *world) open(tenant string, r vault.SubjectRequest) vault.SubjectRequest {
	w.Helper()
	change := Change(w, tenant, vault.OpenRequest{Request: r})
	_, err := w.Store.Commit(w.ctx, tenant, change)
	w.no(err)
	return w.requested(tenant, change.ID())
}

// update replaces a request and returns it as it stands.
func (w *world) update(tenant string, r vault.SubjectRequest) vault.SubjectRequest {
	w.Helper()
	w.commit(tenant, vault.UpdateRequest{Request: r})
	return w.requested(tenant, r.ID)
}

// requested is the one request of an id.
func (w *world) requested(tenant, id string) vault.SubjectRequest {
	w.Helper()
	got := w.requests(tenant, vault.RequestQuery{ID: id})
	if len(got) != 1 {
		w.Fatalf("%d requests of an id", len(got))
	}
	return got[0]
}

func (w *world) requests(tenant string, q vault.RequestQuery) []vault.SubjectRequest {
	w.Helper()
	got, err := w.Requests.Requests(w.ctx, tenant, q)
	w.no(err)
	return got
}

func (w *world) sameRequest(what string, want, got vault.SubjectRequest) {
	w.Helper()
	if diff := cmp.Diff(want, got, anyOrder); diff != "" {
		w.Errorf("%s: %s", what, diff)
	}
}

// lookups are as many digests as asked for.
func lookups(n int) (all []vault.Digest) {
	for i := range n {
		all = append(all, Digest("lookup", fmt.Sprint(i)))
	}
	return all
}

func requestRoundTrip(w *world) {
	w.tenant("acme")
	checked := vault.IdentityCheck{Method: "passport", Reference: "I é", VerifiedBy: "officer-1", At: w.now().Add(-time.Hour)}
	var all []vault.SubjectRequest
	for _, want := range []vault.SubjectRequest{
		{Kind: vault.RequestAccess, Regime: "gdpr", Reference: "R", State: vault.StateReceived},
		{Kind: vault.RequestErasure, Regime: "ccpa", Reference: "r é e\u0301 ſ", State: vault.StateOpen, Subject: Digest("a"),
			Lookups: lookups(vault.MaxIdentifiers), SubjectRef: vault.NewID(), Identity: checked, Assignee: "officer é", Extended: true},
		{Kind: vault.RequestRestriction, Regime: "gdpr", Reference: "R", State: vault.StateAwaitingIdentity, Subject: Digest("a")},
		{Kind: vault.RequestObjection, Regime: "gdpr", Reference: "R", State: vault.StateRunning, Lookups: lookups(1)},
		{Kind: vault.RequestAccounting, Regime: "hipaa", Reference: strings.Repeat("é", 64), State: vault.StateDeferred, SubjectRef: "r"},
	} {
		w.clock.Advance(time.Second)
		want.ReceivedAt, want.DueAt = w.now().Add(-time.Microsecond), w.now().Add(time.Microsecond)
		asked := want
		asked.ID, asked.Revision, asked.ClosedAt = "of the caller", 7, w.now() // none of which counts
		got := w.open("acme", asked)
		want.ID, want.Revision = got.ID, 1
		w.sameRequest("by its id", want, got)
		all = append(all, want)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	for _, want := range all {
		w.sameRequest("after a restart", want, w.requested("acme", want.ID))
	}
	// A list does not say what a person is known by.
	listed := w.requests("acme", vault.RequestQuery{})
	for _, got := range listed {
		want := all[slices.IndexFunc(all, func(r vault.SubjectRequest) bool { return r.ID == got.ID })]
		want.Lookups = nil
		w.sameRequest("of a list", want, got)
	}
	if got := w.requests("acme", vault.RequestQuery{ID: "none"}); len(got) != 0 || len(listed) != len(all) {
		w.Errorf("%d requests are listed, %d of an id that is not there", len(listed), len(got))
	}
	w.CheckLog("acme")
}

func requestRefused(w *world) {
	w.tenant("acme")
	stands := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	spoils := map[string]func(*vault.SubjectRequest){
		"without an end of its clock": func(r *vault.SubjectRequest) { r.DueAt = r.ReceivedAt },
		"in no state":                 func(r *vault.SubjectRequest) { r.State = "" },
		"in a state that is none":     func(r *vault.SubjectRequest) { r.State = "Open" },
		"refused without a reason":    func(r *vault.SubjectRequest) { r.State = vault.StateRefused },
		"open with such a reason":     func(r *vault.SubjectRequest) { r.State, r.RefusalCode = vault.StateOpen, "manifestly_unfounded" },
		"half identified":             func(r *vault.SubjectRequest) { r.Identity.Method = "passport" },
		"of nobody with a NUL":        func(r *vault.SubjectRequest) { r.Assignee = "a\x00" },
		"of a reference that is none": func(r *vault.SubjectRequest) { r.SubjectRef = "\xff" },
	}
	begins := map[string]func(*vault.SubjectRequest){
		"of no kind":          func(r *vault.SubjectRequest) { r.Kind = "" },
		"of another kind":     func(r *vault.SubjectRequest) { r.Kind = "complaint" },
		"without a regime":    func(r *vault.SubjectRequest) { r.Regime = "" },
		"without a reference": func(r *vault.SubjectRequest) { r.Reference = "" },
		"with a NUL":          func(r *vault.SubjectRequest) { r.Reference = "R\x00" },
		"with broken UTF-8":   func(r *vault.SubjectRequest) { r.Regime = "\xff" },
	}
	refused := func(name string, effect vault.Effect) {
		w.Helper()
		before := w.size("acme")
		if _, err := w.try("acme", effect); err == nil || w.size("acme") != before {
			w.Errorf("a request %s: %v", name, err)
		}
	}
	for name, spoil := range spoils {
		asked, changed := w.request(vault.RequestAccess, person("ann")), stands
		spoil(&asked)
		spoil(&changed)
		refused(name, vault.OpenRequest{Request: asked})
		refused(name+", changed", vault.UpdateRequest{Request: changed})
	}
	for name, spoil := range begins {
		asked := w.request(vault.RequestAccess, person("ann"))
		spoil(&asked)
		refused(name, vault.OpenRequest{Request: asked})
	}
	late := w.request(vault.RequestAccess, person("ann"))
	late.ReceivedAt = w.now().Add(time.Microsecond)
	w.refuse(vault.ErrConflict, "acme", vault.OpenRequest{Request: late})
	if got := w.requests("acme", vault.RequestQuery{}); len(got) != 1 {
		w.Errorf("%d requests are there, want the one that stands", len(got))
	}
	w.sameRequest("what stands", stands, w.requested("acme", stands.ID))
	w.clock.Advance(time.Microsecond)
	w.open("acme", late)
	late.ReceivedAt = w.now().Add(-life)
	w.open("acme", late)
}

// requestIDs lists the ids of a page.
func (w *world) requestIDs(q vault.RequestQuery) (ids []string) {
	w.Helper()
	for _, r := range w.requests("acme", q) {
		ids = append(ids, r.ID)
	}
	return ids
}

func requestPages(w *world) {
	w.tenant("acme")
	var all []string
	for i := range 9 {
		r := w.request(vault.RequestAccess, person("ann"))
		if i%3 == 0 {
			w.clock.Advance(time.Second) // three of each instant
		}
		// What counts is when they were received, not when they were written down.
		r.ReceivedAt = start.UTC().Truncate(time.Microsecond).Add(-time.Duration(i/3) * time.Hour)
		all = append(all, w.open("acme", r).ID)
	}
	for i := 0; i < 9; i += 3 {
		slices.Sort(all[i : i+3])
		slices.Reverse(all[i : i+3])
	}
	for _, size := range []int{0, 1, 2, 4, 100} {
		var got []string
		q := vault.RequestQuery{Limit: size}
		for page := w.requestIDs(q); len(page) > 0 && len(got) <= len(all); page = w.requestIDs(q) {
			got = append(got, page...)
			q.Before = page[len(page)-1]
		}
		if diff := cmp.Diff(all, got); diff != "" {
			w.Errorf("by %d: %s", size, diff)
		}
	}
	// A page goes on after one that no longer is one of those asked for.
	closed := w.requested("acme", all[4])
	closed.State = vault.StateWithdrawn
	w.update("acme", closed)
	if diff := cmp.Diff(all[5:], w.requestIDs(vault.RequestQuery{Open: true, Before: all[4]})); diff != "" {
		w.Errorf("after one that was closed: %s", diff)
	}
	for i := range vault.PageRequests {
		r := w.request(vault.RequestAccess, person(fmt.Sprint(i)))
		w.commit("acme", vault.OpenRequest{Request: r})
	}
	if got := w.requestIDs(vault.RequestQuery{}); len(got) != vault.PageRequests {
		w.Errorf("a page has %d requests, want %d", len(got), vault.PageRequests)
	}
}

func requestFilters(w *world) {
	w.tenant("acme")
	began := w.now()
	var all []vault.SubjectRequest
	kinds := []vault.RequestKind{vault.RequestAccess, vault.RequestErasure}
	states := []vault.RequestState{vault.StateReceived, vault.StateOpen, vault.StateDeferred, vault.StateCompleted, vault.StateRefused}
	for i := range 10 {
		w.clock.Advance(time.Second)
		r := w.request(kinds[i%2], person("ann"))
		if state := states[i%5]; !state.Closes() {
			r.State = state
			r = w.open("acme", r)
		} else {
			r = w.open("acme", r)
			r.State = state
			if state == vault.StateRefused {
				r.RefusalCode = "manifestly_unfounded"
			}
			r = w.update("acme", r)
		}
		all = append(all, r)
	}
	slices.Reverse(all)
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	for _, q := range []vault.RequestQuery{
		{}, {Kind: vault.RequestErasure}, {Kind: vault.RequestAccounting}, {Open: true}, {State: vault.StateOpen},
		{State: vault.StateCompleted}, {State: vault.StateCompleted, Open: true}, {State: "Open"}, {ID: all[3].ID},
		{From: at(3)}, {From: at(3).Add(1)}, {To: at(3)}, {To: at(3).Add(1)}, {From: at(3), To: at(5)}, {From: at(5), To: at(3)},
		{Kind: vault.RequestAccess, State: vault.StateRefused, From: at(1), To: at(10)},
		{ID: all[3].ID, Kind: all[4].Kind}, {ID: all[3].ID, Open: true}, {Kind: vault.RequestErasure, Open: true, To: at(7)},
	} {
		var want []string
		for _, r := range all {
			if (q.ID == "" || q.ID == r.ID) && (q.Kind == "" || q.Kind == r.Kind) && (q.State == "" || q.State == r.State) &&
				(!q.Open || !r.State.Closes()) && !r.ReceivedAt.Before(q.From) && (q.To.IsZero() || r.ReceivedAt.Before(q.To)) {
				want = append(want, r.ID)
			}
		}
		if diff := cmp.Diff(want, w.requestIDs(q)); diff != "" {
			w.Errorf("%+v: %s", q, diff)
		}
	}
}

func requestRevisions(w *world) {
	w.tenant("acme")
	r := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	for i := range 3 {
		w.clock.Advance(time.Second)
		before := r
		r.Assignee = fmt.Sprint("officer ", i)
		want := r
		want.Revision = before.Revision + 1
		w.sameRequest("changed", want, w.update("acme", r))
		w.refuse(vault.ErrConflict, "acme", vault.UpdateRequest{Request: before})
		w.sameRequest("after what was refused", want, w.requested("acme", r.ID))
		r = want
	}
	for _, spoil := range []func(*vault.SubjectRequest){
		func(r *vault.SubjectRequest) { r.Revision++ },
		func(r *vault.SubjectRequest) { r.Revision = 0 },
		func(r *vault.SubjectRequest) { r.ID = "none" },
		func(r *vault.SubjectRequest) { r.ID = "" },
		func(r *vault.SubjectRequest) { r.ID = strings.ToUpper(r.ID) + " " },
	} {
		wrong := r
		spoil(&wrong)
		w.refuse(vault.ErrConflict, "acme", vault.UpdateRequest{Request: wrong})
	}
	// Of two that read the same, one is first.
	one, other := r, r
	one.Assignee, other.Assignee = "one", "other"
	answers := w.window("acme", Change(w, "acme", vault.UpdateRequest{Request: one}), Change(w, "acme", vault.UpdateRequest{Request: other}))
	if (answers[0].err == nil) == (answers[1].err == nil) {
		w.Errorf("of two at once: %v, %v", answers[0].err, answers[1].err)
	}
	if got := w.requested("acme", r.ID); got.Revision != r.Revision+1 {
		w.Errorf("after two at once: revision %d", got.Revision)
	}
	w.CheckLog("acme")
}

func requestReplaced(w *world) {
	w.tenant("acme")
	asked := w.request(vault.RequestErasure, person("ann"))
	asked.Lookups = lookups(3)
	before := w.open("acme", asked)
	w.clock.Advance(time.Hour)
	want := before
	want.Revision, want.Subject, want.Lookups = 2, Digest("subject", "bob"), lookups(5)[2:]
	want.SubjectRef, want.State, want.Assignee, want.Extended = "ref", vault.StateRunning, "officer-2", true
	want.Identity = vault.IdentityCheck{Method: "m", Reference: "r", VerifiedBy: "v", At: w.now()}
	want.DueAt = before.DueAt.Add(2 * month)
	given := want
	given.Revision = 1
	given.Kind, given.Regime, given.Reference, given.ReceivedAt = vault.RequestAccess, "ccpa", "R-8", w.now().Add(-time.Minute) // none of which counts
	given.ClosedAt = w.now()
	w.sameRequest("replaced", want, w.update("acme", given))
	bare := vault.SubjectRequest{ID: before.ID, Revision: 2, State: vault.StateReceived, DueAt: want.DueAt}
	want = before
	want.Revision, want.Subject, want.Lookups, want.DueAt = 3, vault.Digest{}, nil, bare.DueAt
	w.sameRequest("emptied", want, w.update("acme", bare))
	// The clock of a change may run out at once, never before it began.
	bare.Revision, bare.DueAt = 3, before.ReceivedAt.Add(time.Microsecond)
	want.Revision, want.DueAt = 4, bare.DueAt
	w.sameRequest("over", want, w.update("acme", bare))
}

func requestClosed(w *world) {
	w.tenant("acme")
	for _, state := range []vault.RequestState{vault.StatePartial, vault.StateCompleted, vault.StateRefused, vault.StateWithdrawn} {
		asked := w.request(vault.RequestErasure, person("ann"))
		asked.Lookups, asked.SubjectRef, asked.Assignee = lookups(3), "ref", "officer-1"
		r := w.open("acme", asked)
		w.clock.Advance(time.Second)
		closed := r
		closed.State = state
		if state == vault.StateRefused {
			closed.RefusalCode = "not_the_controller"
		}
		want := closed
		want.Revision, want.Subject, want.Lookups, want.ClosedAt = 2, vault.Digest{}, nil, w.now()
		w.sameRequest(string(state), want, w.update("acme", closed))
		w.clock.Advance(time.Second)
		for _, next := range []vault.RequestState{vault.StateOpen, vault.StateReceived, state} {
			again := r
			again.Revision, again.State = 2, next
			if state == vault.StateRefused && next == state {
				again.RefusalCode = "manifestly_unfounded"
			}
			w.refuse(vault.ErrConflict, "acme", vault.UpdateRequest{Request: again})
		}
		w.sameRequest("after what was refused", want, w.requested("acme", r.ID))
	}
	// One that was answered before it was written down.
	asked := w.request(vault.RequestAccess, person("ann"))
	asked.State, asked.Lookups = vault.StateCompleted, lookups(2)
	got := w.open("acme", asked)
	want := asked
	want.ID, want.Revision, want.Subject, want.Lookups, want.ClosedAt = got.ID, 1, vault.Digest{}, nil, w.now()
	w.sameRequest("closed from the beginning", want, got)
}

func requestForeign(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	r := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	w.note("acme", r, "a note")
	for _, q := range []vault.RequestQuery{{}, {ID: r.ID}, {Kind: r.Kind, Open: true}} {
		if got := w.requests("Acme", q); len(got) != 0 {
			w.Errorf("%d requests of another tenant are read", len(got))
		}
	}
	if got := w.notes("Acme", r.ID); len(got) != 0 {
		w.Errorf("%d notes of another tenant are read", len(got))
	}
	w.refuse(vault.ErrConflict, "Acme", vault.UpdateRequest{Request: r})
	effect, _ := noteOf(r, "another")
	w.refuse(vault.ErrConflict, "Acme", effect)
	w.refuse(vault.ErrConflict, "Acme", vault.Restrict{SubjectRef: "ref", Request: r})
	r.State = vault.StateWithdrawn
	r = w.update("acme", r)
	w.refuse(vault.ErrConflict, "Acme", vault.Sweep{Requests: []string{r.ID}})
	// A page of one does not go on in the other.
	mine := w.open("Acme", w.request(vault.RequestAccess, person("ann")))
	if got := w.requests("Acme", vault.RequestQuery{Before: r.ID}); slices.ContainsFunc(got, func(g vault.SubjectRequest) bool { return g.ID != mine.ID }) {
		w.Errorf("a page after another tenant's request: %+v", got)
	}
}

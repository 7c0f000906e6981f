package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var staleClauses = []clause{
	{"sweep/a request is stale once it was closed before a time", staleRequests},
	{"sweep/only closed requests are swept, all that are named or none", sweptRequests},
	{"sweep/a person is stale once nothing is about them", staleSubjects},
	{"sweep/a person who came to use meanwhile stays, and all else with them", staleThenUsed},
	{"sweep/in one window of a use and the sweep of a person the first decides", staleInOneWindow},
	{"Invariant6/records of one tenant are swept by no other", staleForeign},
}

// stale reads what may be forgotten, sorted.
func (w *world) stale(tenant string, before time.Time, limit int) vault.Sweep {
	w.Helper()
	s, err := w.Requests.StaleRecords(w.ctx, tenant, before, limit)
	w.no(err)
	if len(s.Mappings)+len(s.Keys)+len(s.Scopes)+len(s.Tombstones) != 0 {
		w.Errorf("more than records are stale: %+v", s)
	}
	slices.Sort(s.Requests)
	slices.Sort(s.Subjects)
	return s
}

// closed is a request that was opened and closed at once.
func (w *world) closed(tenant string, asked vault.SubjectRequest) vault.SubjectRequest {
	w.Helper()
	r := w.open(tenant, asked)
	r.State = vault.StateCompleted
	return w.update(tenant, r)
}

// known makes the row of a person of whom nothing is kept.
func (w *world) known(tenant, name string) vault.Subject {
	w.Helper()
	s := person(name)
	w.commit(tenant, vault.LinkSubject{Subject: vault.SubjectUse{Subject: s, New: true}})
	return s
}

func staleRequests(w *world) {
	w.tenant("acme")
	began := w.now()
	var ids []string
	for i := range 4 {
		w.clock.Advance(time.Second)
		ids = append(ids, w.closed("acme", w.request(vault.RequestAccess, person(fmt.Sprint(i)))).ID)
	}
	// One that is old and open is none.
	old := w.request(vault.RequestAccess, person("old"))
	old.ReceivedAt = began.Add(-life)
	w.open("acme", old)
	at := func(second int) time.Time { return began.Add(time.Duration(second) * time.Second) }
	for _, tt := range []struct {
		before time.Time
		want   []string
	}{{at(1), nil}, {at(1).Add(1), ids[:1]}, {at(1).Add(time.Microsecond), ids[:1]}, {at(3), ids[:2]}, {at(1000), ids}} {
		got := w.stale("acme", tt.before, 10)
		if diff := cmp.Diff(slices.Sorted(slices.Values(tt.want)), got.Requests); diff != "" {
			w.Errorf("before %v: %s", tt.before, diff)
		}
	}
	if got := w.stale("acme", at(1000), 3); len(got.Requests) != 3 {
		w.Errorf("at most three: %+v", got)
	}
	w.commit("acme", w.stale("acme", at(3), 10))
	if got := w.stale("acme", at(1000), 10); len(got.Requests) != 2 {
		w.Errorf("after two were swept: %+v", got)
	}
}

func sweptRequests(w *world) {
	w.tenant("acme")
	open := w.open("acme", w.request(vault.RequestAccess, person("ann")))
	one, two := w.closed("acme", w.request(vault.RequestAccess, person("bob"))), w.closed("acme", w.request(vault.RequestErasure, person("eve")))
	for name, ids := range map[string][]string{
		"one that is open":      {one.ID, open.ID},
		"one that is not there": {one.ID, "none"},
		"no id":                 {one.ID, ""},
		"one twice":             {one.ID, two.ID, one.ID},
	} {
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Requests: ids})
		if got := w.requests("acme", vault.RequestQuery{}); len(got) != 3 {
			w.Fatalf("a refused sweep of %s left %d requests", name, len(got))
		}
	}
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Requests: []string{one.ID}, Subjects: []string{"none"}})
	w.commit("acme", vault.Sweep{Requests: []string{one.ID, two.ID}})
	if diff := cmp.Diff([]string{open.ID}, w.requestIDs(vault.RequestQuery{})); diff != "" {
		w.Error(diff)
	}
}

// lives are people whom something is about, each in another way, and what ends
// it.
func (w *world) lives(p Place) map[string]struct {
	vault.Subject
	end func()
} {
	type one = struct {
		vault.Subject
		end func()
	}
	all := make(map[string]one)
	value := func(s vault.Subject, key vault.DataKey) vault.NewMapping {
		m := p.Value("of " + s.Ref)
		m.SubjectRefs, m.Mapping.KeyID = []string{s.Ref}, key.ID
		return m
	}
	use := vault.SubjectUse{New: true, Subject: person("of a value")}
	m := value(use.Subject, p.Key)
	w.commit("acme", about(p, []vault.SubjectUse{use}, m))
	all["whose value is there"] = one{use.Subject, func() {
		w.clock.Advance(maxAge) // past its time it is there until it is swept
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Subjects: []string{use.Subject.Ref}})
		w.commit("acme", p.Sweep(m))
	}}
	tied, free := w.known("acme", "of a tie"), p.Value("tied")
	w.keep(p, free)
	w.link("acme", tied, free)
	all["to whom a value is tied"] = one{tied, func() { w.unlink("acme", tied, free) }}
	keyed, name := withName("of a key") // beside that of the name
	key := keyOf(keyed)
	sealed := value(keyed, key)
	effect := about(p, []vault.SubjectUse{{New: true, Subject: keyed}}, sealed)
	effect.Keys = []vault.DataKey{name, key}
	w.commit("acme", effect)
	w.clock.Advance(ttl)
	w.commit("acme", p.Sweep(sealed))
	all["who has a key"] = one{keyed, func() { w.commit("acme", vault.Sweep{Keys: []string{key.ID}}) }}
	asking := w.known("acme", "of a request")
	asked := w.request(vault.RequestAccess, asking)
	asked.SubjectRef = asking.Ref
	r := w.open("acme", asked)
	consenting := w.known("acme", "of a consent")
	of := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	of.SubjectRef, of.ExpiresAt = consenting.Ref, w.now().Add(time.Minute) // over, and open still
	consent := w.begin("acme", of)
	all["who consents"] = one{consenting, func() { w.end("acme", consent, vault.ProceedingDone) }}
	all["who has a request"] = one{asking, func() { r.State = vault.StateWithdrawn; w.update("acme", r) }}
	return all
}

func staleSubjects(w *world) {
	p := w.place("acme")
	plain, named := w.known("acme", "plain"), w.named("acme", "named")
	lives := w.lives(p)
	// A request that has a name for nobody keeps nobody, nor does a consent that
	// was withdrawn.
	w.open("acme", w.request(vault.RequestAccess, plain))
	withdrawn := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	withdrawn.SubjectRef = plain.Ref
	w.end("acme", w.begin("acme", withdrawn), vault.ProceedingDone)
	want := []string{plain.Ref, named.Ref}
	check := func(what string) {
		w.Helper()
		slices.Sort(want)
		if diff := cmp.Diff(want, w.stale("acme", w.now(), 100).Subjects); diff != "" {
			w.Errorf("%s: %s", what, diff)
		}
	}
	check("at first")
	if got := w.stale("acme", w.now(), 1); len(got.Subjects) != 1 {
		w.Errorf("at most one: %+v", got)
	}
	for what, s := range lives {
		w.refuse(vault.ErrConflict, "acme", vault.Sweep{Subjects: []string{plain.Ref, s.Ref}})
		s.end()
		want = append(want, s.Ref)
		check("one " + what + " no more")
	}
	w.commit("acme", w.stale("acme", w.now(), 100))
	want = nil
	check("after the sweep")
	if known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{plain.Digest, named.Digest}); err != nil || len(known) != 0 {
		w.Errorf("%d rows of people are left, %v", len(known), err)
	}
	w.refuse(vault.ErrConflict, "acme", vault.Sweep{Subjects: []string{plain.Ref}})
	w.sweepUntilDone("acme", 10)
	if w.stands("acme", named.NameKeyID) != 0 {
		w.Error("the key of the name of somebody who was swept stands")
	}
	deferredStays(w)
	w.CheckLog("acme")
}

// deferredStays checks that a person stays who has nothing but an erasure that
// is deferred.
func deferredStays(w *world) {
	w.Helper()
	e := w.estate("globex")
	hold := w.hold("globex", onValue(e.hers))
	waits, _ := w.erase("globex", erasureOf(e.ann))
	w.release("globex", hold)
	w.clock.Advance(ttl)
	w.sweepUntilDone("globex", 10)
	if got := w.stale("globex", w.now(), 10); slices.Contains(got.Subjects, e.ann.Ref) {
		w.Error("somebody whose erasure is deferred is stale")
	}
	w.refuse(vault.ErrConflict, "globex", vault.Sweep{Subjects: []string{e.ann.Ref}})
	w.erase("globex", waits)
	e.knows(e.ann, false)
}

func staleThenUsed(w *world) {
	p := w.place("acme")
	w.clock.Advance(time.Second)
	key := keyOf
	for what, uses := range map[string]func(vault.Subject){
		"a value": func(s vault.Subject) {
			m := p.Value("of " + s.Ref)
			m.SubjectRefs = []string{s.Ref}
			w.commit("acme", about(p, []vault.SubjectUse{{Subject: s}}, m))
		},
		"a value under a key of their own": func(s vault.Subject) {
			m := p.Value("of " + s.Ref)
			k := key(s)
			m.SubjectRefs, m.Mapping.KeyID = []string{s.Ref}, k.ID
			effect := about(p, []vault.SubjectUse{{Subject: s}}, m)
			effect.Keys = []vault.DataKey{k}
			w.commit("acme", effect)
		},
		"a tie": func(s vault.Subject) {
			m := p.Value("tied to " + s.Ref)
			w.keep(p, m)
			w.link("acme", s, m)
		},
		"a consent": func(s vault.Subject) {
			of := proceeding(vault.ProceedingConsent, vault.ProceedingPending)
			of.SubjectRef = s.Ref
			w.begin("acme", of)
		},
		"a request": func(s vault.Subject) {
			r := w.request(vault.RequestErasure, s)
			r.SubjectRef = s.Ref
			w.open("acme", r)
		},
	} {
		s, other := w.known("acme", what), w.known("acme", "beside "+what)
		r := w.closed("acme", w.request(vault.RequestAccess, person("nobody")))
		planned := w.stale("acme", w.now().Add(time.Second), 100)
		if !slices.Contains(planned.Subjects, s.Ref) || !slices.Contains(planned.Requests, r.ID) {
			w.Fatalf("before %s: %+v", what, planned)
		}
		uses(s)
		w.refuse(vault.ErrConflict, "acme", planned)
		known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{s.Digest, other.Digest})
		w.no(err)
		if len(known) != 2 || len(w.requests("acme", vault.RequestQuery{ID: r.ID})) != 1 {
			w.Errorf("after %s something is gone", what)
		}
		w.commit("acme", w.stale("acme", w.now().Add(time.Second), 100))
		if known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{s.Digest, other.Digest}); err != nil || len(known) != 1 || known[0].Ref != s.Ref {
			w.Errorf("planned again after %s: %+v, %v", what, known, err)
		}
	}
}

func staleInOneWindow(w *world) {
	p := w.place("acme")
	for i := range 2 {
		s := w.known("acme", fmt.Sprint("person ", i))
		m := p.Value("of " + s.Ref)
		m.SubjectRefs = []string{s.Ref}
		use, sweep := Change(w, "acme", about(p, []vault.SubjectUse{{Subject: s}}, m)), Change(w, "acme", vault.Sweep{Subjects: []string{s.Ref}})
		changes := []vault.Change{use, sweep}
		if i == 1 {
			slices.Reverse(changes)
		}
		answers := w.window("acme", changes...)
		w.no(answers[0].err)
		w.is(answers[1].err, vault.ErrConflict)
		if got := w.read(p, m.Mapping.TokenID); (len(got) == 1) != (i == 0) {
			w.Errorf("with %T first %d values are there", changes[0].Effect(), len(got))
		}
	}
	w.CheckLog("acme")
}

func staleForeign(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	s, r := w.known("acme", "ann"), w.closed("acme", w.request(vault.RequestAccess, person("ann")))
	w.clock.Advance(time.Second)
	if got := w.stale("Acme", w.now(), 10); len(got.Subjects)+len(got.Requests) != 0 {
		w.Errorf("another tenant would sweep %+v", got)
	}
	w.refuse(vault.ErrConflict, "Acme", vault.Sweep{Subjects: []string{s.Ref}})
	w.refuse(vault.ErrConflict, "Acme", vault.Sweep{Requests: []string{r.ID}})
	// What another tenant has of somebody keeps nobody here.
	q := w.scope("Acme", "a conversation")
	m := q.Value("v")
	m.SubjectRefs = []string{s.Ref}
	w.commit("Acme", about(q, []vault.SubjectUse{{Subject: s, New: true}}, m))
	asked := w.request(vault.RequestAccess, s)
	asked.SubjectRef = s.Ref
	w.open("Acme", asked)
	of := proceeding(vault.ProceedingConsent, vault.ProceedingStanding)
	of.SubjectRef = s.Ref
	w.begin("Acme", of)
	w.commit("acme", w.stale("acme", w.now(), 10))
	if known, err := w.Store.Subjects(w.ctx, "acme", []vault.Digest{s.Digest}); err != nil || len(known) != 0 {
		w.Errorf("%d rows are left, %v", len(known), err)
	}
}

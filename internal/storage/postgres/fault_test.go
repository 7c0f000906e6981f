package postgres_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var errInjected = errors.New("injected")

// fault is where something goes wrong, and what.
type fault struct {
	name   string
	before bool // else after the statement's result is there
	always bool // from there on, else once
	panics bool
}

var faults = []fault{
	{"fails before", true, false, false},
	{"fails after", false, false, false},
	{"fails from there on", true, true, false},
	{"panics before", true, false, true},
	{"panics after", false, false, true},
}

// harm counts the statements of a store, and does harm at one of them while it
// is on.
type harm struct {
	fault
	on    atomic.Bool
	at    int64
	count atomic.Int64
	hit   atomic.Bool
}

func (h *harm) hooks() postgres.Hooks {
	do := func(here bool) error {
		n := h.count.Load()
		if !h.on.Load() || !here || h.at == 0 || n < h.at || n > h.at && !h.always {
			return nil
		}
		h.hit.Store(true)
		if h.panics {
			panic(errInjected)
		}
		return errInjected
	}
	return postgres.Hooks{
		Before: func(string) error {
			if h.before {
				h.count.Add(1)
			}
			return do(h.before)
		},
		After: func(string) error {
			if !h.before {
				h.count.Add(1)
			}
			return do(!h.before)
		},
	}
}

// faultCase is one change. Its effect is there if and only if present says so.
type faultCase struct {
	name    string
	make    func(p *prepared) vault.Effect
	present func(t *testing.T, p *prepared) bool
}

// prepared is a database with something in it for every effect. By its clock
// one mapping is expired.
type prepared struct {
	db      *pgtest.Database
	now     time.Time
	place   storagetest.Place
	expired vault.NewMapping
	idle    vault.DataKey
	stands  vault.NewMapping
	doomed  vault.DataKey
	again   vault.NewMapping // the value of expired, anew
	added   vault.NewMapping
	scope   storagetest.Place // not open yet
	t       *testing.T
	hold    string // on the card
	ann     vault.Subject
	own     vault.DataKey    // of ann
	card    vault.NewMapping // ann's, under her own key
	tied    vault.NewMapping // ann's, under the key of the scope
	both    vault.NewMapping // ann's and bob's, under the key of the scope
	near    vault.NewMapping // nobody's, under the key of the scope
	s       *postgres.Store  // for looking
}

func (p *prepared) clock() time.Time { return p.now }

func prepare(t *testing.T) *prepared {
	t.Helper()
	p := &prepared{t: t, db: pgtest.New(t), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	p.s = p.open(t, postgres.Hooks{})
	do := func(effect vault.Effect) {
		t.Helper()
		if _, err := p.s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	do(storagetest.Provision())
	p.place = storagetest.NewPlace("acme", "standing", p.now)
	p.scope = storagetest.NewPlace("acme", "another", p.now)
	do(p.place.Open())
	underKey := func(value string) (vault.NewMapping, vault.DataKey) {
		m, key := p.place.Value(value), p.place.FreshKey()
		m.Mapping.KeyID = key.ID
		effect := p.place.Tokenize(m)
		effect.Keys = []vault.DataKey{key}
		do(effect)
		return m, key
	}
	p.expired, p.idle = underKey("expired")
	p.now = p.now.Add(time.Hour - time.Minute)
	p.stands, p.doomed = underKey("stands")
	p.now = p.now.Add(time.Minute)
	p.people(do)
	hold := storagetest.Change(t, "acme", vault.PlaceHold{Hold: vault.Hold{
		Matter: "M-1", Reference: "R", Match: vault.HoldMatch{Entities: []string{"CREDIT_CARD"}},
	}})
	if _, err := p.s.Commit(t.Context(), "acme", hold); err != nil {
		t.Fatal(err)
	}
	p.hold = hold.ID()
	p.again, p.added = p.place.Value("expired"), p.place.Value("added")
	return p
}

func (p *prepared) open(t *testing.T, h postgres.Hooks) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.WithHooks(
		postgres.Config{AppDSN: p.db.App, DestroyDSN: p.db.Destroy, Clock: p.clock, AppConns: 2, DestroyConns: 1}, h))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// reads tells how many of the tokens are read.
func (p *prepared) reads(t *testing.T, ms ...vault.NewMapping) int {
	t.Helper()
	var ids []string
	for _, m := range ms {
		ids = append(ids, m.Mapping.TokenID)
	}
	rows, err := p.s.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.place.Scope.ID, TokenIDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

func (p *prepared) holds(t *testing.T, q vault.HoldQuery) []vault.Hold {
	t.Helper()
	holds, err := p.s.Holds(t.Context(), "acme", q)
	if err != nil {
		t.Fatal(err)
	}
	return holds
}

func (p *prepared) keys(t *testing.T, id string) int {
	t.Helper()
	keys, err := p.s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

var faultCases = slices.Concat([]faultCase{
	{"open scope", func(p *prepared) vault.Effect { return p.scope.Open() }, func(t *testing.T, p *prepared) bool {
		_, err := p.s.Scope(t.Context(), "acme", p.scope.Scope.Digest)
		if (err == nil) != (p.keys(t, p.scope.Key.ID) == 1) {
			t.Errorf("half of a scope is there: %v", err)
		}
		return err == nil
	}},
	{"tokenize", func(p *prepared) vault.Effect {
		effect := p.place.Tokenize(p.again, p.place.Value("stands"), p.added)
		effect.Source, effect.Destinations = storagetest.Digest("doc"), []string{"vendor"}
		return effect
	}, func(t *testing.T, p *prepared) bool {
		n := p.reads(t, p.again, p.added)
		if n == 1 || n == p.reads(t, p.expired)*2 {
			t.Errorf("a part of it is there: %d mappings", n)
		}
		return n == 2
	}},
	{"restore", func(p *prepared) vault.Effect { return p.place.Restore(p.stands) }, nil},
	{"sweep", func(p *prepared) vault.Effect {
		s := p.place.Sweep(p.expired)
		s.Keys = []string{p.idle.ID}
		return s
	}, func(t *testing.T, p *prepared) bool {
		gone := p.keys(t, p.idle.ID) == 0
		if gone != (p.reads(t, p.expired) == 0) {
			t.Error("half of a sweep is there")
		}
		return gone
	}},
	{"destroy keys", func(p *prepared) vault.Effect { return vault.DestroyKeys{Keys: []string{p.doomed.ID}} },
		func(t *testing.T, p *prepared) bool {
			gone := p.keys(t, p.doomed.ID) == 0
			if gone != (p.reads(t, p.stands) == 0) {
				t.Error("half of a destruction is there")
			}
			return gone
		}},
	{"rewrap", func(p *prepared) vault.Effect {
		w := p.place.Key.Wrapped
		w.Version = 4
		return vault.Rewrap{Keys: []vault.RewrappedKey{{ID: p.doomed.ID, From: 3, Wrapped: w}}}
	}, func(t *testing.T, p *prepared) bool {
		stale, err := p.s.StaleKeys(t.Context(), "acme", 4, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(stale) == 5
	}},
	{"suspend", func(*prepared) vault.Effect { return vault.SetTenant{State: vault.TenantSuspended} },
		func(t *testing.T, p *prepared) bool {
			h, err := p.s.Head(t.Context(), "acme")
			return err == nil && h.State == vault.TenantSuspended
		}},
	{"record", func(*prepared) vault.Effect { return vault.Record{} }, nil},
	{"place a hold", func(*prepared) vault.Effect {
		return vault.PlaceHold{Hold: vault.Hold{Matter: "M-2", Reference: "R", Match: vault.HoldMatch{Entities: []string{"PHONE_NUMBER", "IP_ADDRESS"}}}}
	}, func(t *testing.T, p *prepared) bool {
		holds := p.holds(t, vault.HoldQuery{})
		for _, h := range holds {
			if h.Matter == "M-2" && len(h.Match.Entities) != 2 {
				t.Error("half of a hold is there")
			}
		}
		return len(holds) == 2
	}},
	{"review a hold", func(p *prepared) vault.Effect { return vault.ReviewHold{ID: p.hold, ReviewBy: p.now} },
		func(t *testing.T, p *prepared) bool {
			return !p.holds(t, vault.HoldQuery{ID: p.hold})[0].ReviewBy.IsZero()
		}},
	{"release a hold", func(p *prepared) vault.Effect { return vault.ReleaseHold{ID: p.hold} },
		func(t *testing.T, p *prepared) bool { return len(p.holds(t, vault.HoldQuery{Standing: true})) == 0 }},
	{"close a scope", func(p *prepared) vault.Effect { return vault.CloseScope{ScopeID: p.place.Scope.ID} },
		func(t *testing.T, p *prepared) bool {
			_, err := p.s.Scope(t.Context(), "acme", p.place.Scope.Digest)
			rows, rerr := p.s.Mappings(t.Context(), "acme", vault.MappingQuery{
				ScopeID: p.place.Scope.ID, TokenIDs: []string{p.stands.Mapping.TokenID},
			})
			if rerr != nil || len(rows) != 1 || rows[0].Expired != (err != nil) {
				t.Errorf("half of a closing is there: %v, %v", err, rerr)
			}
			return err != nil
		}},
	{"erase", func(p *prepared) vault.Effect { return p.erase(vault.Erasure{}) }, func(t *testing.T, p *prepared) bool {
		return p.erased(t, vault.ErasureDeferred)
	}},
	{"go on with an erasure", func(p *prepared) vault.Effect { return p.erase(p.deferred()) }, func(t *testing.T, p *prepared) bool {
		return p.erased(t, vault.ErasureCompleted)
	}},
	{"sweep what was erased", func(p *prepared) vault.Effect {
		p.deferred()
		s := p.place.Sweep(p.tied, p.stands)
		s.Tombstones = []string{p.place.Key.ID, p.doomed.ID}
		return s
	}, func(t *testing.T, p *prepared) bool {
		gone := p.reads(t, p.tied) == 0
		sweep, err := p.s.Expired(t.Context(), "acme", 10)
		if err != nil || gone != (p.reads(t, p.stands) == 0) || gone == (len(sweep.Mappings) == 2) || len(sweep.Tombstones) != 0 {
			t.Errorf("half of a sweep is there: %+v, %v", sweep, err)
		}
		return gone
	}},
	{"tie to a person", func(p *prepared) vault.Effect {
		eve := vault.Subject{Digest: storagetest.Digest("eve"), IndexVersion: 1, Ref: vault.NewID()}
		return vault.LinkSubject{
			Subject: vault.SubjectUse{Subject: eve, New: true}, Lookups: []vault.Digest{p.near.Mapping.Lookup, p.tied.Mapping.Lookup},
		}
	}, func(t *testing.T, p *prepared) bool {
		known, err := p.s.Subjects(t.Context(), "acme", []vault.Digest{storagetest.Digest("eve")})
		made := len(known) == 1
		if err != nil || made != (p.ties(t, p.near) == 1) || made != (p.ties(t, p.tied) == 2) {
			t.Errorf("half of a tie is there: %v", err)
		}
		return made
	}},
	{"untie from a person", func(p *prepared) vault.Effect {
		return vault.UnlinkSubject{SubjectRef: p.ann.Ref, Lookups: []vault.Digest{p.stands.Mapping.Lookup}}
	}, func(t *testing.T, p *prepared) bool { return p.ties(t, p.stands) == 0 }},
}, rightsFaultCases, proceedingFaultCases, grantFaultCases)

// run commits a case with harm at one statement of a store.
func (h *harm) run(t *testing.T, p *prepared, s *postgres.Store, c faultCase, f fault, at int64) (vault.Change, error) {
	t.Helper()
	h.fault, h.at = f, at
	h.count.Store(0)
	h.hit.Store(false)
	change := changeOf(t, c.make(p))
	h.on.Store(true)
	_, err := s.Commit(t.Context(), "acme", change)
	h.on.Store(false)
	return change, err
}

// check looks at a database as it was left.
func (p *prepared) check(t *testing.T, c faultCase, change vault.Change, answer error) (there bool) {
	t.Helper()
	entries, err := p.s.Entries(t.Context(), "acme", vault.EntryQuery{ChangeID: change.ID()})
	if err != nil {
		t.Fatal(err)
	}
	there = len(entries) == 1
	if c.present != nil && c.present(t, p) != there {
		t.Errorf("the effect is there: %v, the entry: %v", !there, there)
	}
	if answer == nil && !there {
		t.Error("it was acknowledged and is not there")
	}
	storagetest.CheckLog(t.Context(), t, p.s, "acme")
	// Two, so that each attempt finds a log that needs as many nodes as before.
	for range 2 {
		if _, err := p.s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.Record{})); err != nil {
			t.Errorf("after it: %v", err)
		}
	}
	return there
}

// TestInvariant2_FaultTable: at every statement of every effect, failed and
// failed-but-done. What failed left nothing, so the next fault meets the same
// database.
func TestInvariant2_FaultTable(t *testing.T) {
	storagetest.InOneGoroutine(t)
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &harm{}
			p := prepare(t)
			s := p.open(t, h.hooks())
			if _, err := h.run(t, p, s, c, fault{}, 0); err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			there, acknowledged := true, 0
			for _, f := range faults {
				h.hit.Store(true)
				for at := int64(1); h.hit.Load(); at++ {
					if there {
						p = prepare(t)
						s = p.open(t, h.hooks())
					}
					change, err := h.run(t, p, s, c, f, at)
					if err != nil && !errors.Is(err, vault.ErrUnavailable) {
						t.Errorf("%s statement %d: got %v, want an unavailable store", f.name, at, err)
					}
					if err == nil && h.hit.Load() {
						acknowledged++
					}
					if there = p.check(t, c, change, err); t.Failed() {
						t.Fatalf("%s statement %d", f.name, at)
					}
				}
			}
			// Only a fault at COMMIT may be got over: once by applying again,
			// once by finding what was persisted.
			if acknowledged != 2 {
				t.Errorf("%d faults were got over, want 2", acknowledged)
			}
		})
	}
}

// TestInvariant15_LostAcknowledgement: the connection breaks in COMMIT. What
// landed is found and acknowledged, once; what did not is applied again.
func TestInvariant15_LostAcknowledgement(t *testing.T) {
	for name, c := range map[string]*cutter{
		"landed":       {landed: true},
		"did not land": {},
	} {
		for _, tt := range []faultCase{ // of the app's pool, and of the other
			faultCases[1], faultCases[3], faultCases[8], faultCases[10], faultCases[12], proceedingFaultCases[0], proceedingFaultCases[3], grantFaultCases[0], grantFaultCases[2],
		} {
			t.Run(name+"/"+tt.name, func(t *testing.T) {
				p := prepare(t)
				s := p.open(t, postgres.Hooks{Dial: c.dial})
				change := changeOf(t, tt.make(p))
				before, err := s.Head(t.Context(), "acme")
				if err != nil {
					t.Fatal(err)
				}
				c.cut.Store(0)
				c.times.Store(1)
				committed, err := s.Commit(t.Context(), "acme", change)
				if err != nil || c.cut.Load() != 1 {
					t.Fatalf("%v, after %d cuts", err, c.cut.Load())
				}
				if !p.check(t, tt, change, nil) || committed.First != before.Frontier.Size || committed.Tree == nil {
					t.Errorf("it stands at %d, the log ended at %d", committed.First, before.Frontier.Size)
				}
			})
		}
	}
}

// TestInvariant15_NotAcknowledged: where every COMMIT is lost, nothing is
// acknowledged.
func TestInvariant15_NotAcknowledged(t *testing.T) {
	p := prepare(t)
	c := &cutter{}
	s := p.open(t, postgres.Hooks{Dial: c.dial, Patience: time.Millisecond})
	c.times.Store(1000)
	change := storagetest.Change(t, "acme", faultCases[1].make(p))
	if _, err := s.Commit(t.Context(), "acme", change); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("got %v, want an unavailable store", err)
	}
	if p.check(t, faultCases[1], change, vault.ErrUnavailable) {
		t.Error("it landed, though no COMMIT was let through")
	}
}

// TestInvariant15_MakingATenant: a tenant that is made has no head yet, and its
// COMMIT is found all the same.
func TestInvariant15_MakingATenant(t *testing.T) {
	for name, c := range map[string]*cutter{"landed": {landed: true}, "did not land": {}} {
		t.Run(name, func(t *testing.T) {
			p := prepare(t)
			s := p.open(t, postgres.Hooks{Dial: c.dial})
			c.times.Store(1)
			if _, err := s.Commit(t.Context(), "globex", storagetest.Change(t, "globex", storagetest.Provision())); err != nil {
				t.Fatal(err)
			}
			storagetest.CheckLog(t.Context(), t, p.s, "globex")
		})
	}
}

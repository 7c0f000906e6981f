//go:build unix

package lifemodel_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// lanes are how many services of a store play histories at once: one waits for
// the disk while the other computes.
const lanes = 2

// TestInvariant7And8And9_Model: whatever people do in whatever order, nothing
// held is destroyed, nothing erased or expired restored, everything else is, the
// receipts verify, and in the end nothing is left.
func TestInvariant7And8And9_Model(t *testing.T) {
	n := 500
	switch {
	case long():
		n = 10_000
	case underRace:
		n = 20
	}
	set(t, "checks", n/lanes)
	t.Run("lanes", func(t *testing.T) {
		for store, open := range stores {
			for lane := range lanes {
				t.Run(fmt.Sprintf("%s/%d", store, lane+1), func(t *testing.T) {
					t.Parallel()
					rapid.Check(t, play(t, open(t)))
				})
			}
		}
	})
}

// play is a property: one history after the other on one service.
func play(t testing.TB, v *vaulttest.Vault) func(*rapid.T) {
	t.Helper()
	var vkeys []string
	for _, key := range must(v.Service.LogKeys(ctx, "acme"))(t) {
		vkeys = append(vkeys, key.Key)
	}
	keys := &epoch{tenants: must(v.Service.Tenants(ctx))(t), version: 1, retired: 1}
	return func(r *rapid.T) {
		h := newHistory(r, v, vkeys, keys)
		v.Clock.Advance(time.Hour)
		r.Repeat(h.actions())
		h.end()
	}
}

// end lets go of everything and waits until all of it is over: nothing of the
// history is left but the log, and the receipts verify that were given in it.
func (h *history) end() {
	for len(h.holds) > 0 {
		must(h.v.Service.ReleaseHold(ctx, counsel(), h.holds[0].id, "ORDER-5", ""))(h)
		h.holds = h.holds[1:]
	}
	h.resume(h.T)
	for _, request := range h.requests {
		must(h.v.Service.LiftRestriction(ctx, officer(), request.id))(h)
	}
	h.v.Clock.Advance(scopeLife + time.Hour)
	h.sweepAll()
	left := must(h.v.Service.RetentionReport(ctx, h.v.Auditor()))(h).Inventory
	if len(left.Mappings) > 0 || left.Scopes+left.Subjects+left.DataKeys+left.Holds+left.Suppressions+left.RequestsOpen+left.ErasuresDeferred > 0 {
		h.Fatalf("of a history is left: %+v", left)
	}
	for _, r := range h.receipts {
		h.prove(r)
	}
}

// TestInvariant7And8And9_ModelTwin: a store that forgets what it was told is
// found out within a few histories.
func TestInvariant7And8And9_ModelTwin(t *testing.T) {
	set(t, "checks", 200)
	set(t, "seed", 1)
	set(t, "shrinktime", time.Nanosecond)
	set(t, "nofailfile", true)
	for name, forgets := range map[string]func(*forgetful, vault.Change) (vault.Committed, error){
		"the time to live": forgetTTL, "a hold": forgetHold,
		"whom a value is tied to": func(f *forgetful, c vault.Change) (vault.Committed, error) {
			if e, is := c.Effect().(vault.LinkSubject); is {
				e.Lookups[0][0] ^= 1
			}
			return f.Store.Commit(ctx, "acme", c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := vaulttest.New(t, vaulttest.WithStore(forgetting(forgets)))
			if said := failure(play(t, v)); said == "" {
				t.Error("nobody noticed")
			} else {
				t.Log(said)
			}
		})
	}
}

func forgetTTL(f *forgetful, c vault.Change) (vault.Committed, error) {
	if e, is := c.Effect().(vault.Tokenize); is {
		for i := range e.Mappings {
			e.Mappings[i].TTL *= 2
		}
	}
	return f.Store.Commit(ctx, "acme", c)
}

func forgetHold(f *forgetful, c vault.Change) (vault.Committed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e, is := c.Effect().(vault.ReleaseHold); is {
		return f.released[e.ID], nil
	}
	done, err := f.Store.Commit(ctx, "acme", c)
	if _, is := c.Effect().(vault.PlaceHold); is && err == nil {
		f.released[c.ID()], err = f.release(c.ID())
	}
	return done, err
}

// forgetful stands between a service and its store.
type forgetful struct {
	vault.Store
	forgets func(*forgetful, vault.Change) (vault.Committed, error)

	mu       sync.Mutex
	released map[string]vault.Committed // holds, by id
	tokens   map[vault.Digest]string    // that values had first
	last     vault.Committed            // restoration
}

func forgetting(forgets func(*forgetful, vault.Change) (vault.Committed, error)) func(vault.Store) vault.Store {
	return func(s vault.Store) vault.Store {
		return &forgetful{
			Store: s, forgets: forgets, released: make(map[string]vault.Committed), tokens: make(map[vault.Digest]string),
		}
	}
}

func (f *forgetful) Commit(c context.Context, tenant string, change vault.Change) (vault.Committed, error) {
	if tenant != "acme" {
		return f.Store.Commit(c, tenant, change)
	}
	return f.forgets(f, change)
}

// release releases a hold as nobody asked.
func (f *forgetful) release(id string) (vault.Committed, error) {
	entry := plainEntry()
	entry.Kind, entry.HoldIDs = audit.KindHoldRelease, []string{id}
	change, err := vault.NewChange("acme", vault.ReleaseHold{ID: id}, entry)
	if err != nil {
		return vault.Committed{}, err
	}
	return f.Store.Commit(ctx, "acme", change)
}

// plainEntry is one that says nothing.
func plainEntry() audit.Entry {
	return audit.Entry{
		Kind: audit.KindOutcome, Decision: audit.Allow, Actor: "nobody", Environment: "test", Channel: "test", Replica: "test",
	}
}

// failure plays histories until one fails, and returns what was said then.
func failure(property func(*rapid.T)) string {
	said := &listener{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(said, property)
	}()
	<-done
	return said.text
}

// listener is a test that only listens.
type listener struct{ text string }

func (l *listener) Helper()                      {}
func (l *listener) Name() string                 { return "twin" }
func (l *listener) Logf(string, ...any)          {}
func (l *listener) Log(...any)                   {}
func (l *listener) Skipf(string, ...any)         { runtime.Goexit() }
func (l *listener) Skip(...any)                  { runtime.Goexit() }
func (l *listener) SkipNow()                     { runtime.Goexit() }
func (l *listener) Errorf(f string, args ...any) { l.text += fmt.Sprintf(f, args...) }
func (l *listener) Error(args ...any)            { l.text += fmt.Sprint(args...) }
func (l *listener) Fatalf(f string, args ...any) { l.Errorf(f, args...); runtime.Goexit() }
func (l *listener) Fatal(args ...any)            { l.Error(args...); runtime.Goexit() }
func (l *listener) FailNow()                     { l.text += " "; runtime.Goexit() }
func (l *listener) Fail()                        { l.text += " " }
func (l *listener) Failed() bool                 { return l.text != "" }

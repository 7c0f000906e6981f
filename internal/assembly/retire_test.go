//go:build unix

package assembly_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const horizon = 21 * 24 * time.Hour

// epoch gives the keys a new version and moves all that stands to it.
func (e *estate) epoch() {
	e.Helper()
	e.no(e.in.Rotate(e.Context(), e.tenants(), func(string, int) error { return nil }))
	e.no(e.in.Rewrap(e.Context(), e.tenants(), func(string, int) error { return nil }))
}

func (e *estate) tenants() []string {
	e.Helper()
	names, err := e.in.Service.Tenants(e.Context())
	e.no(err)
	return names
}

// plan plans a trim of all tenants, and returns that of acme.
func (e *estate) plan(req vault.TrimRequest) (all []vault.TrimPlan, acme vault.TrimPlan) {
	e.Helper()
	all, err := e.in.PlanTrim(e.Context(), e.tenants(), req)
	e.no(err)
	for _, p := range all {
		if p.Tenant == "acme" {
			acme = p
		}
	}
	return all, acme
}

func (e *estate) trim(req vault.TrimRequest) {
	e.Helper()
	plans, _ := e.plan(req)
	_, err := e.in.Trim(e.Context(), plans, req)
	e.no(err)
}

// dataKeys are all keys that stand.
func (e *estate) dataKeys() []vault.DataKey { e.Helper(); return e.allKeys(e.in.Store) }

// allKeys are all data keys and tenant keys of acme in a store.
func (e *estate) allKeys(store vault.Registry) (keys []vault.DataKey) {
	e.Helper()
	stale, err := store.StaleKeys(e.Context(), "acme", 1000, 1000)
	e.no(err)
	for _, k := range stale {
		keys = append(keys, vault.DataKey{ID: k.ID, Wrapped: k.Wrapped})
	}
	return keys
}

// keys are all keys of the copy, read from it.
func (c copied) keys() []vault.DataKey {
	e := c.e
	e.Helper()
	if e.db == nil {
		s, err := sqlite.Open(e.Context(), c.file, sqlite.Options{Clock: e.clock.Now})
		e.no(err)
		defer func() { e.no(s.Close()) }()
		return e.allKeys(s)
	}
	in := func(dsn string) string { return strings.Replace(dsn, e.db.Name, c.db, 1) }
	s, err := postgres.Open(e.Context(), postgres.Config{AppDSN: in(e.db.App), DestroyDSN: in(e.db.Destroy), Clock: e.clock.Now})
	e.no(err)
	defer func() { e.no(s.Close()) }()
	return e.allKeys(s)
}

// TestFinality: after an epoch and the backup horizon a trim is due. From then on
// no key of before opens, what was erased is final, and what stands restores.
func TestFinality(t *testing.T) {
	for _, kind := range []string{embedded, sqliteKeys, production} {
		t.Run(kind, func(t *testing.T) { finality(newEstate(t, kind)) })
	}
}

func finality(e *estate) {
	e.options.Finality = vault.FinalityTimes{Epoch: horizon / 3, BackupHorizon: horizon, KeyBackups: time.Hour}
	e.open()
	e.scope("docs")
	mine, hers := e.keep("docs", "", "A-1"), e.keep("docs", "crm:ann", "B-2")
	if _, p := e.plan(vault.TrimRequest{}); !p.Done || p.Blocked() != nil {
		e.Errorf("at first: %+v", p)
	}
	older := e.backup()
	id := e.erase("crm:ann").ID
	e.clock.Advance(time.Hour)
	e.epoch()
	rewrapped := e.clock.Now()
	plans, p := e.plan(vault.TrimRequest{})
	if p.Below != 2 || p.Done || len(p.Final) != 1 || p.Final[0].ID != id || p.Since.Sub(rewrapped).Abs() > time.Second || p.NotBefore.Sub(rewrapped) < horizon {
		e.Errorf("planned: %+v", p)
	}
	if _, err := e.in.Trim(e.Context(), plans, vault.TrimRequest{}); vault.CodeOf(err) != vault.CodeConflict {
		e.Errorf("before the horizon: %v", err)
	}
	// Two epochs later the first is past the horizon, the others are not.
	for range 2 {
		e.clock.Advance(horizon / 3)
		e.epoch()
	}
	e.clock.Advance(horizon / 3)
	hold, err := e.in.Service.PlaceHold(e.Context(), counsel(), vault.HoldRequest{
		Matter: "M-1", Reference: "O-1", Backups: true, Match: vault.HoldWords{Entities: []string{"CUSTOM_ID"}},
	})
	e.no(err)
	plans, p = e.plan(vault.TrimRequest{})
	if p.Below != 2 || !p.NotBefore.IsZero() || len(p.Holds) != 1 {
		e.Errorf("past the horizon: %+v", p)
	}
	if _, err := e.in.Trim(e.Context(), plans, vault.TrimRequest{}); vault.CodeOf(err) != vault.CodeHeld {
		e.Errorf("while a hold keeps backups: %v", err)
	}
	_, err = e.in.Service.ReleaseHold(e.Context(), counsel(), hold.Hold.ID, "O-2", "")
	e.no(err)
	before := older.keys()
	for _, k := range before { // the twin: until then all of it opens
		if !e.unwraps("acme", k) {
			e.Errorf("key %s of the copy does not open", k.ID)
		}
	}
	if len(before) < 4 { // of the tenant, the scope and ann
		e.Errorf("the copy has %d keys", len(before))
	}
	e.trim(vault.TrimRequest{})
	e.ended(before, id, mine, hers)
	if _, p := e.plan(vault.TrimRequest{}); p.Done || p.Below != 3 || p.NotBefore.IsZero() {
		e.Errorf("the next: %+v", p)
	}
	e.now()
	e.close()
	e.verifies()
}

// ended fails unless the keys of before open no more, the erasure is final, and
// what stands restores.
func (e *estate) ended(before []vault.DataKey, id, mine, hers string) {
	e.Helper()
	for _, k := range before {
		if e.unwraps("acme", k) {
			e.Errorf("key %s opens", k.ID)
		}
	}
	found, err := e.in.Store.Erasures(e.Context(), "acme", vault.ErasureQuery{ID: id})
	e.no(err)
	if len(found) != 1 || found[0].FinalAt.Before(e.clock.Now()) {
		e.Errorf("the erasure is %+v", found)
	}
	if got := e.restored("docs", mine); got != "A-1" {
		e.Errorf("what stands restores to %q", got)
	}
	if got := e.restored("docs", hers); got == "B-2" {
		e.Error("what was erased restores")
	}
}

// now trims without waiting for the horizon, on somebody's word.
func (e *estate) now() {
	e.Helper()
	plans, _ := e.plan(vault.TrimRequest{Now: true})
	if _, err := e.in.Trim(e.Context(), plans, vault.TrimRequest{Now: true}); vault.CodeOf(err) != vault.CodeInvalid {
		e.Errorf("without a reference: %v", err)
	}
	e.trim(vault.TrimRequest{Now: true, Reference: "INCIDENT-3"})
	if _, p := e.plan(vault.TrimRequest{Now: true}); !p.Done || p.Below != 4 {
		e.Errorf("after: %+v", p)
	}
	page, err := e.in.Store.Entries(e.Context(), "acme", vault.EntryQuery{Kind: string(audit.KindKeyRetire), Descending: true, Limit: 1})
	e.no(err)
	entry, err := audit.ParseLeaf(page[0].Leaf)
	e.no(err)
	if entry.Reference != "INCIDENT-3" || entry.Counts[vault.CountRetiredBelow] != 4 || len(entry.Obligations) != 1 {
		e.Errorf("the entry is %+v", entry)
	}
}

// unwraps tells whether a wrapped key opens with full rights on the key service.
func (e *estate) unwraps(tenant string, key vault.DataKey) bool {
	e.Helper()
	opened, err := e.in.Unwrap(e.Context(), tenant, key.Wrapped)
	e.no(err)
	return opened
}

// TestFinalityAfterACrash at each step: nothing is said to be final that is not,
// and running it again brings it to its end.
func TestFinalityAfterACrash(t *testing.T) {
	for _, kind := range []string{embedded, sqliteKeys} {
		t.Run(kind, func(t *testing.T) {
			e := newEstate(t, kind)
			e.options.Finality = vault.FinalityTimes{BackupHorizon: horizon, KeyBackups: time.Hour}
			plug := &plug{}
			e.options.Store = func(s vault.Store) vault.Store { plug.Store = s; return plug }
			e.open()
			e.scope("docs")
			mine, hers := e.keep("docs", "", "A-1"), e.keep("docs", "crm:ann", "B-2")
			before := e.dataKeys()
			id := e.erase("crm:ann").ID
			e.epoch()
			e.clock.Advance(horizon + time.Hour)
			crash := func(what string, err error) {
				if !errors.Is(err, errPlug) {
					t.Fatalf("%s: the fault had no effect: %v", what, err)
				}
				found, err := e.in.Store.Erasures(t.Context(), "acme", vault.ErasureQuery{ID: id})
				if err != nil || !found[0].FinalAt.IsZero() {
					t.Errorf("%s: the erasure is %+v, %v", what, found, err)
				}
				if e.restored("docs", mine) != "A-1" {
					t.Errorf("%s: what stands does not restore", what)
				}
				plug.fails = nil
				e.close()
				e.open()
			}
			trims := func() error {
				plans, _ := e.plan(vault.TrimRequest{})
				_, err := e.in.Trim(t.Context(), plans, vault.TrimRequest{})
				return err
			}
			for _, kept := range []bool{false, true} {
				plug.fails, plug.kept = func(x vault.Effect) bool { _, is := x.(vault.RetireVersions); return is }, kept
				crash("retire", trims())
			}
			plans, _ := e.plan(vault.TrimRequest{})
			_, err := e.in.Service.Trim(t.Context(), vault.Call{Channel: "keys"}, plans, vault.TrimRequest{}, func(context.Context) error { return errPlug })
			crash("destroy", err)
			plug.fails, plug.kept = func(x vault.Effect) bool { _, is := x.(vault.Finality); return is }, false
			crash("finality", trims())
			e.no(trims())
			e.ended(before, id, mine, hers)
			if _, p := e.plan(vault.TrimRequest{}); !p.Done {
				t.Errorf("it has no end: %+v", p)
			}
			e.no(trims())
		})
	}
}

var errPlug = errors.New("pulled")

// plug makes commits fail, kept or not.
type plug struct {
	vault.Store
	fails func(vault.Effect) bool
	kept  bool
}

func (p *plug) Commit(ctx context.Context, tenant string, c vault.Change) (vault.Committed, error) {
	if p.fails == nil || !p.fails(c.Effect()) {
		return p.Store.Commit(ctx, tenant, c)
	}
	if p.kept {
		if _, err := p.Store.Commit(ctx, tenant, c); err != nil {
			return vault.Committed{}, err
		}
	}
	return vault.Committed{}, errPlug
}

// TestTenantsOfAKeyFileAreTrimmedTogether: one that was not rotated keeps the
// versions of all.
func TestTenantsOfAKeyFileAreTrimmedTogether(t *testing.T) {
	e := newEstate(t, embedded)
	e.open()
	e.no(e.in.Rotate(t.Context(), []string{"acme"}, func(string, int) error { return nil }))
	e.no(e.in.Rewrap(t.Context(), []string{"acme"}, func(string, int) error { return nil }))
	if _, err := e.in.PlanTrim(t.Context(), []string{"acme"}, vault.TrimRequest{}); !errors.Is(err, assembly.ErrSharedKey) {
		t.Errorf("one tenant alone: %v", err)
	}
	if _, p := e.plan(vault.TrimRequest{Now: true}); !p.Done || p.Below != 1 {
		t.Errorf("%+v", p)
	}
}

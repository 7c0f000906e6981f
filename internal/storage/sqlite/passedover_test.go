package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestInvariant7_PlansThatRemember compares what a store plans to sweep, which
// remembers what it passed over, with the plan of somebody who reads it first.
func TestInvariant7_PlansThatRemember(t *testing.T) {
	for seed := range uint64(4) {
		if diff := newPlanHistory(t, seed, sqlite.Hooks{}).run(60); diff != "" {
			t.Errorf("history %d: %s", seed, diff)
		}
	}
}

// Twin: a plan that does not notice that a hold was released is found out.
func TestInvariant7_TwinPlansThatRemember(t *testing.T) {
	blind := sqlite.Hooks{Rewrite: func(text string) string {
		if strings.Contains(text, "json_group_array(g.hold_id)") {
			return `SELECT '["one"]' WHERE ?1 <> ''`
		}
		return text
	}}
	for seed := range uint64(4) {
		if newPlanHistory(t, seed, blind).run(60) != "" {
			return
		}
	}
	t.Error("no history noticed it")
}

// planHistory is a tenant in which values end, are held and are swept.
type planHistory struct {
	*testing.T
	storagetest.Stores
	path   string
	now    time.Time
	rng    *rand.Rand
	place  storagetest.Place
	values []vault.NewMapping
	holds  []string
}

func newPlanHistory(t *testing.T, seed uint64, h sqlite.Hooks) *planHistory {
	t.Helper()
	p := &planHistory{
		T: t, path: filepath.Join(t.TempDir(), "vault.db"), rng: rand.New(rand.NewPCG(seed, 5)),
		// Later than today, so that a reader without that clock goes by the log's.
		now: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	p.Stores = openAt(t, p.path, sqlite.Options{Clock: func() time.Time { return p.now }}, h)
	p.commit(storagetest.Provision())
	p.place = storagetest.NewPlace("acme", "place", p.now)
	p.commit(p.place.Open())
	return p
}

func (p *planHistory) commit(effect vault.Effect) string {
	p.Helper()
	change := storagetest.Change(p, "acme", effect)
	if _, err := p.Store.Commit(p.Context(), "acme", change); err != nil {
		p.Fatal(err)
	}
	return change.ID()
}

// run takes so many steps, and tells where two plans were not the same.
func (p *planHistory) run(steps int) (diff string) {
	for step := range steps {
		p.step(step)
		p.commit(vault.Record{}) // the log's time is that of the clock
		if diff := p.compare(1 + p.rng.IntN(4)); diff != "" {
			return fmt.Sprintf("step %d: %s", step, diff)
		}
	}
	return ""
}

func (p *planHistory) step(step int) {
	switch p.rng.IntN(6) {
	case 0, 1:
		m := p.place.Value(fmt.Sprint(step))
		m.TTL = time.Duration(1+p.rng.IntN(3_000_000)) * time.Microsecond
		p.values = append(p.values, m)
		p.commit(p.place.Tokenize(m))
	case 2:
		if len(p.values) > 0 {
			match := vault.HoldMatch{Lookups: []vault.Digest{p.values[p.rng.IntN(len(p.values))].Mapping.Lookup}}
			p.holds = append(p.holds, p.commit(vault.PlaceHold{Hold: vault.Hold{Matter: "M", Reference: "R", Match: match}}))
		}
	case 3:
		if len(p.holds) > 0 {
			p.commit(vault.ReleaseHold{ID: p.holds[0]})
			p.holds = p.holds[1:]
		}
	case 4:
		p.now = p.now.Add([]time.Duration{0, time.Second, 2 * time.Hour}[p.rng.IntN(3)])
	default:
		if planned, err := p.Registry.Expired(p.Context(), "acme", 2); must(p, len(planned.Mappings), err) > 0 {
			p.commit(vault.Sweep{Mappings: planned.Mappings})
		}
	}
}

func (p *planHistory) compare(limit int) string {
	p.Helper()
	got, err := p.Registry.Expired(p.Context(), "acme", limit)
	must(p, 0, err)
	fresh, err := sqlite.OpenReadOnly(p.Context(), p.path)
	must(p, 0, err)
	want, err := fresh.Expired(p.Context(), "acme", limit)
	must(p, 0, err)
	must(p, 0, fresh.Close())
	return cmp.Diff(want.Mappings, got.Mappings)
}

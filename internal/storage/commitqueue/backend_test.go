package commitqueue_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDisk = errors.New("the disk is full")

// applied is one batch as the backend saw it.
type applied struct {
	Tenant string
	IDs    []string
}

// fake is a backend that remembers. What it keeps in durable survived.
type fake struct {
	mu      sync.Mutex
	batches []applied
	durable map[string]int // change id → how often it was committed

	// begin, where set, is called before anything happens: it may block.
	begin func(tenant string, ids []string)
	// outcome, where set, decides on a batch by its number, from 0.
	outcome func(n int) outcome
	// lookup, where set, replaces looking into durable.
	lookup func(ids []string) ([]string, error)
}

// outcome is what becomes of one batch.
type outcome struct {
	persist bool
	err     error
	panics  bool
	results int // fewer results than changes
	failing map[int]error
}

func (f *fake) Apply(tenant string, changes []vault.Change) ([]commitqueue.Result, error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID()
	}
	if f.begin != nil {
		f.begin(tenant, ids)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.batches)
	f.batches = append(f.batches, applied{tenant, ids})
	o := outcome{persist: true}
	if f.outcome != nil {
		o = f.outcome(n)
	}
	results := make([]commitqueue.Result, len(changes))
	for i, id := range ids {
		if err := o.failing[i]; err != nil {
			results[i].Err = err
			continue
		}
		results[i].Committed = vault.Committed{First: int64(n), Count: i + 1}
		if o.persist {
			if f.durable == nil {
				f.durable = make(map[string]int)
			}
			f.durable[id]++
		}
	}
	if o.panics {
		panic("a value that nobody may see: 4111 1111 1111 1111")
	}
	return results[:len(results)-o.results], o.err
}

func (f *fake) Lookup(_ string, ids []string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lookup != nil {
		return f.lookup(ids)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return f.durable[id] == 0 }), nil
}

func (f *fake) seen() []applied {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}

// shared is a change that may share a commit; alone is one that may not.
func shared(t testing.TB) vault.Change { return change(t, vault.Record{}, audit.KindServiceStart) }
func alone(t testing.TB) vault.Change  { return change(t, vault.Sweep{}, audit.KindSweep) }

func wide(t testing.TB, rows int) vault.Change {
	return change(t, vault.Restore{Refs: make([]vault.RestoreRef, rows-1)}, audit.KindRestore)
}

func change(t testing.TB, effect vault.Effect, kind audit.Kind) vault.Change {
	t.Helper()
	c, err := vault.NewChange("acme", effect, audit.Entry{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

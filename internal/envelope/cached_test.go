package envelope_test

import (
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

// TestCached: keys in memory open without anybody being asked, the others are named
// in their order; those of another tenant and those that were forgotten are not there.
func TestCached(t *testing.T) {
	w := wraptest.NewMemory()
	made := fresh(t, w, tenant, 3)
	keys := stored(made)
	c := newCache(t, envelope.CacheConfig{})
	get(t, c, w, tenant, keys[0], keys[2])
	calls, ids := w.Calls(), []string{keys[1].ID, keys[0].ID, "none", keys[2].ID}
	opened, others := c.Cached(tenant, ids)
	if !slices.Equal(others, []string{keys[1].ID, "none"}) || len(opened) != 2 || w.Calls() != calls {
		t.Fatalf("%d are open, the others are %q, after %d calls", len(opened), others, w.Calls()-calls)
	}
	for _, i := range []int{0, 2} {
		if o := opened[keys[i].ID]; o.ID != keys[i].ID || o.Err != nil {
			t.Errorf("key %d: id %q, %v", i, o.ID, o.Err)
		} else if err := sameKey(made[i].Key, o.Key); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
	if hits := c.Stats().Hits; hits != 2 {
		t.Errorf("%d hits were counted, not 2", hits)
	}
	if opened, others := c.Cached("other", ids); len(opened) != 0 || len(others) != len(ids) {
		t.Errorf("another tenant has %d of the keys", len(opened))
	}
	c.Forget(tenant, keys[0].ID)
	if opened, _ := c.Cached(tenant, ids); len(opened) != 1 {
		t.Errorf("%d are open after one of two was forgotten", len(opened))
	}
}

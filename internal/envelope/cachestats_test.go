package envelope_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
)

func TestCacheStatsCountWhatWasThere(t *testing.T) {
	w := wraptest.NewMemory()
	keys := stored(fresh(t, w, tenant, 3))
	c := newCache(t, envelope.CacheConfig{MaxKeys: 2})
	get(t, c, w, tenant, keys[0])          // a miss
	get(t, c, w, tenant, keys[0], keys[1]) // a hit and a miss
	get(t, c, w, tenant, keys[2])          // a miss, and the first leaves
	get(t, c, w, "other", keys[2])         // of another tenant: a miss
	if diff := cmp.Diff(envelope.CacheStats{Hits: 1, Misses: 4, Keys: 2, Most: 2}, c.Stats()); diff != "" {
		t.Error(diff)
	}
}

package vault

import (
	"sync"
)

// usesKnown remembers which uses of which grants this process has noted, so that a
// text that grows is not noted anew with each word. What it forgot is noted twice,
// which the store takes as once.
type usesKnown struct {
	mu   sync.Mutex
	seen map[useOf]struct{}
}

type useOf struct {
	tenant, grant string
	use           MappingRef
}

// maxUsesKnown bounds what is remembered: some ten megabytes.
const maxUsesKnown = 1 << 16

func newUsesKnown() *usesKnown { return &usesKnown{seen: make(map[useOf]struct{})} }

// unknown are those of the uses that were not noted here.
func (k *usesKnown) unknown(tenant, grant string, uses []MappingRef) []MappingRef {
	k.mu.Lock()
	defer k.mu.Unlock()
	var fresh []MappingRef
	for _, use := range uses {
		if _, seen := k.seen[useOf{tenant, grant, use}]; !seen {
			fresh = append(fresh, use)
		}
	}
	return fresh
}

func (k *usesKnown) add(tenant, grant string, uses []MappingRef) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen)+len(uses) > maxUsesKnown {
		clear(k.seen)
	}
	for _, use := range uses {
		k.seen[useOf{tenant, grant, use}] = struct{}{}
	}
}

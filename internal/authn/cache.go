package authn

import (
	"container/list"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// cache keeps the callers of verified tokens, the least recently used one out
// first. It holds digests, not tokens: a dump of the memory shows no credential.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List // of *verified, the most recently used in front
	byKey map[[sha256.Size]byte]*list.Element
}

type verified struct {
	digest      [sha256.Size]byte
	from, until time.Time
	caller      vault.Caller
	bound       string // the fingerprint of the certificate that it takes, or ""

	keys keySource
	kid  string
	key  *publicKey // that the signature was verified with
}

// stands tells whether a verification would still say the same. A key that
// its issuer has withdrawn, or gives to another use, takes every token with it.
func (v *verified) stands(now time.Time) bool {
	return !now.Before(v.from) && now.Before(v.until) && v.keys.holds(v.kid, v.key)
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), byKey: map[[sha256.Size]byte]*list.Element{}}
}

// get answers only between the token's own instants, while its key counts, and
// over a connection that shows the certificate that it is bound to: otherwise a
// token is judged anew, so that a hit never says more than a
// verification would. The key is asked for here, not cleared away when it is
// withdrawn, since a verification that is under way then would still put its
// token in.
func (c *cache) get(digest [sha256.Size]byte, shown string, now time.Time) (vault.Caller, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.byKey[digest]
	if !ok {
		return vault.Caller{}, false
	}
	entry := element.Value.(*verified)
	if !entry.stands(now) {
		c.remove(element)
		return vault.Caller{}, false
	}
	if !proves(shown, entry.bound) {
		return vault.Caller{}, false // it stays, for whoever it is bound to
	}
	c.order.MoveToFront(element)
	return cloneCaller(entry.caller), true
}

// put is for credentials that passed every check.
func (c *cache) put(digest [sha256.Size]byte, passed *credential) {
	if c.size == 0 {
		return
	}
	entry := &verified{
		digest: digest, from: passed.from(), until: passed.until(), caller: passed.caller,
		bound: passed.bound, keys: passed.issuer.keys, kid: passed.kid, key: passed.key,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.byKey[digest]; ok {
		c.remove(element) // two requests verified the same token at once
	}
	c.byKey[digest] = c.order.PushFront(entry)
	if c.order.Len() > c.size {
		c.remove(c.order.Back())
	}
}

func (c *cache) remove(element *list.Element) {
	entry := c.order.Remove(element).(*verified)
	delete(c.byKey, entry.digest)
}

// cloneCaller keeps a request that changes its caller from changing that of
// the next one.
func cloneCaller(caller vault.Caller) vault.Caller {
	caller.Roles = slices.Clone(caller.Roles)
	caller.Attributes = maps.Clone(caller.Attributes)
	return caller
}

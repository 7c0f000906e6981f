package authn

import (
	"context"
	"crypto"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// The hooks of the twins: each takes one guard out, so that a test can show the
// attack that the guard is there for.

// Without returns a verifier that skips the named checks.
func (v *Verifier) Without(names ...string) *Verifier {
	twin := *v
	twin.cache = newCache(0)
	for _, name := range names {
		before := len(twin.checks)
		twin.checks = slices.DeleteFunc(slices.Clone(twin.checks), func(c check) bool { return c.name == name })
		if len(twin.checks) == before {
			panic(fmt.Sprintf("authn: no check is called %q", name))
		}
	}
	return &twin
}

// WithSharedKeys returns a verifier in which every issuer has the keys of all:
// the kid is not pinned to the issuer.
func (v *Verifier) WithSharedKeys() *Verifier {
	twin := *v
	twin.cache = newCache(0)
	all := staticKeys{}
	for _, i := range v.issuers {
		maps.Copy(all, i.keys.(staticKeys))
	}
	twin.issuers = map[string]*issuer{}
	for name, i := range v.issuers {
		shared := *i
		keys := maps.Clone(all)
		maps.Copy(keys, i.keys.(staticKeys))
		shared.keys = keys
		twin.issuers[name] = &shared
	}
	return &twin
}

// WithSignatureCheck returns a verifier that leaves header, algorithm, key and
// signature to verify.
func (v *Verifier) WithSignatureCheck(verify func(header map[string]any, signed string, signature []byte) bool) *Verifier {
	twin := v.Without("header", "algorithm", "key")
	for n, c := range twin.checks {
		if c.name != "signature" {
			continue
		}
		twin.checks[n].run = func(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
			if !verify(c.header, c.signed, c.signature) {
				return refuse(ReasonSignature, "the twin refuses it")
			}
			return nil
		}
	}
	return twin
}

// WithoutNamespaces returns a verifier that takes the names of every issuer for
// names of everybody.
func (v *Verifier) WithoutNamespaces() *Verifier {
	twin := *v
	twin.cache = newCache(0)
	twin.issuers = map[string]*issuer{}
	for name, i := range v.issuers {
		plain := *i
		plain.config.Namespace, plain.foreign = "", nil
		twin.issuers[name] = &plain
	}
	return &twin
}

// WithPersonsAsSpelled returns a verifier that does not fold persons.
func (v *Verifier) WithPersonsAsSpelled() *Verifier {
	twin := v.Without("binding")
	read := func(ctx context.Context, c *credential, v *Verifier, now time.Time) error {
		err := checkClaims(ctx, c, v, now)
		c.caller.Person, _ = c.claims[c.issuer.config.PersonClaim].(string)
		return err
	}
	twin.checks[slices.IndexFunc(twin.checks, func(c check) bool { return c.name == "claims" })].run = read
	return twin
}

// FoldPerson is how persons are compared.
var FoldPerson = foldPerson

// Member lets a test read a nested object of a header.
func (o object) Member(name string) any { return o[name] }

// Prolong makes the cache take every token that it holds for valid for ever.
func (v *Verifier) Prolong() {
	for element := v.cache.order.Front(); element != nil; element = element.Next() {
		element.Value.(*verified).until = time.Unix(maxNumericDate, 0)
	}
}

// Cached returns how many callers the cache holds.
func (v *Verifier) Cached() int { return v.cache.order.Len() }

// DevKeyFile is the name of the key file, for tests that spoil it.
const DevKeyFile = devKeyFile

// WithTransport replaces the network between a verifier and its issuers.
func WithTransport(t http.RoundTripper) Option { return func(s *settings) { s.transport = t } }

// CacheOnly returns a verifier that has the cache of v and verifies nothing.
func (v *Verifier) CacheOnly() *Verifier {
	twin := *v
	twin.checks = []check{{"none", func(context.Context, *credential, *Verifier, time.Time) error {
		return refuse(ReasonSignature, "the twin verifies nothing")
	}}}
	return &twin
}

// TrustCachedKeys makes the cache believe that no key is ever withdrawn.
func (v *Verifier) TrustCachedKeys() {
	for element := v.cache.order.Front(); element != nil; element = element.Next() {
		entry := element.Value.(*verified)
		entry.keys = staticKeys{entry.kid: entry.key}
	}
}

// ForgetBindings makes the cache take every token for one without cnf.
func (v *Verifier) ForgetBindings() {
	for element := v.cache.order.Front(); element != nil; element = element.Next() {
		element.Value.(*verified).bound = ""
	}
}

// SkipStartWait makes the verifier one that started long ago.
func (v *Verifier) SkipStartWait() { v.started = v.started.Add(-StartWait) }

// NeverAsk takes away the fetches for kids that are not known.
func (v *Verifier) NeverAsk() {
	for _, remote := range v.remote {
		remote.limiter.SetBurst(0)
	}
}

// KeepForEver makes the sets that are known count for ever.
func (v *Verifier) KeepForEver() {
	for _, remote := range v.remote {
		set := *remote.current.Load()
		set.asked = time.Unix(maxNumericDate, 0)
		remote.current.Store(&set)
	}
}

// ParseKeySet reads a key set and returns the kids of the keys that count, and
// the rules that the others break.
func ParseKeySet(document []byte, algs []string) (map[string]crypto.PublicKey, []string, error) {
	keys, left, err := parseKeySet(document, algs)
	public := map[string]crypto.PublicKey{}
	for kid, key := range keys {
		public[kid] = key.public
	}
	return public, left, err
}

// CheckPublicKey is the rule for keys, wherever they come from.
var CheckPublicKey = checkPublicKey

package transit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conforming is a wrapper whose tenants' keys are made as they are met, by the
// other identity: the contract gives every tenant a first version.
type conforming struct {
	*transit.Wrapper
	keys   *transit.Keys
	server *transittest.Server
	t      *testing.T
	met    *met
}

// met are the tenants that have a key already.
type met struct {
	sync.Mutex
	tenants map[string]bool
}

func (c conforming) meet(ctx context.Context, tenant string) {
	if tenant == "" || len(tenant) > envelope.MaxField || ctx.Err() != nil {
		return
	}
	c.met.Lock()
	defer c.met.Unlock()
	if c.met.tenants[tenant] {
		return
	}
	if err := c.keys.Create(context.Background(), tenant); err != nil {
		c.t.Errorf("make the key of a tenant: %v", err)
	}
	c.met.tenants[tenant] = true
}

func (c conforming) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	c.meet(ctx, tenant)
	return c.Wrapper.Wrap(ctx, tenant, plain)
}

func (c conforming) Unwrap(ctx context.Context, tenant string, wrapped []envelope.Wrapped) ([]envelope.Unwrapped, error) {
	c.meet(ctx, tenant)
	return c.Wrapper.Unwrap(ctx, tenant, wrapped)
}

func (c conforming) Version(ctx context.Context, tenant string) (int, error) {
	c.meet(ctx, tenant)
	return c.Wrapper.Version(ctx, tenant)
}

func (c conforming) Rotate(ctx context.Context, tenant string) error {
	c.meet(ctx, tenant)
	return c.keys.Rotate(ctx, tenant)
}

func (c conforming) Destroy(ctx context.Context, tenant string, below int) error {
	return c.keys.Retire(ctx, tenant, below)
}

func (c conforming) Stop() { c.server.Stop(c.t) }

func openWrapper(t *testing.T, c transit.Config) *transit.Wrapper {
	t.Helper()
	w, err := transit.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func openKeys(t *testing.T, c transit.Config) *transit.Keys {
	t.Helper()
	k, err := transit.OpenKeys(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// TestContract holds the wrapper against every clause, on a real server. Each
// clause has keys of its own: a prefix that no other has.
func TestContract(t *testing.T) {
	server := transittest.Open(t)
	wraptest.Run(t, func(t *testing.T) envelope.KeyWrapper {
		s := server
		if strings.Contains(t.Name(), "silence") {
			s = transittest.Start(t) // it is stopped for good
		}
		serving, keys := s.Serving(t), s.Keys(t)
		serving.KeyPrefix = transittest.Prefix()
		keys.KeyPrefix = serving.KeyPrefix
		return conforming{openWrapper(t, serving), openKeys(t, keys), s, t, &met{tenants: make(map[string]bool)}}
	})
}

// pair is a server with both identities and the key of acme.
type pair struct {
	*transittest.Server
	w    *transit.Wrapper
	keys *transit.Keys
}

func newPair(t *testing.T) pair {
	t.Helper()
	s := transittest.Start(t)
	p := pair{s, openWrapper(t, s.Serving(t)), openKeys(t, s.Keys(t))}
	if err := p.keys.Create(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p pair) wrap(t *testing.T, plain string) envelope.Wrapped {
	t.Helper()
	wrapped, err := p.w.Wrap(t.Context(), "acme", [][]byte{[]byte(plain)})
	if err != nil {
		t.Fatal(err)
	}
	return wrapped[0]
}

func (p pair) opens(t *testing.T, wrapped envelope.Wrapped, want string) {
	t.Helper()
	items, err := p.w.Unwrap(t.Context(), "acme", []envelope.Wrapped{wrapped})
	if err != nil || items[0].Err != nil || string(items[0].Plain.Reveal()) != want {
		t.Errorf("unwrapped %v, %v", items, err)
	}
}

// TestLeastPrivilege: what each identity must not do is refused by the server.
func TestLeastPrivilege(t *testing.T) {
	p := newPair(t)
	wrapped := p.wrap(t, "key")
	// The serving identity with the methods of the other one, and the reverse.
	serving := openKeys(t, p.Serving(t))
	for name, do := range map[string]func() error{
		"make a key":   func() error { return serving.Create(t.Context(), "globex") },
		"rotate":       func() error { return serving.Rotate(t.Context(), "acme") },
		"retire":       func() error { return serving.Retire(t.Context(), "acme", 1) },
		"read the key": func() error { _, err := serving.Status(t.Context(), "acme"); return err },
		"wrap for a tenant without a key": func() error {
			_, err := p.w.Wrap(t.Context(), "globex", [][]byte{[]byte("x")})
			return err
		},
	} {
		if err := do(); !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("the serving identity may %s: %v", name, err)
		}
	}
	if _, err := p.keys.Status(t.Context(), "globex"); !transit.Missing(err) {
		t.Errorf("a key came into being: %v", err)
	}
	keys := openWrapper(t, p.Keys(t))
	_, wrapErr := keys.Wrap(t.Context(), "acme", [][]byte{[]byte("x")})
	_, unwrapErr := keys.Unwrap(t.Context(), "acme", []envelope.Wrapped{wrapped})
	_, rewrapErr := keys.Rewrap(t.Context(), "acme", []envelope.Wrapped{wrapped})
	for name, err := range map[string]error{"wrap": wrapErr, "open": unwrapErr, "re-wrap": rewrapErr} {
		if !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("counterfoil-keys may %s: %v", name, err)
		}
	}
	for name, path := range map[string]string{
		"delete": "transit/keys/counterfoil-n-acme-n/config", "export": "transit/export/encryption-key/counterfoil-n-acme-n",
		"back up": "transit/backup/counterfoil-n-acme-n", "read secrets": "secret/data/x", "read policies": "sys/policies/acl/counterfoil-keys",
	} {
		for _, config := range []transit.Config{p.Serving(t), p.Keys(t)} {
			data := map[string]any(nil)
			if name == "delete" {
				data = map[string]any{"deletion_allowed": true}
			}
			if status := transittest.Ask(t, config, path, data); status != 403 {
				t.Errorf("%s: status %d, want 403", name, status)
			}
		}
	}
	// The twin: whoever may do everything is not refused.
	if _, err := p.Root().Logical().Write("transit/keys/counterfoil-n-acme-n/config", map[string]any{"deletion_allowed": true}); err != nil {
		t.Errorf("twin: the path itself is refused: %v", err)
	}
	p.opens(t, wrapped, "key")
}

// TestKeysRotateAndRetire: the other identity's whole work, and what it means
// for what was wrapped.
func TestKeysRotateAndRetire(t *testing.T) {
	p := newPair(t)
	old := p.wrap(t, "key")
	if err := p.keys.Create(t.Context(), "acme"); err != nil {
		t.Errorf("made again: %v", err)
	}
	if err := p.keys.Rotate(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	p.opens(t, old, "key")
	moved, err := p.w.Rewrap(t.Context(), "acme", []envelope.Wrapped{old})
	if err != nil || moved[0].Err != nil || moved[0].Wrapped.Version != 2 {
		t.Fatalf("re-wrapped %+v, %v", moved, err)
	}
	if err := p.keys.Retire(t.Context(), "acme", 2); err != nil {
		t.Fatal(err)
	}
	if v, err := p.keys.Status(t.Context(), "acme"); err != nil || v != (transit.Versions{Latest: 2, MinDecryption: 2, MinAvailable: 2}) {
		t.Errorf("status %+v, %v", v, err)
	}
	items, err := p.w.Unwrap(t.Context(), "acme", []envelope.Wrapped{old, moved[0].Wrapped})
	if err != nil || !errors.Is(items[0].Err, envelope.ErrVersionGone) || items[1].Err != nil {
		t.Errorf("after the version was retired: %v, %v", items, err)
	}
}

// TestInvariant12_KeysStayOutOfTheAuditLog: what the server's audit device
// writes holds no key, in no form in which it was sent.
func TestInvariant12_KeysStayOutOfTheAuditLog(t *testing.T) {
	p := newPair(t)
	const canary = "canary-key-7d1f0a7be2c94b52"
	wrapped := p.wrap(t, canary)
	p.opens(t, wrapped, canary)
	log := p.AuditLog(t)
	if !bytes.Contains(log, []byte("transit/decrypt/counterfoil-n-acme-n")) {
		t.Fatal("the audit log does not have the call: it shows nothing")
	}
	for _, form := range forms(canary) {
		if bytes.Contains(log, []byte(form)) {
			t.Errorf("the audit log holds the key as %.12s...", form)
		}
	}
}

// Concurrent callers share calls, and each gets its own.
func TestConcurrentCallersShare(t *testing.T) {
	p := newPair(t)
	wrapped := make([]envelope.Wrapped, 64)
	for i := range wrapped {
		wrapped[i] = p.wrap(t, fmt.Sprint("key ", i))
	}
	before := p.w.Stats()
	var group sync.WaitGroup
	for i := range wrapped {
		group.Go(func() { p.opens(t, wrapped[i], fmt.Sprint("key ", i)) })
	}
	group.Wait()
	after := p.w.Stats()
	if items := after.Items - before.Items; items != 64 {
		t.Errorf("%d items", items)
	}
	if calls := after.Calls - before.Calls; calls > 40 {
		t.Errorf("%d calls for 64 callers: they do not share", calls)
	}
}

// TestSteadyState: once keys are pooled and cached, the request path makes no
// call of the key service.
func TestSteadyState(t *testing.T) {
	p := newPair(t)
	pool, err := envelope.NewPool(p.w, envelope.PoolConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	cache, err := envelope.NewCache(envelope.CacheConfig{})
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := pool.Take(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	cache.Put(fresh)
	stored := []envelope.StoredKey{{ID: fresh.ID, Wrapped: fresh.Wrapped}}
	before := p.w.Stats()
	for range 100 {
		if got, err := cache.Get(t.Context(), p.w, "acme", stored); err != nil || got[0].Err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		if _, err := pool.Take(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
	}
	if calls := p.w.Stats().Calls - before.Calls; calls != 0 {
		t.Errorf("%d calls on the request path", calls)
	}
}

func TestKeyNames(t *testing.T) {
	seen := make(map[string]string)
	for _, tenant := range []string{"acme", "Acme", "acme-", "-acme", "_system", "acme/x", "acme ", "n-acme-n", "", strings.Repeat("a", 63), strings.Repeat("a", 64)} {
		name := transit.KeyName("p-", tenant)
		if other, taken := seen[name]; taken {
			t.Errorf("%q and %q share the key %s", tenant, other, name)
		}
		seen[name] = tenant
		if name != strings.ToLower(name) || strings.ContainsAny(name, "/ ") {
			t.Errorf("%q has the key %q", tenant, name)
		}
	}
}

// Package vaulttest gives tests a ready-made service: a real SQLite file, a
// real local key and the shipped policy (see Alone) in a temporary folder, with a
// clock that the test moves.
//
//	v := vaulttest.New(t)
//	out, err := v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{
//		Scope: "chat-1", Text: vaulttest.Ptr("mail jane@example.com"),
//	})
//	v.Clock.Advance(25 * time.Hour) // the conversation is forgotten
package vaulttest

import (
	"context"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite/sqlitetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Vault is an open service and what a test wants to know of it.
type Vault struct {
	*assembly.Instance
	Clock *Clock
	Dir   string
}

// Option changes what New makes.
type Option func(*assembly.Options)

// WithPolicy replaces the policy; authz.FS is the shipped one as it is.
func WithPolicy(bundle fs.FS) Option {
	return func(o *assembly.Options) { o.Policy = bundle }
}

// With changes anything else.
func With(change func(*assembly.Options)) Option { return change }

// WithStore puts something between the service and its store.
func WithStore(wrap func(vault.Store) vault.Store) Option {
	return func(o *assembly.Options) { o.Store = wrap }
}

// WithDetector replaces the shipped detection.
func WithDetector(d *detect.Detector) Option {
	return func(o *assembly.Options) { o.Detector = d }
}

// New opens a service that is closed when the test ends.
func New(t testing.TB, opts ...Option) *Vault {
	t.Helper()
	v := &Vault{Clock: NewClock(), Dir: t.TempDir()}
	options := assembly.Options{Clock: v.Clock.Now, Policy: Alone()}
	for _, opt := range opts {
		opt(&options)
	}
	files := config.Layout{Dir: v.Dir}.Files()
	if err := assembly.CreateKey(files); err != nil {
		t.Fatalf("vaulttest: key: %v", err)
	}
	sqlitetest.Prepare(t, files.Database)
	instance, err := assembly.Open(context.Background(), v.Dir, options)
	if err != nil {
		t.Fatalf("vaulttest: open: %v", err)
	}
	v.Instance = instance
	t.Cleanup(func() {
		if err := instance.Close(context.Background()); err != nil {
			t.Errorf("vaulttest: close: %v", err)
		}
	})
	return v
}

// Call makes a call of a client with roles, of the tenant acme.
func Call(client string, roles ...string) vault.Call {
	return vault.Call{
		RequestID: vault.NewID(), Channel: "test",
		Caller: vault.Caller{Tenant: "acme", Subject: client, Client: client, Roles: roles},
	}
}

// Gateway is a call of the gateway gw-1 of acme.
func (v *Vault) Gateway() vault.Call { return Call("gw-1", "gateway") }

// Auditor is a call of an auditor of acme.
func (v *Vault) Auditor() vault.Call { return Call("ann", "auditor") }

// OnBehalfOf names the end user of a call.
func OnBehalfOf(call vault.Call, endUser string) vault.Call {
	call.Caller.EndUser, call.Caller.EndUserAssurance = endUser, vault.AssuranceToken
	return call
}

// Ptr returns a pointer to s.
func Ptr(s string) *string { return &s }

// Clock is a clock that only a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed time, so that runs can be compared.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

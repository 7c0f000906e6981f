//go:build unix

package vaulttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// NewOnPostgres is New on PostgreSQL and a key service, both real: a database of
// its own on the server that the tests of the binary share, which is why the
// package needs
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }
//
// and a key service that ends with the test. The store goes by the clock that the
// test moves. Its tenant is acme.
func NewOnPostgres(t testing.TB, opts ...Option) *Vault {
	t.Helper()
	return NewReplicas(t, 1, opts...)[0]
}

// NewReplicas opens several services of one database and one key service, which
// share a clock. They do not tell each other which keys are gone: what guards is
// the commit alone.
func NewReplicas(t testing.TB, n int, opts ...Option) []*Vault {
	t.Helper()
	db, keys := pgtest.New(t), transittest.Start(t)
	serving, administration := keys.Serving(t), keys.Keys(t)
	clock, dir, ctx := NewClock(), t.TempDir(), context.Background()
	b := assembly.Backends{
		Files: config.Files{Anchors: filepath.Join(dir, "anchors"), LogKeys: filepath.Join(dir, "log-keys")},
		Postgres: &postgres.Config{
			AppDSN: db.App, DestroyDSN: db.Destroy, AppConns: replicaConns, DestroyConns: replicaConns,
		},
		AuditDSN: db.Audit, Transit: &serving, Administration: &administration,
	}
	options := assembly.Options{Clock: clock.Now, Policy: Alone()}
	for _, opt := range opts {
		opt(&options)
	}
	if err := assembly.MakeKey(ctx, b, vault.SystemTenant); err != nil {
		t.Fatalf("vaulttest: %v", err)
	}
	if err := assembly.CreateTenant(ctx, b, "acme", options); err != nil {
		t.Fatalf("vaulttest: %v", err)
	}
	replicas := make([]*Vault, n)
	for i := range replicas {
		options.Replica = fmt.Sprint("replica-", i+1)
		instance, err := assembly.OpenService(ctx, b, []authn.Issuer{issuer(t)}, options)
		if err != nil {
			t.Fatalf("vaulttest: open: %v", err)
		}
		replicas[i] = &Vault{Instance: instance, Clock: clock, Dir: dir}
		t.Cleanup(func() {
			if err := instance.Close(context.Background()); err != nil {
				t.Errorf("vaulttest: close: %v", err)
			}
		})
	}
	return replicas
}

// replicaConns are the connections of a pool of a replica: as many as its commits
// and reads use at once in a test.
const replicaConns = 8

// issuer is what a service is not opened without.
func issuer(t testing.TB) authn.Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("vaulttest: %v", err)
	}
	return authn.Issuer{
		Issuer: "https://a.example", Audience: "counterfoil", Algorithms: []string{"ES256"},
		Keys:        []authn.Key{{ID: "k1", Public: &key.PublicKey}},
		TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme"},
	}
}

//go:build unix

package assembly_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }

// Replicas that start at the same moment on an empty database all serve, and
// there is one log of the system.
func TestReplicasStartAtOnce(t *testing.T) {
	db := pgtest.New(t)
	files := keyed(t)
	backends := assembly.Backends{
		Files: files, AuditDSN: db.Audit,
		Postgres: &postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy, AppConns: 4, DestroyConns: 2},
	}
	instances := make([]*assembly.Instance, 4)
	errs := make([]error, len(instances))
	var group sync.WaitGroup
	for i := range instances {
		group.Go(func() {
			instances[i], errs[i] = assembly.OpenService(context.Background(), backends, issuers(t), options)
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("replica %d: %v", i, err)
		}
	}
	// A tenant that is made while they run is served by all of them.
	if err := assembly.CreateTenant(t.Context(), backends, "acme", options); err != nil {
		t.Fatal(err)
	}
	for _, in := range instances {
		if _, err := in.Service.Tokenize(t.Context(), vaulttest.Call("gw-1", "gateway"), vault.TokenizeRequest{
			Scope: "chat-1", Text: vaulttest.Ptr("mail jane@example.com"),
		}); err != nil {
			t.Error(err)
		}
		stop(t, in)
	}
	results, err := assembly.VerifyService(t.Context(), backends, options.LogPrefix)
	if err != nil || len(results) != 2 {
		t.Errorf("verified %d logs, %v", len(results), err)
	}
}

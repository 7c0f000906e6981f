//go:build unix

package assembly_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
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

// TestLogKeyOfReplicas: where one replica gives a log a new key, the others sign with
// the old one until they look, and with the new one from then on; whoever trusts the
// first key follows, whichever signed.
func TestLogKeyOfReplicas(t *testing.T) {
	db := pgtest.New(t)
	backends := assembly.Backends{
		Files: keyed(t), AuditDSN: db.Audit,
		Postgres: &postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy, AppConns: 4, DestroyConns: 2},
	}
	if err := assembly.CreateTenant(t.Context(), backends, "acme", options); err != nil {
		t.Fatal(err)
	}
	var replicas [2]*assembly.Instance
	for i := range replicas {
		in, err := assembly.OpenService(t.Context(), backends, issuers(t), options)
		if err != nil {
			t.Fatal(err)
		}
		defer stop(t, in)
		replicas[i] = in
	}
	receipt := func(in *assembly.Instance) *audit.Receipt {
		t.Helper()
		out, err := in.Service.Tokenize(t.Context(), vaulttest.Call("gw-1", "gateway"), vault.TokenizeRequest{
			Scope: "chat-1", Text: vaulttest.Ptr("mail jane@example.com"),
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Audit
	}
	first := receipt(replicas[1])
	keys, err := replicas[1].Service.LogKeys(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := replicas[0].Service.RotateLogKey(t.Context(), vault.Call{Channel: "keys"}, "acme")
	if err != nil {
		t.Fatal(err)
	}
	meanwhile := receipt(replicas[1])
	if err := meanwhile.Verify(keys[0].Key); err != nil {
		t.Errorf("before it looks the other replica signs with another key than it had: %v", err)
	}
	if err := replicas[1].Service.SyncLogKeys(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	after := receipt(replicas[1])
	if err := after.Verify(keys[0].Key); err == nil {
		t.Error("the other replica goes on with the old key")
	}
	trusted, err := audit.FollowHandovers([]string{keys[0].Key}, []byte(rotated.Handover))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range []*audit.Receipt{first, meanwhile, after} {
		if err := r.Verify(trusted...); err != nil {
			t.Errorf("receipt %d: %v", i, err)
		}
	}
	if _, err := replicas[1].Service.RotateLogKey(t.Context(), vault.Call{Channel: "keys"}, "acme"); err != nil {
		t.Errorf("the next rotation, by the other replica: %v", err)
	}
}

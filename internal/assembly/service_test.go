package assembly_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

var options = assembly.Options{LogPrefix: "vault.example/log", Environment: "staging", Replica: "vault-1"}

// places are those of a new service, each in a folder of its own.
func places(t *testing.T) config.Files {
	dir := t.TempDir()
	return config.Files{
		Database: filepath.Join(dir, "store", "counterfoil.db"), KeyFile: filepath.Join(dir, "secret", "local.key"),
		Anchors: filepath.Join(dir, "anchors"), LogKeys: filepath.Join(dir, "log-keys"),
	}
}

func issuers(t *testing.T) []authn.Issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return []authn.Issuer{{
		Issuer: "https://a.example", Audience: "counterfoil", Algorithms: []string{"ES256"},
		Keys:        []authn.Key{{ID: "k1", Public: &key.PublicKey}},
		TenantClaim: "tenant", RolesClaim: "roles", Tenants: []string{"acme", "initech"},
	}}
}

// keyed is a service whose key file was made.
func keyed(t *testing.T) config.Files {
	t.Helper()
	files := places(t)
	if err := assembly.CreateKey(files); err != nil {
		t.Fatal(err)
	}
	return files
}

func serve(t *testing.T, files config.Files) *assembly.Instance {
	t.Helper()
	in, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func stop(t *testing.T, in *assembly.Instance) {
	t.Helper()
	if err := in.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func missing(t *testing.T, path, why string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: there is %s (%v)", why, path, err)
	}
}

func TestServiceNeverMakesAKey(t *testing.T) {
	files := places(t)
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options); !errors.Is(err, assembly.ErrNoKey) {
		t.Errorf("started without a key file: %v", err)
	}
	if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, "acme", options); !errors.Is(err, assembly.ErrNoKey) {
		t.Errorf("a tenant without a key file: %v", err)
	}
	missing(t, files.KeyFile, "refused")
	missing(t, files.Database, "refused")
	if err := assembly.CreateKey(files); err != nil {
		t.Fatal(err)
	}
	if err := assembly.CreateKey(files); !errors.Is(err, assembly.ErrKeyExists) {
		t.Errorf("a second key: %v", err)
	}
	stop(t, serve(t, files))
	if err := os.Remove(files.KeyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options); !errors.Is(err, assembly.ErrNoKey) {
		t.Errorf("started without the key of its database: %v", err)
	}
	if err := assembly.CreateKey(files); !errors.Is(err, assembly.ErrNoKey) {
		t.Errorf("a new key beside an old database: %v", err)
	}
	missing(t, files.KeyFile, "beside a database")
}

func TestTenantsAreMadeOnPurpose(t *testing.T) {
	files := keyed(t)
	in := serve(t, files)
	request := vault.TokenizeRequest{Scope: "chat-1", Text: vaulttest.Ptr("mail jane@example.com")}
	// An issuer may speak for acme; that makes no tenant of it.
	if _, err := in.Service.Tokenize(t.Context(), vaulttest.Call("gw-1", "gateway"), request); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a request of a tenant that nobody made: %v", err)
	}
	if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, "acme", options); !errors.Is(err, assembly.ErrInUse) {
		t.Errorf("a tenant while the service is running: %v", err)
	}
	if tenants, err := assembly.Tenants(t.Context(), assembly.Backends{Files: files}); err != nil || len(tenants) != 0 {
		t.Errorf("tenants %v, %v", tenants, err)
	}
	stop(t, in)
	for tenant, code := range map[string]vault.Code{"": vault.CodeInvalid, "Acme": vault.CodeInvalid, "_system": vault.CodeConflict} {
		if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, tenant, options); vault.CodeOf(err) != code {
			t.Errorf("tenant %q: %v, want %s", tenant, err, code)
		}
	}
	if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, "acme", options); err != nil {
		t.Fatal(err)
	}
	if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, "acme", options); vault.CodeOf(err) != vault.CodeConflict {
		t.Errorf("a tenant twice: %v", err)
	}
	in = serve(t, files)
	defer stop(t, in)
	if _, err := in.Service.Tokenize(t.Context(), vaulttest.Call("gw-1", "gateway"), request); err != nil {
		t.Errorf("a request of a tenant: %v", err)
	}
	tenants, err := assembly.Tenants(t.Context(), assembly.Backends{Files: files}) // while it is running
	if err != nil || len(tenants) != 1 || tenants[0].Name != "acme" {
		t.Errorf("tenants %v, %v", tenants, err)
	}
}

func TestOneProcessHasTheDatabase(t *testing.T) {
	files := keyed(t)
	in := serve(t, files)
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options); !errors.Is(err, assembly.ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	stop(t, in)
	stop(t, serve(t, files))
}

// Anchors that nobody's database goes with are those of a lost one.
func TestAnchorsWithoutADatabase(t *testing.T) {
	files := keyed(t)
	stop(t, serve(t, files))
	if err := os.RemoveAll(filepath.Dir(files.Database)); err != nil {
		t.Fatal(err)
	}
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options); err == nil || !strings.Contains(err.Error(), "no database") {
		t.Errorf("%v", err)
	}
	missing(t, files.Database, "refused")
	// Without the anchors nothing tells that there ever was one.
	if err := errors.Join(os.RemoveAll(files.Anchors), os.RemoveAll(files.LogKeys)); err != nil {
		t.Fatal(err)
	}
	stop(t, serve(t, files))
}

func TestLogsOfAServiceVerify(t *testing.T) {
	files := keyed(t)
	if err := assembly.CreateTenant(t.Context(), assembly.Backends{Files: files}, "acme", options); err != nil {
		t.Fatal(err)
	}
	in := serve(t, files)
	entries, err := in.Store.Entries(t.Context(), vault.SystemTenant, vault.EntryQuery{Limit: 10})
	if err != nil || len(entries) == 0 {
		t.Fatalf("%d entries of the system, %v", len(entries), err)
	}
	for _, want := range []string{`"environment":"staging"`, `"replica":"vault-1"`} {
		if leaf := string(entries[len(entries)-1].Leaf); !strings.Contains(leaf, want) {
			t.Errorf("%s is not in %s", want, leaf)
		}
	}
	stop(t, in)
	results, err := assembly.VerifyService(t.Context(), assembly.Backends{Files: files}, options.LogPrefix)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, result := range results {
		names = append(names, result.Tenant)
	}
	if diff := cmp.Diff([]string{"_system", "acme"}, names); diff != "" {
		t.Errorf("verified (-want +got):\n%s", diff)
	}
	if _, err := assembly.VerifyService(t.Context(), assembly.Backends{Files: files}, "other.example/log"); err == nil {
		t.Error("sound under another prefix")
	}
	if err := os.WriteFile(files.LogKey("acme"), []byte("another key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, issuers(t), options); err == nil || !strings.Contains(err.Error(), "log key of acme") {
		t.Errorf("with another key of a log: %v", err)
	}
}

// A service that cannot be opened leaves nothing open: the next one can.
func TestWhatFailsLetsGo(t *testing.T) {
	files := keyed(t)
	if _, err := assembly.OpenService(t.Context(), assembly.Backends{Files: files}, nil, options); !errors.Is(err, authn.ErrConfig) {
		t.Fatalf("without issuers: %v", err)
	}
	stop(t, serve(t, files))
}

//go:build unix

package lifemodel_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }

// long tells whether the long variants are asked for.
func long() bool { return os.Getenv("COUNTERFOIL_LONG") == "1" }

// stores open a service on each of the two.
var stores = map[string]func(testing.TB, ...vaulttest.Option) *vaulttest.Vault{
	"sqlite": vaulttest.New, "postgres": vaulttest.NewOnPostgres,
}

func counsel() vault.Call { return vaulttest.Call("lea", "legal") }
func officer() vault.Call { return vaulttest.Call("pia", "privacy_officer") }

func identity(v *vaulttest.Vault) vault.IdentityCheck {
	return vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: v.Clock.Now()}
}

func mail(value string) []vault.Identifier {
	return []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: value}}
}

// erasure asks that what there is of a person is destroyed.
func erasure(v *vaulttest.Vault, subject, suppress string) vault.ErasureRequest {
	return vault.ErasureRequest{
		Regime: "gdpr", Subject: subject, ConfirmSubject: subject, Reference: "DSAR-7",
		Identity: identity(v), Suppress: suppress,
	}
}

func holdRequest(match vault.HoldWords) vault.HoldRequest {
	return vault.HoldRequest{Matter: "M-2026-17", Reference: "ORDER-4", Match: match}
}

var ctx = context.Background()

// must stops a test at an error; it serves *testing.T and *rapid.T.
func must[T any](got T, err error) func(stopper) T {
	return func(t stopper) T {
		t.Helper()
		var public *vault.Error
		if errors.As(err, &public) {
			t.Fatalf("unexpected error: %v: %s %v", err, public.Detail, public.Violations)
		}
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return got
	}
}

// stopper is a test that can be stopped.
type stopper interface {
	Helper()
	Fatalf(format string, args ...any)
}

// set gives a flag of rapid a value until the test ends.
func set(t *testing.T, name string, value any) {
	t.Helper()
	f := flag.Lookup("rapid." + name)
	before := f.Value.String()
	if err := f.Value.Set(fmt.Sprint(value)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(before) })
}

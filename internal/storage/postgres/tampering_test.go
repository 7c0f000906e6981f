//go:build unix

package postgres_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant11_RandomTampering: whatever single thing somebody changes in the
// database, verify names a fault; and the sound log has none.
func TestInvariant11_RandomTampering(t *testing.T) {
	storagetest.InOneGoroutine(t)
	ctx := context.Background()
	rounds := 120
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		rounds = 5000
	}
	db := pgtest.New(t)
	dir := t.TempDir()
	backends := assembly.Backends{
		Files: config.Files{
			Anchors: filepath.Join(dir, "anchors"), LogKeys: filepath.Join(dir, "log-keys"), KeyFile: filepath.Join(dir, "local.key"),
			Evidence: filepath.Join(dir, "evidence"),
		},
		Postgres: &postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy, AppConns: 2, DestroyConns: 2}, AuditDSN: db.Audit,
	}
	opts := assembly.Options{Policy: authz.FS, LogPrefix: assembly.LogPrefix}
	no := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	no(assembly.CreateKey(backends.Files))
	no(assembly.CreateTenant(ctx, backends, "acme", opts))
	no(assembly.Operate(ctx, backends, opts, func(in *assembly.Instance) error {
		for n := range 8 {
			text := fmt.Sprintf("turn %d of jane.doe%d@example.com", n, n)
			call := vaulttest.Call("gw-1", "gateway")
			out, err := in.Service.Tokenize(ctx, call, vault.TokenizeRequest{Scope: "chat", Text: &text})
			if err != nil {
				return err
			}
			if _, err := in.Service.Detokenize(ctx, call, vault.DetokenizeRequest{
				Scope: "chat", Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: out.Text,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	verify := func() error {
		_, err := assembly.VerifyService(ctx, backends, assembly.LogPrefix)
		return err
	}
	no(verify())
	hands := openHands(t, db.Admin)
	random := rand.New(rand.NewPCG(11, 8))
	for round := range rounds {
		what := hands.Tamper(random)
		if err := verify(); !errors.Is(err, assembly.ErrFault) {
			t.Errorf("round %d: nobody noticed %s: %v", round, what, err)
		}
		hands.undo()
		if round%50 == 0 {
			if err := verify(); err != nil {
				t.Fatalf("round %d: a false alarm: %v", round, err)
			}
		}
	}
}

// hands are those of a superuser, without triggers and foreign keys.
type hands struct {
	storagetest.Tampered
	undo func()
}

// tamperedTables are those that are put back after each round.
var tamperedTables = []string{"entries", "entry_terms", "log_nodes", "log_heads", "notes", "tenant_keys"}

func openHands(t *testing.T, admin string) hands {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	exec := func(statement string) int64 {
		tag, err := conn.Exec(ctx, statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return tag.RowsAffected()
	}
	exec("SET session_replication_role = replica")
	var back []string
	for _, table := range tamperedTables {
		exec("CREATE TEMP TABLE sound_" + table + " AS SELECT * FROM " + table)
		back = append(back, "DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM sound_"+table)
	}
	var entries int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM entries WHERE tenant = 'acme'").Scan(&entries); err != nil {
		t.Fatal(err)
	}
	return hands{
		undo: func() { exec(strings.Join(back, ";")) },
		Tampered: storagetest.Tampered{
			Entries: entries, Exec: exec,
			Blob: func(b []byte) string { return `'\x` + hex.EncodeToString(b) + `'::bytea` },
			Bytes: func(query string) (b []byte) {
				if err := conn.QueryRow(ctx, query).Scan(&b); err != nil && !errors.Is(err, pgx.ErrNoRows) {
					t.Fatalf("%s: %v", query, err)
				}
				return b
			},
		},
	}
}

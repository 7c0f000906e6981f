package sqlite_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// TestInvariant11_RandomTampering: whatever single thing somebody changes in the
// database, verify names a fault; and the sound log has none, each time it is asked.
func TestInvariant11_RandomTampering(t *testing.T) {
	inOneGoroutine(t)
	rounds := 700
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		rounds = 34_000
	}
	dir := folder(t, 8)
	tamperWith(t, dir, func(db *sql.DB) { // one file, without the log beside it
		for _, pragma := range []string{"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE"} {
			if _, err := db.Exec(pragma); err != nil {
				t.Fatal(err)
			}
		}
	})
	file := config.Layout{Dir: dir}.Database()
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	results, err := assembly.Verify(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, r := range results {
		if r.Tenant == "acme" {
			entries = int(r.Entries)
		}
	}
	random := rand.New(rand.NewPCG(11, 7))
	for round := range rounds {
		var what string
		onFile(t, file, func(db *sql.DB) { what = tampered(t, db, entries).Tamper(random) })
		if _, err := assembly.Verify(context.Background(), dir); !errors.Is(err, assembly.ErrFault) {
			t.Errorf("round %d: nobody noticed %s: %v", round, what, err)
		}
		if err := os.WriteFile(file, sound, 0o600); err != nil {
			t.Fatal(err)
		}
		if round%50 == 0 {
			if _, err := assembly.Verify(context.Background(), dir); err != nil {
				t.Fatalf("round %d: a false alarm: %v", round, err)
			}
		}
	}
}

func onFile(t *testing.T, file string, do func(*sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=foreign_keys(0)&_pragma=synchronous(0)&_pragma=ignore_check_constraints(1)")
	if err != nil {
		t.Fatal(err)
	}
	do(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func tampered(t *testing.T, db *sql.DB, entries int) storagetest.Tampered {
	return storagetest.Tampered{
		Entries: entries,
		Blob:    func(b []byte) string { return "X'" + hex.EncodeToString(b) + "'" },
		Bytes: func(query string) (b []byte) {
			if err := db.QueryRow(query).Scan(&b); err != nil && !errors.Is(err, sql.ErrNoRows) {
				t.Fatalf("%s: %v", query, err)
			}
			return b
		},
		Exec: func(statement string) int64 {
			result, err := db.Exec(statement)
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			n, err := result.RowsAffected()
			if err != nil {
				t.Fatal(err)
			}
			return n
		},
	}
}

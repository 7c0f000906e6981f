package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// folder makes a data folder with a log of some length and closes it.
func folder(t *testing.T, turns int) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, turns)
	return dir
}

// write opens a folder, tokenizes and restores, and closes it.
func write(t *testing.T, dir string, turns int) {
	t.Helper()
	ctx := context.Background()
	in, err := assembly.Open(ctx, dir, assembly.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for turn := range turns {
		text := fmt.Sprintf("turn %d of jane.doe%d@example.com", turn, turn)
		out, err := in.Service.Tokenize(ctx, vaulttest.Call("gw-1", "gateway"), vault.TokenizeRequest{Scope: "chat", Text: &text})
		if err == nil {
			_, err = in.Service.Detokenize(ctx, vaulttest.Call("gw-1", "gateway"), vault.DetokenizeRequest{
				Scope: "chat", Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: out.Text,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := in.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

// copyOf copies a folder, so that each change begins with what was sound.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{config.Layout{Dir: to}.KeyFile(), config.Layout{Dir: to}.Database()} {
		if err := os.Chmod(secret, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	issuer := config.Layout{Dir: to}.Issuer()
	if err := filepath.WalkDir(issuer, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return to
}

// tamper changes a database as its owner can: without the triggers.
func tamper(t *testing.T, dir string, statements ...string) {
	t.Helper()
	tamperWith(t, dir, func(db *sql.DB) {
		for _, statement := range statements {
			result, err := db.Exec(statement)
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 {
				t.Fatalf("%s: changed nothing (%v)", statement, err)
			}
		}
	})
}

func tamperWith(t *testing.T, dir string, change func(*sql.DB)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+config.Layout{Dir: dir}.Database()+"?_pragma=foreign_keys(0)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT name FROM sqlite_master WHERE type = 'trigger'`)
	if err != nil {
		t.Fatal(err)
	}
	var triggers []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		triggers = append(triggers, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range triggers {
		if _, err := db.Exec("DROP TRIGGER " + name); err != nil {
			t.Fatal(err)
		}
	}
	change(db)
}

// foundBy says who noticed: verify, or the service that refuses to start.
func foundBy(dir string) string {
	ctx := context.Background()
	if _, err := assembly.Verify(ctx, dir); errors.Is(err, assembly.ErrFault) {
		return "verify"
	}
	in, err := assembly.Open(ctx, dir, assembly.Options{})
	if err != nil {
		return "serve"
	}
	_ = in.Close(ctx)
	return ""
}

// TestInvariant11_ChangedDatabase: whatever is changed in the log or in what
// the database keeps beside it, verify or the next start says so.
func TestInvariant11_ChangedDatabase(t *testing.T) {
	sound := folder(t, 12)
	if results, err := assembly.Verify(context.Background(), sound); err != nil || len(results) != 3 {
		t.Fatalf("the sound log: %v %v", results, err)
	}
	const acme = " WHERE tenant = 'acme'"
	for name, statements := range map[string][]string{
		"leaf":             {"UPDATE entries SET leaf = CAST(replace(leaf, '\"actor\":\"gw-1\"', '\"actor\":\"gw-2\"') AS BLOB)" + acme + " AND idx = 4"},
		"leaf and hash":    {"UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE tenant = 'acme' AND idx = 3), leaf_hash = (SELECT leaf_hash FROM entries WHERE tenant = 'acme' AND idx = 3)" + acme + " AND idx = 5"},
		"hash":             {"UPDATE entries SET leaf_hash = zeroblob(32)" + acme + " AND idx = 4"},
		"time":             {"UPDATE entries SET time = time + 1" + acme + " AND idx = 4"},
		"change id":        {"UPDATE entries SET change_id = 'another'" + acme + " AND idx = 4"},
		"seq":              {"UPDATE entries SET seq = 7" + acme + " AND idx = 4"},
		"index":            {"UPDATE entries SET idx = idx + 100" + acme + " AND idx = 6"},
		"tenant":           {"UPDATE entries SET tenant = 'globex', idx = 3" + acme + " AND idx = (SELECT max(idx) FROM entries WHERE tenant = 'acme')"},
		"delete":           {"DELETE FROM entries" + acme + " AND idx = 4"},
		"swap":             {"UPDATE entries SET idx = 9999" + acme + " AND idx = 4", "UPDATE entries SET idx = 4" + acme + " AND idx = 5", "UPDATE entries SET idx = 5" + acme + " AND idx = 9999"},
		"truncate":         {"DELETE FROM entries" + acme + " AND idx > 4"},
		"delete and close": {"DELETE FROM entries" + acme + " AND idx = 4", "UPDATE entries SET idx = idx - 1" + acme + " AND idx > 4"},
		"invent":           {"INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq) SELECT tenant, idx + 1, leaf, leaf_hash, time, 'x', seq FROM entries" + acme + " ORDER BY idx DESC LIMIT 1"},
		"term":             {"UPDATE entry_terms SET term = 'someone-else'" + acme + " AND field = 'actor' AND idx = 4"},
		"term field":       {"UPDATE entry_terms SET field = 'reason'" + acme + " AND field = 'actor' AND idx = 4"},
		"term deleted":     {"DELETE FROM entry_terms" + acme + " AND field = 'kind' AND idx = 4"},
		"term moved":       {"UPDATE entry_terms SET idx = 5" + acme + " AND field = 'request' AND idx = 4"},
		"node":             {"UPDATE log_nodes SET hash = zeroblob(32)" + acme + " AND level = 1 AND n = 1"},
		"node deleted":     {"DELETE FROM log_nodes" + acme + " AND level = 2 AND n = 0"},
		"state":            {"UPDATE log_heads SET state = 'suspended'" + acme},
		"wrap minimum":     {"UPDATE log_heads SET min_wrap_version = 7" + acme},
		"head":             {"UPDATE log_heads SET frontier = (SELECT frontier FROM log_heads WHERE tenant = 'globex')" + acme},
		"head deleted":     {"DELETE FROM log_heads" + acme},
		"tenant vanished":  {"DELETE FROM tenants WHERE tenant = 'globex'"},
		"log key":          {"UPDATE tenant_keys SET public = (SELECT public FROM tenant_keys WHERE tenant = 'globex' AND purpose = 'log')" + acme + " AND purpose = 'log'"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, sound)
			tamper(t, dir, statements...)
			if by := foundBy(dir); by == "" {
				t.Fatal("nobody noticed")
			} else {
				t.Log("found by", by)
			}
		})
	}
	if by := foundBy(copyOf(t, sound)); by != "" {
		t.Fatalf("a false alarm by %s", by)
	}
}

// TestInvariant11_OlderCopy: a database that is put back from an older copy is
// behind its anchor. The twin: without the anchor nobody can tell.
func TestInvariant11_OlderCopy(t *testing.T) {
	dir := folder(t, 4)
	older := copyOf(t, dir)
	write(t, dir, 4)
	put := func(dir string) {
		for _, suffix := range []string{"-wal", "-shm"} {
			_ = os.Remove(config.Layout{Dir: dir}.Database() + suffix)
		}
		from, err := os.Open(config.Layout{Dir: older}.Database())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = from.Close() }()
		to, err := os.OpenFile(config.Layout{Dir: dir}.Database(), os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
	}
	put(dir)
	if _, err := assembly.Verify(context.Background(), dir); !errors.Is(err, assembly.ErrFault) {
		t.Fatalf("verify: %v", err)
	}
	if _, err := assembly.Open(context.Background(), dir, assembly.Options{}); err == nil || !strings.Contains(err.Error(), "older copy") {
		t.Fatalf("serve: %v", err)
	}
	if err := os.RemoveAll(config.Layout{Dir: dir}.Anchors()); err != nil {
		t.Fatal(err)
	}
	if by := foundBy(dir); by != "" {
		t.Fatalf("twin: without the anchor it was found by %s: the anchor is not what this test shows", by)
	}
}

// TestInvariant11_RandomBytes flips random bytes of random columns of random
// entries. Every one is found.
func TestInvariant11_RandomBytes(t *testing.T) {
	inOneGoroutine(t)
	sound := folder(t, 6)
	random := rand.New(rand.NewPCG(11, 11))
	rounds := 60
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		rounds = 2_000
	}
	for range rounds {
		dir := copyOf(t, sound)
		column := []string{"leaf", "leaf_hash"}[random.IntN(2)]
		idx := random.IntN(12) + 1
		where := " FROM entries WHERE tenant = 'acme' AND idx = ?"
		tamperWith(t, dir, func(db *sql.DB) {
			var stored []byte
			if err := db.QueryRow("SELECT "+column+where, idx).Scan(&stored); err != nil {
				t.Fatal(err)
			}
			stored[random.IntN(len(stored))] ^= 1 << random.IntN(8)
			if _, err := db.Exec("UPDATE entries SET "+column+" = ? WHERE tenant = 'acme' AND idx = ?", stored, idx); err != nil {
				t.Fatal(err)
			}
		})
		if by := foundBy(dir); by == "" {
			t.Fatalf("nobody noticed a bit of %s of entry %d", column, idx)
		}
	}
}

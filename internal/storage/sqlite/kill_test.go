package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// childEnv makes the test binary commit to the database that it names, until
// it is killed.
const childEnv = "COUNTERFOIL_SQLITE_CHILD"

// child prints a line for each commit that was acknowledged, after it was.
func child(path string) int {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{Clock: time.Now})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	lines := make(chan string)
	for writer := range 8 {
		go func() {
			for i := 0; ; i++ {
				line, err := childCommit(ctx, s, fmt.Sprint(os.Getpid(), " ", writer, " ", i/3))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				lines <- line
			}
		}()
	}
	for line := range lines {
		if _, err := os.Stdout.WriteString(line + "\n"); err != nil {
			return 1
		}
	}
	return 0
}

// childCommit opens a scope with a value in it and a grant on it, and says where
// they are.
func childCommit(ctx context.Context, s *sqlite.Store, name string) (string, error) {
	p := storagetest.NewPlace("acme", name+" "+vault.NewID(), time.Now())
	m := p.Value("a value")
	effect := p.Tokenize(m)
	effect.NewScope, effect.Keys = true, []vault.DataKey{p.Key}
	change, err := vault.NewChange("acme", effect, audit.Entry{Kind: audit.KindTokenize})
	if err != nil {
		return "", err
	}
	if change, err = change.Granting(storagetest.Rider(storagetest.Grant(time.Now().Add(time.Hour)))); err != nil {
		return "", err
	}
	_, err = s.Commit(ctx, "acme", change)
	return strings.Join([]string{p.Scope.ID, m.Mapping.TokenID, p.Key.ID, change.ID(), change.Grant().ID}, " "), err
}

// TestInvariant15_KilledBetweenCommits kills a process that commits from many
// goroutines, and looks for everything that it was told is durable.
func TestInvariant15_KilledBetweenCommits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vault.db")
	s := openAt(t, path, sqlite.Options{Clock: time.Now}, sqlite.Hooks{})
	if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", storagetest.Provision())); err != nil {
		t.Fatal(err)
	}
	times := 5
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		times = 100
	}
	var acknowledged []string
	for i := range times {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fresh := killAfter(t, path, 20+37*(i%7))
		s = s.Reopen()
		for _, line := range fresh {
			checkAcknowledged(t, s, line)
		}
		acknowledged = append(acknowledged, fresh...)
	}
	for _, line := range acknowledged {
		checkAcknowledged(t, s, line)
	}
	storagetest.CheckLog(t.Context(), t, s.Ledger, "acme")
	t.Logf("%d commits were acknowledged and are there", len(acknowledged))
}

// killAfter returns every line that the child printed until it was killed.
func killAfter(t *testing.T, path string, lines int) (acknowledged []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if acknowledged = append(acknowledged, scan.Text()); len(acknowledged) == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(acknowledged) < lines {
		t.Fatalf("the child ended by itself after %d lines: %v", len(acknowledged), err)
	}
	if last := acknowledged[len(acknowledged)-1]; strings.Count(last, " ") != 4 {
		acknowledged = acknowledged[:len(acknowledged)-1] // cut off in the middle
	}
	return acknowledged
}

func checkAcknowledged(t *testing.T, s storagetest.Stores, line string) {
	t.Helper()
	part := strings.Split(line, " ")
	ref := vault.RestoreRef{ScopeID: part[0], TokenID: part[1], KeyID: part[2], Entity: "PERSON"}
	got, err := s.Store.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: ref.ScopeID, TokenIDs: []string{ref.TokenID}})
	if err != nil || len(got) != 1 || got[0].KeyID != ref.KeyID || !got[0].KeyAlive {
		t.Fatalf("an acknowledged mapping is lost: %d rows, %v", len(got), err)
	}
	entries, err := s.Ledger.Entries(t.Context(), "acme", vault.EntryQuery{ChangeID: part[3]})
	if err != nil || len(entries) != 1 {
		t.Fatalf("an acknowledged change has %d entries, %v", len(entries), err)
	}
	live, err := s.Grants.Live(t.Context(), "acme", vault.LiveQuery{GrantID: part[4], ScopeIDs: part[:1], TokenIDs: part[1:2]})
	if err != nil || len(live.Mappings) != 1 || len(live.Keys) != 1 {
		t.Fatalf("an acknowledged grant is lost: %+v, %v", live, err)
	}
}

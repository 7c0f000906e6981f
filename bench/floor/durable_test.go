package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

const (
	asItIs = "as it is"
	early  = "early"
)

// child is the program, or one that answers before it commits.
func child(wrap string) int {
	if wrap == asItIs {
		main()
		return 0
	}
	dsn, path := os.Args[2], ""
	if os.Args[1] == "-sqlite" {
		dsn, path = path, dsn
	}
	s, workers, err := openStore(context.Background(), dsn, path)
	if err == nil {
		err = serve(context.Background(), &earlyStore{store: s}, workers, "127.0.0.1:0", os.Stdout)
	}
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

// earlyStore says that a batch is durable when the one before it is.
type earlyStore struct {
	store
	last []*change
}

func (s *earlyStore) apply(ctx context.Context, batch []*change) error {
	last := s.last
	s.last = append([]*change{}, batch...)
	if last == nil {
		return nil
	}
	return s.store.apply(ctx, last)
}

// lost says how many of the answered requests are gone once the program was killed
// right after the last answer.
func lost(t *testing.T, b backend, wrap string) int {
	t.Helper()
	const requests = 5
	cmd, url := program(t, wrap, b.flags...)
	for range requests {
		_ = tokenize(t, url, "s", values(3))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("it ended with %v, want a kill", err)
	}
	mappings, records := b.rows(t)
	if mappings != 3*records {
		t.Errorf("%d mappings and %d records, want 3 for each: half a commit was seen", mappings, records)
	}
	return requests - records
}

func TestWhatWasAnsweredIsDurable(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			if n := lost(t, b, asItIs); n != 0 {
				t.Errorf("%d answered requests were lost", n)
			}
		})
	}
}

func TestWhatWasAnsweredIsDurable_TwinAnsweredEarly(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			if n := lost(t, b, early); n != 1 {
				t.Errorf("%d answered requests were lost, want the last", n)
			}
		})
	}
}

func TestEndsInOrder(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			cmd, url := program(t, asItIs, b.flags...)
			_ = tokenize(t, url, "s", values(1))
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// A floor that weakened durability would be no floor: it does not start.
func TestRefusesADatabaseThatMayLose(t *testing.T) {
	dsn := pgtest.New(t).Admin
	_, err := openPostgres(t.Context(), dsn+"&synchronous_commit=off")
	if !errors.Is(err, errNotDurable) {
		t.Errorf("PostgreSQL without synchronous commits: %v, want %v", err, errNotDurable)
	}
	server := pgtest.Start(t, "fsync=off")
	_, err = openPostgres(t.Context(), fmt.Sprintf("postgres://postgres@/postgres?host=%s&port=%d", server.Dir(), server.Port()))
	if !errors.Is(err, errNotDurable) {
		t.Errorf("PostgreSQL without fsync: %v, want %v", err, errNotDurable)
	}
	for _, pragmas := range [][]string{
		{"journal_mode(wal)", "synchronous(normal)"},
		{"journal_mode(delete)", "synchronous(full)"},
	} {
		_, err := openFile(t.Context(), filepath.Join(t.TempDir(), "floor.db"), pragmas...)
		if !errors.Is(err, errNotDurable) {
			t.Errorf("SQLite with %v: %v, want %v", pragmas, err, errNotDurable)
		}
	}
}

func TestRefusesFlags(t *testing.T) {
	for _, args := range [][]string{{}, {"-postgres", "x", "-sqlite", "y"}, {"-sqlite", "x", "more"}, {"-unknown"}} {
		var out strings.Builder
		if err := run(t.Context(), args, &out, &out); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
	if err := run(t.Context(), []string{"-postgres", "postgres://u:secret@:bad/"}, nil, nil); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a DSN that cannot be read: %v", err)
	}
}

// heldStore holds its first batch until release is closed, and fails what it is told to.
type heldStore struct {
	store
	release chan struct{}
	sizes   []int
	fails   error
}

func (s *heldStore) apply(_ context.Context, batch []*change) error {
	s.sizes = append(s.sizes, len(batch))
	<-s.release
	return s.fails
}

// commits has n changes arrive while the first commit is under way.
func commits(t *testing.T, n int, fails error) (sizes []int, failed int) {
	synctest.Test(t, func(t *testing.T) {
		s := &heldStore{release: make(chan struct{}), fails: fails}
		g := newGroup(s, 1)
		errs := make(chan error, n)
		for range n {
			go func() { errs <- g.commit(&change{}) }()
			synctest.Wait()
		}
		close(s.release)
		for range n {
			if err := <-errs; errors.Is(err, errDenied) {
				failed++
			} else if err != nil {
				t.Error(err)
			}
		}
		g.close()
		sizes = s.sizes
	})
	return sizes, failed
}

func TestWhatArrivesMeanwhileJoinsTheNextCommit(t *testing.T) {
	for _, c := range []struct {
		n    int
		want string
	}{{1, "[1]"}, {16, "[1 15]"}, {maxBatch + 3, fmt.Sprintf("[1 %d 2]", maxBatch)}} {
		if sizes, _ := commits(t, c.n, nil); fmt.Sprint(sizes) != c.want {
			t.Errorf("%d changes: commits of %v, want %s", c.n, sizes, c.want)
		}
	}
}

func TestAFailedCommitFailsAllThatShareIt(t *testing.T) {
	if _, failed := commits(t, 16, errDenied); failed != 16 {
		t.Errorf("%d of 16 failed", failed)
	}
	s := &heldStore{release: make(chan struct{}), fails: errors.New("a value")}
	close(s.release)
	status, answer := post(t, served(t, s, 1)+"/tokenize", `{"scope":"s","values":[{"entity":"E","value":"v"}]}`)
	if status != http.StatusInternalServerError || strings.Contains(answer, "a value") {
		t.Errorf("a commit that failed: %d %s", status, answer)
	}
}

func TestRecordsHaveTheSizeOfEntries(t *testing.T) {
	few, many := record("restore", "s", newIDs(5)), record("restore", "s", newIDs(50))
	if len(few) != recordSize || len(many) < 50*idChars {
		t.Errorf("%d and %d bytes", len(few), len(many))
	}
	if got := len(seal("value")); got != len("value")+overhead {
		t.Errorf("a sealed value of 5 bytes has %d", got)
	}
}

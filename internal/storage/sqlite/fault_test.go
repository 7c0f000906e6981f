package sqlite_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// The fault tests commit one change to a copy of a prepared database while
// something goes wrong at one statement, then open the database again and
// look: the change and its entry are both there or both not, what was
// acknowledged is there, and the log holds together.

var errInjected = errors.New("injected")

// fault is where something goes wrong, and what.
type fault struct {
	name   string
	before bool // else after the statement
	always bool // from there on, else once
	panics bool
}

var faults = []fault{
	{"fails before", true, false, false},
	{"fails after", false, false, false},
	{"fails from there on", true, true, false},
	{"panics before", true, false, true},
	{"panics after", false, false, true},
}

// panicEvery is how many statements there are to one at which it panics, but for
// the long run: a panic takes the same way out as an error.
const panicEvery = 4

// hooks counts statements and does harm at one of them.
func (f fault) hooks(at int64, count *atomic.Int64) sqlite.Hooks {
	harm := func(here bool) error {
		n := count.Load()
		if !here || at == 0 || n < at || n > at && !f.always {
			return nil
		}
		if f.panics {
			panic(errInjected)
		}
		return errInjected
	}
	return sqlite.Hooks{
		Before: func(string) error { count.Add(1); return harm(f.before) },
		After:  func(string) error { return harm(!f.before) },
	}
}

// run commits a case with hooks and returns its change and the answer.
func (p *prepared) run(t *testing.T, path string, c faultCase, h sqlite.Hooks) (vault.Change, error) {
	t.Helper()
	s := openAt(t, path, sqlite.Options{Clock: p.clock}, h)
	change := p.change(t, c)
	_, err := s.Store.Commit(t.Context(), c.tenant, change)
	if cerr := s.Close(); cerr != nil {
		t.Fatal(cerr)
	}
	return change, err
}

// TestInvariant2_FaultTable: at every statement of every effect, failed and
// failed-but-done.
func TestInvariant2_FaultTable(t *testing.T) {
	inOneGoroutine(t)
	p := prepare(t)
	for _, c := range p.cases {
		t.Run(c.name, func(t *testing.T) {
			var steps atomic.Int64
			path := p.copyTo(t)
			change, err := p.run(t, path, c, fault{}.hooks(0, &steps))
			if err != nil {
				t.Fatalf("without a fault: %v", err)
			}
			p.check(t, path, c, change, nil)
			acknowledged, refused := 0, 0
			for _, f := range faults {
				for at := int64(1); at <= steps.Load(); at++ {
					if f.panics && at%panicEvery != 0 && os.Getenv("COUNTERFOIL_LONG") != "1" {
						continue
					}
					var count atomic.Int64
					path := p.copyTo(t)
					change, err := p.run(t, path, c, f.hooks(at, &count))
					if err != nil && !errors.Is(err, vault.ErrUnavailable) {
						t.Errorf("%s statement %d: got %v, want an unavailable store", f.name, at, err)
					}
					if err == nil {
						acknowledged++
					} else {
						refused++
					}
					p.check(t, path, c, change, err)
					if t.Failed() {
						t.Fatalf("%s statement %d of %d", f.name, at, steps.Load())
					}
				}
			}
			// Only a fault at COMMIT may be got over: once by applying again,
			// once by finding what was persisted.
			if acknowledged != 2 {
				t.Errorf("%d faults were got over and %d refused; want 2", acknowledged, refused)
			}
		})
	}
}

// check opens a database as it was left, and looks.
func (p *prepared) check(t *testing.T, path string, c faultCase, change vault.Change, answer error) (there bool) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Clock: p.clock})
	if err != nil {
		t.Fatalf("open again: %v", err)
	}
	entries, err := s.Entries(t.Context(), c.tenant, vault.EntryQuery{ChangeID: change.ID()})
	there = must(t, len(entries), err) == 1
	if c.present != nil && c.present(t, s.View) != there {
		t.Errorf("the effect is there: %v, the entry: %v", !there, there)
	}
	if answer == nil && !there {
		t.Error("it was acknowledged and is not there")
	}
	p.noticed(t, s, c, change, there)
	storagetest.CheckLog(t.Context(), t, s, "acme")
	if c.tenant != "acme" && there {
		storagetest.CheckLog(t.Context(), t, s, c.tenant)
	}
	// The store serves on.
	if _, err := s.Commit(t.Context(), "acme", storagetest.Change(t, "acme", vault.Record{})); err != nil {
		t.Errorf("after it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
	return there
}

// checkFile lets SQLite look through the whole file.
func checkFile(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, db.Close()) }()
	var integrity string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&integrity); err != nil || integrity != "ok" {
		t.Errorf("integrity: %q, %v", integrity, err)
	}
	var broken int
	if err := db.QueryRow(`SELECT COUNT(*) FROM pragma_foreign_key_check`).Scan(&broken); err != nil || broken != 0 {
		t.Errorf("%d rows break a foreign key, %v", broken, err)
	}
}

// TestInvariant15_CommitFaults is the table of what can go wrong at COMMIT.
func TestInvariant15_CommitFaults(t *testing.T) {
	p := prepare(t)
	c := p.cases[2]
	tests := []struct {
		name    string
		before  func(commits int, text string) error
		after   func(commits int, text string) error
		want    error
		there   bool
		commits int
	}{
		{"failed once, then applied again", failCommit(1, 1), nil, nil, true, 2},
		{"failed twice", failCommit(1, 2), nil, vault.ErrUnavailable, false, 2},
		{"failed but persisted", nil, failCommit(1, 1), nil, true, 1},
		{"failed, then failed but persisted", failCommit(1, 1), failCommit(2, 2), nil, true, 2},
		{"failed but persisted, and cannot be looked up", failBegin(1), failCommit(1, 1), vault.ErrUnavailable, true, 1},
		{"failed, and cannot be looked up", either(failCommit(1, 1), failBegin(1)), nil, vault.ErrUnavailable, false, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := p.copyTo(t)
			commits := 0
			call := func(f func(int, string) error, text string) error {
				if f == nil {
					return nil
				}
				return f(commits, text)
			}
			change, err := p.run(t, path, c, sqlite.Hooks{
				Before: func(text string) error {
					if text == "COMMIT" {
						commits++
					}
					return call(tt.before, text)
				},
				After: func(text string) error { return call(tt.after, text) },
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if there := p.check(t, path, c, change, err); there != tt.there || commits != tt.commits {
				t.Errorf("there: %v after %d commits; want %v after %d", there, commits, tt.there, tt.commits)
			}
		})
	}
}

// failCommit fails the commits from one to another.
func failCommit(from, to int) func(int, string) error {
	return func(commits int, text string) error {
		if text == "COMMIT" && commits >= from && commits <= to {
			return errInjected
		}
		return nil
	}
}

// failBegin fails to begin after so many commits.
func failBegin(after int) func(int, string) error {
	return func(commits int, text string) error {
		if strings.HasPrefix(text, "BEGIN") && commits >= after {
			return errInjected
		}
		return nil
	}
}

func either(a, b func(int, string) error) func(int, string) error {
	return func(commits int, text string) error { return errors.Join(a(commits, text), b(commits, text)) }
}

// TestInvariant15_CrashImages keeps a picture of the files between
// statements, as a crash would leave them, and opens each.
func TestInvariant15_CrashImages(t *testing.T) {
	inOneGoroutine(t)
	p := prepare(t)
	for _, c := range p.cases {
		t.Run(c.name, func(t *testing.T) {
			path := p.copyTo(t)
			type image struct {
				path      string
				committed bool
			}
			var images []image
			take := func(committed bool) error {
				to := filepath.Join(t.TempDir(), "vault.db")
				for _, suffix := range []string{"", "-wal"} {
					b, err := os.ReadFile(path + suffix)
					if err == nil {
						err = os.WriteFile(to+suffix, b, 0o600)
					}
					if err != nil {
						return err
					}
				}
				images = append(images, image{to, committed})
				return nil
			}
			change, err := p.run(t, path, c, sqlite.Hooks{
				Before: func(string) error {
					if len(images) > 0 {
						return nil // as the statement before left it
					}
					return take(false)
				},
				After: func(text string) error { return take(text == "COMMIT") },
			})
			if err != nil {
				t.Fatal(err)
			}
			answer := errors.New("not yet")
			for i, image := range images {
				if image.committed {
					answer = nil
				}
				if there := p.check(t, image.path, c, change, answer); there != (answer == nil) {
					t.Errorf("picture %d of %d: there: %v", i, len(images), there)
				}
			}
		})
	}
}

// Twin: an effect that is committed without its entry is what the checks of
// the fault table look for, and they see it.
func TestInvariant2_TwinFaultTable(t *testing.T) {
	p := prepare(t)
	c := p.cases[2]
	// Half of a change: the effect without its entry.
	path := p.copyTo(t)
	change, err := p.run(t, path, c, sqlite.Hooks{Rewrite: strings.NewReplacer(
		"change_id, seq)\nVALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "change_id, seq)\nSELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE 0",
		"INSERT INTO entry_terms (tenant, field, term, idx)\n", "",
	).Replace})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, 0, s.Close()) }()
	entries, err := s.Entries(t.Context(), c.tenant, vault.EntryQuery{ChangeID: change.ID()})
	if n := must(t, len(entries), err); n != 0 || !c.present(t, s) {
		t.Errorf("%d entries: the check of both-or-neither would not have seen half a change", n)
	}
}

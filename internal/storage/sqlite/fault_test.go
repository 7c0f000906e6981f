package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// The fault tests commit one change to a copy of a prepared database while
// something goes wrong at one statement, then open the database again and
// look: the change and its entry are both there or both not, what was
// acknowledged is there, and the log holds together.

var errInjected = errors.New("injected")

// prepared is a closed database with something in it for every effect, and
// the effects. By its clock one mapping is expired.
type prepared struct {
	file  []byte
	now   time.Time
	cases []faultCase
}

// faultCase is one change. Its effect is there if and only if present says so.
type faultCase struct {
	name    string
	tenant  string
	effect  vault.Effect
	present func(t *testing.T, s *sqlite.View) bool
}

func (p *prepared) clock() time.Time { return p.now }

func prepare(t *testing.T) *prepared {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	p := &prepared{now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	s := openAt(t, path, sqlite.Options{Clock: p.clock}, sqlite.Hooks{})
	commit := func(effect vault.Effect) {
		t.Helper()
		if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err != nil {
			t.Fatal(err)
		}
	}
	commit(storagetest.Provision())
	place := storagetest.NewPlace("acme", "standing", p.now)
	commit(place.Open())
	underKey := func(value string) (vault.NewMapping, vault.DataKey) {
		m, key := place.Value(value), place.FreshKey()
		m.Mapping.KeyID = key.ID
		effect := place.Tokenize(m)
		effect.Keys = []vault.DataKey{key}
		commit(effect)
		return m, key
	}
	expired, idle := underKey("expired")
	p.now = p.now.Add(time.Hour - time.Minute)
	stands, doomed := underKey("stands")
	p.now = p.now.Add(time.Minute)
	sweep := place.Sweep(expired)
	sweep.Keys = []string{idle.ID}
	p.cases = []faultCase{
		{"provision", "globex", storagetest.Provision(), func(t *testing.T, s *sqlite.View) bool {
			tenants, err := s.Tenants(t.Context())
			return must(t, len(tenants), err) == 2
		}},
		p.openScope(), p.firstUse(), p.reuse(place, stands),
		{"restore", "acme", place.Restore(stands), nil},
		{"sweep", "acme", sweep, func(t *testing.T, s *sqlite.View) bool {
			keys, err := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{idle.ID}})
			gone := must(t, len(keys), err) == 0
			rows := readMappings(t, s, place, expired.Mapping.TokenID)
			if gone != (len(rows) == 0) {
				t.Error("half of a sweep is there")
			}
			return gone
		}},
		{"destroy keys", "acme", vault.DestroyKeys{Keys: []string{doomed.ID}}, func(t *testing.T, s *sqlite.View) bool {
			keys, err := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{doomed.ID}})
			gone := must(t, len(keys), err) == 0
			if gone != (len(readMappings(t, s, place, stands.Mapping.TokenID)) == 0) {
				t.Error("half of a destruction is there")
			}
			return gone
		}},
		{"record", "acme", vault.Record{}, nil},
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.file, err = os.ReadFile(path); err != nil { //nolint:gosec // made by this test
		t.Fatal(err)
	}
	return p
}

func (p *prepared) openScope() faultCase {
	place := storagetest.NewPlace("acme", "another", p.now)
	return faultCase{"open scope", "acme", place.Open(), func(t *testing.T, s *sqlite.View) bool {
		_, err := s.Scope(t.Context(), "acme", place.Scope.Digest)
		keys, kerr := s.Keys(t.Context(), "acme", vault.KeyQuery{ScopeID: place.Scope.ID})
		if n := must(t, len(keys), kerr); (err == nil) != (n == 1) {
			t.Errorf("the scope: %v, with %d keys", err, n)
		}
		return err == nil
	}}
}

// firstUse makes a scope, a subject, two keys and two mappings.
func (p *prepared) firstUse() faultCase {
	place := storagetest.NewPlace("acme", "first use", p.now)
	ann := vault.Subject{Digest: storagetest.Digest("ann"), IndexVersion: 1, Ref: vault.NewID()}
	hers, other := place.Value("hers"), place.Value("other")
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: place.Key.Wrapped}
	hers.Mapping.KeyID, hers.SubjectRefs = key.ID, []string{ann.Ref}
	effect := place.Tokenize(hers, other)
	effect.NewScope, effect.Subjects = true, []vault.SubjectUse{{Subject: ann, New: true}}
	effect.Keys = []vault.DataKey{place.Key, key}
	return faultCase{"tokenize at first use", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		_, err := s.Scope(t.Context(), "acme", place.Scope.Digest)
		subjects, serr := s.Subjects(t.Context(), "acme", []vault.Digest{ann.Digest})
		keys, kerr := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{place.Key.ID, key.ID}})
		rows := readMappings(t, s, place, hers.Mapping.TokenID, other.Mapping.TokenID)
		linked := 0
		for _, m := range rows {
			linked += len(m.SubjectRefs)
		}
		parts := fmt.Sprint(err == nil, must(t, len(subjects), serr), must(t, len(keys), kerr), len(rows), linked)
		if parts != "true 1 2 2 1" && parts != "false 0 0 0 0" {
			t.Errorf("a part of it is there: %s", parts)
		}
		return err == nil
	}}
}

// reuse retires what is expired, finds again what stands, and adds one.
func (p *prepared) reuse(place storagetest.Place, stands vault.NewMapping) faultCase {
	fresh, again, added := place.Value("expired"), place.Value("stands"), place.Value("added")
	again.TTL = 10 * time.Hour // less than half of it is left: it is extended
	effect := place.Tokenize(fresh, again, added)
	effect.Touch = []vault.TouchRef{{TokenID: stands.Mapping.TokenID, Entity: "PERSON", TTL: time.Hour}}
	return faultCase{"tokenize again", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		n := len(readMappings(t, s, place, fresh.Mapping.TokenID, added.Mapping.TokenID))
		extended := readMappings(t, s, place, stands.Mapping.TokenID)[0].ExpiresAt.After(p.now.Add(time.Hour))
		if n == 1 || extended != (n == 2) {
			t.Errorf("a part of it is there: %d mappings, extended %v", n, extended)
		}
		return n == 2
	}}
}

func must(t *testing.T, n int, err error) int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func readMappings(t *testing.T, s *sqlite.View, p storagetest.Place, ids ...string) []vault.Mapping {
	t.Helper()
	rows, err := s.Mappings(t.Context(), p.Tenant, vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: ids})
	must(t, 0, err)
	return rows
}

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

// copyTo writes the prepared database into a folder of its own.
func (p *prepared) copyTo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	if err := os.WriteFile(path, p.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run commits a case with hooks and returns its change and the answer.
func (p *prepared) run(t *testing.T, path string, c faultCase, h sqlite.Hooks) (vault.Change, error) {
	t.Helper()
	s := openAt(t, path, sqlite.Options{Clock: p.clock}, h)
	change := storagetest.Change(t, c.tenant, c.effect)
	_, err := s.Store.Commit(t.Context(), c.tenant, change)
	if cerr := s.Close(); cerr != nil {
		t.Fatal(cerr)
	}
	return change, err
}

// TestInvariant2_FaultTable: at every statement of every effect, failed and
// failed-but-done.
func TestInvariant2_FaultTable(t *testing.T) {
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

// TestInvariant15_CrashImages keeps a picture of the files before and after
// every statement, as a crash would leave them, and opens each.
func TestInvariant15_CrashImages(t *testing.T) {
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
					b, err := os.ReadFile(path + suffix) //nolint:gosec // made by this test
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
				Before: func(string) error { return take(false) },
				After:  func(text string) error { return take(text == "COMMIT") },
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
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE 0",
		"INSERT INTO entry_terms (tenant, field, term, idx) VALUES (?1, ?2, ?3, ?4)", "SELECT ?1, ?2, ?3, ?4",
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

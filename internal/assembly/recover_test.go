//go:build unix

package assembly_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// copied is a copy of an estate's database.
type copied struct {
	e    *estate
	file string // of SQLite
	db   string // of PostgreSQL
}

// backup copies the database while the service runs.
func (e *estate) backup() copied {
	e.Helper()
	c := copied{e: e}
	if e.db == nil {
		c.file = filepath.Join(e.TempDir(), "backup.db")
		e.no(sqlite.Backup(e.Context(), e.backends.Database, c.file))
		return c
	}
	// A database is only a template while nobody is connected to it.
	e.close()
	c.db = "copy_" + vault.NewID()
	e.no(e.administer(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", c.db, e.db.Name)))
	e.open()
	return c
}

// putBack replaces the database by the copy. The service is closed.
func (c copied) putBack() {
	e := c.e
	e.Helper()
	if e.db != nil {
		e.no(e.administer("DROP DATABASE " + e.db.Name + " WITH (FORCE)"))
		e.no(e.administer(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", e.db.Name, c.db)))
		return
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(e.backends.Database + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			e.Fatal(err)
		}
	}
	body, err := os.ReadFile(c.file)
	e.no(err)
	e.no(os.WriteFile(e.backends.Database, body, 0o600))
}

// administer runs a statement past the database of the estate.
func (e *estate) administer(text string) error {
	config, err := pgx.ParseConfig(e.db.Admin)
	if err != nil {
		return err
	}
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), text)
	return errors.Join(err, conn.Close(context.Background()))
}

func (e *estate) recover(dry bool) []assembly.Recovered {
	e.Helper()
	done, err := assembly.Recover(e.Context(), e.backends, assembly.RecoverRequest{Reference: "INCIDENT-1", DryRun: dry}, e.options)
	e.no(err)
	return done
}

// value is one that a history tokenized.
type value struct {
	scope, token, text string
	early              bool // it was there when the copy was made
	people             map[string]bool
	erased             bool
}

// history does things at random, and keeps what they came to.
type history struct {
	*estate
	rand   *rand.Rand
	values []*value
	erased map[string]bool
	held   map[string]string // by person: a hold on all that is theirs
	n      int
}

var people = []string{"crm:ann", "crm:bob", "crm:cat", "crm:dan"}

func (h *history) step(backedUp bool) {
	h.Helper()
	h.clock.Advance(time.Minute)
	h.n++
	who := people[h.rand.IntN(len(people))]
	switch h.rand.IntN(10) {
	case 0, 1, 2, 3:
		v := &value{scope: fmt.Sprint("docs-", h.rand.IntN(3)), text: fmt.Sprintf("V-%d-%s", h.n, vault.NewID()), early: !backedUp, people: make(map[string]bool)}
		if h.rand.IntN(2) == 0 || h.erased[who] {
			who = ""
		} else {
			v.people[who] = true
		}
		v.token = h.keep(v.scope, who, v.text)
		h.values = append(h.values, v)
	case 4, 5, 6:
		if len(h.values) == 0 || h.erased[who] {
			return
		}
		v := h.values[h.rand.IntN(len(h.values))]
		if !v.erased && len(v.people) < 2 {
			h.tie(who, v.text)
			v.people[who] = true
		}
	case 7:
		if h.held[who] == "" && h.rand.IntN(2) == 0 {
			got, err := h.in.Service.PlaceHold(h.Context(), counsel(), vault.HoldRequest{
				Matter: "M-1", Reference: "O-1", Match: vault.HoldWords{Subjects: []string{who}},
			})
			h.no(err)
			h.held[who] = got.Hold.ID
		}
	default:
		if backedUp {
			h.eraseSomebody(who)
		}
	}
}

// eraseSomebody erases a person. Where a hold keeps what there is it is released
// now and then, and the erasure goes on.
func (h *history) eraseSomebody(who string) {
	h.Helper()
	if h.erased[who] {
		return
	}
	h.erase(who)
	h.erased[who] = true
	if h.held[who] != "" {
		if h.rand.IntN(2) == 0 {
			return
		}
		_, err := h.in.Service.ReleaseHold(h.Context(), counsel(), h.held[who], "O-2")
		h.no(err)
		h.held[who] = ""
		h.no(h.in.Worker.ResumeErasures(h.Context()))
	}
	for _, v := range h.values {
		if v.people[who] {
			// About somebody else too it stays, and is about them alone.
			delete(v.people, who)
			v.erased = v.erased || len(v.people) == 0
		}
	}
}

// check fails unless the erased do not restore, and the others do.
func (h *history) check(after string) {
	h.Helper()
	for _, v := range h.values {
		held := false
		for who := range v.people {
			held = held || h.erased[who] // deferred: restricted
		}
		switch got := h.restored(v.scope, v.token); {
		case v.erased && got == v.text:
			h.Errorf("%s: %s was erased and restores", after, v.token)
		case !v.erased && !held && v.early && got != v.text:
			h.Errorf("%s: %s restores to %q", after, v.token, got)
		}
	}
}

// TestInvariant8_ErasedStaysErasedInAnOlderCopy: twenty of twenty histories.
func TestInvariant8_ErasedStaysErasedInAnOlderCopy(t *testing.T) {
	for kind, times := range map[string]int{embedded: 20, production: 4} {
		t.Run(kind, func(t *testing.T) {
			for n := range times {
				t.Run(fmt.Sprint(n), func(t *testing.T) { resurrection(newEstate(t, kind), uint64(n)) })
			}
		})
	}
}

func resurrection(e *estate, seed uint64) {
	h := &history{estate: e, rand: rand.New(rand.NewPCG(seed, 1)), erased: make(map[string]bool), held: make(map[string]string)}
	e.open()
	for n := range 3 {
		e.scope(fmt.Sprint("docs-", n))
	}
	for range 25 {
		h.step(false)
	}
	older := e.backup()
	for range 25 {
		h.step(true)
	}
	h.eraseSomebody(people[h.rand.IntN(len(people))])
	h.check("before")
	e.close()
	older.putBack()
	if err := e.tryOpen(); !errors.Is(err, assembly.ErrOlder) {
		e.Fatalf("an older copy is served: %v", err)
	}
	e.recover(true)
	if err := e.tryOpen(); !errors.Is(err, assembly.ErrOlder) {
		e.Fatalf("after a dry run: %v", err)
	}
	for _, done := range e.recover(false) {
		if !done.Older {
			e.Errorf("%+v", done)
		}
	}
	for _, done := range e.recover(false) {
		if done.Older {
			e.Errorf("a second time: %+v", done)
		}
	}
	e.open()
	h.check("recovered")
	e.keep("docs-1", "", "as before")
	e.no(e.in.Worker.Sweep(e.Context()))
	h.check("swept")
	e.close()
	e.verifies()
}

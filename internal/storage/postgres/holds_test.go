package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// onValue is a hold on one value.
func onValue(m vault.NewMapping) vault.PlaceHold {
	return vault.PlaceHold{Hold: vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{
		Lookups: []vault.Digest{m.Mapping.Lookup},
	}}}
}

// raced is what came of rounds in each of which one replica placed a hold while
// the other destroyed what it matches.
type raced struct {
	kept, destroyed int // before the hold
	broken          int // what was held
}

// race destroys by sweeps and by keys in turn. Both changes wait in their
// queues when they are let go, now the one first and now the other.
func race(t *testing.T, hooks postgres.Hooks, rounds int) (r raced) {
	t.Helper()
	db := pgtest.New(t)
	a, b := openAt(t, db, postgres.Config{}, postgres.Hooks{}), openAt(t, db, postgres.Config{}, hooks)
	p := seed(t, a, "acme")
	for i := range rounds {
		p.Key = p.FreshKey()
		m := p.Value(fmt.Sprint(i))
		m.TTL = time.Microsecond
		setup := p.Tokenize(m)
		setup.Keys = []vault.DataKey{p.Key}
		commit(t, a, "acme", setup)
		commit(t, a, "acme", vault.Record{}) // a microsecond later
		var destroy vault.Effect = p.Sweep(m)
		refused := vault.ErrConflict
		if i/2%2 == 1 {
			destroy, refused = vault.DestroyKeys{Keys: []string{p.Key.ID}}, vault.ErrHeld
		}
		place := storagetest.Change(t, "acme", onValue(m))
		var placed, gone vault.Committed
		var perr, derr error
		letGo := []func(){a.Hold(), b.Hold()}
		var group sync.WaitGroup
		group.Go(func() { placed, perr = a.Store.Commit(t.Context(), "acme", place) })
		group.Go(func() { gone, derr = b.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", destroy)) })
		for a.Waiting("acme") != 1 || b.Waiting("acme") != 1 {
			runtime.Gosched()
		}
		letGo[i%2]()
		letGo[1-i%2]()
		group.Wait()
		if perr != nil || derr != nil && !errors.Is(derr, refused) {
			t.Fatalf("place: %v; destroy: %v", perr, derr)
		}
		rows, err := a.Store.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: []string{m.Mapping.TokenID}})
		if err != nil || (len(rows) == 1) != (derr != nil) {
			t.Fatalf("%d mappings are there (%v), and their destruction came to %v", len(rows), err, derr)
		}
		switch {
		case derr == nil && gone.First > placed.First:
			r.broken++
		case derr == nil:
			r.destroyed++
		default:
			r.kept++
		}
		commit(t, b, "acme", vault.ReleaseHold{ID: place.ID()})
	}
	storagetest.CheckLog(t.Context(), t, b.Ledger, "acme")
	t.Logf("of %d values %d were held, %d destroyed before the hold, %d in spite of it", rounds, r.kept, r.destroyed, r.broken)
	return r
}

// TestInvariant7_TwoReplicas: a hold that is placed on one replica while the
// other has its destruction planned: whichever commits first decides.
func TestInvariant7_TwoReplicas(t *testing.T) {
	rounds := 100
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		rounds = 10_000
	}
	r := race(t, postgres.Hooks{}, rounds)
	if r.broken > 0 {
		t.Errorf("%d held values were destroyed", r.broken)
	}
	if r.kept == 0 || r.destroyed == 0 {
		t.Errorf("they did not race: %+v", r)
	}
}

// Twin: where the statements that destroy do not ask, held values are
// destroyed, and it shows.
func TestInvariant7_TwinTwoReplicas(t *testing.T) {
	r := race(t, postgres.Hooks{Rewrite: strings.NewReplacer(
		"IS NULL\n        OR (SELECT t.key_id", "IS DISTINCT FROM ''\n        OR (SELECT t.key_id",
		"SELECT r.key_id FROM unnest($2::text[]) AS r (key_id)\nWHERE", "SELECT r.key_id FROM unnest($2::text[]) AS r (key_id)\nWHERE false AND",
	).Replace}, 40)
	if r.broken == 0 {
		t.Error("without the guards nothing held was destroyed: the test does not show what it is for")
	}
}

// TestSentSlack: what is written in the statements is what the contract says.
func TestSentSlack(t *testing.T) {
	if want := fmt.Sprint(vault.SentResolution.Microseconds()); postgres.SentSlack != want {
		t.Errorf("%s, want %s", postgres.SentSlack, want)
	}
}

// TestSweepPassesWhatIsHeld: what may be destroyed is found behind more than one
// statement looks at, wherever a window ends.
func TestSweepPassesWhatIsHeld(t *testing.T) {
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{Window: 3})
	p := seed(t, s, "acme")
	for i := range 8 {
		var free []vault.NewMapping
		for range 2 {
			m := p.Value(vault.NewID())
			m.TTL = time.Microsecond
			free = append(free, m)
		}
		commit(t, s, "acme", p.Tokenize(free...))
		commit(t, s, "acme", vault.Record{}) // a microsecond later
		for found := 0; found < 2; {
			sweep, err := s.Registry.Expired(t.Context(), "acme", 10)
			if err != nil || len(sweep.Mappings) == 0 {
				t.Fatalf("behind %d that are held: %+v, %v", i, sweep, err)
			}
			found += len(sweep.Mappings)
			commit(t, s, "acme", sweep)
		}
		var kept []vault.NewMapping
		for range 1 + 4*(i%2) { // now one, and now more than a window at once
			m := p.Value(vault.NewID())
			m.TTL = time.Microsecond
			kept = append(kept, m)
			commit(t, s, "acme", onValue(m))
		}
		commit(t, s, "acme", p.Tokenize(kept...))
		commit(t, s, "acme", vault.Record{})
		if sweep, err := s.Registry.Expired(t.Context(), "acme", 10); err != nil || len(sweep.Mappings) > 0 {
			t.Fatalf("what is held is to be swept: %+v, %v", sweep, err)
		}
	}
}

// TestHoldsCostWhatTheyAre: placing a hold takes no longer however much it
// matches, and a sweep beside few holds little more than beside none. The
// figures are logged; what is asserted is far from them.
func TestHoldsCostWhatTheyAre(t *testing.T) {
	mappings := 100_000
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		mappings = 1_000_000
	}
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{}, postgres.Hooks{})
	p := seed(t, s, "acme")
	fillScope(t, db, p, mappings)
	place := func(match vault.HoldMatch) string {
		change := storagetest.Change(t, "acme", vault.PlaceHold{Hold: vault.Hold{Matter: "M", Reference: "R", Match: match}})
		if _, err := s.Store.Commit(t.Context(), "acme", change); err != nil {
			t.Fatal(err)
		}
		return change.ID()
	}
	everything := vault.HoldMatch{Entities: []string{"PERSON"}}
	commit(t, s, "acme", vault.ReleaseHold{ID: place(everything)}) // the first makes the plans
	begun := time.Now()
	id := place(everything)
	took := time.Since(begun)
	t.Logf("placing a hold over %d mappings: %v", mappings, took)
	if took > time.Second {
		t.Error("it took too long")
	}
	begun = time.Now()
	reach, err := s.Custody.Reach(t.Context(), "acme", everything)
	if err != nil || reach.Mappings != mappings || reach.Subjects != mappings/10 {
		t.Errorf("it reaches %d mappings of %d subjects, %v", reach.Mappings, reach.Subjects, err)
	}
	t.Logf("counting them: %v", time.Since(begun))
	begun = time.Now()
	all, err := s.Remains.Inventory(t.Context(), "acme")
	if err != nil || len(all.Mappings) != 1 || all.Mappings[0].Held != mappings {
		t.Errorf("the inventory: %+v, %v", all, err)
	}
	t.Logf("an inventory: %v", time.Since(begun))
	begun = time.Now()
	if sweep, err := s.Registry.Expired(t.Context(), "acme", 500); err != nil || len(sweep.Mappings) > 0 {
		t.Errorf("of what is held %d mappings are to be swept, %v", len(sweep.Mappings), err)
	}
	t.Logf("planning a sweep where all is held: %v", time.Since(begun))
	commit(t, s, "acme", vault.ReleaseHold{ID: id})

	asked := regexp.MustCompile(`(?s)AND \(\n    SELECT o\.hold_id .* IS NULL\n        OR`)
	never := openAt(t, db, postgres.Config{}, postgres.Hooks{Rewrite: func(text string) string {
		return asked.ReplaceAllString(text, "OR")
	}})
	sweepTimes(t, p, 1, s, never) // plans
	times := sweepTimes(t, p, 5, s, never)
	t.Logf("sweeping 1,000 mappings beside no hold: %v, where it is not asked for holds: %v", times[0], times[1])
	for i := range 10 {
		var match vault.HoldMatch
		for n := range 100 {
			match.Lookups = append(match.Lookups, storagetest.Digest("none", fmt.Sprint(i, n)))
			match.Subjects = append(match.Subjects, storagetest.Digest("nobody", fmt.Sprint(i, n)))
		}
		if i%2 == 0 {
			match.Lookups = nil
		}
		place(match)
	}
	ten := sweepTimes(t, p, 5, s)
	t.Logf("beside ten holds, each of 100 people or 100 values of 100 people: %v", ten[0])
	if ten[0] > 20*times[0] {
		t.Error("it is not a few looks for each hold")
	}
}

// fillScope adds expired mappings to a scope, by the superuser, whom nothing
// holds back, each about one of a tenth as many people, a thousand to a key.
func fillScope(t *testing.T, db *pgtest.Database, p storagetest.Place, mappings int) {
	t.Helper()
	admin := connect(t, db.Admin)
	admin.do("SET session_replication_role = replica") // no triggers
	from := fmt.Sprintf("'acme', '%s'", p.Scope.ID)
	series := fmt.Sprintf("FROM generate_series(1, %d) AS g", mappings)
	admin.do(`INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed, state, created_at, expires_at, max_expires_at)
		SELECT ` + from + `, 't' || g, 'label', 'PERSON', 'c', sha256(g::text::bytea), sha256(g::text::bytea), 1, 'k' || g / 1000, 'sealed', 'live', 1, g + 1, g + 1 ` + series)
	admin.do(fmt.Sprintf(`INSERT INTO data_keys (tenant, key_id, scope_id, wrapped, wrap_version, sealed, created_at)
		SELECT 'acme', 'k' || g, '%s', 'w', 3, 1000, 1 FROM generate_series(0, %d) AS g`, p.Scope.ID, mappings/1000))
	admin.do(fmt.Sprintf(`INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
		SELECT %s, 't' || g, 'p' || (g %% %d), 'declared', 1 %s`, from, mappings/10, series))
	admin.do("ANALYZE")
	if err := admin.conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sweepTimes is how long a sweep of 1,000 mappings takes on each of some
// stores, on average, in turn.
func sweepTimes(t *testing.T, p storagetest.Place, runs int, stores ...storagetest.Stores) []time.Duration {
	t.Helper()
	times := make([]time.Duration, len(stores))
	for range runs {
		for i, s := range stores {
			var all vault.Sweep
			for range 10 {
				p.Key = p.FreshKey()
				var ms []vault.NewMapping
				for range 100 {
					m := p.Value(vault.NewID())
					m.TTL = time.Microsecond
					ms = append(ms, m)
				}
				effect := p.Tokenize(ms...)
				effect.Keys = []vault.DataKey{p.Key}
				commit(t, s, "acme", effect)
				all.Mappings = append(all.Mappings, p.Sweep(ms...).Mappings...)
			}
			begun := time.Now()
			commit(t, s, "acme", all)
			times[i] += time.Since(begun) / time.Duration(runs)
		}
	}
	return times
}

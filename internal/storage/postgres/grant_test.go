package postgres_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// trips counts round trips: how often something is sent after something was read.
type trips struct{ n atomic.Int64 }

func (c *trips) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	return &tripConn{Conn: conn, c: c}, err
}

type tripConn struct {
	net.Conn
	c   *trips
	has atomic.Bool // read since it last sent
}

func (c *tripConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.has.Store(true)
	return n, err
}

func (c *tripConn) Write(b []byte) (int, error) {
	if c.has.Swap(false) {
		c.c.n.Add(1)
	}
	return c.Conn.Write(b)
}

// granted is a store with a grant on so many tokens, and what a flush asks of it.
func granted(t testing.TB, s storagetest.Stores, tokens int) vault.LiveQuery {
	t.Helper()
	p := seed(t, s, "acme")
	q := vault.LiveQuery{ScopeIDs: []string{p.Scope.ID, vault.NewID()}}
	var values []vault.NewMapping
	for range tokens {
		m := p.Value(vault.NewID())
		values = append(values, m)
		q.TokenIDs = append(q.TokenIDs, m.Mapping.TokenID)
	}
	commit(t, s, "acme", p.Tokenize(values...))
	change := storagetest.Granting(t, "acme", p.Restore(values...), storagetest.Grant(time.Now().Add(time.Hour)))
	if _, err := s.Store.Commit(t.Context(), "acme", change); err != nil {
		t.Fatal(err)
	}
	q.GrantID = change.ID()
	return q
}

// TestLiveTakesOneRoundTrip, however much it reads. What the reads take that it
// stands for shows that they are counted.
func TestLiveTakesOneRoundTrip(t *testing.T) {
	c := &trips{}
	s := openAt(t, pgtest.New(t), postgres.Config{AppConns: 1}, postgres.Hooks{Dial: c.dial})
	q := granted(t, s, 20)
	flush := func() {
		live, err := s.Grants.Live(t.Context(), "acme", q)
		if err != nil || len(live.Mappings) != 20 || len(live.Keys) != 1 || live.Grant.ID != q.GrantID {
			t.Errorf("%+v, %v", live, err)
		}
	}
	reads := func() {
		m, err := s.Store.Mappings(t.Context(), "acme", vault.MappingQuery{ScopeID: q.ScopeIDs[0], TokenIDs: q.TokenIDs})
		if err != nil || len(m) != 20 {
			t.Fatalf("%d mappings, %v", len(m), err)
		}
		if _, err := s.Store.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{m[0].KeyID}}); err != nil {
			t.Fatal(err)
		}
	}
	took := func(do func()) int64 {
		do() // its statements are prepared
		before := c.n.Load()
		do()
		return c.n.Load() - before
	}
	if n := took(flush); n != 1 {
		t.Errorf("a flush takes %d round trips", n)
	}
	if n := took(reads); n != 2 {
		t.Errorf("twin: two reads take %d round trips: they are not counted", n)
	}
}

// TestInvariant8_FlushOnAnotherReplica: what one replica committed is told to a
// flush on another that asks after it, and two of them draw of one grant together.
func TestInvariant8_FlushOnAnotherReplica(t *testing.T) {
	db := pgtest.New(t)
	a, b := openAt(t, db, postgres.Config{}, postgres.Hooks{}), openAt(t, db, postgres.Config{}, postgres.Hooks{})
	q := granted(t, a, 40)
	const most = 15
	var group sync.WaitGroup
	var drew atomic.Int64
	for i, token := range q.TokenIDs {
		s := []storagetest.Stores{a, b}[i%2]
		group.Go(func() {
			draw := &vault.Draw{GrantID: q.GrantID, Most: most, Uses: []vault.MappingRef{{ScopeID: q.ScopeIDs[0], TokenID: token}}}
			effect := vault.Restore{Standing: []string{q.GrantID}, Draw: draw}
			if _, err := s.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", effect)); err == nil {
				drew.Add(1)
			}
		})
	}
	group.Wait()
	live, err := b.Grants.Live(t.Context(), "acme", q)
	if err != nil || live.Drawn != most || drew.Load() != most {
		t.Errorf("%d flushes drew %d, %v; want %d", drew.Load(), live.Drawn, err, most)
	}
	closes := live.Grant
	closes.State = vault.ProceedingDone
	commit(t, a, "acme", vault.ChangeProceedings{Proceedings: []vault.Proceeding{closes}})
	commit(t, a, "acme", vault.OpenProceeding{Proceeding: vault.Proceeding{
		Kind: vault.ProceedingSuspension, State: vault.ProceedingStanding, Actor: "mia", Body: []byte(`{}`),
	}})
	if live, err = b.Grants.Live(t.Context(), "acme", q); err != nil || !live.Grant.State.Closes() || len(live.Suspensions) != 1 {
		t.Errorf("after a close: %+v, %v", live, err)
	}
}

// TestMigrationOfGrants: proceedings that stand in a database of the seventh version
// stay as they are, and replicas of that version go on opening theirs.
func TestMigrationOfGrants(t *testing.T) {
	db := before(t, 7)
	admin := connect(t, db.Admin)
	admin.do("INSERT INTO tenants VALUES ('acme', 1)")
	const open = `INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, due_at, expires_at, created_at, closed_at, body)
		VALUES ('acme', '%ID', '%KIND', 1, 'standing', 'mia', '', 5, 6, 7, NULL, '{}')`
	opens := func(id, kind string) string { return strings.NewReplacer("%ID", id, "%KIND", kind).Replace(open) }
	admin.do(opens("one", "suspension"))
	admin.refused("23514", opens("two", "grant"))
	if applied, err := postgres.Migrate(t.Context(), db.Owner); err != nil || len(applied) != 2 {
		t.Fatalf("applied %+v, %v", applied, err)
	}
	app := connect(t, db.App).as("acme")
	for _, kind := range []string{"consent", "evidence", "grant"} {
		app.do(opens("a "+kind, kind))
	}
	app.refused("23514", opens("none", "complaint"))
	v, err := postgres.OpenReadOnly(t.Context(), db.Audit)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close() }()
	found, err := v.Proceedings(t.Context(), "acme", vault.ProceedingQuery{Kind: vault.ProceedingSuspension})
	at := func(us int64) time.Time { return time.UnixMicro(us).UTC() }
	want := []vault.Proceeding{{
		ID: "one", Kind: vault.ProceedingSuspension, Revision: 1, State: vault.ProceedingStanding, Actor: "mia",
		DueAt: at(5), ExpiresAt: at(6), CreatedAt: at(7), Body: []byte(`{}`),
	}}
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

// BenchmarkLive measures what a flush of five tokens asks, beside a read of the
// five alone.
func BenchmarkLive(b *testing.B) {
	db := pgtest.New(b)
	s := openAt(b, db, postgres.Config{}, postgres.Hooks{})
	q := granted(b, s, 5)
	analyse(b, db)
	b.Run("flush", func(b *testing.B) {
		for b.Loop() {
			if live, err := s.Grants.Live(b.Context(), "acme", q); err != nil || len(live.Mappings) != 5 {
				b.Fatal(err)
			}
		}
	})
	b.Run("mappings", func(b *testing.B) {
		for b.Loop() {
			if m, err := s.Store.Mappings(b.Context(), "acme", vault.MappingQuery{ScopeID: q.ScopeIDs[0], TokenIDs: q.TokenIDs}); err != nil || len(m) != 5 {
				b.Fatal(err)
			}
		}
	})
}

// TestAliveCostsWhatItReturns: beside a hundred times as many rows of its scope, past
// their time or not, a read of what is alive touches no more pages, whether or not
// the planner was told how many there are.
func TestAliveCostsWhatItReturns(t *testing.T) {
	for name, told := range map[string]bool{"analysed": true, "young": false} {
		few, many := alivePages(t, 200, told, true), alivePages(t, 20_000, told, true)
		t.Logf("%s: %d pages beside 200 rows, %d beside 20,000", name, few, many)
		if many > 2*few {
			t.Errorf("%s: %d pages beside 200 rows, %d beside 20,000", name, few, many)
		}
	}
	if few, many := alivePages(t, 200, true, false), alivePages(t, 5_000, true, false); many <= 2*few {
		t.Errorf("twin: without its index it touches %d pages beside 200 rows, %d beside 5,000", few, many)
	}
}

// alivePages counts the pages that a hundred reads of at most 6 rows touch, of a
// scope of so many.
func alivePages(t *testing.T, rows int, analysed, indexed bool) int64 {
	t.Helper()
	db := pgtest.New(t)
	s := openAt(t, db, postgres.Config{AppConns: 1, DestroyConns: 1}, postgres.Hooks{})
	p := seed(t, s, "acme")
	admin := connect(t, db.Admin)
	alone(admin)
	admin.do("SET session_replication_role = replica")
	// Every other one is past its time; those of another scope expire later.
	admin.do(fmt.Sprintf(`
		INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed, state,
			created_at, expires_at, max_expires_at)
		SELECT 'acme', s, 't' || g, 'label', 'PERSON', 'c', sha256(g::text::bytea), sha256(g::text::bytea), 1, '%s', 'sealed', 'live', 1,
			CASE WHEN s = 'other' THEN 8500000000000000 WHEN g %% 2 = 0 THEN 1 ELSE 8000000000000000 END + g, 9000000000000000
		FROM generate_series(1, %d) AS g, unnest(ARRAY['%s', 'other']) AS s`, p.Key.ID, rows, p.Scope.ID))
	if !indexed {
		admin.do("DROP INDEX mappings_alive")
	}
	if analysed {
		admin.do("ANALYZE")
	}
	read := func() {
		alive, err := s.Grants.Alive(t.Context(), "acme", []string{p.Scope.ID}, 5)
		if err != nil || len(alive) != 6 {
			t.Fatalf("%d are alive, %v", len(alive), err)
		}
	}
	read()
	before := pages(t, admin)
	for range 100 {
		read()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	awaitAlone(t, admin)
	return pages(t, admin) - before
}

package postgres_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// every gives a tenant a proceeding of each kind, open and closed, by the superuser.
func every(t *testing.T, db *pgtest.Database) {
	t.Helper()
	connect(t, db.Admin).do(`INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, created_at, closed_at, body)
		SELECT t, k || s, k, 1, s, 'mia', '', 1, CASE s WHEN 'done' THEN 2 END, '{}'
		FROM unnest(ARRAY['approval', 'restoration', 'review', 'suspension', 'incident', 'consent', 'access_review', 'policy', 'evidence', 'grant']) AS k,
			unnest(ARRAY['standing', 'done']) AS s, unnest(ARRAY['acme', 'globex']) AS t`)
}

// deletes tells which proceedings a session can delete, of all that it can see.
func deletes(t *testing.T, s session) string {
	t.Helper()
	s.do("BEGIN")
	gone := column(t, s, "DELETE FROM proceedings RETURNING tenant || ' ' || proceeding_id")
	s.do("ROLLBACK")
	return strings.Join(gone, ", ")
}

// TestInvariant2_OnlyClosedGrantsAreDeleted: the role that destroys deletes grants that
// are closed, of the tenant that it names, and nothing else that people come back to;
// nor does the owner, and no other role deletes any.
func TestInvariant2_OnlyClosedGrantsAreDeleted(t *testing.T) {
	db := two(t)
	every(t, db)
	for role, dsn := range map[string]string{"destroy": db.Destroy, "owner": db.Owner} {
		if gone := deletes(t, connect(t, dsn).as("acme")); gone != "acme grantdone" {
			t.Errorf("%s can delete %q", role, gone)
		}
		if gone := deletes(t, connect(t, dsn)); gone != "" {
			t.Errorf("%s can delete %q without a tenant", role, gone)
		}
	}
	for _, dsn := range []string{db.App, db.Audit} {
		connect(t, dsn).as("acme").refused(noRight, "DELETE FROM proceedings WHERE kind = 'grant'")
	}
	connect(t, db.Destroy).as("acme").refused(noRight, "DELETE FROM grant_uses")
}

// Twin: without the policy the right to delete is one to all of them.
func TestInvariant2_TwinClosedGrants(t *testing.T) {
	db := two(t)
	every(t, db)
	connect(t, db.Owner).do("DROP POLICY only_closed_grants ON proceedings")
	if gone := strings.Count(deletes(t, connect(t, db.Destroy).as("acme")), ","); gone != 19 {
		t.Errorf("%d could be deleted: the test would not have seen the policy fall", gone+1)
	}
}

// TestInvariant2_TwinsOfForgottenGrants takes the guards of the statement out. What
// they keep the policy keeps as well: with it the clause holds without them.
func TestInvariant2_TwinsOfForgottenGrants(t *testing.T) {
	for name, change := range map[string][]string{
		"only grants are forgotten":     {"p.kind = 'grant' AND p.closed_at IS NOT NULL\n        AND p.closed_at <=", "p.closed_at <="},
		"what is open is not forgotten": {"AND p.closed_at IS NOT NULL\n        AND p.closed_at <=", "AND COALESCE(p.closed_at, p.created_at) <="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const clause = "grants/nothing else that people come back to"
			var used atomic.Bool
			replace := strings.NewReplacer(change...)
			rewrite := func(text string) string {
				changed := replace.Replace(text)
				used.CompareAndSwap(false, changed != text)
				return changed
			}
			open := func(policy bool) storagetest.Open {
				return func(tb testing.TB, clock func() time.Time) storagetest.Stores {
					db := pgtest.New(tb)
					if !policy {
						connect(t, db.Owner).do("DROP POLICY only_closed_grants ON proceedings")
					}
					return openAt(tb, db, postgres.Config{Clock: clock}, postgres.Hooks{Rewrite: rewrite})
				}
			}
			storagetest.MustFail(t, clause, open(false))
			storagetest.RunOnly(t, open(true), clause)
			if !used.Load() {
				t.Error("the guard is not in any statement that was run")
			}
		})
	}
}

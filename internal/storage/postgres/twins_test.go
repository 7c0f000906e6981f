package postgres_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// TestTwins takes guards out of the statements, one at a time, and shows that
// the contract goes red: each clause named here watches the guard beside it.
func TestTwins(t *testing.T) {
	twins(t, []twin{
		{"a read goes by the later of clock and log", "Invariant9/a clock that goes back revives nothing",
			[]string{"GREATEST(COALESCE($4", "LEAST(COALESCE($4"}},
		{"a commit goes by the later of clock and log", "time/never decreases within a log",
			[]string{"SELECT h.frontier, h.last_time", "SELECT h.frontier, 1::bigint"}},
		{"every change writes its entry", "Invariant2/every change has its entries",
			[]string{"INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq)\n", "", "r.leaf_hash, $2, r", "r.leaf_hash, $2::bigint, r",
				"INSERT INTO entry_terms (tenant, field, term, idx)\n", ""}},
		{"every subtree is stored", "Invariant11/entries are contiguous",
			[]string{"SELECT $1, r.level, r.n, r.hash", "SELECT $1, r.level + 20, r.n, r.hash"}},
		{"the head moves", "Invariant11/entries are contiguous",
			[]string{"UPDATE log_heads SET frontier = $2, last_time = $3", "UPDATE log_heads SET frontier = COALESCE(frontier, $2), last_time = $3"}},
		{"COMMIT commits", "Invariant15/what was acknowledged is there",
			[]string{"READ COMMITTED", "READ COMMITTED", "COMMIT", "ROLLBACK"}},
		{"mappings are read by tenant", "Invariant6/no read gives",
			[]string{"set_config('counterfoil.tenant', $1, true), set_config('statement_timeout'",
				"set_config('counterfoil.tenant', 'acme' || left($1, 0), true), set_config('statement_timeout'",
				"WHERE m.tenant = $1 AND m.scope_id = $2", "WHERE m.scope_id = $2 AND $1 <> ''"}},
		{"scopes are compared byte for byte", "identifiers/scopes are compared",
			[]string{"m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1", "lower(m.scope_id) = lower(r.scope_id) AND m.token_id = r.token_id LIMIT 20"}},
		{"tokens are compared byte for byte", "identifiers/tokens are compared",
			[]string{"m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1", "m.scope_id = r.scope_id AND lower(m.token_id) = lower(r.token_id) LIMIT 20"}},
		{"tenants are listed byte for byte", "tenants/names and keys",
			[]string{"FROM counterfoil_tenants() AS t", "FROM counterfoil_tenants() AS t ORDER BY t.tenant COLLATE \"en-x-icu\""}},
		{"a value that stands is found", "tokenize/a value that stands is found again",
			[]string{"m.identity = r.identity AND m.state = 'live'", "m.identity = r.identity AND m.state = 'none'"}},
		{"a reuse extends", "expiry/a reuse extends only",
			[]string{"SET expires_at = $4 WHERE", "SET expires_at = expires_at + 0 * $4 WHERE"}},
		{"a sweep checks the time", "sweep/destroys only what is past",
			[]string{"(m.expires_at <= $4 AND", "(0::bigint <= $4 AND"}},
		{"a sweep spares keys that seal", "sweep/destroys all that it names or nothing",
			[]string{"DELETE FROM data_keys AS k\nWHERE", "DELETE FROM data_keys AS k\nWHERE k.tenant = $1 AND k.key_id = ANY ($2::text[]) OR"}},
		{"a sweep marks keys that seal nothing", "sweep/a key that seals again is not idle",
			[]string{"SET idle_at = $3", "SET idle_at = NULL::bigint + $3"}},
		{"destroying a key destroys what it seals", "Invariant8/destroying a key destroys",
			[]string{"DELETE FROM mappings WHERE tenant = $1 AND key_id = ANY ($2::text[])", "DELETE FROM mappings WHERE tenant = $1 AND key_id = ANY ($2::text[]) AND false"}},
		{"closed is for good", "Invariant15/a closed tenant",
			[]string{" AND state <> 'closed'", ""}},
		{"a tenant's state is read under the lock", "Invariant15/a suspended tenant",
			[]string{"SELECT h.frontier, h.last_time, h.state", "SELECT h.frontier, h.last_time, 'active'"}},
		{"a rewrap finds the key as it was read", "wrapping/keys are wrapped anew",
			[]string{"AND k.wrap_version = r.was", "AND 0 < r.was"}},
		{"the minimum never falls", "wrapping/the minimum never falls",
			[]string{"AND min_wrap_version < $2", "AND 0 < $2"}},
		{"a claim ends", "Invariant16/a claim past",
			[]string{"SELECT c.claim, c.created_at FROM claims", "SELECT c.claim, c.created_at + 1000000000000 AS created_at FROM claims"}},
		{"a note that is behind is dropped", "log/bookkeeping",
			[]string{"WHERE notes.ord <= excluded.ord", "WHERE 0 <= excluded.ord"}},
		{"a search fulfils every wish", "search/every filter", []string{"WHERE j.field = o.field))", "WHERE j.field = o.field) AND false)"}},
		{"a wish has any of its terms", "search/like a search", []string{"WHERE j.field = o.field))", "WHERE j.field = o.field OFFSET 1))"}},
		{"a search finds each entry once", "search/pages follow",
			[]string{"SELECT DISTINCT w.idx FROM", "SELECT w.idx FROM"}},
		{"a count has each entry once", "search/every filter", []string{"count(DISTINCT w.idx)", "count(w.idx)"}},
		{"a search goes along every term", "search/every filter",
			[]string{"unnest($6::text[]) AS v (term) CROSS", "(SELECT u.term FROM unnest($6::text[]) AS u (term) LIMIT 1) AS v (term) CROSS"}},
		{"a walk goes in the order of the log", "search/pages follow", []string{"ORDER BY d.idx DESC LIMIT $4", "ORDER BY d.idx LIMIT $4"}},
		{"nodes in a row begin where they are asked for", "log/nodes in a row", []string{"AND n.n >= $2", "AND n.n >= $2 + 1"}},
		{"a log key follows the newest", "log keys/the next one", []string{"WHERE $4 = 1 + (SELECT max", "WHERE $4 > 0 * (SELECT max"}},
		{"a log key brings its handover", "log keys/the next one", []string{"k.public, k.handover, k.created_at", "k.public, '' AS handover, k.created_at"}},
		{"leaves that are pruned go", "Invariant11/pruned leaves", []string{"UPDATE entries SET leaf = NULL WHERE", "UPDATE entries SET leaf = NULL WHERE false AND"}},
		{"so do their terms", "prune/what is out", []string{"DELETE FROM entry_terms WHERE", "DELETE FROM entry_terms WHERE false AND"}},
		{"a pruning ends with its range", "prune/only what it names", []string{"d.idx >= $3 AND d.idx < $4", "d.idx >= $3 AND $4::bigint >= 0"}},
		{"a pruning is of a kind", "prune/only what it names", []string{"d.field = 'kind' AND d.term = $2", "d.field = 'kind' AND $2 <> ''"}},
		{"a source is one of its scope", "Invariant6/a source is one",
			[]string{"WHERE q.tenant = $1 AND q.scope_id = $2 AND q.source = $3", "WHERE q.tenant = $1 AND q.source = $3",
				"AND m.scope_id = $2 AND m.token_id = q.token_id", "AND m.scope_id = q.scope_id AND $2 <> '' AND m.token_id = q.token_id"}},
		{"a sweep spares what is held", "Invariant7/a sweep that was planned before a hold",
			[]string{"IS NULL\n        OR (SELECT t.key_id", "IS DISTINCT FROM ''\n        OR (SELECT t.key_id"}},
		{"Expired leaves out what is held", "Invariant7/what is held is kept until",
			[]string{"IS NULL\nUNION ALL", "IS DISTINCT FROM ''\nUNION ALL"}},
		{"a key that seals what is held stands", "Invariant7/a key that seals what is held",
			[]string{"SELECT r.key_id FROM unnest($2::text[]) AS r (key_id)\nWHERE", "SELECT r.key_id FROM unnest($2::text[]) AS r (key_id)\nWHERE false AND"}},
		{"every criterion must fit: subjects", "Invariant7/a hold keeps what comes after it", []string{"NOT o.by_subject", "true"}},
		{"every criterion must fit: values", "Invariant7/a sweep that was planned before a hold", []string{"NOT o.by_lookup", "true"}},
		{"every criterion must fit: scopes", "Invariant7/a hold keeps what it matches", []string{"NOT o.by_scope", "true"}},
		{"every criterion must fit: entities", "Invariant7/what a hold names", []string{"NOT o.by_entity", "true"}},
		{"every criterion must fit: classes", "Invariant7/what a hold names", []string{"NOT o.by_class", "true"}},
		{"a time begins", "scopes/all of a name", []string{"o.created_from <= m.created_at", "o.created_from < m.created_at"}},
		{"a time ends", "Invariant7/a hold on what exists", []string{"o.created_to > m.created_at", "o.created_to >= m.created_at"}},
		{"a hold on what exists ends with it", "Invariant7/a hold on what exists", []string{"NOT o.existing_only", "true"}},
		{"a hold of a person is one of the whole person", "Invariant7/a hold keeps what comes after it", []string{"t.field = 'subject'", "t.field = 'lookup'"}},
		{"a hold that was released keeps nothing", "Invariant7/what is held is kept until",
			[]string{"WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > m", "WHERE o.tenant = $1 AND o.created_to > m"}},
		{"a hold is released once", "holds/only a standing one", []string{"hold_id = $2 AND released_at IS NULL", "hold_id = $2"}},
		{"what was replaced is found where it is held", "Invariant7/what is held is found again", []string{"OR c.kept", ""}},
		{"what was replaced is not of its source", "Invariant7/what is held is found again", []string{"q.token_id AND m.state <> 'retired'", "q.token_id"}},
		{"a scope is closed once", "scopes/only one that lives is closed", []string{"AND living AND ends_at > $3", "AND 0 < $3"}},
		{"a scope that is closed ends", "Invariant9/a scope that was closed", []string{"SET ends_at = $3\n", "SET ends_at = ends_at + 0 * $3\n"}},
		{"so does what is in it", "Invariant9/a scope that was closed",
			[]string{"SET expires_at = $3\n", "SET expires_at = expires_at + 0 * $3\n"}},
		{"a page of holds goes on", "holds/are listed page by page", []string{"(o.created_at, o.hold_id) < (", "(o.created_at + 1, o.hold_id) <= ("}},
		{"a person's mappings are counted once", "persons/are seen by subject and by value", []string{"    UNION\n", "    UNION ALL\n", "count(DISTINCT w.token_id)", "count(w.token_id)"}},
		{"what was replaced is not seen", "persons/what expired is seen", []string{"AND m.state <> 'retired'\n    AND (SELECT k", "AND (SELECT k"}},
		{"an erasure spares what is held", "Invariant7/an erasure restricts",
			[]string{"AND o.hold_id = ANY (ARRAY", "AND false AND o.hold_id = ANY (ARRAY"}},
		{"an erasure takes what is of the subject alone", "Invariant8/what was erased opens no more",
			[]string{"bool_and(l.subject_ref = $2)", "bool_or(l.subject_ref = $2)"}},
		{"an erasure takes nothing younger", "erasure/a plan is about what was made", []string{"m.created_at <= $3", "0 < $3", "m.created_at > $3", "0 > $3"}},
		{"a plan has what stays", "erasure/a plan has keys", []string{"WHERE m.created_at > $3 OR (\n", "WHERE m.created_at > $3 OR false AND (\n"}},
		{"keys of an erasure go", "Invariant8/what was erased opens no more",
			[]string{"DELETE FROM data_keys WHERE tenant = $1 AND key_id = ANY", "UPDATE data_keys SET idle_at = 1 WHERE tenant = $1 AND key_id = ANY"}},
		{"what is held is restricted", "Invariant7/an erasure restricts", []string{"SET state = 'restricted'", "SET state = m.state"}},
		{"what is shared is about the others", "Invariant8/what was erased opens no more",
			[]string{"OR NOT m.alone AND NOT m.kept)\n", "OR false)\n"}},
		{"what is shared and held stays tied", "Invariant7/what is held and about somebody else",
			[]string{"OR NOT m.alone AND NOT m.kept)\n", "OR NOT m.alone)\n", "NOT m.alone AND NOT m.kept) AS shared", "NOT m.alone) AS shared"}},
		{"the row of the person goes", "Invariant8/what was erased opens no more",
			[]string{"DELETE FROM subjects WHERE tenant = $1 AND digest = $2", "DELETE FROM subjects WHERE tenant = $1 AND false AND digest = $2"}},
		{"what is sealed anew has the key that it had", "Invariant8/an erasure is refused where it is not exactly",
			[]string{" AND m.key_id = r.key_from", " AND r.key_from <> ''"}},
		{"so has a name", "Invariant8/an erasure is refused where it is not exactly", []string{" AND s.name_key_id = r.key_from", " AND r.key_from <> ''"}},
		{"keys leave tombstones", "sweep/what was erased is swept also", []string{"SELECT $1, r.key_id, $2, $3, k", "SELECT $1, 'not ' || r.key_id, $2, $3, k"}},
		{"a sweep takes what was erased", "sweep/what was erased goes first", []string{"OR (SELECT t.key_id FROM", "OR false AND (SELECT t.key_id FROM"}},
		{"a tombstone waits for the last", "sweep/a tombstone is done", []string{"m.key_id = t.key_id LIMIT 1) IS NULL", "m.key_id = t.key_id LIMIT 1) IS DISTINCT FROM ''"}},
		{"what was erased is not tied", "persons/what was erased", []string{"IS NOT NULL\nON CONFLICT", "IS DISTINCT FROM ''\nON CONFLICT"}},
		{"what was replaced is not tied", "links/every value", []string{"AND m.state <> 'retired' OFFSET 0", "OFFSET 0"}},
		{"only such ties are undone", "links/only such ties", []string{"AND l.basis = 'linked'", ""}},
		{"a page of erasures goes on", "erasure/are listed page by page", []string{"(e.erased_at, e.erasure_id) < (", "(e.erased_at + 1, e.erasure_id) <= ("}},
		{"a hold by destination is of what was sent there", "Invariant7/a hold by destination", []string{"(NOT o.by_destination OR (", "(true OR ("}},
		{"a time of sending begins", "Invariant7/a hold by the time of sending", []string{"d.last_sent >= o.created_from", "d.last_sent > o.created_from"}},
		{"a time of sending ends", "Invariant7/a hold by the time of sending", []string{"d.first_sent < o.created_to", "d.first_sent <= o.created_to"}},
		{"what was sent is held however old", "Invariant7/a hold by the time of sending", []string{"(o.by_sent OR o.created_from <= m.created_at)", "o.created_from <= m.created_at"}},
		{"a sending is written anew after a while", "destinations/the last time", []string{"AND d.last_sent >= $2 - $6::bigint", "AND $6::bigint > 0"}},
		{"a request is changed as it was read", "requests/a change is of the revision", []string{"AND revision = $3 AND closed_at IS NULL", "AND $3 >= 0 AND closed_at IS NULL"}},
		{"a closed request is closed for good", "requests/one that is closed is closed", []string{"AND revision = $3 AND closed_at IS NULL", "AND revision = $3"}},
		{"what closes a request forgets whose it is", "requests/what began stays",
			[]string{"DELETE FROM subject_request_lookups WHERE tenant = $1 AND request_id = $2", "DELETE FROM subject_request_lookups WHERE tenant = $1 AND request_id = $2 AND false"}},
		{"an erasure ends its request", "requests/one of an erasure that is deferred", []string{"SET revision = revision + 1, state = 'completed'", "SET revision = revision + 1, state = q.state",
			"UPDATE subject_requests SET revision = revision + 1, state = q.state, subject = NULL, closed_at = $3\n", "UPDATE subject_requests SET revision = revision + 0 * $3\n"}},
		{"a note is of an open request", "requests/a note is of a request", []string{"q.request_id = $2 AND q.closed_at IS NULL", "q.request_id = $2"}},
		{"the key of a note is not idle", "requests/the key of notes", []string{"n.tenant = $1 AND n.key_id = k.key_id)", "n.tenant = $1 AND n.key_id = k.key_id AND false)"}},
		{"a page of requests goes on", "requests/are listed page by page", []string{"(q.received_at, q.request_id) < (", "(q.received_at + 1, q.request_id) <= ("}},
		{"an open request is not swept", "sweep/only closed requests", []string{"request_id = ANY ($2::text[]) AND closed_at IS NOT NULL", "request_id = ANY ($2::text[])"}},
		{"notes' keys go with the request", "Invariant8/notes go with", []string{"AND subject_ref = ANY ($2::text[]) RETURNING", "AND subject_ref = ANY ($2::text[]) AND false RETURNING"}},
		{"who has a value is not forgotten", "sweep/a person who came to use", []string{"l.subject_ref = p.subject_ref LIMIT 1) IS NULL", "l.subject_ref = p.subject_ref LIMIT 1) IS DISTINCT FROM ''",
			"m.key_id = p.key_id LIMIT 1) IS NULL", "m.key_id = p.key_id LIMIT 1) IS DISTINCT FROM ''", "k.key_id <> p.key_id) LIMIT 1) IS NULL", "k.key_id <> p.key_id) LIMIT 1) IS DISTINCT FROM ''"}},
		{"who has a key is not forgotten", "sweep/a person is stale", []string{"k.key_id <> p.key_id) LIMIT 1) IS NULL", "k.key_id <> p.key_id) LIMIT 1) IS DISTINCT FROM ''"}},
		{"who has a request is not forgotten", "sweep/a person is stale", []string{"q.closed_at IS NULL LIMIT 1) IS NULL", "q.closed_at IS NULL LIMIT 1) IS DISTINCT FROM ''"}},
		{"who waits to be erased is not forgotten", "sweep/a person is stale", []string{"e.state = 'deferred' LIMIT 1) IS NULL", "e.state = 'deferred' LIMIT 1) IS DISTINCT FROM ''"}},
		{"a sealed name is that of its key", "Invariant1/a name is restored", []string{"WHERE p.key_id = r.key_id\n", "WHERE r.key_id <> ''\n"}},
		{"a restriction is of the person alone", "restriction/is of what is about", []string{"bool_and(l.subject_ref = $2)", "bool_or(l.subject_ref = $2)"}},
		{"a value has one token after a lift", "Invariant4/of a value with a newer", []string{"n.identity = m.identity AND n.state = 'live'", "n.identity = m.identity AND n.state = 'none'"}},
		{"what was erased is kept out until it is swept", "Invariant8/what was erased is kept out", []string{"e.suppress_until IS NOT NULL LIMIT 1) AS e", "e.suppress_until IS NOT NULL AND false LIMIT 1) AS e"}},
		{"and after it", "Invariant8/what was erased is kept out",
			[]string{"AND e.suppress_until > $4) AS g", "AND e.suppress_until > $4 AND false) AS g"}},
		{"a suppression ends", "Invariant8/a suppression ends", []string{"WHERE u.until > (", "WHERE u.until >= ("}},
		{"what many share is kept out of a scope alone", "suppression/what many share", []string{"c.entity = m.entity LIMIT 1) IS NULL", "c.entity = m.entity LIMIT 1) IS DISTINCT FROM ''"}},
		{"the longer suppression counts", "suppression/of two of one value", []string{"SET until = GREATEST(suppressions.until, excluded.until)", "SET until = LEAST(suppressions.until, excluded.until)"}},
		{"only what is over is forgotten", "suppression/what is over", []string{"q.until <= (SELECT", "q.until > -(SELECT", "AND s.until <= (SELECT", "AND s.until > -(SELECT"}},
		{"no version is retired that a key of the tenant needs", "versions/are retired once", []string{"FROM tenant_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 LIMIT 1", "FROM tenant_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 - 100 LIMIT 1"}},
		{"or that may still be written under", "versions/are retired once", []string{"AND min_wrap_version >= $2", ""}},
		{"a hold keeps backups", "Invariant7/no version is retired", []string{"AND o.backups LIMIT 1", "AND false LIMIT 1"}},
		{"only what was retired is final", "finality/is of exactly", []string{"AND h.retired_below = $2", "AND h.retired_below <> -$2"}},
		{"final is what was under those versions", "Invariant8/final is what", []string{"OR t.wrap_version >= $2", ""}},
		{"and is completed", "Invariant8/final is what", []string{"e.state = 'completed' AND e.final_at IS NULL", "e.final_at IS NULL"}},
		{"a key with a tombstone is told", "Invariant8/a key with a tombstone", []string{"OR (SELECT t.key_id FROM tombstones AS t WHERE t.tenant = $1 AND t.key_id = r.key_id LIMIT 1) IS NOT NULL", ""}},
		{"a tombstone has its version", "tombstones/tell", []string{"$3, k.wrap_version, r.rekeyed", "$3, 0 * k.wrap_version, r.rekeyed"}},
		{"what was erased elsewhere is buried", "Invariant8/what the copy never had", []string{"SELECT $1, r.key_id, $2, r.erased_at", "SELECT $1, 'not ' || r.key_id, $2, r.erased_at"}},
		{"who was erased elsewhere is forgotten", "Invariant8/an erasure is done again", []string{"DELETE FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = $2 AND (", "DELETE FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = $2 AND false AND ("}},
		{"an inventory tells what is erased", "inventory/each value", []string{"IS NULL THEN 'erased'", "IS NULL THEN 'live'"}},
		{"an approval that is used is done", "Invariant14/of 100 redeems", []string{"SET revision = revision + 1, state = 'done', closed_at = $4\n",
			"SET revision = revision, closed_at = NULLIF($4::bigint, $4)\n"}},
		{"its end is read", "Invariant14/an approval that is over", []string{"COALESCE(p.expires_at, 0) FROM unnest", "0 * COALESCE(p.expires_at, 0) FROM unnest"}},
		{"a change of a proceeding moves its revision", "proceedings/a change is of the revision", []string{"UPDATE proceedings SET revision = revision + 1, state = $4", "UPDATE proceedings SET revision = revision, state = $4"}},
		{"what closes a proceeding says when", "proceedings/one that is closed", []string{"THEN $8::bigint END", "THEN created_at + 0 * $8::bigint END"}},
		{"a page of proceedings goes on", "proceedings/are listed page by page", []string{"(p.created_at, p.proceeding_id) < (", "(p.created_at + 1, p.proceeding_id) <= ("}},
		{"a consent is of its person", "proceedings/each filter", []string{"AND p.subject_ref = r.subject_ref AND", "AND r.subject_ref <> '' AND"}},
		{"who consents is not forgotten", "sweep/a person", []string{"c.closed_at IS NULL LIMIT 1) IS NULL", "c.closed_at IS NULL LIMIT 1) IS DISTINCT FROM ''"}},
		{"suspensions are read", "Invariant15/nothing is restored after", []string{"p.kind = 'suspension' AND", "p.kind = 'suspension ' AND"}},
		{"with their end", "Invariant15/only what stands", []string{"SELECT p.proceeding_id, COALESCE(p.expires_at, 0), p.body", "SELECT p.proceeding_id, 0 * COALESCE(p.expires_at, 0), p.body",
			"(p.expires_at IS NULL OR p.expires_at > (", "(p.expires_at IS NULL OR p.expires_at > -("}},
		{"a review that is closed is not overdue", "Invariant17/so many reviews", []string{"p.kind = 'review' AND p.closed_at IS NULL", "p.kind = 'review'"}},
		{"what is spent adds up", "Invariant17/a budget is counted", []string{"DO UPDATE SET spent = excluded.spent", "DO UPDATE SET spent = LEAST(budget_hours.spent, excluded.spent)"}},
		{"the newest hour counts", "Invariant17/a budget begins anew", []string{"b.budget = r.budget ORDER BY b.hour DESC LIMIT 1", "b.budget = r.budget ORDER BY b.hour LIMIT 1"}},
		{"an hour that is not over is not forgotten", "budgets/hours that are over", []string{"(SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)) - $3)", "(SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)) + $3)"}},
		{"a notice is put off as it is taken", "notices/of two who take", []string{"UPDATE notices AS n SET next_at = $4 + (", "UPDATE notices AS n SET next_at = 1 + 0 * $4 + 0 * ("}},
		{"an attempt is counted", "notices/one is put off", []string{"attempts = attempts + 1", "attempts = attempts + 0"}},
		{"what was erased is not exposed", "exposure/what was swept", []string{"k.key_id = m.key_id LIMIT 1) IS NOT NULL\nGROUP BY d.destination", "k.key_id = m.key_id LIMIT 1) IS DISTINCT FROM ''\nGROUP BY d.destination"}},
	})
}

// twin is a guard, a clause that watches it, and how the guard is taken out.
type twin struct {
	guard   string
	clause  string
	rewrite []string // pairs of old and new
}

func twins(t *testing.T, tests []twin) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.guard, func(t *testing.T) {
			t.Parallel()
			var used atomic.Bool
			replace := strings.NewReplacer(tt.rewrite...)
			storagetest.MustFail(t, tt.clause, openWith(postgres.Config{}, postgres.Hooks{Rewrite: func(text string) string {
				changed := replace.Replace(text)
				if changed != text {
					used.Store(true)
				}
				return changed
			}}))
			if !used.Load() {
				t.Error("the guard is not in any statement that was run")
			}
		})
	}
}

// TestTwins_Judged leaves out the guards that are judged on rows that were read.
func TestTwins_Judged(t *testing.T) {
	clauses := map[string]string{
		"what fails is undone":                                   "Invariant2/one that fails fails alone",
		"a suspended tenant is not served":                       "Invariant15/a suspended tenant",
		"a change is committed once":                             "log/a change is committed once",
		"a claim stands":                                         "Invariant16/a claim stands",
		"a restoration checks expiry":                            "Invariant9/an expired mapping is not restorable",
		"a restoration checks that the mapping is there":         "Invariant8/in one window/destroy the key, then restore",
		"a match must not be expired":                            "Invariant9/an expired mapping is never revived",
		"a kept token must live":                                 "tokenize/a kept token must live",
		"a taken id is left alone":                               "Invariant4/two values never share a token",
		"a key must stand":                                       "Invariant8/nothing is sealed under a key that is gone",
		"a key has room":                                         "keys/a key of a scope seals at most",
		"a key is of its scope or subject":                       "keys/a value is sealed by a key of its own",
		"no key is written below the minimum":                    "Invariant8/no key is written below",
		"only one scope of a name lives":                         "scopes/one of a name lives",
		"a subject is as it was read":                            "subjects/a change needs them",
		"what is past its time is reached only where it is held": "Invariant7/what is held is restored only",
		"a closing is later than all before it":                  "Invariant9/closing ends a scope",
		"an erasure is of the subject as it was read":            "Invariant8/an erasure is refused where it is not exactly",
		"only a deferred erasure goes on":                        "erasure/goes on only while",
		"the keys that go are all that have to":                  "Invariant8/an erasure is refused where the world",
		"whatever stays of a key that goes is sealed anew":       "Invariant8/an erasure is refused where it is not exactly",
		"what stays is sealed under a key of its own":            "erasure/what stays is sealed under",
		"what is held stays tied":                                "Invariant7/no tie is undone",
		"a key that was erased is never inserted again":          "Invariant8/a key with a tombstone",
		"what is suppressed is not tokenized":                    "Invariant8/what was erased is kept out",
		"a request was received before it is written down":       "requests/one that contradicts itself",
		"what a deferred erasure restricted is not lifted":       "Invariant8/what a deferred erasure restricted",
		"a name is restored as it was read":                      "Invariant1/a name is restored",
		"an approval is used once, in time and as it was read":   "Invariant14/only what is approved",
		"a proceeding is of a person who is there":               "proceedings/one of a person",
		"one policy is in force":                                 "Invariant13/one policy",
		"a proceeding is changed as it was read":                 "proceedings/a change is of the revision",
		"a suspension stops what it matches":                     "Invariant15/nothing is restored after",
		"what a restoration rests on stands":                     "consents/a restoration rests on",
		"whoever has too many reviews overdue restores nothing":  "Invariant17/so many reviews",
		"a budget is not passed":                                 "Invariant17/a budget is counted",
		"a grant gives no more than it may":                      "Invariant17/a grant gives no more",
		"only a grant is drawn of":                               "Invariant17/only a grant is drawn of",
	}
	for _, guard := range postgres.Guards() {
		t.Run(guard, func(t *testing.T) {
			t.Parallel()
			var used atomic.Bool
			storagetest.MustFail(t, clauses[guard], openWith(postgres.Config{}, postgres.Hooks{Skip: func(asked string) bool {
				if asked == guard {
					used.Store(true)
				}
				return asked == guard
			}}))
			if !used.Load() {
				t.Error("nothing asked for the guard")
			}
		})
	}
}

// A store that never shares must be noticed, too.
func TestTwins_NoSharing(t *testing.T) {
	c := postgres.Config{Limits: commitqueue.Limits{MaxBatch: 1}}
	storagetest.MustFail(t, "batch/changes that wait share a commit", openWith(c, postgres.Hooks{}))
}

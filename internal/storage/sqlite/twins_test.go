package sqlite_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// TestTwins takes guards out of the statements, one at a time, and shows that
// the contract goes red: each clause named here watches the guard beside it.
func TestTwins(t *testing.T) {
	twins(t, []twin{
		{"a restoration checks expiry", "Invariant9/an expired mapping is not restorable",
			[]string{"m.expires_at > ?6 OR ?8", "m.expires_at > ?6 OR 1 OR ?8"}},
		{"a restoration checks that the mapping is there", "Invariant8/in one window/destroy the key, then restore",
			[]string{"SELECT 1 FROM mappings AS m\nWHERE", "SELECT 1 FROM (SELECT 1) LEFT JOIN mappings AS m ON 0 WHERE 1 OR"}},
		{"a sweep ends what is in its window", "Invariant9/in one window/expire and sweep, then restore",
			[]string{"SELECT 1 FROM mappings AS m\nWHERE", "SELECT 1 FROM (SELECT 1) LEFT JOIN mappings AS m ON 0 WHERE 1 OR"}},
		{"a match must not be expired", "Invariant9/an expired mapping is never revived",
			[]string{"m.expires_at > ?4 AND EXISTS", "(1 OR ?4) AND EXISTS"}},
		{"a read goes by the later of clock and log", "Invariant9/a clock that goes back revives nothing",
			[]string{"MAX(?4, ", "MIN(?4, "}},
		{"a commit goes by the later of clock and log", "time/never decreases within a log",
			[]string{"SELECT h.frontier, h.last_time", "SELECT h.frontier, 1"}},
		{"every change writes its entry", "Invariant2/every change has its entries",
			[]string{"change_id, seq)\nVALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", "change_id, seq)\nSELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE 0",
				"INSERT INTO entry_terms (tenant, field, term, idx)\n", ""}},
		{"every subtree is stored", "Invariant11/entries are contiguous",
			[]string{"INSERT INTO log_nodes (tenant, level, n, hash) VALUES (?1, ?2, ?3, ?4)", "SELECT ?1, ?2, ?3, ?4"}},
		{"the head moves", "Invariant11/entries are contiguous",
			[]string{"UPDATE log_heads SET frontier = ?2, last_time = ?3", "UPDATE log_heads SET frontier = frontier, last_time = ?3 + 0 * length(?2)"}},
		{"what fails is rolled back", "Invariant2/one that fails fails alone",
			[]string{"ROLLBACK TO change", "SELECT 1"}},
		{"COMMIT commits", "Invariant15/what was acknowledged is there",
			[]string{"COMMIT", "ROLLBACK"}},
		{"mappings are read by tenant", "Invariant6/no read gives",
			[]string{"WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id IN", "WHERE m.scope_id = ?2 AND m.token_id IN"}},
		{"keys are read by tenant", "Invariant6/no read gives",
			[]string{"WHERE k.tenant = ?1 AND k.key_id IN", "WHERE k.key_id IN"}},
		{"mappings are swept by tenant", "Invariant6/no change reaches",
			[]string{"WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id = ?3 AND (m.expires_at", "WHERE ?1 <> '' AND m.scope_id = ?2 AND m.token_id = ?3 AND (m.expires_at"}},
		{"scopes are compared byte for byte", "identifiers/scopes are compared",
			[]string{"WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id IN", "WHERE m.tenant = ?1 AND m.scope_id = ?2 COLLATE NOCASE AND m.token_id IN"}},
		{"tokens are compared byte for byte", "identifiers/tokens are compared",
			[]string{"AND m.token_id IN (SELECT j.value", "AND m.token_id COLLATE NOCASE IN (SELECT j.value"}},
		{"a taken id is left alone", "Invariant4/two values never share a token",
			[]string{"ON CONFLICT (tenant, scope_id, token_id) DO NOTHING", "ON CONFLICT (tenant, scope_id, token_id) DO UPDATE SET sealed = excluded.sealed"}},
		{"a value that stands is found", "Invariant4/the same value on many goroutines",
			[]string{"m.identity = ?3 AND m.state = 'live'", "m.identity = ?3 AND m.state = 'none'"}},
		{"a reuse extends", "expiry/a reuse extends only",
			[]string{"SET expires_at = ?4", "SET expires_at = expires_at + 0 * ?4"}},
		{"a kept token must live", "tokenize/a kept token must live",
			[]string{"AND m.state = 'live' AND m.expires_at > ?5", "AND (1 OR ?5)"}},
		{"only one scope of a name lives", "scopes/one of a name lives",
			[]string{"AND s.digest = ?2 AND s.living = 1", "AND s.digest = ?2 AND s.living = 2"}},
		{"a sweep checks the time", "sweep/destroys only what is past",
			[]string{"AND (m.expires_at <= ?4", "AND (0 <= ?4"}},
		{"a sweep spares keys that seal", "sweep/destroys all that it names or nothing",
			[]string{"DELETE FROM data_keys AS k\nWHERE k.tenant = ?1 AND k.key_id = ?2\n    AND", "DELETE FROM data_keys AS k\nWHERE k.tenant = ?1 AND k.key_id = ?2 OR k.tenant = ?1 AND k.key_id = ?2\n    AND"}},
		{"destroying a key destroys what it seals", "Invariant8/destroying a key destroys",
			[]string{"INDEXED BY mappings_key WHERE tenant = ?1 AND key_id = ?2", "WHERE tenant = ?1 AND key_id = ?2 AND 0"}},
		{"a suspended tenant is not served", "Invariant15/a suspended tenant",
			[]string{"SELECT h.frontier, h.last_time, h.state", "SELECT h.frontier, h.last_time, 'active'"}},
		{"closed is for good", "Invariant15/a closed tenant",
			[]string{" AND state <> 'closed'", ""}},
		{"no key is written below the minimum", "Invariant8/no key is written below",
			[]string{"h.state, h.min_wrap_version,", "h.state, 1,"}},
		{"a rewrap finds the key as it was read", "wrapping/keys are wrapped anew",
			[]string{"AND wrap_version = ?3", "AND 0 < ?3"}},
		{"a search fulfils every wish", "search/every filter", []string{"SELECT 1 FROM json_each(?7) AS jw WHERE", "SELECT 1 FROM json_each(?7) AS jw WHERE 0 AND"}},
		{"a wish has any of its terms", "search/like a search", []string{"t.term = jt.value", "t.term = (SELECT jt.value WHERE jt.key = 0)"}},
		{"a search finds each entry once", "search/pages follow", []string{"SELECT DISTINCT jk.value", "SELECT jk.value"}},
		{"a count has each entry once", "search/every filter", []string{"COUNT(DISTINCT d.idx)", "COUNT(d.idx)"}},
		{"a search goes along every term", "search/every filter", []string{"d.term = j.value", "d.term = (SELECT j.value WHERE j.key = 0)"}},
		{"a search is of a tenant", "search/every filter", []string{"WHERE d.tenant = ?1 AND d.field = ?5", "WHERE d.tenant <> ?1 AND d.field = ?5"}},
		{"a walk goes in the order of the log", "search/pages follow", []string{"ORDER BY d.idx DESC LIMIT ?4", "ORDER BY d.idx LIMIT ?4"}},
		{"nodes in a row begin where they are asked for", "log/nodes in a row", []string{"AND n.n >= ?2", "AND n.n >= ?2 + 1"}},
		{"a log key follows the newest", "log keys/the next one", []string{"WHERE ?3 = 1 + (SELECT MAX", "WHERE ?3 > 0 * (SELECT MAX"}},
		{"a log key brings its handover", "log keys/the next one", []string{"k.public, k.handover, k.created_at", "k.public, '', k.created_at"}},
		{"leaves that are pruned go", "Invariant11/pruned leaves", []string{"UPDATE entries SET leaf = NULL\nWHERE", "UPDATE entries SET leaf = NULL\nWHERE 0 AND"}},
		{"so do their terms", "prune/what is out", []string{"DELETE FROM entry_terms INDEXED BY entry_terms_entry\nWHERE", "DELETE FROM entry_terms INDEXED BY entry_terms_entry\nWHERE 0 AND"}},
		{"a pruning ends with its range", "prune/only what it names", []string{"d.idx >= ?3 AND d.idx < ?4", "d.idx >= ?3 AND ?4 >= 0"}},
		{"a pruning is of a kind", "prune/only what it names", []string{"d.field = 'kind' AND d.term = ?2", "d.field = 'kind' AND ?2 <> ''"}},
		{"a claim stands", "Invariant16/a claim stands",
			[]string{"WHERE claims.created_at <= ?6", "WHERE 0 <= ?6"}},
		{"a claim ends", "Invariant16/a claim past",
			[]string{"WHERE claims.created_at <= ?6", "WHERE 0 > ?6"}},
		{"a note that is behind is dropped", "log/bookkeeping",
			[]string{"WHERE notes.ord <= excluded.ord", "WHERE 0 <= excluded.ord"}},
		{"a source is one of its scope", "Invariant6/a source is one",
			[]string{"WHERE q.tenant = ?1 AND q.scope_id = ?2 AND q.source = ?3", "WHERE q.tenant = ?1 AND q.source = ?3",
				"AND m.scope_id = ?2 AND m.token_id = q.token_id", "AND m.scope_id = q.scope_id AND ?2 <> '' AND m.token_id = q.token_id"}},
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
			var used atomic.Bool
			replace := strings.NewReplacer(tt.rewrite...)
			storagetest.MustFail(t, tt.clause, openWith(sqlite.Options{}, sqlite.Hooks{Rewrite: func(text string) string {
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

// A store that never shares must be noticed, too.
func TestTwins_NoSharing(t *testing.T) {
	o := sqlite.Options{Limits: commitqueue.Limits{MaxBatch: 1}}
	storagetest.MustFail(t, "batch/changes that wait share a commit", openWith(o, sqlite.Hooks{}))
}

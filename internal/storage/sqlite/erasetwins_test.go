package sqlite_test

import "testing"

// TestInvariant8_TwinsOfErasure takes the guards of erasures and of ties to a
// person out, one at a time.
func TestInvariant8_TwinsOfErasure(t *testing.T) {
	const (
		moved    = "Invariant8/an erasure is refused where the world has moved"
		inexact  = "Invariant8/an erasure is refused where it is not exactly"
		done     = "Invariant8/what was erased opens no more"
		deferred = "Invariant7/an erasure restricts what is held"
		unseen   = "persons/what was erased is neither seen"
	)
	// What holds keep, wherever it is asked for what goes.
	unheld := []string{"WHEN EXISTS (SELECT 1 FROM holds", "WHEN 0 = 1 AND EXISTS (SELECT 1 FROM holds",
		"o.subject_ref <> ?2) AND NOT EXISTS (SELECT 1 FROM holds", "o.subject_ref <> ?2) AND 0 = 0 * EXISTS (SELECT 1 FROM holds"}
	twins(t, []twin{
		{"a hold is stronger than an erasure", deferred, unheld},
		{"a hold that was placed before it in its window", "Invariant7/in one window/hold the value, then erase the person", unheld},
		{"what is left under a key is what goes", moved, []string{"SELECT COUNT(*) <> ?3", "SELECT 0 * COUNT(*) * ?3"}},
		{"nobody's name is left under a key", inexact, []string{"SELECT COUNT(*) <> 0", "SELECT 0 * COUNT(*)"}},
		{"what goes is not moved", inexact, []string{"AND m.key_id = ?6 AND NOT (", "AND m.key_id = ?6 AND 0 = 0 * ("}},
		{"what is moved has the key that it had", inexact, []string{"AND m.key_id = ?6", "AND ?6 <> ''"}},
		{"a name is moved from the key that it had", inexact,
			[]string{"scope_id = ?2 AND name_key_id = ?3", "scope_id = ?2 AND ?3 <> ''", "SELECT COUNT(*) <> 0", "SELECT 0 * COUNT(*)"}},
		{"keys are destroyed", done,
			[]string{"DELETE FROM data_keys WHERE tenant = ?1", "UPDATE data_keys SET sealed = sealed WHERE tenant = ?1"}},
		{"keys are destroyed before the next in their window", "Invariant8/in one window/erase the person, then restore",
			[]string{"DELETE FROM data_keys WHERE tenant = ?1", "UPDATE data_keys SET sealed = sealed WHERE tenant = ?1"}},
		{"keys are destroyed whatever races with them", "Invariant8/of an erasure and what races",
			[]string{"DELETE FROM data_keys WHERE tenant = ?1", "UPDATE data_keys SET sealed = sealed WHERE tenant = ?1"}},
		{"all keys of a person go", "Invariant8/the name of who was erased",
			[]string{"data_keys AS k WHERE k.tenant = ?1 AND k.subject_ref = ?2", "data_keys AS k WHERE k.tenant = ?1 AND k.subject_ref = ?2 AND 0"}},
		{"what is about others too does not go", done, []string{"THEN 'held' WHEN EXISTS", "THEN 'held' WHEN 0 AND EXISTS",
			"AND o.subject_ref = ?2)\n        AND NOT EXISTS", "AND o.subject_ref = ?2)\n        AND 0 = 0 * EXISTS"}},
		{"what is about others too is theirs alone then", done,
			[]string{"mapping_subjects_ref\nWHERE l.tenant = ?1", "mapping_subjects_ref\nWHERE ?3 < 0 AND l.tenant = ?1"}},
		{"what is held stays tied", "Invariant7/what is held and about somebody else too", []string{
			"o.subject_ref <> ?2) AND NOT EXISTS (SELECT 1 FROM holds", "o.subject_ref <> ?2) AND 0 = 0 * EXISTS (SELECT 1 FROM holds"}},
		{"what is held is restricted", deferred, []string{"AS m SET state = 'restricted'", "AS m SET state = state"}},
		{"what is younger does not go", deferred, []string{"CASE WHEN m.created_at > ?3", "CASE WHEN m.created_at > ?3 + 1000000000",
			"(m.created_at <= ?3 AND", "(m.created_at <= ?3 + 1000000000 AND"}},
		{"only a deferred one goes on", "erasure/goes on only while", []string{
			"e.erasure_id = ?2 AND e.state = 'deferred'", "e.erasure_id = ?2",
			"SELECT e.subject, e.subject_ref, e.erased_at FROM", "SELECT COALESCE(e.subject, zeroblob(32)), e.subject_ref, e.erased_at FROM",
		}},
		{"the person's row goes", "erasure/of a person whom nobody knows", []string{"DELETE FROM subjects WHERE", "DELETE FROM subjects WHERE 0 AND"}},
		{"a survivor's key is its own", "erasure/what stays is sealed under",
			[]string{"AND NOT EXISTS (\n    SELECT 1 FROM mapping_subjects AS l", "AND 0 AND NOT EXISTS (\n    SELECT 1 FROM mapping_subjects AS l"}},
		{"a plan is of one person's tenant", "Invariant6/an erasure in one tenant",
			[]string{"WHERE e.tenant = ?1 AND e.erasure_id = ?2 AND (?3", "WHERE ?1 <> '' AND e.erasure_id = ?2 AND (?3"}},
		{"a page goes on where the one before ended", "erasure/are listed", []string{"(e.erased_at, e.erasure_id) <", "(e.erased_at, '') <"}},
		{"a key that was erased has a tombstone", "sweep/what was erased goes first",
			[]string{"INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, wrap_version, rekeyed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
				"SELECT ?1, ?2, ?3, ?4, ?5, ?6"}},
		{"what was erased is swept", "sweep/what was erased is swept also",
			[]string{"OR EXISTS (SELECT 1 FROM tombstones", "OR 0 * EXISTS (SELECT 1 FROM tombstones"}},
		{"a tombstone waits for the last row", "sweep/a tombstone is done",
			[]string{"swept_at IS NULL\n    AND NOT EXISTS (SELECT 1 FROM mappings AS m WHERE", "swept_at IS NULL\n    AND 0 = 0 * EXISTS (SELECT 1 FROM mappings AS m WHERE"}},
		{"a tombstone is done once", "sweep/a tombstone is done", []string{"key_id = ?2 AND swept_at IS NULL", "key_id = ?2"}},
		{"what was erased is planned once", "sweep/what was erased and has expired",
			[]string{"AND NOT EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = m.key_id)\nORDER", "\nORDER"}},
		{"what was erased is not seen", unseen,
			[]string{"AND NOT EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = m.key_id) AND m.state <> 'retired'\n", "AND m.state <> 'retired'\n"}},
		{"what was erased is not counted", unseen,
			[]string{"AND NOT EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = m.key_id) AND (g.by_sent", "AND (g.by_sent"}},
		{"what was erased is not tied", unseen,
			[]string{"AND m.state <> 'retired' AND NOT EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = m.key_id)\nON", "AND m.state <> 'retired'\nON"}},
		{"what was replaced is not tied", "links/every value",
			[]string{"AND m.state <> 'retired' AND NOT EXISTS (SELECT 1 FROM tombstones", "AND NOT EXISTS (SELECT 1 FROM tombstones"}},
		{"what was declared is not undone", "links/only such ties", []string{"AND +l.subject_ref = ?2 AND l.basis = 'linked'", "AND +l.subject_ref = ?2"}},
		{"what is held is not undone", "Invariant7/no tie is undone",
			[]string{"AND l.basis = 'linked')\n    AND EXISTS", "AND l.basis = 'linked')\n    AND 0 = 1 AND EXISTS"}},
		{"a closing is later than all before it", "Invariant9/closing ends a scope also",
			[]string{"SELECT h.frontier, h.last_time,", "SELECT h.frontier, h.last_time - 1,"}},
	})
}

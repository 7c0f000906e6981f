package sqlite_test

import "testing"

// TestInvariant14_TwinsOfProceedings takes the guards of what people come back to,
// and of approvals that are used, out, one at a time.
func TestInvariant14_TwinsOfProceedings(t *testing.T) {
	const only = "Invariant14/only what is approved"
	twins(t, []twin{
		{"a change is of what was read", "proceedings/a change is of the revision",
			[]string{"AND revision = ?3 AND closed_at IS NULL\n    AND NOT (kind", "AND ?3 = ?3 AND closed_at IS NULL\n    AND NOT (kind"}},
		{"what is closed is not changed", "proceedings/one that is closed",
			[]string{"AND closed_at IS NULL\n    AND NOT (kind", "\n    AND NOT (kind"}},
		{"what is changed together is of one kind", "proceedings/are changed all", []string{"SELECT COUNT(DISTINCT c.kind)", "SELECT 1 + 0 * COUNT(DISTINCT c.kind)"}},
		{"a person must stand", "proceedings/one of a person", []string{"(?6 = '' OR EXISTS (SELECT 1 FROM subjects", "(1 OR EXISTS (SELECT 1 FROM subjects"}},
		{"one policy stands after a change", "Invariant13/one policy", []string{"AND NOT (kind = 'policy' AND", "AND NOT (0 AND kind = 'policy' AND"}},
		{"one policy stands after an opening", "Invariant13/one policy", []string{"AND NOT (?3 = 'policy' AND", "AND NOT (0 AND ?3 = 'policy' AND"}},
		{"a page goes on where the one before ended", "proceedings/are listed", []string{"(c.created_at, c.proceeding_id) <", "(c.created_at, '') <"}},
		{"a filter selects", "proceedings/each filter", []string{"(?5 = '' OR c.actor = ?5)", "(1 OR c.actor = ?5)"}},
		{"they are read by tenant", "Invariant6/proceedings of one", []string{"WHERE c.tenant = ?1 AND c.proceeding_id = ?2", "WHERE c.proceeding_id = ?2"}},
		{"an approval is used as it was read", only, []string{"AND revision = ?3 AND state = 'approved'", "AND ?3 = ?3 AND state = 'approved'"}},
		{"an approval is one", only, []string{"AND state = 'approved' AND (expires_at", "AND closed_at IS NULL AND (expires_at"}},
		{"an approval ends", "Invariant14/an approval that is over", []string{"(expires_at IS NULL OR expires_at > ?4)", "(1 OR expires_at > ?4)"}},
		{"an approval is used once", "Invariant14/of 100 redeems",
			[]string{"SET revision = revision + 1, state = 'done', closed_at = ?4", "SET revision = revision"}},
		{"an approval is of its tenant", "Invariant6/an approval of one tenant", []string{
			"WHERE tenant = ?1 AND proceeding_id = ?2 AND revision = ?3 AND state", "WHERE ?1 <> '' AND proceeding_id = ?2 AND revision = ?3 AND state"}},
		{"what fails opens nothing", "Invariant2/a restoration opens a proceeding", []string{"ROLLBACK TO change", "SELECT 1"}},
		{"a consent keeps a person", "sweep/a person is stale", []string{"AND NOT EXISTS (SELECT 1 FROM proceedings AS c", "AND 0 = 0 * EXISTS (SELECT 1 FROM proceedings AS c"}},
	})
}

// TestInvariant17_TwinsOfBudgets takes the guards of what is counted, of what stops
// a restoration, and of what is told.
func TestInvariant17_TwinsOfBudgets(t *testing.T) {
	const (
		limit  = "Invariant17/a budget is counted to its limit"
		hour   = "Invariant17/a budget begins anew"
		stands = "Invariant15/only what stands"
	)
	twins(t, []twin{
		{"the first spend is within the limit", limit, []string{"?4 WHERE ?4 <= ?5", "?4 WHERE ?5 = ?5"}},
		{"so is the sum", limit, []string{"budget_hours.spent + excluded.spent <= ?5", "budget_hours.spent <= ?5"}},
		{"so it is however many spend", "Invariant17/64 clients", []string{"budget_hours.spent + excluded.spent <= ?5", "budget_hours.spent <= ?5"}},
		{"what is spent is added", "Invariant17/changes that share", []string{"SET spent = spent + excluded.spent", "SET spent = excluded.spent"}},
		{"each hour has its own count", hour, []string{"unhex(j.value) AND q.hour = ?3", "unhex(j.value) AND q.hour <= ?3"}},
		{"it is told by the later of clock and log", hour, []string{"\nSELECT MAX(?2, COALESCE", "\nSELECT MIN(?2, COALESCE"}},
		{"this hour is not forgotten", "budgets/hours that are over", []string{"0)) - ?3\n    ORDER BY q.hour", "0)) - 0 * ?3\n    ORDER BY q.hour"}},
		{"it is of its tenant", "Invariant6/a budget of one", []string{"q.tenant = ?1 AND q.budget = unhex(j.value)", "q.budget = unhex(j.value)"}},
		{"a suspension stops", "Invariant15/nothing is restored after", []string{"c.kind = 'suspension' AND", "c.kind = 'suspension' AND ?2 < 0 AND"}},
		{"a suspension stops those that come after it in its window", "Invariant15/in one window of a suspension",
			[]string{"c.kind = 'suspension' AND", "c.kind = 'suspension' AND ?2 < 0 AND"}},
		{"one that waits stops nothing", stands, []string{"c.state = 'standing'\n    AND (c.expires_at", "c.state <> ''\n    AND (c.expires_at"}},
		{"one that is over stops nothing", stands, []string{"(c.expires_at IS NULL OR c.expires_at > ?2)", "(1 OR c.expires_at > ?2)"}},
		{"it stops its tenant", "Invariant6/a suspension of one", []string{"WHERE c.tenant = ?1 AND c.kind = 'suspension'", "WHERE ?1 <> '' AND c.kind = 'suspension'"}},
		{"a consent must stand", "consents/a restoration rests", []string{"j.value AND c.state = 'standing' AND", "j.value AND"}},
		{"a consent ends", "Invariant9/a consent that is over", []string{"OR c.expires_at > ?3)", "OR ?3 = ?3)"}},
		{"a consent that is withdrawn in its window is none", "Invariant8/in one window of a withdrawal", []string{"j.value AND c.state = 'standing' AND", "j.value AND"}},
		{"a consent is of its tenant", "Invariant6/what one tenant may rest", []string{"c.tenant = ?1 AND c.proceeding_id = j.value AND c.state", "c.proceeding_id = j.value AND c.state"}},
		{"reviews that are overdue count", "Invariant17/so many reviews", []string{"SELECT COUNT(*) FROM proceedings", "SELECT 0 * COUNT(*) FROM proceedings"}},
		{"those that are not do not", "Invariant17/a review is overdue", []string{"AND c.due_at < ?3", "AND c.due_at < 2 * ?3"}},
		{"nor do those that are closed", "Invariant17/so many reviews", []string{
			"INDEXED BY proceedings_overdue\n", "\n", "c.kind = 'review' AND c.closed_at IS NULL AND", "c.kind = 'review' AND"}},
		{"a notice is written", "Invariant2/a notice is written", []string{"VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)", "SELECT ?1, ?2, ?3, ?4, 0, ?5, ?5 WHERE 0"}},
		{"what is taken is put off", "notices/of two who take", []string{"UPDATE notices SET next_at = ?3 WHERE", "UPDATE notices SET next_at = next_at + 0 * ?3 WHERE"}},
		{"what is put off is not taken", "notices/the oldest", []string{"n.next_at <= ?2 ORDER", "0 <= ?2 ORDER"}},
		{"attempts are counted", "notices/one is put off", []string{"attempts = attempts + 1", "attempts = attempts"}},
		{"a notice is of its tenant", "Invariant6/notices of one", []string{"DELETE FROM notices WHERE tenant = ?1 AND", "DELETE FROM notices WHERE ?1 <> '' AND"}},
		{"what was erased is nowhere", "exposure/what was swept or erased",
			[]string{"d.token_id AND NOT EXISTS (SELECT 1 FROM tombstones", "d.token_id AND 0 = 0 * EXISTS (SELECT 1 FROM tombstones"}},
		{"what one tenant sent is its own", "Invariant6/what one tenant sent", []string{"WHERE d.tenant = ?1 AND m.tenant = ?1 AND", "WHERE m.tenant = ?1 AND"}},
	})
}

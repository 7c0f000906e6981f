package sqlite_test

import "testing"

// TestInvariant17_TwinsOfGrants takes the guards of grants out, one at a time.
func TestInvariant17_TwinsOfGrants(t *testing.T) {
	const (
		most    = "Invariant17/a grant gives no more"
		told    = "grants/a flush is told of its grant"
		stops   = "Invariant15/a flush is told"
		alive   = "Invariant9/what is alive"
		noted   = "grants/nothing is noted"
		forgets = "grants/uses are forgotten"
		old     = "grants/are forgotten"
		drawn   = "\nSELECT COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2 AND u.drawn"
		open    = "c.kind = 'grant' AND c.closed_at IS NULL\nON CONFLICT"
		once    = "(tenant, grant_id, scope_id, token_id) DO NOTHING"
	)
	twins(t, []twin{
		{"what was drawn is counted", most, []string{drawn, "\nSELECT 0 * COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2"}},
		{"each grant has its own", most, []string{drawn, "\nSELECT COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND ?2 <> '' AND u.drawn"}},
		{"so it is however many draw", "Invariant17/64 streams", []string{drawn, "\nSELECT 0 * COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2"}},
		{"what is drawn is kept", most, []string{"1 FROM json_each(?3) AS j WHERE true", "1 FROM json_each(?3) AS j WHERE 0"}},
		{"what is named is not drawn", "Invariant17/what a grant names", []string{"AS j WHERE true\nON CONFLICT " + once, "AS j WHERE true\nON CONFLICT (tenant, grant_id, scope_id, token_id) DO UPDATE SET drawn = 1"}},
		{"what fails draws nothing", "Invariant17/a flush that fails", []string{"ROLLBACK TO change", "SELECT 1"}},
		{"nor in one window", "Invariant17/flushes that share", []string{"ROLLBACK TO change", "SELECT 1"}},
		{"only a grant is drawn of", "Invariant17/only a grant", []string{"c.proceeding_id = ?2 AND c.kind = 'grant'", "c.proceeding_id = ?2 AND c.kind <> ''"}},
		{"a note draws nothing", told, []string{"j.value ->> 1, 0 FROM proceedings", "j.value ->> 1, 1 FROM proceedings"}},
		{"a note is of what is not closed", noted, []string{open, "c.kind = 'grant'\nON CONFLICT"}},
		{"a note is of a grant", noted, []string{open, "c.closed_at IS NULL\nON CONFLICT"}},
		{"a note is kept once", "grants/uses that are noted", []string{open + " " + once, "c.kind = 'grant' AND c.closed_at IS NULL"}},
		{"uses are in order", "grants/uses that are noted", []string{"ORDER BY u.scope_id, u.token_id", "ORDER BY u.token_id DESC"}},
		{"uses are of their tenant", "Invariant6/a grant of one", []string{"WHERE u.tenant = ?1 AND u.grant_id = ?2 ORDER BY", "WHERE ?1 <> '' AND u.grant_id = ?2 ORDER BY"}},
		{"what stands is not forgotten", forgets, []string{"r.grant_id AND c.closed_at IS NOT NULL)", "r.grant_id)"}},
		{"no more is forgotten than is asked for", forgets, []string{"IS NOT NULL)\n    LIMIT ?2)", "IS NOT NULL)\n    LIMIT 2 * ?2)"}},
		{"forgetting goes from grant to grant", forgets, []string{"FROM r WHERE r.grant_id IS NOT NULL", "FROM r WHERE r.grant_id = ''"}},
		{"what is forgotten is of the tenant", "Invariant6/a grant of one", []string{
			"DELETE FROM grant_uses WHERE tenant = ?1 AND", "DELETE FROM grant_uses WHERE ?1 <> '' AND",
			"u.tenant = ?1 AND u.grant_id > ''", "?1 <> '' AND u.grant_id > ''", "WHERE u.tenant = ?1 AND u.grant_id = r.grant_id", "WHERE u.grant_id = r.grant_id",
			"WHERE c.tenant = ?1 AND c.proceeding_id = r.grant_id", "WHERE c.proceeding_id = r.grant_id"}},
		{"what was closed lately is not forgotten", old, []string{"WHERE h.tenant = ?1), 0)) - ?3\n        AND NOT EXISTS", "WHERE h.tenant = ?1), 0)) - 0 * ?3\n        AND NOT EXISTS"}},
		{"what has uses is not forgotten", old, []string{"u.grant_id = c.proceeding_id)\n    ORDER", "u.grant_id = c.proceeding_id AND 0)\n    ORDER"}},
		{"what was closed first is forgotten first", old, []string{"ORDER BY c.closed_at LIMIT ?4", "ORDER BY c.closed_at DESC LIMIT ?4"}},
		{"no more grants are forgotten than is asked for", old, []string{"ORDER BY c.closed_at LIMIT ?4", "ORDER BY c.closed_at LIMIT 2 * ?4"}},
		{"only grants are forgotten", "grants/nothing else", []string{" INDEXED BY proceedings_closed_grants\n", "\n", "c.kind = 'grant' AND c.closed_at IS NOT NULL\n", "c.closed_at IS NOT NULL\n"}},
		{"what is open is not forgotten", "grants/nothing else", []string{" INDEXED BY proceedings_closed_grants\n", "\n",
			"AND c.closed_at IS NOT NULL\n        AND c.closed_at <=", "AND COALESCE(c.closed_at, c.created_at) <="}},
		{"a grant that is forgotten is of the tenant", "Invariant6/a grant of one", []string{
			"DELETE FROM proceedings WHERE tenant = ?1", "DELETE FROM proceedings WHERE ?1 <> ''", "WHERE c.tenant = ?1 AND c.kind = 'grant' AND c.closed_at", "WHERE ?1 <> '' AND c.kind = 'grant' AND c.closed_at",
			" INDEXED BY proceedings_closed_grants\n", "\n"}},
		{"a flush is of a grant", "grants/what is no grant", []string{"c.proceeding_id = ?2 AND c.kind = 'grant' AND h.tenant", "c.proceeding_id = ?2 AND h.tenant"}},
		{"a flush is told what was drawn", told, []string{"u.grant_id = ?2 AND u.drawn)", "u.grant_id = ?2)"}},
		{"a flush goes by the later of clock and log", told, []string{"MAX(?3, h.last_time)", "MIN(?3, h.last_time)"}},
		{"a flush is told what stands", stops, []string{"c.state = 'standing'\n    AND (c.expires_at IS NULL OR c.expires_at > MAX", "(c.expires_at IS NULL OR c.expires_at > MAX"}},
		{"a flush is not told what is over", stops, []string{"OR c.expires_at > MAX(?2, COALESCE", "OR 0 < MAX(?2, COALESCE"}},
		{"a flush is told all of it", stops, []string{"= ?1), 0)))\nORDER BY c.created_at DESC, c.proceeding_id DESC", "= ?1), 0)))\nORDER BY c.created_at DESC, c.proceeding_id DESC LIMIT 100"}},
		{"what is alive is live", alive, []string{"INDEXED BY mappings_alive\n", "\n", "m.scope_id = ?2 AND m.state = 'live'\n", "m.scope_id = ?2\n"}},
		{"what is alive is not expired", alive, []string{"AND m.expires_at > MAX(?3, COALESCE", "AND 0 < MAX(?3, COALESCE"}},
		{"what is alive has its key", alive, []string{"AND EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = ?1 AND k.key_id = m.key_id)\nORDER BY m.expires_at", "ORDER BY m.expires_at"}},
		{"no more is alive than is asked for", alive, []string{"ORDER BY m.expires_at DESC LIMIT ?4", "ORDER BY m.expires_at DESC LIMIT 2 * ?4"}},
		{"a flush needs its grant", "Invariant8/a flush needs its grant", []string{"j.value AND c.state = 'standing' AND", "j.value AND"}},
		{"a grant ends", "Invariant8/a flush needs its grant", []string{"OR c.expires_at > ?3)", "OR ?3 = ?3)"}},
		{"a grant that is closed in its window is none", "Invariant8/in one window of a close", []string{"j.value AND c.state = 'standing' AND", "j.value AND"}},
	})
}

// TestInvariant2_TwinsOfRiders takes out the guards of what rides along with a
// tokenize.
func TestInvariant2_TwinsOfRiders(t *testing.T) {
	twins(t, []twin{
		{"what fails leaves nothing", "Invariant2/a tokenize whose grant fails", []string{"ROLLBACK TO change", "SELECT 1"}},
		{"a grant counts", "Invariant17/a grant that rides along", []string{"budget_hours.spent + excluded.spent <= ?5", "budget_hours.spent <= ?5"}},
		{"a grant is kept", "Invariant2/a tokenize gives out a grant", []string{"AND NOT (?3 = 'policy' AND", "AND ?3 <> 'grant' AND NOT (?3 = 'policy' AND"}},
	})
}

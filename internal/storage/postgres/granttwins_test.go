package postgres_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
)

// TestInvariant17_TwinsOfGrants takes the guards of grants out of the statements.
func TestInvariant17_TwinsOfGrants(t *testing.T) {
	const (
		most    = "Invariant17/a grant gives no more"
		told    = "grants/a flush is told of its grant"
		stops   = "Invariant15/a flush is told"
		alive   = "Invariant9/what is alive"
		noted   = "grants/nothing is noted"
		forgets = "grants/uses are forgotten"
		old     = "grants/are forgotten"
		open    = "p.kind = 'grant' AND p.closed_at IS NULL FOR SHARE"
		closed  = "LIMIT 1) IS NOT NULL\n    LIMIT $2) AS o"
	)
	twins(t, []twin{
		{"what was drawn is counted", most, []string{"u.grant_id = r.grant_id AND u.drawn)\nFROM unnest", "u.grant_id = r.grant_id AND false)\nFROM unnest"}},
		{"each grant has its own", most, []string{"u.tenant = $1 AND u.grant_id = r.grant_id AND u.drawn)\nFROM unnest", "u.tenant = $1 AND u.drawn)\nFROM unnest"}},
		{"what it had before counts once", most, []string{
			"WHERE u.tenant = $1 AND u.grant_id = r.grant_id AND u.scope_id = r.scope_id", "WHERE u.tenant = $1 AND false AND u.scope_id = r.scope_id"}},
		{"what is drawn is kept", most, []string{"SELECT $1, r.grant_id, r.scope_id, r.token_id, true\nFROM unnest($2::text[], $3::text[], $4::text[]) AS r (grant_id, scope_id, token_id)\n",
			"SELECT $1, r.grant_id, r.scope_id, r.token_id, true\nFROM unnest($2::text[], $3::text[], $4::text[]) AS r (grant_id, scope_id, token_id) WHERE false\n"}},
		{"what is named is not counted", "Invariant17/what a grant names", []string{
			"u.token_id = r.token_id LIMIT 1) AS u", "u.token_id = r.token_id AND u.drawn LIMIT 1) AS u"}},
		{"a note draws nothing", told, []string{"r.token_id, false\nFROM (", "r.token_id, true\nFROM ("}},
		{"a note is of what is not closed", noted, []string{open, "p.kind = 'grant' FOR SHARE"}},
		{"a note is of a grant", noted, []string{open, "p.closed_at IS NULL FOR SHARE"}},
		{"a note is kept once", "grants/uses that are noted", []string{
			"AS r (scope_id, token_id)\nON CONFLICT (tenant, grant_id, scope_id, token_id) DO NOTHING", "AS r (scope_id, token_id)"}},
		{"uses are in order", "grants/uses that are noted", []string{"ORDER BY u.scope_id, u.token_id", "ORDER BY u.token_id DESC"}},
		{"what stands is not forgotten", forgets, []string{closed, "LIMIT 1) IS DISTINCT FROM 0\n    LIMIT $2) AS o"}},
		{"no more is forgotten than is asked for", forgets, []string{closed, "LIMIT 1) IS NOT NULL) AS o"}},
		{"forgetting goes from grant to grant", forgets, []string{"FROM r WHERE r.grant_id IS NOT NULL", "FROM r WHERE r.grant_id IS NULL"}},
		{"what was closed lately is not forgotten", old, []string{"h.tenant = $1))) - $3\n        AND (SELECT u.grant_id", "h.tenant = $1))) - 0 * $3\n        AND (SELECT u.grant_id"}},
		{"what has uses is not forgotten", old, []string{"u.grant_id = p.proceeding_id LIMIT 1) IS NULL", "u.grant_id = p.proceeding_id AND false LIMIT 1) IS NULL"}},
		{"what was closed first is forgotten first", old, []string{"ORDER BY p.closed_at LIMIT $4", "ORDER BY p.closed_at DESC LIMIT $4"}},
		{"no more grants are forgotten than is asked for", old, []string{"ORDER BY p.closed_at LIMIT $4", "ORDER BY p.closed_at LIMIT 2 * $4"}},
		{"a flush is of a grant", "grants/what is no grant", []string{"p.proceeding_id = $2 AND p.kind = 'grant' AND h.tenant", "p.proceeding_id = $2 AND h.tenant"}},
		{"a flush is told what was drawn", told, []string{"AND u.grant_id = $2 AND u.drawn)", "AND u.grant_id = $2)"}},
		{"a flush goes by the later of clock and log", told, []string{
			"GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint), h.last_time)",
			"LEAST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint), h.last_time)"}},
		{"a flush is told what stands", stops, []string{"AND p.state = 'standing'\n    AND (p.expires_at IS NULL\n", "AND (p.expires_at IS NULL\n"}},
		{"a flush is not told what is over", stops, []string{"OR p.expires_at > (SELECT GREATEST(COALESCE($2", "OR 0 < (SELECT GREATEST(COALESCE($2"}},
		{"a flush is told all of it", stops, []string{
			"WHERE h.tenant = $1))))\nORDER BY p.created_at DESC, p.proceeding_id DESC", "WHERE h.tenant = $1))))\nORDER BY p.created_at DESC, p.proceeding_id DESC LIMIT 100"}},
		{"a token is one of its scope", "grants/a flush is told what", []string{
			"WHERE m.tenant = $1 AND m.scope_id = s.scope_id AND m.token_id = r.token_id LIMIT 1) AS m\nCROSS", "WHERE m.tenant = $1 AND m.token_id = r.token_id LIMIT 1) AS m\nCROSS"}},
		{"a flush is told of expiry", "Invariant9/a flush is told of its", []string{"SELECT m.expires_at <= (SELECT GREATEST", "SELECT m.expires_at <= 0 * (SELECT GREATEST"}},
		{"a flush is not told what was replaced", "Invariant9/a flush is told of its", []string{"OR c.kept", "OR c.kept OR s.scope_id <> ''"}},
		{"what is alive is live", alive, []string{"m.scope_id = s.scope_id AND m.state = 'live'\n", "m.scope_id = s.scope_id\n"}},
		{"what is alive is not expired", alive, []string{"AND m.expires_at > (SELECT GREATEST(COALESCE($3", "AND 0 < (SELECT GREATEST(COALESCE($3"}},
		{"what is alive has its key", alive, []string{"LIMIT 1) IS NOT NULL\n    ORDER BY m.expires_at", "LIMIT 1) IS DISTINCT FROM ''\n    ORDER BY m.expires_at"}},
		{"no more is alive than is asked for", alive, []string{"DESC LIMIT $4) AS m\nLIMIT $4", "DESC LIMIT $4) AS m"}},
		{"what is alive is of its scope", alive, []string{"m.tenant = $1 AND m.scope_id = s.scope_id AND m.state = 'live'\n", "m.tenant = $1 AND m.state = 'live'\n"}},
	})
}

// TestInvariant2_TwinsOfRiders leaves out the guards that grants share with others.
func TestInvariant2_TwinsOfRiders(t *testing.T) {
	for clause, guard := range map[string]string{
		"Invariant2/a tokenize whose grant fails":     "what fails is undone",
		"Invariant17/a flush that fails":              "what fails is undone",
		"Invariant17/flushes that share":              "what fails is undone",
		"Invariant17/a grant that rides along":        "a budget is not passed",
		"Invariant8/a flush needs its grant":          "what a restoration rests on stands",
		"Invariant8/in one window of a close":         "what a restoration rests on stands",
		"Invariant17/64 streams never draw":           "a grant gives no more than it may",
		"grants/are renewed and closed, and keep":     "a proceeding is changed as it was read",
		"Invariant2/a restoration gives out a grant,": "a budget is not passed",
	} {
		t.Run(clause, func(t *testing.T) {
			t.Parallel()
			storagetest.MustFail(t, clause, openWith(postgres.Config{}, postgres.Hooks{Skip: func(asked string) bool { return asked == guard }}))
		})
	}
}

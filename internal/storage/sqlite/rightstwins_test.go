package sqlite_test

import "testing"

// TestInvariant8_TwinsOfRights takes the guards of requests, names and
// restrictions out, one at a time. What is multiplied by zero is asked and does
// not count.
func TestInvariant8_TwinsOfRights(t *testing.T) {
	const (
		closed = "requests/one that is closed is closed"
		moves  = "requests/one of an erasure that is deferred"
		stale  = "sweep/a person is stale"
	)
	twins(t, []twin{
		{"a change is of what was read", "requests/a change is of the revision",
			[]string{"AND revision = ?3 AND closed_at", "AND ?3 >= 0 AND closed_at"}},
		{"what is closed is not changed", closed, []string{"AND revision = ?3 AND closed_at IS NULL", "AND revision = ?3"}},
		{"what is closed forgets", closed,
			[]string{"DELETE FROM subject_request_lookups WHERE", "DELETE FROM subject_request_lookups WHERE 0 AND"}},
		{"an erasure that is done answers", moves, []string{"request_id = ?2 AND closed_at IS NULL", "request_id = ?2 AND closed_at IS NULL AND 0"}},
		{"what somebody closed stays closed", moves, []string{"request_id = ?2 AND closed_at IS NULL", "request_id = ?2"}},
		{"a page goes on where the one before ended", "requests/are listed",
			[]string{"(q.received_at, q.request_id) <", "(q.received_at, '') <"}},
		{"a note is of what is open", "requests/a note is of a request",
			[]string{"AND q.request_id = ?2 AND q.closed_at IS NULL", "AND q.request_id = ?2"}},
		{"a key that seals a note is not idle", "requests/the key of notes",
			[]string{"AND NOT EXISTS (SELECT 1 FROM subject_request_notes", "AND 0 = 0 * EXISTS (SELECT 1 FROM subject_request_notes"}},
		{"a key that seals a name is not idle", "names/the key of a name",
			[]string{"AND NOT EXISTS (SELECT 1 FROM subjects AS p", "AND 0 = 0 * EXISTS (SELECT 1 FROM subjects AS p"}},
		{"the key of notes goes with them", "Invariant8/notes go with",
			[]string{"DELETE FROM data_keys INDEXED BY data_keys_subject WHERE", "DELETE FROM data_keys WHERE 0 AND"}},
		{"only what is closed is swept", "sweep/only closed requests", []string{"request_id = ?2 AND closed_at IS NOT NULL", "request_id = ?2"}},
		{"a value keeps a person", stale, []string{"NOT EXISTS (SELECT 1 FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = p",
			"0 = 0 * EXISTS (SELECT 1 FROM mapping_subjects AS l WHERE l.tenant = ?1 AND l.subject_ref = p"}},
		{"a key keeps a person", stale, []string{"AND NOT EXISTS (SELECT 1 FROM data_keys AS k\n", "AND 0 = 0 * EXISTS (SELECT 1 FROM data_keys AS k\n"}},
		{"a request keeps a person", stale,
			[]string{"AND NOT EXISTS (SELECT 1 FROM subject_requests AS q", "AND 0 = 0 * EXISTS (SELECT 1 FROM subject_requests AS q"}},
		{"an erasure that waits keeps a person", stale, []string{"AND NOT EXISTS (SELECT 1 FROM erasures AS e INDEXED", "AND 0 = 0 * EXISTS (SELECT 1 FROM erasures AS e INDEXED"}},
		{"a name is restored as it was read", "Invariant1/a name is restored", []string{"AND p.key_id = ?3 AND k.tenant", "AND ?3 <> '' AND k.tenant"}},
		{"what is about others too is not restricted", "restriction/is of what is about the person alone",
			[]string{"AND +m.state = 'live' AND NOT EXISTS", "AND +m.state = 'live' AND 0 = 0 * EXISTS"}},
		{"what is about others too is not lifted", "restriction/what came to be about",
			[]string{"m.expires_at > ?3 AND NOT EXISTS", "m.expires_at > ?3 AND 0 = 0 * EXISTS"}},
		{"what an erasure restricted is not lifted", "Invariant8/what a deferred erasure",
			[]string{"AND NOT EXISTS (SELECT 1 FROM erasures AS e INDEXED", "AND 0 = 0 * EXISTS (SELECT 1 FROM erasures AS e INDEXED"}},
		{"one value has one token", "Invariant4/of a value with a newer", []string{"UPDATE OR IGNORE", "UPDATE OR REPLACE"}},
		{"what was erased stands for nothing", "restriction/a token whose replacement",
			[]string{"AND m.state = 'live' AND EXISTS (SELECT 1 FROM tombstones", "AND m.state = 'live' AND 0 = 1 AND EXISTS (SELECT 1 FROM tombstones"}},
		{"a time is raised once it is behind", "destinations/the last time",
			[]string{"mapping_destinations.last_sent < excluded.last_sent - ?6", "0 > ?6"}},
		{"destinations of all commits are summed", "destinations/of what was erased",
			[]string{"mappings = mappings + excluded.mappings", "mappings = excluded.mappings"}},
		{"destinations are matched", "Invariant7/a hold by destination", []string{"NOT g.by_destination OR EXISTS", "1 OR EXISTS"}},
		{"times of sending are matched", "Invariant7/a hold by the time of sending", []string{"NOT g.by_sent OR d.first_sent", "1 OR d.first_sent"}},
		{"times of making do not count then", "Invariant7/a hold by the time of sending", []string{"(g.by_sent OR m.created_at", "(m.created_at"}},
	})
}

// TestInvariant8_TwinsOfRemains takes the guards of finality, of tombstones in
// another copy of the data, and of what is kept out.
func TestInvariant8_TwinsOfRemains(t *testing.T) {
	const (
		out   = "Invariant8/what was erased is kept out"
		again = "Invariant8/an erasure is done again"
		final = "Invariant8/final is what was erased"
	)
	twins(t, []twin{
		{"versions never come back", "versions/are retired", []string{"AND retired_below < ?2 AND", "AND"}},
		{"no key may be written under one that is retired", "versions/are retired", []string{" AND min_wrap_version >= ?2", ""}},
		{"a hold keeps backups", "Invariant7/no version is retired", []string{"AND g.backups LIMIT 1", "AND g.backups AND 0 LIMIT 1"}},
		{"a hold that is released keeps none", "Invariant7/no version is retired", []string{"AND g.released_at IS NULL AND g.backups", "AND g.backups",
			"FROM holds AS g INDEXED BY holds_standing\nWHERE g.tenant", "FROM holds AS g\nWHERE g.tenant"}},
		{"all keys were under such a version", final, []string{"z.wrap_version = 0 OR z.wrap_version >= ?2", "z.wrap_version = 0 OR z.wrap_version >= ?2 + 100"}},
		{"what waits is not final", final, []string{"AND e.state = 'completed' AND NOT EXISTS", "AND e.state <> '' AND NOT EXISTS"}},
		{"what was erased does not come back", "Invariant8/a key with a tombstone",
			[]string{"\nWHERE NOT EXISTS (SELECT 1 FROM tombstones", "\nWHERE 0 = 0 * EXISTS (SELECT 1 FROM tombstones"}},
		{"of the same tenant", "Invariant6/what one tenant buried",
			[]string{"AS z WHERE z.tenant = ?1 AND z.key_id = ?2)", "AS z WHERE z.key_id = ?2)"}},
		{"a page of tombstones goes on where the one before ended", "tombstones/are read", []string{"(z.erased_at, z.key_id) >", "(z.erased_at, '') >"}},
		{"a tombstone says whether something stays", "tombstones/tell", []string{"z.wrap_version, z.rekeyed,", "z.wrap_version, 1,"}},
		{"under a key is what it seals", "sealed/under a key", []string{"AND m.tenant = ?1 AND m.key_id = k.key_id", "AND m.tenant = ?1"}},
		{"keys are destroyed again", again, []string{"DELETE FROM data_keys WHERE tenant = ?1", "UPDATE data_keys SET sealed = sealed WHERE tenant = ?1"}},
		{"keys that were never there are buried", "Invariant8/what the copy never had",
			[]string{"VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, key_id) DO NOTHING", "SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE 0"}},
		{"what was erased says so until it is swept", out,
			[]string{"AND EXISTS (SELECT 1 FROM mappings AS m INDEXED BY mappings_lookup", "AND 0 * EXISTS (SELECT 1 FROM mappings AS m INDEXED BY mappings_lookup"}},
		{"a sweep says it after that", out, []string{"AND e.suppress_until > ?3", "AND 0 > ?3"}},
		{"it is asked while rows say so", out, []string{"OR EXISTS (SELECT 1 FROM tombstones AS z INDEXED", "OR 0 * EXISTS (SELECT 1 FROM tombstones AS z INDEXED"}},
		{"it is asked after that", out, []string{"SELECT EXISTS (SELECT 1 FROM suppressions", "SELECT 0 * EXISTS (SELECT 1 FROM suppressions"}},
		{"rows say so until the end", "Invariant8/a suppression ends", []string{"e.suppress_until > MAX(?4", "e.suppress_until > 0 * MAX(?4"}},
		{"a sweep says so until the end", "Invariant8/a suppression ends", []string{"s.until > MAX(?4", "s.until > 0 * MAX(?4"}},
		{"the longer counts", "suppression/of two of one value", []string{"until = MAX(until, excluded.until)", "until = MIN(until, excluded.until)"}},
		{"what many share is kept out there alone", "suppression/what many share",
			[]string{"AND (NOT EXISTS (SELECT 1 FROM erasure_common", "AND (1 OR NOT EXISTS (SELECT 1 FROM erasure_common"}},
		{"and after it was swept", "suppression/what many share",
			[]string{"IIF(EXISTS (SELECT 1 FROM erasure_common", "IIF(0 * EXISTS (SELECT 1 FROM erasure_common"}},
		{"what is over is forgotten, and no more", "suppression/what is over", []string{"s.until <= MAX(?2", "s.until <= 2 * MAX(?2"}},
		{"it is kept out of one tenant", "Invariant6/what one tenant keeps out",
			[]string{"s.tenant = ?1 AND s.lookup = unhex(j.value)", "s.lookup = unhex(j.value)"}},
		{"what is held is told apart", "inventory/each value", []string{"THEN IIF(EXISTS (SELECT 1 FROM holds", "THEN IIF(0 * EXISTS (SELECT 1 FROM holds"}},
		{"what was erased is told apart", "inventory/each value", []string{"CASE\n            WHEN EXISTS (SELECT 1 FROM tombstones", "CASE\n            WHEN 0 * EXISTS (SELECT 1 FROM tombstones"}},
	})
}

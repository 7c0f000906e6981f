package storagetest

import (
	"fmt"
	"math/rand/v2"
)

// Tampered is a database in the hands of somebody who may do anything with it:
// without triggers, foreign keys and row-level security.
type Tampered struct {
	// Bytes returns the one column of the one row that a query gives.
	Bytes func(query string) []byte
	// Exec runs a statement and tells how many rows it changed.
	Exec func(statement string) int64
	// Blob writes bytes as the database does.
	Blob func(b []byte) string
	// Entries is how many the log has that is changed, that of acme.
	Entries int
}

const ofAcme = " WHERE tenant = 'acme'"

// Tamper changes one thing of the log of acme, or of what the database keeps beside
// it, and says what. It changes something each time it is called: where the rows
// that it picked are not there it picks others.
func (d Tampered) Tamper(random *rand.Rand) string {
	for {
		change := tamperings[random.IntN(len(tamperings))]
		if change.with(d, random) > 0 {
			return change.what
		}
	}
}

// tamperings are the ways: each gives the number of rows that it changed.
var tamperings = []struct {
	what string
	with func(d Tampered, random *rand.Rand) int64
}{
	{"a bit of a leaf", func(d Tampered, r *rand.Rand) int64 { return d.flip(r, "entries", "leaf", d.entry(r)) }},
	{"a bit of a leaf hash", func(d Tampered, r *rand.Rand) int64 { return d.flip(r, "entries", "leaf_hash", d.entry(r)) }},
	{"a bit of a node", func(d Tampered, r *rand.Rand) int64 {
		level := 1 + r.IntN(3)
		return d.flip(r, "log_nodes", "hash", fmt.Sprintf("%s AND level = %d AND n = %d", ofAcme, level, r.IntN(max(1, d.Entries>>level))))
	}},
	{"a bit of the frontier", func(d Tampered, r *rand.Rand) int64 { return d.flip(r, "log_heads", "frontier", ofAcme) }},
	{"a bit of the checkpoint", func(d Tampered, r *rand.Rand) int64 {
		return d.flip(r, "notes", "body", ofAcme+" AND kind = 'checkpoint'")
	}},
	{"the time of an entry", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("UPDATE entries SET time = time + %d%s", 1+r.IntN(1000), d.entry(r)))
	}},
	{"the change id of an entry", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec("UPDATE entries SET change_id = 'another'" + d.entry(r))
	}},
	{"the place in its change", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("UPDATE entries SET seq = seq + %d%s", 1+r.IntN(5), d.entry(r)))
	}},
	{"a leaf that nobody pruned", func(d Tampered, r *rand.Rand) int64 {
		n := d.Exec("DELETE FROM entry_terms" + d.entry(r))
		return n + d.Exec("UPDATE entries SET leaf = NULL"+d.entry(r))
	}},
	{"a deleted entry", func(d Tampered, r *rand.Rand) int64 { return d.Exec("DELETE FROM entries" + d.entry(r)) }},
	{"a deleted tail", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("DELETE FROM entries%s AND idx >= %d", ofAcme, r.IntN(d.Entries)))
	}},
	{"two entries swapped", Tampered.swap},
	{"an entry twice", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("INSERT INTO entries (tenant, idx, leaf, leaf_hash, time, change_id, seq) "+
			"SELECT tenant, %d, leaf, leaf_hash, time, 'invented', seq FROM entries%s", d.Entries, d.entry(r)))
	}},
	{"the word of a term", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec("UPDATE entry_terms SET term = 'somebody-else'" + d.entry(r) + " AND field = '" + anyOf(r, "actor", "kind", "client", "policy", "request") + "'")
	}},
	{"a term of another entry", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("INSERT INTO entry_terms (tenant, field, term, idx) VALUES ('acme', 'reason', 'INVENTED', %d)", r.IntN(d.Entries)))
	}},
	{"deleted terms", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec("DELETE FROM entry_terms" + d.entry(r) + " AND field = '" + anyOf(r, "actor", "kind", "client", "policy") + "'")
	}},
	{"a deleted node", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("DELETE FROM log_nodes%s AND level = 1 AND n = %d", ofAcme, r.IntN(max(1, d.Entries/2))))
	}},
	{"the state of the tenant", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec("UPDATE log_heads SET " + anyOf(r, "state = 'suspended'", "min_wrap_version = 7", "retired_below = 3") + ofAcme)
	}},
	{"the time of the head", func(d Tampered, r *rand.Rand) int64 {
		return d.Exec(fmt.Sprintf("UPDATE log_heads SET last_time = last_time + %d%s", 1+r.IntN(1000), ofAcme))
	}},
	{"the public key of the log", func(d Tampered, _ *rand.Rand) int64 {
		return d.Exec("UPDATE tenant_keys SET public = (SELECT k.public FROM tenant_keys AS k WHERE k.tenant = '_system' AND k.purpose = 'log')" + ofAcme + " AND purpose = 'log'")
	}},
	{"the head of another log", func(d Tampered, _ *rand.Rand) int64 {
		return d.Exec("UPDATE log_heads SET frontier = (SELECT h.frontier FROM log_heads AS h WHERE h.tenant = '_system')" + ofAcme)
	}},
	{"the checkpoint of another log", func(d Tampered, _ *rand.Rand) int64 {
		return d.Exec("UPDATE notes SET body = (SELECT n.body FROM notes AS n WHERE n.tenant = '_system' AND n.kind = 'checkpoint')" + ofAcme + " AND kind = 'checkpoint'")
	}},
	{"a vanished head", func(d Tampered, _ *rand.Rand) int64 { return d.Exec("DELETE FROM log_heads" + ofAcme) }},
}

func anyOf(random *rand.Rand, of ...string) string { return of[random.IntN(len(of))] }

func (d Tampered) entry(random *rand.Rand) string {
	return fmt.Sprintf("%s AND idx = %d", ofAcme, random.IntN(d.Entries))
}

// flip turns one bit of one column of one row.
func (d Tampered) flip(random *rand.Rand, table, column, where string) int64 {
	stored := d.Bytes("SELECT " + column + " FROM " + table + where)
	if len(stored) == 0 {
		return 0
	}
	changed := append([]byte(nil), stored...)
	changed[random.IntN(len(changed))] ^= 1 << random.IntN(8)
	return d.Exec("UPDATE " + table + " SET " + column + " = " + d.Blob(changed) + where)
}

// swap puts two entries in each other's place, with all that is kept of them.
func (d Tampered) swap(random *rand.Rand) int64 {
	a, b := random.IntN(d.Entries), random.IntN(d.Entries)
	if a == b {
		return 0
	}
	n := int64(0)
	for _, table := range []string{"entries", "entry_terms"} {
		for _, step := range [][2]int{{a, 99_999}, {b, a}, {99_999, b}} {
			n += d.Exec(fmt.Sprintf("UPDATE %s SET idx = %d%s AND idx = %d", table, step[1], ofAcme, step[0]))
		}
	}
	return n
}

package sqlite

import (
	"database/sql"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// erased tells whether an erasure destroyed the key of the mapping m. There
	// is nothing to keep, to see or to tie then, only a row to sweep.
	erased = `EXISTS (SELECT 1 FROM tombstones AS z WHERE z.tenant = ?1 AND z.key_id = m.key_id)`
	// shared tells whether the mapping m is about anybody but the subject ?2.
	shared = `EXISTS (SELECT 1 FROM mapping_subjects AS o
        WHERE o.tenant = ?1 AND o.scope_id = m.scope_id AND o.token_id = m.token_id AND o.subject_ref <> ?2)`
	// goes tells whether the mapping m goes with the subject ?2: it is about the
	// subject alone, was made until ?3, and no hold keeps it.
	goes = `(m.created_at <= ?3 AND EXISTS (SELECT 1 FROM mapping_subjects AS o
            WHERE o.tenant = ?1 AND o.scope_id = m.scope_id AND o.token_id = m.token_id AND o.subject_ref = ?2)
        AND NOT ` + shared + ` AND NOT ` + held + `)`
)

// What becomes of the mappings of the subject ?2 that were made until ?3, and
// whose key stands: one pass over the subject's ties, whatever it comes to.
const sqlFates = `
SELECT l.scope_id, m.key_id, COUNT(*),
    CASE WHEN m.created_at > ?3 THEN 'younger' WHEN ` + held + ` THEN 'held' WHEN ` + shared + ` THEN 'shared' ELSE 'goes' END AS fate
FROM mapping_subjects AS l CROSS JOIN mappings AS m
WHERE l.tenant = ?1 AND l.subject_ref = ?2 AND m.tenant = ?1 AND m.scope_id = l.scope_id AND m.token_id = l.token_id
GROUP BY l.scope_id, m.key_id, fate
HAVING EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = ?1 AND k.key_id = m.key_id)`

// fates counts what becomes of a subject's values. Younger ones are none of
// what the erasure is about.
type fates struct {
	goes, held, shared, younger int
	keys                        map[string]bool // under which anything goes
	stays                       map[string]bool // under which anything is held, or younger
	parts                       map[string]*vault.ErasurePart
}

func newFates() *fates {
	return &fates{keys: make(map[string]bool), stays: make(map[string]bool), parts: make(map[string]*vault.ErasurePart)}
}

// row adds a row of sqlFates.
func (f *fates) row(rows *sql.Rows) error {
	var scope, key, fate string
	var n int
	if err := rows.Scan(&scope, &key, &n, &fate); err != nil {
		return err
	}
	if fate == "younger" {
		f.younger += n
		f.stays[key] = true
		return nil
	}
	part := f.parts[scope]
	if part == nil {
		part = &vault.ErasurePart{ScopeID: scope}
		f.parts[scope] = part
	}
	switch fate {
	case "held":
		f.held += n
		part.Deferred += n
		f.stays[key] = true
	case "shared":
		f.shared += n
		part.Shared += n
	default:
		f.goes += n
		part.Erased += n
		f.keys[key] = true
	}
	return nil
}

// own adds a row of sqlKeysOfPerson: a key of the subject goes, unless nothing
// goes under it and something stays there that is still the subject's.
func (f *fates) own(rows *sql.Rows) error {
	var id string
	if err := rows.Scan(&id); err != nil {
		return err
	}
	if !f.stays[id] {
		f.keys[id] = true
	}
	return nil
}

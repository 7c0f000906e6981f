package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlNamesOfScopes = `
SELECT s.scope_id, '', s.name_key_id, s.sealed_name FROM json_each(?2) AS j CROSS JOIN scopes AS s
WHERE s.tenant = ?1 AND s.scope_id = j.value AND s.name_key_id IS NOT NULL`
	sqlNamesOfSubjects = `
SELECT '', p.subject_ref, p.key_id, p.sealed_identifier FROM json_each(?2) AS j CROSS JOIN subjects AS p
WHERE p.tenant = ?1 AND p.subject_ref = j.value AND p.key_id IS NOT NULL`
	sqlScopeNameStands = `
SELECT 1 FROM scopes AS s CROSS JOIN data_keys AS k
WHERE s.tenant = ?1 AND s.scope_id = ?2 AND s.name_key_id = ?3 AND k.tenant = ?1 AND k.key_id = ?3`
	sqlSubjectNameStands = `
SELECT 1 FROM subjects AS p CROSS JOIN data_keys AS k
WHERE p.tenant = ?1 AND p.subject_ref = ?2 AND p.key_id = ?3 AND k.tenant = ?1 AND k.key_id = ?3`
)

// Names implements vault.Requests.
func (v *View) Names(ctx context.Context, tenant string, scopeIDs, subjectRefs []string) ([]vault.SealedName, error) {
	var names []vault.SealedName
	add := func(rows *sql.Rows) error {
		var n vault.SealedName
		err := rows.Scan(&n.ScopeID, &n.SubjectRef, &n.KeyID, &n.Sealed)
		names = append(names, n)
		return err
	}
	err := v.each(ctx, "names of scopes", sqlNamesOfScopes, add, tenant, list(scopeIDs))
	if err != nil {
		return nil, err
	}
	err = v.each(ctx, "names of people", sqlNamesOfSubjects, add, tenant, list(subjectRefs))
	return names, err
}

// restoreName checks that a name is sealed as it was read, and opens.
func (b *batch) restoreName(n vault.NameRef) error {
	changed := fmt.Errorf("sqlite: a name is not as it was read: %w", vault.ErrConflict)
	text, owner := sqlScopeNameStands, n.ScopeID
	if n.ScopeID == "" {
		text, owner = sqlSubjectNameStands, n.SubjectRef
	}
	if !storable(n.ScopeID, n.SubjectRef, n.KeyID) || n.ScopeID != "" && n.SubjectRef != "" {
		return changed
	}
	var one int
	found, err := b.row([]any{&one}, text, b.tenant, owner, n.KeyID)
	if err == nil && !found {
		return changed
	}
	return err
}

package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlLivingScope = `
SELECT s.scope_id, s.ends_at FROM scopes AS s
WHERE s.tenant = ?1 AND s.digest = ?2 AND s.living = 1`
	sqlEndScope = `
UPDATE scopes SET living = 0 WHERE tenant = ?1 AND scope_id = ?2`
	sqlInsertScope = `
INSERT INTO scopes (tenant, scope_id, digest, index_version, kind, client, end_user_digest,
    sealed_name, name_key_id, idle_ttl, created_at, ends_at, living)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1)`
	sqlCloseScope = `
UPDATE scopes SET ends_at = ?3
WHERE tenant = ?1 AND scope_id = ?2 AND living = 1 AND ends_at > ?3`
	sqlCloseMappings = `
UPDATE mappings SET expires_at = ?3 WHERE tenant = ?1 AND scope_id = ?2 AND expires_at > ?3`
)

// openScope makes a scope that was asked for by name.
func (b *batch) openScope(o vault.OpenScope) error {
	if err := b.insertScope(o.Scope); err != nil {
		return err
	}
	keys, err := newKeyUses(o.Scope, o.Keys)
	if err != nil {
		return err
	}
	if err := keys.name(o.Scope); err != nil {
		return err
	}
	return b.writeKeys(keys)
}

// living finds the scope that stands for a digest now, if one does.
func (b *batch) living(digest vault.Digest) (id string, endsAt int64, found bool, err error) {
	found, err = b.row([]any{&id, &endsAt}, sqlLivingScope, b.tenant, digest[:])
	return id, endsAt, found && endsAt > b.now, err
}

// standingScope is the precondition of a tokenize: the scope as it was read is
// the one that stands. It returns the end that no mapping may outlive.
func (b *batch) standingScope(s vault.Scope) (endsAt int64, err error) {
	id, endsAt, found, err := b.living(s.Digest)
	if err != nil {
		return 0, err
	}
	if !found || id != s.ID {
		return 0, fmt.Errorf("sqlite: %w", vault.ErrScopeMoved)
	}
	return endsAt, nil
}

// insertScope makes a scope where none of its digest lives. One that has ended
// and is not yet swept makes room; its rows stay as they are.
func (b *batch) insertScope(s vault.Scope) error {
	if !storable(s.ID, s.Client, s.NameKeyID) {
		return fmt.Errorf("%w: a scope", ErrMalformed)
	}
	standing, _, found, err := b.living(s.Digest)
	if err != nil {
		return err
	}
	if found {
		return fmt.Errorf("sqlite: %w", vault.ErrScopeMoved)
	}
	endsAt := micros(s.EndsAt)
	if endsAt <= b.now {
		return fmt.Errorf("sqlite: the scope ends before it begins: %w", vault.ErrConflict)
	}
	if standing != "" {
		if _, err := b.exec(sqlEndScope, b.tenant, standing); err != nil {
			return err
		}
	}
	var endUser any
	if s.HasEndUser() {
		endUser = s.EndUser[:]
	}
	_, err = b.exec(sqlInsertScope, b.tenant, s.ID, s.Digest[:], s.IndexVersion, string(s.Kind), s.Client,
		endUser, optional(s.SealedName), optional(s.NameKeyID), s.IdleTTL.Microseconds(), b.now, endsAt)
	return err
}

// closeScope ends a scope with all that is in it. Rows stay until they are
// swept, which a hold may forbid. The commit is later than all that was made
// before it, also where the clock stands still: nothing ends in the instant in
// which it was made.
func (b *batch) closeScope(c vault.CloseScope) error {
	over := fmt.Errorf("sqlite: no such scope lives: %w", vault.ErrConflict)
	if !storable(c.ScopeID) {
		return over
	}
	b.now = max(b.now, b.last+1)
	if err := b.mustChange(over, sqlCloseScope, b.tenant, c.ScopeID, b.now); err != nil {
		return err
	}
	_, err := b.exec(sqlCloseMappings, b.tenant, c.ScopeID, b.now)
	return err
}

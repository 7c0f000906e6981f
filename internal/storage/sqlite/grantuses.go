package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a grant gave is a row for each token, which is never changed: what was
// noted as named by it is not drawn later, nor the other way round.
const (
	sqlDraw = `
INSERT INTO grant_uses (tenant, grant_id, scope_id, token_id, drawn)
SELECT ?1, ?2, j.value ->> 0, j.value ->> 1, 1 FROM json_each(?3) AS j WHERE true
ON CONFLICT (tenant, grant_id, scope_id, token_id) DO NOTHING`
	sqlDrawn = `
SELECT COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2 AND u.drawn`
	sqlIsGrant = `
SELECT 1 FROM proceedings AS c WHERE c.tenant = ?1 AND c.proceeding_id = ?2 AND c.kind = 'grant'`
	sqlNoteUses = `
INSERT INTO grant_uses (tenant, grant_id, scope_id, token_id, drawn)
SELECT ?1, c.proceeding_id, j.value ->> 0, j.value ->> 1, 0 FROM proceedings AS c CROSS JOIN json_each(?3) AS j
WHERE c.tenant = ?1 AND c.proceeding_id = ?2 AND c.kind = 'grant' AND c.closed_at IS NULL
ON CONFLICT (tenant, grant_id, scope_id, token_id) DO NOTHING`
	sqlUses = `
SELECT u.scope_id, u.token_id FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2 ORDER BY u.scope_id, u.token_id`
	// From grant to grant, however many uses each has, to those that are closed.
	sqlForgetUses = `
WITH RECURSIVE r (grant_id) AS (
    SELECT MIN(u.grant_id) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id > ''
    UNION ALL
    SELECT (SELECT MIN(u.grant_id) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id > r.grant_id)
    FROM r WHERE r.grant_id IS NOT NULL)
DELETE FROM grant_uses WHERE tenant = ?1 AND (grant_id, scope_id, token_id) IN (
    SELECT u.grant_id, u.scope_id, u.token_id FROM r CROSS JOIN grant_uses AS u
    WHERE u.tenant = ?1 AND u.grant_id = r.grant_id AND EXISTS (
        SELECT 1 FROM proceedings AS c WHERE c.tenant = ?1 AND c.proceeding_id = r.grant_id AND c.closed_at IS NOT NULL)
    LIMIT ?2)`
	// Its uses go before it: they are found by it.
	sqlForgetGrants = `
DELETE FROM proceedings WHERE tenant = ?1 AND proceeding_id IN (
    SELECT c.proceeding_id FROM proceedings AS c INDEXED BY proceedings_closed_grants
    WHERE c.tenant = ?1 AND c.kind = 'grant' AND c.closed_at IS NOT NULL
        AND c.closed_at <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)) - ?3
        AND NOT EXISTS (SELECT 1 FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = c.proceeding_id)
    ORDER BY c.closed_at LIMIT ?4)`
)

// grantKept is vault.GrantKept as the tables count.
var grantKept = vault.GrantKept.Microseconds()

// usesOf encodes tokens that a grant gave, for json_each. Those that cannot be
// stored are left out.
func usesOf(refs []vault.MappingRef) (text string, kept int) {
	pairs := make([][2]string, 0, len(refs))
	for _, r := range refs {
		if nameable(r.ScopeID) && nameable(r.TokenID) {
			pairs = append(pairs, [2]string{r.ScopeID, r.TokenID})
		}
	}
	return encode(pairs), len(pairs)
}

// nameable tells whether an identifier fits its column.
func nameable(id string) bool { return id != "" && len(id) <= maxID && storable(id) }

// draw keeps the tokens that a stream takes beyond those that its grant names.
// Where it then has more of them than it may the change fails, and its savepoint
// takes them back.
func (b *batch) draw(d *vault.Draw) error {
	if d == nil {
		return nil
	}
	uses, kept := usesOf(d.Uses)
	if !nameable(d.GrantID) || kept != len(d.Uses) {
		return fmt.Errorf("%w: what is drawn of a grant", ErrMalformed)
	}
	var drawn int
	is, err := b.row([]any{&drawn}, sqlIsGrant, b.tenant, d.GrantID)
	if err == nil && !is {
		return fmt.Errorf("sqlite: what is drawn of is no grant: %w", vault.ErrConflict)
	}
	if err != nil {
		return err
	}
	if _, err := b.exec(sqlDraw, b.tenant, d.GrantID, uses); err != nil {
		return err
	}
	if _, err := b.row([]any{&drawn}, sqlDrawn, b.tenant, d.GrantID); err != nil {
		return err
	}
	if drawn > d.Most {
		return fmt.Errorf("sqlite: a grant gave what it may: %w", vault.ErrExhausted)
	}
	return nil
}

// NoteUses implements vault.Grants.
func (s *Store) NoteUses(ctx context.Context, tenant, grantID string, uses []vault.MappingRef) error {
	text, kept := usesOf(uses)
	if kept == 0 || !storable(grantID) {
		return nil
	}
	_, err := s.bookkeep(ctx, "note uses of a grant", sqlNoteUses, tenant, grantID, text)
	return err
}

// Uses implements vault.Grants.
func (v *View) Uses(ctx context.Context, tenant, grantID string) ([]vault.MappingRef, error) {
	var uses []vault.MappingRef
	err := v.each(ctx, "uses of a grant", sqlUses, func(rows *sql.Rows) error {
		var r vault.MappingRef
		err := rows.Scan(&r.ScopeID, &r.TokenID)
		uses = append(uses, r)
		return err
	}, tenant, grantID)
	return uses, err
}

// ForgetUses implements vault.Grants.
func (s *Store) ForgetUses(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, "uses of grants", sqlForgetUses, limit, tenant, limit)
}

// ForgetGrants implements vault.Proceedings.
func (s *Store) ForgetGrants(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, "grants", sqlForgetGrants, limit, tenant, micros(s.writer.clock()), grantKept, limit)
}

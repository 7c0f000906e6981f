package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a grant gave is a row for each token, which is never changed: what was
// noted as named by it is not drawn later, nor the other way round. The rows are
// written in one order everywhere, so that of two who write the same neither
// waits for the other twice.
const (
	sqlDrawn = `
SELECT r.grant_id, (SELECT count(*) FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id = r.grant_id AND u.drawn)
FROM unnest($2::text[]) AS r (grant_id)`
	sqlUsesAt = `
SELECT u.grant_id, u.scope_id, u.token_id FROM unnest($2::text[], $3::text[], $4::text[]) AS r (grant_id, scope_id, token_id)
CROSS JOIN LATERAL (
    SELECT u.grant_id, u.scope_id, u.token_id FROM grant_uses AS u
    WHERE u.tenant = $1 AND u.grant_id = r.grant_id AND u.scope_id = r.scope_id AND u.token_id = r.token_id LIMIT 1) AS u`
	// Notes are written without the lock: one may have come in between.
	sqlDraw = `
INSERT INTO grant_uses (tenant, grant_id, scope_id, token_id, drawn)
SELECT $1, r.grant_id, r.scope_id, r.token_id, true
FROM unnest($2::text[], $3::text[], $4::text[]) AS r (grant_id, scope_id, token_id)
ON CONFLICT (tenant, grant_id, scope_id, token_id) DO NOTHING`
	// The share keeps the grant from being closed until its uses are noted: what
	// is closed stays as it is.
	sqlNoteUses = `
INSERT INTO grant_uses (tenant, grant_id, scope_id, token_id, drawn)
SELECT $1, p.proceeding_id, r.scope_id, r.token_id, false
FROM (
    SELECT p.proceeding_id FROM proceedings AS p
    WHERE p.tenant = $1 AND p.proceeding_id = $2 AND p.kind = 'grant' AND p.closed_at IS NULL FOR SHARE) AS p
CROSS JOIN unnest($3::text[], $4::text[]) AS r (scope_id, token_id)
ON CONFLICT (tenant, grant_id, scope_id, token_id) DO NOTHING`
	sqlUses = `
SELECT u.scope_id, u.token_id FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id = $2 ORDER BY u.scope_id, u.token_id`
	// From grant to grant, however many uses each has, to those that are closed.
	sqlForgetUses = `
WITH RECURSIVE r (grant_id) AS (
    (SELECT u.grant_id FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id > '' ORDER BY u.grant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT u.grant_id FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id > r.grant_id ORDER BY u.grant_id LIMIT 1)
    FROM r WHERE r.grant_id IS NOT NULL)
DELETE FROM grant_uses AS d USING (
    SELECT u.grant_id, u.scope_id, u.token_id FROM r
    CROSS JOIN LATERAL (
        SELECT u.grant_id, u.scope_id, u.token_id FROM grant_uses AS u
        WHERE u.tenant = $1 AND u.grant_id = r.grant_id LIMIT $2) AS u
    WHERE (SELECT p.closed_at FROM proceedings AS p WHERE p.tenant = $1 AND p.proceeding_id = r.grant_id LIMIT 1) IS NOT NULL
    LIMIT $2) AS o
WHERE d.tenant = $1 AND d.grant_id = o.grant_id AND d.scope_id = o.scope_id AND d.token_id = o.token_id`
	// What is closed stays as it is, so nothing of it changes meanwhile. Its uses go
	// before it: they are found by it.
	sqlForgetGrants = `
DELETE FROM proceedings AS d USING (
    SELECT p.proceeding_id FROM proceedings AS p
    WHERE p.tenant = $1 AND p.kind = 'grant' AND p.closed_at IS NOT NULL
        AND p.closed_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) - $3
        AND (SELECT u.grant_id FROM grant_uses AS u WHERE u.tenant = $1 AND u.grant_id = p.proceeding_id LIMIT 1) IS NULL
    ORDER BY p.closed_at LIMIT $4) AS o
WHERE d.tenant = $1 AND d.proceeding_id = o.proceeding_id`
)

// grantKept is vault.GrantKept as the tables count.
var grantKept = vault.GrantKept.Microseconds()

// use is a token that a grant gave.
type use struct {
	grantID string
	place
}

func compareUses(a, b use) int {
	return cmp.Or(cmp.Compare(a.grantID, b.grantID), cmp.Compare(a.scopeID, b.scopeID), cmp.Compare(a.tokenID, b.tokenID))
}

// usable tells whether a token can be one that a grant gave.
func usable(r vault.MappingRef) bool { return named(r.ScopeID, r.TokenID) }

// drawing asks what a grant gave before, and which of it is drawn again.
func (w *wanted) drawing(d *vault.Draw) {
	if d == nil || !storable(d.GrantID) {
		return
	}
	w.proceeding(d.GrantID)
	w.draws.add(d.GrantID)
	for _, r := range d.Uses {
		if usable(r) {
			w.uses.add(use{d.GrantID, place{r.ScopeID, r.TokenID}})
		}
	}
}

// readUses adds what is to be known of what grants gave.
func (m *image) readUses(p *pipeline, tenant string, w *wanted) {
	if ids := w.draws.items; len(ids) > 0 {
		p.each(sqlDrawn, func(rows pgx.Rows) error {
			var id string
			var n int
			err := scan(rows, &id, &n)
			m.drawn[id] = n
			return err
		}, tenant, ids)
	}
	if uses := w.uses.items; len(uses) > 0 {
		p.each(sqlUsesAt, func(rows pgx.Rows) error {
			var u use
			err := scan(rows, &u.grantID, &u.scopeID, &u.tokenID)
			m.uses[u] = true
			return err
		}, append([]any{tenant}, useColumns(uses)...)...)
	}
}

func useColumns(uses []use) []any {
	return []any{
		column(uses, func(u use) string { return u.grantID }),
		column(uses, func(u use) string { return u.scopeID }),
		column(uses, func(u use) string { return u.tokenID }),
	}
}

// draw counts the tokens that a stream takes beyond those that its grant names.
func (b *batch) draw(d *vault.Draw) error {
	if d == nil {
		return nil
	}
	if !named(d.GrantID) || slices.ContainsFunc(d.Uses, func(r vault.MappingRef) bool { return !usable(r) }) {
		return fmt.Errorf("%w: what is drawn of a grant", ErrMalformed)
	}
	m := b.image
	if m.proceedings[d.GrantID].kind != vault.ProceedingGrant && !b.hooks.skips(guardGrant) {
		return fmt.Errorf("postgres: what is drawn of is no grant: %w", vault.ErrConflict)
	}
	total := m.drawn[d.GrantID]
	for _, r := range d.Uses {
		u := use{d.GrantID, place{r.ScopeID, r.TokenID}}
		if m.uses[u] {
			continue // it counts, or is named by the grant
		}
		total++
		put(m, m.uses, u, true)
		set(m, &m.writes.uses, append(m.writes.uses, u))
	}
	if total > d.Most && !b.hooks.skips(guardDraw) {
		return fmt.Errorf("postgres: a grant gave what it may: %w", vault.ErrExhausted)
	}
	put(m, m.drawn, d.GrantID, total)
	return nil
}

func (b *batch) writeUses(p *pipeline, uses []use) {
	if len(uses) == 0 {
		return
	}
	slices.SortFunc(uses, compareUses)
	p.exec(sqlDraw, append([]any{b.tenant}, useColumns(uses)...)...)
}

// NoteUses implements vault.Grants.
func (s *Store) NoteUses(ctx context.Context, tenant, grantID string, uses []vault.MappingRef) error {
	var fit []use
	for _, r := range uses {
		if usable(r) {
			fit = append(fit, use{grantID, place{r.ScopeID, r.TokenID}})
		}
	}
	if len(fit) == 0 || !storable(grantID) {
		return nil
	}
	slices.SortFunc(fit, compareUses)
	return s.keep(ctx, s.pool, "note uses of a grant", tenant, func(p *pipeline) {
		p.exec(sqlNoteUses, tenant, grantID,
			column(fit, func(u use) string { return u.scopeID }), column(fit, func(u use) string { return u.tokenID }))
	})
}

// Uses implements vault.Grants.
func (v *View) Uses(ctx context.Context, tenant, grantID string) ([]vault.MappingRef, error) {
	var uses []vault.MappingRef
	err := v.each(ctx, "uses of a grant", sqlUses, func(rows pgx.Rows) error {
		var r vault.MappingRef
		err := scan(rows, &r.ScopeID, &r.TokenID)
		uses = append(uses, r)
		return err
	}, tenant, grantID)
	return uses, err
}

// ForgetUses implements vault.Grants.
func (s *Store) ForgetUses(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, s.pool, "uses of grants", sqlForgetUses, tenant, limit, int64(limit))
}

// ForgetGrants implements vault.Proceedings.
func (s *Store) ForgetGrants(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, s.destroy, "grants", sqlForgetGrants, tenant, limit, s.now(), grantKept, int64(limit))
}

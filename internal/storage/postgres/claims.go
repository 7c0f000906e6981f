package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlClaim = `
SELECT c.body, c.change_id, c.created_at FROM claims AS c
WHERE c.tenant = $1 AND c.claim = $2
    AND c.created_at > (SELECT GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) - $4`
	sqlForgetClaims = `
DELETE FROM claims WHERE tenant = $1 AND claim = ANY (ARRAY(
    SELECT c.claim FROM claims AS c
    WHERE c.tenant = $1
        AND c.created_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) - $3
    ORDER BY c.created_at LIMIT $4))`
)

// Claim implements vault.Bookkeeping.
func (v *View) Claim(ctx context.Context, tenant string, key vault.Digest) (vault.Claim, error) {
	c := vault.Claim{Key: key}
	var body []byte
	var at int64
	found, err := v.one(ctx, "a claim", sqlClaim, []any{&body, &c.ChangeID, &at}, tenant, key[:], v.now(), claimLife)
	if err != nil {
		return vault.Claim{}, err
	}
	if !found {
		return vault.Claim{}, vault.ErrNotFound
	}
	copy(c.Body[:], body)
	c.At = fromMicros(at)
	return c, nil
}

// ForgetClaims implements vault.Bookkeeping.
func (s *Store) ForgetClaims(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, s.pool, "claims", sqlForgetClaims, tenant, limit, s.now(), claimLife, int64(limit))
}

// forget deletes, by a statement on a tenant's rows, what stands for nothing any
// more, and tells how much.
func (s *Store) forget(ctx context.Context, pool *pgxpool.Pool, what, text, tenant string, limit int, args ...any) (int, error) {
	if limit <= 0 {
		return 0, fmt.Errorf("%w: to forget without a limit", ErrMalformed)
	}
	var n int64
	err := s.keep(ctx, pool, "forget "+what, tenant, func(p *pipeline) {
		p.add(step{text: text, count: func(changed int64) error { n = changed; return nil }}, append([]any{tenant}, args...))
	})
	return int(n), err
}

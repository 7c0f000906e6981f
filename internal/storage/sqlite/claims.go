package sqlite

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// A claim past its life makes room for the next of its key.
	sqlInsertClaim = `
INSERT INTO claims (tenant, claim, body, change_id, created_at)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (tenant, claim) DO UPDATE SET body = excluded.body, change_id = excluded.change_id, created_at = excluded.created_at
WHERE claims.created_at <= ?6`
	sqlClaim = `
SELECT c.body, c.change_id, c.created_at FROM claims AS c
WHERE c.tenant = ?1 AND c.claim = ?2
    AND c.created_at > MAX(?3, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)) - ?4`
	sqlForgetClaims = `
DELETE FROM claims WHERE tenant = ?1 AND claim IN (
    SELECT c.claim FROM claims AS c
    WHERE c.tenant = ?1
        AND c.created_at <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)) - ?3
    ORDER BY c.created_at LIMIT ?4)`
)

// claimLife is vault.ClaimLife as the tables count.
var claimLife = vault.ClaimLife.Microseconds()

// claim writes the idempotency key that rides along with a change.
func (b *batch) claim(c *vault.Claim) error {
	if c == nil {
		return nil
	}
	return b.mustChange(vault.ErrClaimed, sqlInsertClaim, b.tenant, c.Key[:], c.Body[:], c.ChangeID, b.now, b.now-claimLife)
}

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
	return s.forget(ctx, "claims", sqlForgetClaims, limit, tenant, micros(s.writer.clock()), claimLife, limit)
}

// forget deletes what stands for nothing any more: it needs no entry, since
// nothing depends on it.
func (s *Store) forget(ctx context.Context, what, text string, limit int, args ...any) (int, error) {
	if limit <= 0 {
		return 0, fmt.Errorf("%w: to forget without a limit", ErrMalformed)
	}
	return s.bookkeep(ctx, "forget "+what, text, args...)
}

// bookkeep runs one statement of bookkeeping and tells how many rows it changed.
func (s *Store) bookkeep(ctx context.Context, what, text string, args ...any) (changed int, err error) {
	err = s.bookkeeping(ctx, what, func(x *tx) (bool, error) {
		n, err := x.exec(text, args...)
		changed = int(n)
		return n > 0, err
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

// bookkeeping writes, in one transaction, what nothing depends on, and makes it
// durable where write says that there is something. After an error it may stand
// or not.
func (s *Store) bookkeeping(ctx context.Context, what string, write func(*tx) (bool, error)) error {
	switch {
	case s.closed.Load():
		return vault.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("sqlite: %s: %w", what, ctx.Err())
	}
	if err := s.writer.bookkeeping(write); err != nil {
		return fmt.Errorf("sqlite: %s: %w: %w", what, vault.ErrUnavailable, err)
	}
	return nil
}

func (w *writer) bookkeeping(write func(*tx) (bool, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	x, err := w.begin()
	if err != nil {
		return err
	}
	defer x.abandon()
	if some, err := write(x); err != nil || !some {
		return err
	}
	return x.commit()
}

package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// A notice is written with its change, and handed out by lease: whoever takes it
// puts it off, in one statement, and passes over those that another takes at the
// same time. What is taken and never settled comes again.
const (
	sqlInsertNotices = `
INSERT INTO notices (tenant, notice_id, kind, body, attempts, created_at, next_at)
SELECT $1, r.notice_id, r.kind, r.body, 0, $2, $2 FROM unnest($3::text[], $4::text[], $5::bytea[]) AS r (notice_id, kind, body)`
	sqlTakeNotices = `
WITH due AS MATERIALIZED (
    SELECT o.notice_id, o.next_at FROM notices AS o
    WHERE o.tenant = $1
        AND o.next_at <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
    ORDER BY o.next_at, o.notice_id LIMIT $3 FOR UPDATE SKIP LOCKED)
UPDATE notices AS n SET next_at = $4 + (
    SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
WHERE n.tenant = $1 AND n.notice_id = ANY (ARRAY(SELECT d.notice_id FROM due AS d))
RETURNING n.notice_id, n.kind, n.body, n.attempts, n.created_at, (SELECT d.next_at FROM due AS d WHERE d.notice_id = n.notice_id)`
	sqlPostponeNotice = `
UPDATE notices SET next_at = $3, attempts = attempts + 1 WHERE tenant = $1 AND notice_id = $2`
	sqlSettleNotice = `
DELETE FROM notices WHERE tenant = $1 AND notice_id = $2`
)

// notify keeps the notice that rides along with a change.
func (b *batch) notify(id string, n *vault.Notice) error {
	if n == nil {
		return nil
	}
	if !named(id, n.Kind) || len(n.Body) > vault.MaxNoticeBody {
		return fmt.Errorf("%w: a notice", ErrMalformed)
	}
	set(b.image, &b.image.writes.notices, append(b.image.writes.notices, vault.Notice{ID: id, Kind: n.Kind, Body: n.Body}))
	return nil
}

func (b *batch) writeNotices(p *pipeline, all []vault.Notice) {
	if len(all) == 0 {
		return
	}
	p.change(len(all), errNotWritten, sqlInsertNotices, b.tenant, b.now,
		column(all, func(n vault.Notice) string { return n.ID }),
		column(all, func(n vault.Notice) string { return n.Kind }),
		column(all, func(n vault.Notice) []byte { return whole(n.Body) }))
}

// TakeNotices implements vault.Outbox.
func (s *Store) TakeNotices(ctx context.Context, tenant string, limit int, lease time.Duration) ([]vault.Notice, error) {
	if lease < time.Microsecond {
		return nil, fmt.Errorf("%w: notices without a lease", ErrMalformed)
	}
	type taken struct {
		vault.Notice
		was int64 // when its time had come
	}
	var all []taken
	err := s.keep(ctx, s.pool, "take notices", tenant, func(p *pipeline) {
		p.each(sqlTakeNotices, func(rows pgx.Rows) error {
			var n taken
			var at int64
			err := scan(rows, &n.ID, &n.Kind, &n.Body, &n.Attempts, &at, &n.was)
			n.At = fromMicros(at)
			all = append(all, n)
			return err
		}, tenant, s.now(), int64(max(limit, 0)), lease.Microseconds())
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b taken) int { return cmp.Or(cmp.Compare(a.was, b.was), cmp.Compare(a.ID, b.ID)) })
	return column(all, func(n taken) vault.Notice { return n.Notice }), nil
}

// PostponeNotice implements vault.Outbox.
func (s *Store) PostponeNotice(ctx context.Context, tenant, id string, until time.Time) error {
	if micros(until) <= 0 {
		return fmt.Errorf("%w: a notice before all times", ErrMalformed)
	}
	if !storable(id) {
		return nil
	}
	return s.keep(ctx, s.pool, "postpone a notice", tenant, func(p *pipeline) {
		p.exec(sqlPostponeNotice, tenant, id, microsUp(until))
	})
}

// SettleNotice implements vault.Outbox.
func (s *Store) SettleNotice(ctx context.Context, tenant, id string) error {
	if !storable(id) {
		return nil
	}
	return s.keep(ctx, s.pool, "settle a notice", tenant, func(p *pipeline) {
		p.exec(sqlSettleNotice, tenant, id)
	})
}

// keep writes bookkeeping, which no entry speaks of, in a transaction of its own.
func (s *Store) keep(ctx context.Context, pool *pgxpool.Pool, what, tenant string, fill func(p *pipeline)) error {
	switch {
	case s.closed.Load():
		return vault.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("postgres: %s: %w", what, ctx.Err())
	case !storable(tenant):
		return nil
	}
	p := &pipeline{hooks: s.hooks}
	p.exec(sqlBound, tenant, inMillis(lockTimeout), inMillis(statementTimeout), inMillis(idleTimeout))
	fill(p)
	if err := pooled(ctx, pool, p); err != nil {
		return fmt.Errorf("postgres: %s: %w: %w", what, vault.ErrUnavailable, err)
	}
	return nil
}

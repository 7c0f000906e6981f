package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlInsertNotice = `
INSERT INTO notices (tenant, notice_id, kind, body, attempts, created_at, next_at)
VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)`
	sqlDueNotices = `
SELECT n.notice_id, n.kind, n.body, n.attempts, n.created_at FROM notices AS n
WHERE n.tenant = ?1 AND n.next_at <= ?2 ORDER BY n.next_at, n.notice_id LIMIT ?3`
	sqlLeaseNotice = `
UPDATE notices SET next_at = ?3 WHERE tenant = ?1 AND notice_id = ?2`
	sqlPostponeNotice = `
UPDATE notices SET next_at = ?3, attempts = attempts + 1 WHERE tenant = ?1 AND notice_id = ?2`
	sqlSettleNotice = `
DELETE FROM notices WHERE tenant = ?1 AND notice_id = ?2`
)

// notify writes the notice that rides along with a change.
func (b *batch) notify(n *vault.Notice) error {
	if n == nil {
		return nil
	}
	if !storable(n.ID, n.Kind) {
		return fmt.Errorf("%w: a notice", ErrMalformed)
	}
	_, err := b.exec(sqlInsertNotice, b.tenant, n.ID, n.Kind, present(n.Body), b.now)
	return err
}

// TakeNotices implements vault.Outbox. What it gives out is put off in the same
// transaction, so that nobody else is given it before the lease ends.
func (s *Store) TakeNotices(ctx context.Context, tenant string, limit int, lease time.Duration) (taken []vault.Notice, err error) {
	if lease < time.Microsecond {
		return nil, fmt.Errorf("%w: notices without a lease", ErrMalformed)
	}
	err = s.bookkeeping(ctx, "take notices", func(x *tx) (bool, error) {
		now := micros(s.writer.clock())
		if _, err := x.row([]any{&now}, sqlNow, tenant, now); err != nil {
			return false, err
		}
		if err := x.each(sqlDueNotices, func(rows *sql.Rows) error {
			var n vault.Notice
			var at int64
			err := rows.Scan(&n.ID, &n.Kind, &n.Body, &n.Attempts, &at)
			n.At = fromMicros(at)
			taken = append(taken, n)
			return err
		}, tenant, now, max(limit, 0)); err != nil {
			return false, err
		}
		for _, n := range taken {
			if _, err := x.exec(sqlLeaseNotice, tenant, n.ID, now+lease.Microseconds()); err != nil {
				return false, err
			}
		}
		return len(taken) > 0, nil
	})
	if err != nil {
		return nil, err // they may be put off: somebody is given them after the lease
	}
	return taken, nil
}

// PostponeNotice implements vault.Outbox.
func (s *Store) PostponeNotice(ctx context.Context, tenant, id string, until time.Time) error {
	// Any time that is over is as good as another.
	_, err := s.bookkeep(ctx, "postpone a notice", sqlPostponeNotice, tenant, id, max(micros(until), 1))
	return err
}

// SettleNotice implements vault.Outbox.
func (s *Store) SettleNotice(ctx context.Context, tenant, id string) error {
	_, err := s.bookkeep(ctx, "settle a notice", sqlSettleNotice, tenant, id)
	return err
}

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// budgetHour is an hour as the tables count: the one that it is begins at a
// multiple of it, since days of UTC are of 24 hours without a rest.
const budgetHour = int64(time.Hour / time.Microsecond)

const (
	// Counts and checks in one: what would pass the limit changes no row.
	sqlSpend = `
INSERT INTO budget_hours (tenant, budget, hour, spent)
SELECT ?1, ?2, ?3, ?4 WHERE ?4 <= ?5
ON CONFLICT (tenant, budget, hour) DO UPDATE SET spent = spent + excluded.spent WHERE budget_hours.spent + excluded.spent <= ?5`
	// What time it is for a read: never before the last entry.
	sqlNow = `
SELECT MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))`
	sqlSpent = `
SELECT j.key, q.spent FROM json_each(?2) AS j CROSS JOIN budget_hours AS q
WHERE q.tenant = ?1 AND q.budget = unhex(j.value) AND q.hour = ?3`
	sqlForgetSpent = `
DELETE FROM budget_hours WHERE tenant = ?1 AND (budget, hour) IN (
    SELECT q.budget, q.hour FROM budget_hours AS q INDEXED BY budget_hours_age
    WHERE q.tenant = ?1 AND q.hour <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)) - ?3
    ORDER BY q.hour LIMIT ?4)`
)

// spend counts tokens against budgets of this hour. Where one would be passed the
// change fails, and its savepoint takes back what was counted before it.
func (b *batch) spend(spends []vault.Spend) error {
	exhausted := fmt.Errorf("sqlite: %w", vault.ErrExhausted)
	for _, s := range spends {
		switch {
		case s.Tokens < 0:
			return fmt.Errorf("%w: a budget is not given back to", ErrMalformed)
		case s.Tokens == 0:
			continue // nothing passes no limit
		}
		if err := b.mustChange(exhausted, sqlSpend, b.tenant, s.Key[:], b.now-b.now%budgetHour, s.Tokens, s.Limit); err != nil {
			return err
		}
	}
	return nil
}

// Spent implements vault.Proceedings. All of it is read from one commit.
func (v *View) Spent(ctx context.Context, tenant string, keys []vault.Digest) ([]int, time.Time, error) {
	spent := make([]int, len(keys))
	var now int64
	err := v.snapshot(ctx, "what was spent", func(each eachRow) error {
		if err := each(sqlNow, func(rows *sql.Rows) error { return rows.Scan(&now) }, tenant, v.now()); err != nil {
			return err
		}
		return each(sqlSpent, func(rows *sql.Rows) error {
			var at, n int
			err := rows.Scan(&at, &n)
			if err == nil {
				spent[at] = n
			}
			return err
		}, tenant, digestList(keys), now-now%budgetHour)
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return spent, fromMicros(now - now%budgetHour + budgetHour), nil
}

// ForgetSpent implements vault.Proceedings.
func (s *Store) ForgetSpent(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, "budgets", sqlForgetSpent, limit, tenant, micros(s.writer.clock()), budgetHour, limit)
}

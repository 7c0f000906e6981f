package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Of a budget there is a row for each hour in which it was used. Time never goes
// back in a log, so none is of an hour that is still to come: the newest row is
// that of this hour, or nothing was spent in it. So the hour is not asked for,
// and the clock that decides is that of the commit alone.
const (
	sqlSpentLast = `
SELECT b.budget, b.hour, b.spent FROM unnest($2::bytea[]) AS r (budget)
CROSS JOIN LATERAL (
    SELECT b.budget, b.hour, b.spent FROM budget_hours AS b
    WHERE b.tenant = $1 AND b.budget = r.budget ORDER BY b.hour DESC LIMIT 1) AS b`
	// The sum is that of the image: nobody else counts while it has the lock.
	sqlSpend = `
INSERT INTO budget_hours (tenant, budget, hour, spent)
SELECT $1, r.budget, $2, r.spent FROM unnest($3::bytea[], $4::bigint[]) AS r (budget, spent)
ON CONFLICT (tenant, budget, hour) DO UPDATE SET spent = excluded.spent`
	// One row for each budget that is asked about, and one without any.
	sqlSpent = `
SELECT n.at, COALESCE(b.hour, 0), COALESCE(b.spent, 0), r.place IS NOT NULL
FROM (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
    (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)) AS at) AS n
LEFT JOIN unnest($3::bytea[]) WITH ORDINALITY AS r (budget, place) ON true
LEFT JOIN LATERAL (
    SELECT b.hour, b.spent FROM budget_hours AS b
    WHERE b.tenant = $1 AND b.budget = r.budget ORDER BY b.hour DESC LIMIT 1) AS b ON true
ORDER BY r.place`
	// The hour that it is began at most an hour ago.
	sqlForgetSpent = `
DELETE FROM budget_hours AS b USING (
    SELECT o.budget, o.hour FROM budget_hours AS o
    WHERE o.tenant = $1
        AND o.hour <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)) - $3)
    ORDER BY o.hour LIMIT $4) AS d
WHERE b.tenant = $1 AND b.budget = d.budget AND b.hour = d.hour
    AND b.hour <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)) - $3)`
)

// budgetHour is an hour as the tables count.
var budgetHour = time.Hour.Microseconds()

// hourOf is when the hour of a time began.
func hourOf(at int64) int64 { return at - at%budgetHour }

// spentRow is what was spent of a budget in an hour.
type spentRow struct {
	hour, spent int64
	listed      bool // it is in writes.spends
}

func (m *image) readSpent(rows pgx.Rows) error {
	var budget vault.Digest
	var r spentRow
	err := scanDigest(rows, &budget, &r.hour, &r.spent)
	m.spent[budget] = r
	return err
}

// spend counts tokens against budgets, if all of them have room.
func (b *batch) spend(all []vault.Spend) error {
	m, hour := b.image, hourOf(b.now)
	seen := make(map[vault.Digest]bool, len(all))
	for _, s := range all {
		if seen[s.Key] || s.Tokens < 0 {
			return fmt.Errorf("%w: what is spent", ErrMalformed)
		}
		seen[s.Key] = true
		row := m.spent[s.Key]
		if row.hour != hour {
			row = spentRow{}
		}
		if (s.Limit < 0 || int64(s.Tokens) > int64(s.Limit)-row.spent) && !b.hooks.skips(guardBudget) {
			return fmt.Errorf("postgres: %w", vault.ErrExhausted)
		}
	}
	for _, s := range all {
		if s.Tokens == 0 {
			continue
		}
		row := m.spent[s.Key]
		if row.hour != hour {
			row = spentRow{hour: hour}
		}
		row.spent += int64(s.Tokens)
		if !row.listed {
			row.listed = true
			set(m, &m.writes.spends, append(m.writes.spends, s.Key))
		}
		put(m, m.spent, s.Key, row)
	}
	return nil
}

func (b *batch) writeSpends(p *pipeline, keys []vault.Digest) {
	if len(keys) == 0 {
		return
	}
	p.change(len(keys), errNotWritten, sqlSpend, b.tenant, hourOf(b.now),
		column(keys, func(k vault.Digest) []byte { return k[:] }),
		column(keys, func(k vault.Digest) int64 { return b.image.spent[k].spent }))
}

// Spent implements vault.Proceedings.
func (v *View) Spent(ctx context.Context, tenant string, keys []vault.Digest) ([]int, time.Time, error) {
	spent := make([]int, 0, len(keys))
	var ends time.Time
	err := v.each(ctx, "what was spent", sqlSpent, func(rows pgx.Rows) error {
		var at int64
		var row spentRow
		var asked bool
		if err := scan(rows, &at, &row.hour, &row.spent, &asked); err != nil {
			return err
		}
		ends = fromMicros(hourOf(at) + budgetHour)
		switch {
		case asked && row.hour == hourOf(at):
			spent = append(spent, int(row.spent))
		case asked:
			spent = append(spent, 0)
		}
		return nil
	}, tenant, v.now(), column(keys, func(k vault.Digest) []byte { return k[:] }))
	if err != nil {
		return nil, time.Time{}, err
	}
	return spent, ends, nil
}

// ForgetSpent implements vault.Proceedings.
func (s *Store) ForgetSpent(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, s.pool, "what was spent", sqlForgetSpent, tenant, limit, s.now(), budgetHour, int64(limit))
}

package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a restoration is judged by beside its values. Both are read once for a
// batch: no change of a batch ends a suspension, or closes a review.
const (
	// One that was over at the last entry is over now. The commit's own time is
	// known only after this.
	sqlSuspensions = `
SELECT p.proceeding_id, COALESCE(p.expires_at, 0), p.body FROM proceedings AS p
WHERE p.tenant = $1 AND p.kind = 'suspension' AND p.closed_at IS NULL AND p.state = 'standing'
    AND (p.expires_at IS NULL OR p.expires_at > (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))`
	// Of each actor the reviews that are due first: as many as may not be overdue.
	sqlDueFirst = `
SELECT r.actor, p.due_at FROM unnest($2::text[], $3::bigint[]) AS r (actor, most)
CROSS JOIN LATERAL (
    SELECT p.due_at FROM proceedings AS p
    WHERE p.tenant = $1 AND p.actor = r.actor AND p.kind = 'review' AND p.closed_at IS NULL AND p.due_at IS NOT NULL
    ORDER BY p.due_at LIMIT r.most) AS p`
)

// suspension is one that stood when it was read.
type suspension struct {
	vault.Proceeding
	expires int64 // 0: never
}

func (m *image) readSuspension(rows pgx.Rows) error {
	s := suspension{Proceeding: vault.Proceeding{Kind: vault.ProceedingSuspension, State: vault.ProceedingStanding}}
	err := scan(rows, &s.ID, &s.expires, &s.Body)
	if s.expires != 0 {
		s.ExpiresAt = fromMicros(s.expires)
	}
	m.suspensions = append(m.suspensions, s)
	return err
}

func (m *image) readDue(rows pgx.Rows) error {
	var actor string
	var due int64
	err := scan(rows, &actor, &due)
	m.due[actor] = append(m.due[actor], due)
	return err
}

// entitled judges whether a restoration may be at all: nothing stops it, what it
// rests on stands, and whoever restores has been answered for.
func (b *batch) entitled(r *vault.Restore) error {
	var standing []vault.Proceeding
	for _, s := range b.image.suspensions {
		if s.expires == 0 || s.expires > b.now {
			standing = append(standing, s.Proceeding)
		}
	}
	if len(standing) > 0 && r.Stopped(standing) && !b.hooks.skips(guardStopped) {
		return fmt.Errorf("postgres: a suspension stops it: %w", vault.ErrConflict)
	}
	for _, id := range r.Standing {
		if !b.image.proceedings[id].is(vault.ProceedingStanding, b.now) && !b.hooks.skips(guardStanding) {
			return fmt.Errorf("postgres: what it rests on does not stand: %w", vault.ErrConflict)
		}
	}
	if r.MaxOverdue <= 0 {
		return nil
	}
	overdue := 0
	for _, due := range b.image.due[r.By.Actor] {
		if due < b.now {
			overdue++
		}
	}
	if overdue >= r.MaxOverdue && !b.hooks.skips(guardOverdue) {
		return fmt.Errorf("postgres: too many reviews are overdue: %w", vault.ErrConflict)
	}
	return nil
}

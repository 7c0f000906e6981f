package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlSuspensions = `
SELECT c.proceeding_id, c.body FROM proceedings AS c INDEXED BY proceedings_open
WHERE c.tenant = ?1 AND c.kind = 'suspension' AND c.closed_at IS NULL AND c.state = 'standing'
    AND (c.expires_at IS NULL OR c.expires_at > ?2)`
	// One of the proceedings ?2 that does not stand.
	sqlFallen = `
SELECT 1 FROM json_each(?2) AS j WHERE NOT EXISTS (
    SELECT 1 FROM proceedings AS c
    WHERE c.tenant = ?1 AND c.proceeding_id = j.value AND c.state = 'standing' AND (c.expires_at IS NULL OR c.expires_at > ?3))
LIMIT 1`
	sqlOverdue = `
SELECT COUNT(*) FROM proceedings AS c INDEXED BY proceedings_overdue
WHERE c.tenant = ?1 AND c.actor = ?2 AND c.kind = 'review' AND c.closed_at IS NULL AND c.due_at < ?3`
)

// admitted checks what a restoration rests on beside what it restores: no
// suspension, no review that waits too long, no consent that was withdrawn.
func (b *batch) admitted(r vault.Restore) error {
	if b.suspensions == nil {
		standing := []vault.Proceeding{}
		if err := b.each(sqlSuspensions, func(rows *sql.Rows) error {
			var p vault.Proceeding
			err := rows.Scan(&p.ID, &p.Body)
			standing = append(standing, p)
			return err
		}, b.tenant, b.now); err != nil {
			return err
		}
		b.suspensions = standing
	}
	if r.Stopped(b.suspensions) {
		return fmt.Errorf("sqlite: a suspension stops it: %w", vault.ErrConflict)
	}
	if err := b.standing(r.Standing); err != nil || r.MaxOverdue <= 0 {
		return err
	}
	var overdue int
	if _, err := b.row([]any{&overdue}, sqlOverdue, b.tenant, r.By.Actor, b.now); err != nil {
		return err
	}
	if overdue >= r.MaxOverdue {
		return fmt.Errorf("sqlite: too many reviews are overdue: %w", vault.ErrConflict)
	}
	return nil
}

// standing checks that proceedings are in force.
func (b *batch) standing(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	fallen := fmt.Errorf("sqlite: what it rests on is not in force: %w", vault.ErrConflict)
	if !storable(ids...) {
		return fallen
	}
	var one int
	found, err := b.row([]any{&one}, sqlFallen, b.tenant, list(ids), b.now)
	if err == nil && found {
		return fallen
	}
	return err
}

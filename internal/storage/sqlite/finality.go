package sqlite

import (
	"database/sql"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlRetireVersions = `
UPDATE log_heads SET retired_below = ?2
WHERE tenant = ?1 AND retired_below < ?2 AND min_wrap_version >= ?2`
	sqlBackupsHeld = `
SELECT 1 FROM holds AS g INDEXED BY holds_standing
WHERE g.tenant = ?1 AND g.released_at IS NULL AND g.backups LIMIT 1`
	sqlRetiredBelow = `
SELECT h.retired_below FROM log_heads AS h WHERE h.tenant = ?1`
	// A key of which nobody kept the version counts as wrapped by the newest.
	sqlFinality = `
UPDATE erasures AS e INDEXED BY erasures_not_final SET final_at = ?3
WHERE e.tenant = ?1 AND e.final_at IS NULL AND e.state = 'completed' AND NOT EXISTS (
    SELECT 1 FROM tombstones AS z INDEXED BY tombstones_erasure
    WHERE z.tenant = ?1 AND z.erasure_id = e.erasure_id AND (z.wrap_version = 0 OR z.wrap_version >= ?2))`
)

// retireVersions says that versions of the wrapping key are about to be
// destroyed: no key that stands needs one of them, and none will that is
// written after it.
func (b *batch) retireVersions(r vault.RetireVersions) error {
	var one int
	held, err := b.row([]any{&one}, sqlBackupsHeld, b.tenant)
	if err != nil {
		return err
	}
	if held {
		return fmt.Errorf("sqlite: a hold keeps backups: %w", vault.ErrHeld)
	}
	for _, text := range []string{sqlStaleTenantKeys, sqlStaleDataKeys} {
		needed := false
		if err := b.each(text, func(*sql.Rows) error { needed = true; return nil }, b.tenant, r.Below, 1); err != nil {
			return err
		}
		if needed {
			return fmt.Errorf("sqlite: a key stands under such a version: %w", vault.ErrConflict)
		}
	}
	refused := fmt.Errorf("sqlite: the versions are retired, or keys are still written under them: %w", vault.ErrConflict)
	return b.mustChange(refused, sqlRetireVersions, b.tenant, r.Below)
}

// finality says of erasures that nothing opens any more what they destroyed,
// once the key service has forgotten its own backups too.
func (b *batch) finality(f vault.Finality) (vault.Outcome, error) {
	var below int
	if _, err := b.row([]any{&below}, sqlRetiredBelow, b.tenant); err != nil {
		return vault.Outcome{}, err
	}
	if below != f.Below {
		return vault.Outcome{}, fmt.Errorf("sqlite: other versions are retired: %w", vault.ErrConflict)
	}
	final, err := b.exec(sqlFinality, b.tenant, f.Below, b.now+f.Backups.Microseconds())
	return vault.Outcome{Final: int(final)}, err
}

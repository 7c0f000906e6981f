package postgres

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlWrappedBelow = `
SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 LIMIT 1`
	sqlTenantWrappedBelow = `
SELECT k.key_id FROM tenant_keys AS k WHERE k.tenant = $1 AND k.wrap_version < $2 LIMIT 1`
	sqlBackupsHeld = `
SELECT o.hold_id FROM holds AS o WHERE o.tenant = $1 AND o.released_at IS NULL AND o.created_to > 0 AND o.backups LIMIT 1`
	// It rises, and never past what keys are still written under.
	sqlRetireVersions = `
UPDATE log_heads SET retired_below = $2 WHERE tenant = $1 AND retired_below < $2 AND min_wrap_version >= $2`
	sqlRetiredBelow = `
SELECT h.tenant FROM log_heads AS h WHERE h.tenant = $1 AND h.retired_below = $2`
	// A tombstone from before versions were kept counts as of the newest.
	sqlMarkFinal = `
UPDATE erasures AS e SET final_at = $3
WHERE e.tenant = $1 AND e.state = 'completed' AND e.final_at IS NULL
    AND (SELECT t.key_id FROM tombstones AS t
        WHERE t.tenant = $1 AND t.erasure_id = e.erasure_id AND (t.wrap_version = 0 OR t.wrap_version >= $2) LIMIT 1) IS NULL`
)

// retireVersions says that nothing needs the versions below one. All of it is
// judged by statements that come after the lock on the head.
func (b *batch) retireVersions(p *pipeline, r vault.RetireVersions) error {
	below := int64(r.Below)
	inUse := fmt.Errorf("postgres: a key is wrapped by a version to be retired: %w", vault.ErrConflict)
	p.change(1, fmt.Errorf("postgres: those versions were retired, or are in use: %w", vault.ErrConflict), sqlRetireVersions, b.tenant, below)
	p.change(0, inUse, sqlWrappedBelow, b.tenant, below)
	p.change(0, inUse, sqlTenantWrappedBelow, b.tenant, below)
	p.change(0, fmt.Errorf("postgres: a hold keeps backups: %w", vault.ErrHeld), sqlBackupsHeld, b.tenant)
	return nil
}

// final marks the erasures that nothing opens any more. It takes a round trip of
// its own, since the entry says how many they are.
func (b *batch) final(f vault.Finality) (o vault.Outcome, err error) {
	at := b.now + f.Backups.Microseconds()
	if f.Backups < 0 || at < b.now {
		return o, fmt.Errorf("%w: the time that backups are kept", ErrMalformed)
	}
	p := b.pipeline()
	p.change(1, fmt.Errorf("postgres: other versions were retired: %w", vault.ErrConflict), sqlRetiredBelow, b.tenant, int64(f.Below))
	p.add(step{text: sqlMarkFinal, count: func(n int64) error { o.Final = int(n); return nil }}, []any{b.tenant, int64(f.Below), at})
	return o, b.run(p, 0)
}

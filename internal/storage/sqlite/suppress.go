package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// common tells whether the erasure e lets the entity of the mapping m be kept
	// out only in scopes of the same name.
	common = `EXISTS (SELECT 1 FROM erasure_common AS c
            WHERE c.tenant = ?1 AND c.erasure_id = e.erasure_id AND c.entity = m.entity)`
	// Where nothing was erased of late and nothing is kept out, two looks into
	// empty indexes are all that it costs to tokenize.
	sqlAnySuppression = `
SELECT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.tenant = ?1 AND s.until > ?2)
    OR EXISTS (SELECT 1 FROM tombstones AS z INDEXED BY tombstones_unswept WHERE z.tenant = ?1 AND z.swept_at IS NULL)`
	// What was erased says so itself until it is swept, then what the sweep wrote.
	// Many may have the same value: they are looked at only until then.
	sqlSuppressed = `
SELECT j.value FROM json_each(?2) AS j
WHERE EXISTS (SELECT 1 FROM suppressions AS s
        WHERE s.tenant = ?1 AND s.lookup = unhex(j.value) AND s.scope IN (zeroblob(32), ?3)
            AND s.until > MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)))
    OR EXISTS (SELECT 1 FROM tombstones AS z INDEXED BY tombstones_unswept WHERE z.tenant = ?1 AND z.swept_at IS NULL)
    AND EXISTS (SELECT 1 FROM mappings AS m INDEXED BY mappings_lookup CROSS JOIN tombstones AS z CROSS JOIN erasures AS e
        WHERE m.tenant = ?1 AND m.lookup = unhex(j.value) AND z.tenant = ?1 AND z.key_id = m.key_id
            AND e.tenant = ?1 AND e.erasure_id = z.erasure_id
            AND e.suppress_until > MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
            AND (NOT ` + common + ` OR EXISTS (SELECT 1 FROM scopes AS w
                WHERE w.tenant = ?1 AND w.scope_id = m.scope_id AND w.digest = ?3)))`
	sqlSuppressSwept = `
INSERT INTO suppressions (tenant, lookup, scope, until)
SELECT ?1, m.lookup, IIF(` + common + `, s.digest, zeroblob(32)), e.suppress_until
FROM json_each(?2) AS j CROSS JOIN mappings AS m CROSS JOIN tombstones AS z CROSS JOIN erasures AS e CROSS JOIN scopes AS s
WHERE m.tenant = ?1 AND m.scope_id = j.value ->> 0 AND m.token_id = j.value ->> 1 AND z.tenant = ?1 AND z.key_id = m.key_id
    AND e.tenant = ?1 AND e.erasure_id = z.erasure_id AND e.suppress_until > ?3
    AND s.tenant = ?1 AND s.scope_id = m.scope_id
ON CONFLICT (tenant, lookup, scope) DO UPDATE SET until = MAX(until, excluded.until)`
	sqlKeepCommon = `
INSERT INTO erasure_common (tenant, erasure_id, entity)
SELECT ?1, ?2, j.value FROM json_each(?3) AS j WHERE TRUE ON CONFLICT DO NOTHING`
	sqlForgetSuppressions = `
DELETE FROM suppressions WHERE tenant = ?1 AND (lookup, scope) IN (
    SELECT s.lookup, s.scope FROM suppressions AS s
    WHERE s.tenant = ?1 AND s.until <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    ORDER BY s.until LIMIT ?3)`
)

// suppressUntil is until when something is kept out from now on: NULL is not at
// all.
func (b *batch) suppressUntil(s vault.Suppression) any {
	switch {
	case s.Forever:
		return micros(vault.SuppressForever)
	case s.For > 0:
		return min(b.now+s.For.Microseconds(), micros(vault.SuppressForever))
	default:
		return nil
	}
}

// suppressing tells whether anything may be kept out. What is true for one
// change of a batch is true for all: erasures and sweeps commit alone.
func (b *batch) suppressing() (bool, error) {
	if b.suppresses == nil {
		var some bool
		if _, err := b.row([]any{&some}, sqlAnySuppression, b.tenant, b.now); err != nil {
			return false, err
		}
		b.suppresses = &some
	}
	return *b.suppresses, nil
}

// keptOut refuses to make a token for a value that was erased and is kept out.
func (t *tokenizing) keptOut(lookup vault.Digest) error {
	if on, err := t.suppressing(); err != nil || !on {
		return err
	}
	if t.suppressed == nil {
		t.suppressed = make(map[vault.Digest]bool)
		err := t.each(sqlSuppressed, func(rows *sql.Rows) error {
			d, err := scanDigest(rows)
			t.suppressed[d] = true
			return err
		}, t.tenant, digestList(t.lookups), t.scopeDigest[:], t.now)
		if err != nil {
			return err
		}
	}
	if t.suppressed[lookup] {
		return fmt.Errorf("sqlite: %w", vault.ErrSuppressed)
	}
	return nil
}

// scanDigest scans a digest in hexadecimal.
func scanDigest(rows *sql.Rows) (d vault.Digest, err error) {
	var text string
	if err := rows.Scan(&text); err != nil {
		return d, err
	}
	_, err = hex.Decode(d[:], []byte(text))
	return d, err
}

// suppressSwept keeps the digests of what is about to be swept and was erased,
// for as long as the erasure says.
func (b *batch) suppressSwept(refs []vault.MappingRef) error {
	if on, err := b.suppressing(); err != nil || !on || len(refs) == 0 {
		return err
	}
	pairs := make([][2]string, len(refs))
	for i, m := range refs {
		pairs[i] = [2]string{m.ScopeID, m.TokenID}
	}
	_, err := b.exec(sqlSuppressSwept, b.tenant, encode(pairs), b.now)
	return err
}

// Suppressed implements vault.Remains.
func (v *View) Suppressed(ctx context.Context, tenant string, scope vault.Digest, lookups []vault.Digest) ([]vault.Digest, error) {
	var found []vault.Digest
	err := v.each(ctx, "suppressions", sqlSuppressed, func(rows *sql.Rows) error {
		d, err := scanDigest(rows)
		found = append(found, d)
		return err
	}, tenant, digestList(lookups), scope[:], v.now())
	return found, err
}

// ForgetSuppressions implements vault.Remains.
func (s *Store) ForgetSuppressions(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, "suppressions", sqlForgetSuppressions, limit, tenant, micros(s.writer.clock()), limit)
}

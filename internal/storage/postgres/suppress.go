package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// everywhere is the scope of a suppression that is not of the scopes of one
// name. No name has this digest.
const everywhere = `'\x0000000000000000000000000000000000000000000000000000000000000000'::bytea`

const (
	// suppressing tells whether anything is suppressed at all. Where nothing is,
	// no digest is looked at.
	suppressing = `((SELECT s.lookup FROM suppressions AS s WHERE s.tenant = $1 AND s.until > 0 LIMIT 1) IS NOT NULL
        OR ` + unswept + `)`
	// unswept tells whether there may be rows of what was erased, which say
	// themselves that they are suppressed.
	unswept = `(SELECT t.key_id FROM tombstones AS t WHERE t.tenant = $1 AND t.swept_at IS NULL AND t.erased_at > 0 LIMIT 1) IS NOT NULL`
	// uncommon says of a mapping m that an erasure e destroyed that its value is
	// suppressed everywhere.
	uncommon = `(SELECT c.entity FROM erasure_common AS c
                WHERE c.tenant = $1 AND c.erasure_id = e.erasure_id AND c.entity = m.entity LIMIT 1) IS NULL`
	// suppressedUntil is until when the look-up digest r.lookup is suppressed in
	// scopes of the name r.scope.
	suppressedUntil = `
CROSS JOIN LATERAL (
    SELECT GREATEST((
        SELECT max(s.until) FROM suppressions AS s
        WHERE s.tenant = $1 AND s.lookup = r.lookup AND s.scope IN (` + everywhere + `, r.scope)),
    CASE WHEN ` + unswept + ` THEN (
        SELECT max(e.suppress_until) FROM (
            SELECT m.scope_id, m.entity, m.key_id FROM mappings AS m WHERE m.tenant = $1 AND m.lookup = r.lookup OFFSET 0) AS m` + destroyedBy + `
        WHERE ` + uncommon + `
            OR (SELECT s.digest FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = m.scope_id LIMIT 1) = r.scope)
    END) AS until OFFSET 0) AS u`
	// destroyedBy is the erasure that destroyed the key of a mapping m, of those
	// that suppress.
	destroyedBy = `
        CROSS JOIN LATERAL (
            SELECT t.erasure_id FROM tombstones AS t WHERE t.tenant = $1 AND t.key_id = m.key_id LIMIT 1) AS t
        CROSS JOIN LATERAL (
            SELECT e.erasure_id, e.suppress_until FROM erasures AS e
            WHERE e.tenant = $1 AND e.erasure_id = t.erasure_id AND e.suppress_until IS NOT NULL LIMIT 1) AS e`
)

const (
	sqlSuppressedAt = `
SELECT r.scope, r.lookup, u.until FROM (
    SELECT r.scope, r.lookup FROM unnest($2::bytea[], $3::bytea[]) AS r (scope, lookup) WHERE ` + suppressing + ` OFFSET 0) AS r` + suppressedUntil + `
WHERE u.until IS NOT NULL`
	sqlSuppressed = `
SELECT r.lookup FROM (
    SELECT $2::bytea AS scope, r.lookup FROM unnest($3::bytea[]) AS r (lookup) WHERE ` + suppressing + ` OFFSET 0) AS r` + suppressedUntil + `
WHERE u.until > (SELECT GREATEST(COALESCE($4::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
    (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))`
	// What a sweep takes of what was erased is suppressed by these rows from then
	// on.
	sqlSuppress = `
INSERT INTO suppressions (tenant, lookup, scope, until)
SELECT $1, g.lookup, g.scope, max(g.until) FROM (
    SELECT m.lookup, e.suppress_until AS until, CASE WHEN ` + uncommon + ` THEN ` + everywhere + `
        ELSE (SELECT s.digest FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = m.scope_id LIMIT 1) END AS scope
    FROM unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
    CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.entity, m.key_id, m.lookup FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1) AS m` + destroyedBy + `
    WHERE ` + unswept + ` AND e.suppress_until > $4) AS g
GROUP BY g.lookup, g.scope
ON CONFLICT (tenant, lookup, scope) DO UPDATE SET until = GREATEST(suppressions.until, excluded.until)`
	sqlForgetSuppressions = `
DELETE FROM suppressions AS s USING (
    SELECT q.lookup, q.scope FROM suppressions AS q
    WHERE q.tenant = $1
        AND q.until <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
            (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))
    ORDER BY q.until LIMIT $3) AS d
WHERE s.tenant = $1 AND s.lookup = d.lookup AND s.scope = d.scope
    AND s.until <= (SELECT GREATEST(COALESCE($2::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))`
	sqlInsertCommon = `
INSERT INTO erasure_common (tenant, erasure_id, entity)
SELECT $1, $2, r.entity FROM unnest($3::text[]) AS r (entity)`
)

// lookupPlace is a look-up digest in scopes of a name.
type lookupPlace struct{ scope, lookup vault.Digest }

func (m *image) readSuppressed(rows pgx.Rows) error {
	var at lookupPlace
	var lookup []byte
	var until int64
	err := scanDigest(rows, &at.scope, &lookup, &until)
	copy(at.lookup[:], lookup)
	m.suppressed[at] = until
	return err
}

// suppresses is until when an erasure that begins now keeps out what it erases;
// nil where it does not.
func (e *erasure) suppresses() (*int64, error) {
	s := e.Suppress
	forever := micros(vault.SuppressForever)
	until := forever
	switch {
	case s.For < 0 || s.For > 0 && s.For < time.Microsecond:
		return nil, fmt.Errorf("%w: a suppression", ErrMalformed)
	case s.Forever:
	case s.For == 0:
		return nil, nil
	default:
		until = min(e.now+s.For.Microseconds(), forever)
	}
	for _, entity := range s.Common {
		if !named(entity) {
			return nil, fmt.Errorf("%w: a common entity", ErrMalformed)
		}
	}
	return &until, nil
}

// Suppressed implements vault.Remains.
func (v *View) Suppressed(ctx context.Context, tenant string, scope vault.Digest, lookups []vault.Digest) ([]vault.Digest, error) {
	var found []vault.Digest
	err := v.each(ctx, "what is suppressed", sqlSuppressed, func(rows pgx.Rows) error {
		var d vault.Digest
		err := scanDigest(rows, &d)
		found = append(found, d)
		return err
	}, tenant, scope[:], digestList(lookups), v.now())
	return found, err
}

// ForgetSuppressions implements vault.Remains. It does not wait in the queue:
// what is over is over, and one that is written anew meanwhile stays.
func (s *Store) ForgetSuppressions(ctx context.Context, tenant string, limit int) (int, error) {
	return s.forget(ctx, s.destroy, "suppressions", sqlForgetSuppressions, tenant, limit, s.now(), int64(limit))
}

package fill

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const (
	// perScope is how many mappings a scope gets, under a key of its own: a
	// conversation of some length. Its key could seal twenty times as many.
	perScope = 50
	// perRequest is how many mappings of a scope are written next to one another.
	perRequest = 5
	// mappingsAtOnce bounds a transaction.
	mappingsAtOnce = 200_000
	// keepIndexes is the largest step whose rows enter the indexes one by one, as
	// those of a service do: their size is then what it is in reality. Beyond it
	// that takes too long.
	keepIndexes = 2_000_000
)

const (
	sqlCountMappings = `SELECT count(*) FROM mappings AS m WHERE m.tenant = $1`
	sqlModelMapping  = `
SELECT m.scope_id, m.token_id FROM mappings AS m
WHERE m.tenant = $1 AND m.state = 'live' AND EXISTS (SELECT FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id)
ORDER BY m.expires_at DESC LIMIT 1`
	// $2 makes ids of this step differ from those of others; $3 and $4 are the model.
	sqlFillScopes = `
INSERT INTO scopes (tenant, scope_id, digest, index_version, kind, client, end_user_digest, sealed_name, name_key_id,
    idle_ttl, created_at, ends_at, living)
SELECT s.tenant, md5($2 || 's' || g), sha256(($2 || 's' || g)::bytea), s.index_version, s.kind, s.client, s.end_user_digest,
    substring(decode(repeat(md5($2 || g), octet_length(s.sealed_name) / 16 + 1), 'hex') FROM 1 FOR octet_length(s.sealed_name)),
    CASE WHEN s.name_key_id IS NOT NULL THEN md5($2 || 'k' || g) END,
    s.idle_ttl, s.created_at, s.ends_at, true
FROM scopes AS s CROSS JOIN generate_series(0, $4::bigint - 1) AS g
WHERE s.tenant = $1 AND s.scope_id = $3`
	sqlFillKeys = `
INSERT INTO data_keys (tenant, key_id, scope_id, wrapped, wrap_version, sealed, created_at)
SELECT k.tenant, md5($2 || 'k' || g), md5($2 || 's' || g),
    substring(decode(repeat(md5($2 || 'w' || g), octet_length(k.wrapped) / 16 + 1), 'hex') FROM 1 FOR octet_length(k.wrapped)),
    k.wrap_version, $6, k.created_at
FROM mappings AS m JOIN data_keys AS k ON k.tenant = m.tenant AND k.key_id = m.key_id
CROSS JOIN generate_series(0, $5::bigint - 1) AS g
WHERE m.tenant = $1 AND m.scope_id = $3 AND m.token_id = $4`
	// The place of a mapping in its scope ends its id: no two of a scope are the same.
	sqlFillMappings = `
WITH made AS (
    INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed,
        state, created_at, expires_at, max_expires_at)
    SELECT m.tenant, md5($2 || 's' || g / $8 % $5),
        upper(substr(md5($2 || 't' || g), 1, length(m.token_id) - 2) || lpad(to_hex(g / $8 / $5 * $8 + g % $8), 2, '0')),
        m.format, m.entity, m.class, sha256(($2 || 'i' || g)::bytea), sha256(($2 || 'l' || g)::bytea), m.index_version,
        md5($2 || 'k' || g / $8 % $5),
        substring(decode(repeat(md5($2 || 'v' || g), octet_length(m.sealed) / 16 + 1), 'hex') FROM 1 FOR octet_length(m.sealed)),
        m.state, m.created_at, m.expires_at + g, m.max_expires_at + g
    FROM mappings AS m CROSS JOIN generate_series($6::bigint, $7::bigint - 1) AS g
    WHERE m.tenant = $1 AND m.scope_id = $3 AND m.token_id = $4
    RETURNING scope_id, token_id)
INSERT INTO mapping_destinations (tenant, scope_id, token_id, destination, first_sent, last_sent)
SELECT d.tenant, made.scope_id, made.token_id, d.destination, d.first_sent, d.last_sent
FROM mapping_destinations AS d CROSS JOIN made
WHERE d.tenant = $1 AND d.scope_id = $3 AND d.token_id = $4`
)

// Mappings brings the number of mappings up to so many.
func (f *Fill) Mappings(ctx context.Context, to int64) error {
	have, err := f.count(ctx, sqlCountMappings)
	if err != nil || have >= to {
		return err
	}
	var scopeID, tokenID string
	err = f.conn.QueryRow(ctx, sqlModelMapping, f.tenant).Scan(&scopeID, &tokenID)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w: a mapping", ErrNothing)
	}
	if err != nil {
		return fmt.Errorf("fill: a mapping: %w", err)
	}
	n, salt := to-have, rand.Text()
	scopes := (n + perScope - 1) / perScope
	add := func() error {
		if _, err := f.conn.Exec(ctx, sqlFillScopes, f.tenant, salt, scopeID, scopes); err != nil {
			return fmt.Errorf("fill: scopes: %w", err)
		}
		if _, err := f.conn.Exec(ctx, sqlFillKeys, f.tenant, salt, scopeID, tokenID, scopes, int64(perScope)); err != nil {
			return fmt.Errorf("fill: keys: %w", err)
		}
		for from := int64(0); from < n; from += mappingsAtOnce {
			_, err := f.conn.Exec(ctx, sqlFillMappings, f.tenant, salt, scopeID, tokenID, scopes,
				from, min(n, from+mappingsAtOnce), int64(perRequest))
			if err != nil {
				return fmt.Errorf("fill: mappings: %w", err)
			}
		}
		return nil
	}
	if n <= f.keep {
		return add()
	}
	return f.withoutIndexes(ctx, []string{"mappings", "mapping_destinations"}, add)
}

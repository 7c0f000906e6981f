package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// judged says of a mapping m whether it is past its time, by the clock that is
// $4, and where nothing else can keep it whether a hold does.
const judged = `
CROSS JOIN LATERAL (
    SELECT m.expires_at <= (SELECT GREATEST(COALESCE($4::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))) AS expired OFFSET 0) AS e
CROSS JOIN LATERAL (
    SELECT CASE WHEN e.expired OR m.state = 'retired' THEN ` + held + ` IS NOT NULL ELSE false END AS kept OFFSET 0) AS c`

// Rows that are named are looked up as load.go does it.
const (
	// What several requests ask for at once is told apart by its place.
	sqlScopeOf = `
SELECT r.place - 1, s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    COALESCE(s.name_key_id, ''), s.idle_ttl, s.created_at, s.ends_at
FROM unnest($2::bytea[]) WITH ORDINALITY AS r (digest, place)
CROSS JOIN LATERAL (
    SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
        s.name_key_id, s.idle_ttl, s.created_at, s.ends_at FROM scopes AS s
    WHERE s.tenant = $1 AND s.digest = r.digest AND s.living LIMIT 1) AS s
WHERE s.ends_at > (SELECT GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
    (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))`
	sqlSubjects = `
SELECT s.digest, s.index_version, s.subject_ref, s.sealed_identifier, COALESCE(s.key_id, ''), s.created_at
FROM unnest($2::bytea[]) AS r (digest)
CROSS JOIN LATERAL (
    SELECT s.digest, s.index_version, s.subject_ref, s.sealed_identifier, s.key_id, s.created_at FROM subjects AS s
    WHERE s.tenant = $1 AND s.digest = r.digest LIMIT 1) AS s`
	sqlMappings = `
SELECT r.place, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($2::text[], $3::text[], $5::bigint[]) AS r (scope_id, token_id, place)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1) AS m` + judged + `
WHERE m.state <> 'retired' OR c.kept`
	sqlSourced = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM mapping_sources AS q
JOIN mappings AS m ON m.tenant = $1 AND m.scope_id = $2 AND m.token_id = q.token_id AND m.state <> 'retired'` + judged + `
WHERE q.tenant = $1 AND q.scope_id = $2 AND q.source = $3 AND q.token_id > $5
ORDER BY q.token_id LIMIT $6`
	sqlKeysByID = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM unnest($2::text[]) AS r (key_id)
CROSS JOIN LATERAL (
    SELECT k.key_id, k.scope_id, k.subject_ref, k.wrapped, k.wrap_version, k.sealed, k.created_at FROM data_keys AS k
    WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) AS k
ORDER BY k.created_at DESC, k.key_id`
	sqlKeysOfScope = `
SELECT r.place - 1, k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS r (scope_id, most, place)
CROSS JOIN LATERAL (
    SELECT k.key_id, k.scope_id, k.subject_ref, k.wrapped, k.wrap_version, k.sealed, k.created_at FROM data_keys AS k
    WHERE k.tenant = $1 AND k.scope_id = r.scope_id
    ORDER BY k.created_at DESC, k.key_id LIMIT r.most) AS k
ORDER BY r.place, k.created_at DESC, k.key_id`
	sqlKeysOfSubject = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = $1 AND k.subject_ref = $2
ORDER BY k.created_at DESC, k.key_id LIMIT $3`
)

// Scope implements vault.Store.
func (v *View) Scope(ctx context.Context, tenant string, digest vault.Digest) (vault.Scope, error) {
	s, err := v.shared.scopes.do(ctx, tenant, digest, func(ctx context.Context, digests []vault.Digest) ([]vault.Scope, error) {
		return v.scopesOf(ctx, tenant, digests)
	})
	if err == nil && s.ID == "" {
		err = vault.ErrNotFound
	}
	return s, err
}

// scopesOf reads the living scopes of digests; the zero value stands for none.
func (v *View) scopesOf(ctx context.Context, tenant string, digests []vault.Digest) ([]vault.Scope, error) {
	found := make([]vault.Scope, len(digests))
	err := v.each(ctx, "a scope", sqlScopeOf, func(rows pgx.Rows) error {
		var place int
		s, err := scanScope(rows, &place)
		if err == nil {
			s.Digest = digests[place]
			found[place] = s
		}
		return err
	}, tenant, column(digests, func(d vault.Digest) []byte { return d[:] }), v.now())
	return found, err
}

// scanScope reads the columns of a scope, after others that come before them.
func scanScope(rows pgx.Rows, before ...any) (s vault.Scope, err error) {
	var endUser []byte
	var idle, created, ends int64
	err = scan(rows, append(before,
		&s.ID, &s.IndexVersion, &s.Kind, &s.Client, &endUser, &s.SealedName, &s.NameKeyID, &idle, &created, &ends)...)
	if err != nil {
		return s, err
	}
	copy(s.EndUser[:], endUser)
	s.IdleTTL = time.Duration(idle) * time.Microsecond
	s.CreatedAt, s.EndsAt = fromMicros(created), fromMicros(ends)
	return s, nil
}

// Subjects implements vault.Store.
func (v *View) Subjects(ctx context.Context, tenant string, digests []vault.Digest) ([]vault.Subject, error) {
	var subjects []vault.Subject
	err := v.each(ctx, "subjects", sqlSubjects, func(rows pgx.Rows) error {
		var s vault.Subject
		var d []byte
		var created int64
		if err := scan(rows, &d, &s.IndexVersion, &s.Ref, &s.SealedName, &s.NameKeyID, &created); err != nil {
			return err
		}
		copy(s.Digest[:], d)
		s.CreatedAt = fromMicros(created)
		subjects = append(subjects, s)
		return nil
	}, tenant, digestList(digests))
	return subjects, err
}

// Mappings implements vault.Store.
func (v *View) Mappings(ctx context.Context, tenant string, q vault.MappingQuery) ([]vault.Mapping, error) {
	if q.Source == (vault.Digest{}) {
		return v.shared.mappings.do(ctx, tenant, q, func(ctx context.Context, queries []vault.MappingQuery) ([][]vault.Mapping, error) {
			return v.mappingsOf(ctx, tenant, queries)
		})
	}
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageTokens
	}
	var mappings []vault.Mapping
	err := v.each(ctx, "mappings of a source", sqlSourced, func(rows pgx.Rows) error {
		m, err := scanMapping(rows)
		m.ScopeID = q.ScopeID
		mappings = append(mappings, m)
		return err
	}, tenant, q.ScopeID, q.Source[:], v.now(), q.After, int64(limit))
	return mappings, err
}

// mappingsOf reads the mappings of queries by token. Identifiers that cannot be stored
// are those of no row.
func (v *View) mappingsOf(ctx context.Context, tenant string, queries []vault.MappingQuery) ([][]vault.Mapping, error) {
	var scopes, tokens []string
	var places []int64
	for place, q := range queries {
		if !storable(q.ScopeID) {
			continue
		}
		for _, id := range list(q.TokenIDs) {
			scopes, tokens, places = append(scopes, q.ScopeID), append(tokens, id), append(places, int64(place))
		}
	}
	found := make([][]vault.Mapping, len(queries))
	if len(tokens) == 0 {
		return found, nil
	}
	err := v.each(ctx, "mappings", sqlMappings, func(rows pgx.Rows) error {
		var place int
		m, err := scanMapping(rows, &place)
		m.ScopeID = queries[place].ScopeID
		found[place] = append(found[place], m)
		return err
	}, tenant, scopes, tokens, v.now(), places)
	return found, err
}

// scanMapping reads the columns of a mapping, after others that come before them.
func scanMapping(rows pgx.Rows, before ...any) (m vault.Mapping, err error) {
	var identity, lookup []byte
	var created, expires, end int64
	err = scan(rows, append(before,
		&m.TokenID, &m.Format, &m.Entity, &m.Class, &identity, &lookup, &m.IndexVersion, &m.KeyID,
		&m.Sealed, &m.State, &created, &expires, &end, &m.Expired, &m.Held, &m.KeyAlive, &m.SubjectRefs)...)
	if err != nil {
		return m, err
	}
	copy(m.Identity[:], identity)
	copy(m.Lookup[:], lookup)
	m.CreatedAt, m.ExpiresAt, m.MaxExpiresAt = fromMicros(created), fromMicros(expires), fromMicros(end)
	return m, nil
}

// Keys implements vault.Store.
func (v *View) Keys(ctx context.Context, tenant string, q vault.KeyQuery) ([]vault.DataKey, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.MaxKeysPerQuery
	}
	byID, ofScope, ofSubject := len(q.IDs) > 0, q.ScopeID != "", q.SubjectRef != ""
	switch {
	case byID && ofScope, byID && ofSubject, ofScope && ofSubject:
		return nil, fmt.Errorf("%w: keys are asked for by id, by scope or by subject", ErrMalformed)
	case byID:
		return v.shared.keys.do(ctx, tenant, q.IDs, func(ctx context.Context, queries [][]string) ([][]vault.DataKey, error) {
			return v.keysByID(ctx, tenant, queries)
		})
	case ofScope:
		q.Limit = limit
		return v.shared.ofScopes.do(ctx, tenant, q, func(ctx context.Context, queries []vault.KeyQuery) ([][]vault.DataKey, error) {
			return v.keysOfScopes(ctx, tenant, queries)
		})
	case ofSubject:
		return v.keys(ctx, sqlKeysOfSubject, tenant, q.SubjectRef, int64(limit))
	default:
		return nil, nil // a list of no ids
	}
}

func (v *View) keys(ctx context.Context, text, tenant string, args ...any) ([]vault.DataKey, error) {
	var keys []vault.DataKey
	err := v.each(ctx, "data keys", text, func(rows pgx.Rows) error {
		k, err := scanKey(rows)
		keys = append(keys, k)
		return err
	}, tenant, args...)
	return keys, err
}

// keysByID reads each key once, and gives it to all that ask for it, newest first.
func (v *View) keysByID(ctx context.Context, tenant string, queries [][]string) ([][]vault.DataKey, error) {
	var ids distinct[string]
	for _, q := range queries {
		for _, id := range list(q) {
			ids.add(id)
		}
	}
	found, err := v.keys(ctx, sqlKeysByID, tenant, ids.items)
	if err != nil || len(queries) == 1 {
		return [][]vault.DataKey{found}, err
	}
	of := make([][]vault.DataKey, len(queries))
	for i, q := range queries {
		for _, k := range found {
			if slices.Contains(q, k.ID) {
				of[i] = append(of[i], k)
			}
		}
	}
	return of, nil
}

// keysOfScopes reads the newest keys of scopes, as many of each as its query says.
func (v *View) keysOfScopes(ctx context.Context, tenant string, queries []vault.KeyQuery) ([][]vault.DataKey, error) {
	of := make([][]vault.DataKey, len(queries))
	err := v.each(ctx, "data keys", sqlKeysOfScope, func(rows pgx.Rows) error {
		var place int
		k, err := scanKey(rows, &place)
		of[place] = append(of[place], k)
		return err
	}, tenant, column(queries, func(q vault.KeyQuery) string { return nowhere(q.ScopeID) }),
		column(queries, func(q vault.KeyQuery) int64 { return int64(q.Limit) }))
	return of, err
}

// nowhere is an identifier, or the empty one, which no row has, for what cannot be
// stored.
func nowhere(id string) string {
	if !storable(id) {
		return ""
	}
	return id
}

// scanKey reads the columns of a data key, after others that come before them.
func scanKey(rows pgx.Rows, before ...any) (k vault.DataKey, err error) {
	var created int64
	err = scan(rows, append(before, &k.ID, &k.ScopeID, &k.SubjectRef, &k.Wrapped.Bytes, &k.Wrapped.Version, &k.Sealed, &created)...)
	k.CreatedAt = fromMicros(created)
	return k, err
}

package postgres

import (
	"context"
	"fmt"
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
	sqlScope = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    COALESCE(s.name_key_id, ''), s.idle_ttl, s.created_at, s.ends_at
FROM scopes AS s
WHERE s.tenant = $1 AND s.digest = $2 AND s.living
    AND s.ends_at > (SELECT GREATEST(COALESCE($3::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1)))`
	sqlSubjects = `
SELECT s.digest, s.index_version, s.subject_ref, s.sealed_identifier, COALESCE(s.key_id, ''), s.created_at
FROM unnest($2::bytea[]) AS r (digest)
CROSS JOIN LATERAL (
    SELECT s.digest, s.index_version, s.subject_ref, s.sealed_identifier, s.key_id, s.created_at FROM subjects AS s
    WHERE s.tenant = $1 AND s.digest = r.digest LIMIT 1) AS s`
	sqlMappings = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    e.expired, c.kept,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL,
    (SELECT array_agg(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = $1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id)
FROM unnest($3::text[]) AS r (token_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
        m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = $2 AND m.token_id = r.token_id LIMIT 1) AS m` + judged + `
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
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = $1 AND k.scope_id = $2
ORDER BY k.created_at DESC, k.key_id LIMIT $3`
	sqlKeysOfSubject = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = $1 AND k.subject_ref = $2
ORDER BY k.created_at DESC, k.key_id LIMIT $3`
)

// Scope implements vault.Store.
func (v *View) Scope(ctx context.Context, tenant string, digest vault.Digest) (vault.Scope, error) {
	var s vault.Scope
	err := v.each(ctx, "a scope", sqlScope, func(rows pgx.Rows) (err error) {
		s, err = scanScope(rows)
		return err
	}, tenant, digest[:], v.now())
	if err != nil {
		return vault.Scope{}, err
	}
	if s.ID == "" {
		return vault.Scope{}, vault.ErrNotFound
	}
	s.Digest = digest
	return s, nil
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
	var mappings []vault.Mapping
	add := func(rows pgx.Rows) error {
		m, err := scanMapping(rows)
		m.ScopeID = q.ScopeID
		mappings = append(mappings, m)
		return err
	}
	if q.Source != (vault.Digest{}) {
		limit := q.Limit
		if limit <= 0 {
			limit = vault.PageTokens
		}
		err := v.each(ctx, "mappings of a source", sqlSourced, add, tenant, q.ScopeID, q.Source[:], v.now(), q.After, int64(limit))
		return mappings, err
	}
	err := v.each(ctx, "mappings", sqlMappings, add, tenant, q.ScopeID, list(q.TokenIDs), v.now())
	return mappings, err
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
		return v.keys(ctx, sqlKeysByID, tenant, list(q.IDs))
	case ofScope:
		return v.keys(ctx, sqlKeysOfScope, tenant, q.ScopeID, int64(limit))
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

func scanKey(rows pgx.Rows) (k vault.DataKey, err error) {
	var created int64
	err = scan(rows, &k.ID, &k.ScopeID, &k.SubjectRef, &k.Wrapped.Bytes, &k.Wrapped.Version, &k.Sealed, &created)
	k.CreatedAt = fromMicros(created)
	return k, err
}

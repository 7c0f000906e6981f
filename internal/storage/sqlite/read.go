package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlScope = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    COALESCE(s.name_key_id, ''), s.idle_ttl, s.created_at, s.ends_at
FROM scopes AS s
WHERE s.tenant = ?1 AND s.digest = ?2 AND s.living = 1
    AND s.ends_at > MAX(?3, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))`
	sqlSubjects = `
SELECT s.digest, s.index_version, s.subject_ref, s.sealed_identifier, COALESCE(s.key_id, ''), s.created_at FROM subjects AS s
WHERE s.tenant = ?1 AND s.digest IN (SELECT unhex(j.value) FROM json_each(?2) AS j)`
	sqlMappings = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    m.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)),
    EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = m.tenant AND k.key_id = m.key_id),
    (SELECT json_group_array(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = m.tenant AND l.scope_id = m.scope_id AND l.token_id = m.token_id),
    CASE WHEN m.state = 'retired'
        OR m.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    THEN ` + held + ` ELSE 0 END
FROM mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id IN (SELECT j.value FROM json_each(?3) AS j)
    AND (m.state <> 'retired' OR ` + held + `)`
	sqlSourced = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at,
    m.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)),
    EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = m.tenant AND k.key_id = m.key_id),
    (SELECT json_group_array(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = m.tenant AND l.scope_id = m.scope_id AND l.token_id = m.token_id),
    CASE WHEN m.expires_at <= MAX(?4, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    THEN ` + held + ` ELSE 0 END
FROM mapping_sources AS q CROSS JOIN mappings AS m
WHERE q.tenant = ?1 AND q.scope_id = ?2 AND q.source = ?3 AND q.token_id > ?5
    AND m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id = q.token_id AND m.state <> 'retired'
ORDER BY q.token_id LIMIT ?6`
	sqlKeysByID = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = ?1 AND k.key_id IN (SELECT j.value FROM json_each(?2) AS j)
ORDER BY k.created_at DESC, k.key_id`
	sqlKeysOfScope = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = ?1 AND k.scope_id = ?2
ORDER BY k.created_at DESC, k.key_id LIMIT ?3`
	sqlKeysOfSubject = `
SELECT k.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), k.wrapped, k.wrap_version,
    k.sealed, k.created_at
FROM data_keys AS k
WHERE k.tenant = ?1 AND k.subject_ref = ?2
ORDER BY k.created_at DESC, k.key_id LIMIT ?3`
)

// Scope implements vault.Store.
func (v *View) Scope(ctx context.Context, tenant string, digest vault.Digest) (vault.Scope, error) {
	var scopes []vault.Scope
	if err := v.each(ctx, "a scope", sqlScope, scopeRow(&scopes, digest), tenant, digest[:], v.now()); err != nil {
		return vault.Scope{}, err
	}
	if len(scopes) == 0 {
		return vault.Scope{}, vault.ErrNotFound
	}
	return scopes[0], nil
}

// scopeRow adds a scope of a digest.
func scopeRow(into *[]vault.Scope, digest vault.Digest) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		s, err := scanScope(rows)
		s.Digest = digest
		*into = append(*into, s)
		return err
	}
}

// namedScopeRow adds a scope with the digest that is in its row.
func namedScopeRow(into *[]vault.Scope) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var digest []byte
		s, err := scanScope(rows, &digest)
		copy(s.Digest[:], digest)
		*into = append(*into, s)
		return err
	}
}

// scanScope scans a scope and what else is in its row.
func scanScope(rows *sql.Rows, more ...any) (s vault.Scope, err error) {
	var endUser []byte
	var idle, created, ends int64
	err = rows.Scan(append([]any{&s.ID, &s.IndexVersion, &s.Kind, &s.Client, &endUser, &s.SealedName, &s.NameKeyID,
		&idle, &created, &ends}, more...)...)
	copy(s.EndUser[:], endUser)
	s.IdleTTL = time.Duration(idle) * time.Microsecond
	s.CreatedAt, s.EndsAt = fromMicros(created), fromMicros(ends)
	return s, err
}

// Subjects implements vault.Store.
func (v *View) Subjects(ctx context.Context, tenant string, digests []vault.Digest) ([]vault.Subject, error) {
	var subjects []vault.Subject
	err := v.each(ctx, "subjects", sqlSubjects, func(rows *sql.Rows) error {
		var s vault.Subject
		var d []byte
		var created int64
		if err := rows.Scan(&d, &s.IndexVersion, &s.Ref, &s.SealedName, &s.NameKeyID, &created); err != nil {
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
	add := func(rows *sql.Rows) error {
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
		err := v.each(ctx, "mappings of a source", sqlSourced, add, tenant, q.ScopeID, q.Source[:], v.now(), q.After, limit)
		return mappings, err
	}
	err := v.each(ctx, "mappings", sqlMappings, add, tenant, q.ScopeID, list(q.TokenIDs), v.now())
	return mappings, err
}

// scanMapping scans a mapping and what else is in its row.
func scanMapping(rows *sql.Rows, more ...any) (m vault.Mapping, err error) {
	var identity, lookup []byte
	var created, expires, end int64
	var refs string
	err = rows.Scan(append([]any{&m.TokenID, &m.Format, &m.Entity, &m.Class, &identity, &lookup, &m.IndexVersion, &m.KeyID,
		&m.Sealed, &m.State, &created, &expires, &end, &m.Expired, &m.KeyAlive, &refs, &m.Held}, more...)...)
	if err != nil {
		return m, err
	}
	copy(m.Identity[:], identity)
	copy(m.Lookup[:], lookup)
	m.CreatedAt, m.ExpiresAt, m.MaxExpiresAt = fromMicros(created), fromMicros(expires), fromMicros(end)
	m.SubjectRefs, err = decodeList(refs)
	return m, err
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
		return v.keys(ctx, sqlKeysOfScope, tenant, q.ScopeID, limit)
	case ofSubject:
		return v.keys(ctx, sqlKeysOfSubject, tenant, q.SubjectRef, limit)
	default:
		return nil, nil // a list of no ids
	}
}

func (v *View) keys(ctx context.Context, text string, args ...any) ([]vault.DataKey, error) {
	var keys []vault.DataKey
	err := v.each(ctx, "data keys", text, func(rows *sql.Rows) error {
		k, err := scanKey(rows)
		keys = append(keys, k)
		return err
	}, args...)
	return keys, err
}

func scanKey(rows *sql.Rows) (k vault.DataKey, err error) {
	var created int64
	err = rows.Scan(&k.ID, &k.ScopeID, &k.SubjectRef, &k.Wrapped.Bytes, &k.Wrapped.Version, &k.Sealed, &created)
	k.CreatedAt = fromMicros(created)
	return k, err
}

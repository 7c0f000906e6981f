package postgres

import (
	"errors"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a batch writes: new rows of a kind with one statement, rows that stand
// one by one, by their unique key, in the same round trip. The order is that of
// locks (keys, then mappings) and of foreign keys.
const (
	sqlEndScope = `
UPDATE scopes SET living = false WHERE tenant = $1 AND scope_id = $2`
	sqlInsertScopes = `
INSERT INTO scopes (tenant, scope_id, digest, index_version, kind, client, end_user_digest,
    sealed_name, name_key_id, idle_ttl, created_at, ends_at, living)
SELECT $1, r.scope_id, r.digest, r.index_version, r.kind, r.client, r.end_user_digest,
    r.sealed_name, r.name_key_id, r.idle_ttl, $2, r.ends_at, true
FROM unnest($3::text[], $4::bytea[], $5::bigint[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::text[],
    $11::bigint[], $12::bigint[])
    AS r (scope_id, digest, index_version, kind, client, end_user_digest, sealed_name, name_key_id, idle_ttl, ends_at)`
	sqlInsertSubjects = `
INSERT INTO subjects (tenant, digest, index_version, subject_ref, sealed_identifier, key_id, created_at)
SELECT $1, r.digest, r.index_version, r.subject_ref, r.sealed_identifier, r.key_id, $2
FROM unnest($3::bytea[], $4::bigint[], $5::text[], $6::bytea[], $7::text[])
    AS r (digest, index_version, subject_ref, sealed_identifier, key_id)`
	sqlInsertKeys = `
INSERT INTO data_keys (tenant, key_id, scope_id, subject_ref, wrapped, wrap_version, sealed, created_at)
SELECT $1, r.key_id, r.scope_id, r.subject_ref, r.wrapped, r.wrap_version, r.sealed, $2
FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], $8::bigint[])
    AS r (key_id, scope_id, subject_ref, wrapped, wrap_version, sealed)`
	// A key that seals again is not idle any more.
	sqlCountSeals = `
UPDATE data_keys AS k SET sealed = k.sealed + r.seals, idle_at = NULL
FROM unnest($2::text[], $3::bigint[]) AS r (key_id, seals) WHERE k.tenant = $1 AND k.key_id = r.key_id`
	sqlRetire = `
UPDATE mappings SET state = 'retired' WHERE tenant = $1 AND scope_id = $2 AND token_id = $3 AND state = 'live'`
	sqlExtend = `
UPDATE mappings SET expires_at = $4 WHERE tenant = $1 AND scope_id = $2 AND token_id = $3 AND state = 'live'`
	sqlInsertMappings = `
INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup,
    index_version, key_id, sealed, state, created_at, expires_at, max_expires_at)
SELECT $1, r.scope_id, r.token_id, r.format, r.entity, r.class, r.identity, r.lookup,
    r.index_version, r.key_id, r.sealed, 'live', $2, r.expires_at, r.max_expires_at
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::bytea[], $10::bigint[],
    $11::text[], $12::bytea[], $13::bigint[], $14::bigint[])
    AS r (scope_id, token_id, format, entity, class, identity, lookup, index_version, key_id, sealed, expires_at, max_expires_at)`
	sqlLinkSubjects = `
INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
SELECT $1, r.scope_id, r.token_id, r.subject_ref, 'declared', $2
FROM unnest($3::text[], $4::text[], $5::text[]) AS r (scope_id, token_id, subject_ref)
ON CONFLICT (tenant, scope_id, token_id, subject_ref) DO NOTHING`
	sqlNoteSources = `
INSERT INTO mapping_sources (tenant, scope_id, source, token_id, created_at)
SELECT $1, r.scope_id, r.source, r.token_id, $2
FROM unnest($3::text[], $4::bytea[], $5::text[]) AS r (scope_id, source, token_id)
ON CONFLICT (tenant, scope_id, source, token_id) DO NOTHING`
	sqlInsertClaims = `
INSERT INTO claims (tenant, claim, body, change_id, created_at)
SELECT $1, r.claim, r.body, r.change_id, $2
FROM unnest($3::bytea[], $4::bytea[], $5::text[]) AS r (claim, body, change_id)
ON CONFLICT (tenant, claim) DO UPDATE SET body = excluded.body, change_id = excluded.change_id, created_at = excluded.created_at`
)

// errNotWritten says that a row was not as it had been read under the lock, or
// was not written: somebody writes without the lock. Nothing of the batch is
// committed.
var errNotWritten error = &fault{errors.New("postgres: a row is not as it was read")}

// write adds what the image says is to be written.
func (b *batch) write(p *pipeline) {
	w := &b.image.writes
	for _, id := range w.ended {
		p.change(1, errNotWritten, sqlEndScope, b.tenant, id)
	}
	if len(w.scopes) > 0 {
		b.writeScopes(p, w.scopes)
	}
	if len(w.subjects) > 0 {
		p.change(len(w.subjects), errNotWritten, sqlInsertSubjects, b.tenant, b.now,
			column(w.subjects, func(s vault.Subject) []byte { return s.Digest[:] }),
			column(w.subjects, func(s vault.Subject) int64 { return int64(s.IndexVersion) }),
			column(w.subjects, func(s vault.Subject) string { return s.Ref }),
			column(w.subjects, func(s vault.Subject) []byte { return optionalBytes(s.SealedName) }),
			column(w.subjects, func(s vault.Subject) *string { return optional(s.NameKeyID) }))
	}
	b.writeKeys(p, w.keys)
	b.writeMappings(p, w.rows)
	if len(w.links) > 0 {
		p.exec(sqlLinkSubjects, b.tenant, b.now,
			column(w.links, func(l link) string { return l.scopeID }),
			column(w.links, func(l link) string { return l.tokenID }),
			column(w.links, func(l link) string { return l.subjectRef }))
	}
	if len(w.sources) > 0 {
		p.exec(sqlNoteSources, b.tenant, b.now,
			column(w.sources, func(s source) string { return s.scopeID }),
			column(w.sources, func(s source) []byte { return s.digest[:] }),
			column(w.sources, func(s source) string { return s.tokenID }))
	}
	b.writeSent(p, w.sent)
	b.writeProceedings(p, w)
	b.writeSpends(p, w.spends)
	b.writeUses(p, w.uses)
	b.writeNotices(p, w.notices)
	if len(w.claims) > 0 {
		p.change(len(w.claims), errNotWritten, sqlInsertClaims, b.tenant, b.now,
			column(w.claims, func(c vault.Claim) []byte { return c.Key[:] }),
			column(w.claims, func(c vault.Claim) []byte { return c.Body[:] }),
			column(w.claims, func(c vault.Claim) string { return c.ChangeID }))
	}
}

func (b *batch) writeScopes(p *pipeline, scopes []vault.Scope) {
	p.change(len(scopes), errNotWritten, sqlInsertScopes, b.tenant, b.now,
		column(scopes, func(s vault.Scope) string { return s.ID }),
		column(scopes, func(s vault.Scope) []byte { return s.Digest[:] }),
		column(scopes, func(s vault.Scope) int64 { return int64(s.IndexVersion) }),
		column(scopes, func(s vault.Scope) string { return string(s.Kind) }),
		column(scopes, func(s vault.Scope) string { return s.Client }),
		column(scopes, func(s vault.Scope) []byte {
			if !s.HasEndUser() {
				return nil
			}
			return s.EndUser[:]
		}),
		column(scopes, func(s vault.Scope) []byte { return optionalBytes(s.SealedName) }),
		column(scopes, func(s vault.Scope) *string { return optional(s.NameKeyID) }),
		column(scopes, func(s vault.Scope) int64 { return s.IdleTTL.Microseconds() }),
		column(scopes, func(s vault.Scope) int64 { return micros(s.EndsAt) }))
}

func (b *batch) writeKeys(p *pipeline, keys []*keyRow) {
	var fresh, used []*keyRow
	for _, k := range keys {
		if k.fresh {
			fresh = append(fresh, k)
		} else {
			used = append(used, k)
		}
	}
	if len(used) > 0 {
		p.change(len(used), errNotWritten, sqlCountSeals, b.tenant,
			column(used, func(k *keyRow) string { return k.id }), column(used, func(k *keyRow) int64 { return k.seals }))
	}
	if len(fresh) > 0 {
		p.change(len(fresh), errNotWritten, sqlInsertKeys, b.tenant, b.now,
			column(fresh, func(k *keyRow) string { return k.id }),
			column(fresh, func(k *keyRow) *string { return optional(k.scopeID) }),
			column(fresh, func(k *keyRow) *string { return optional(k.subjectRef) }),
			column(fresh, func(k *keyRow) []byte { return k.wrapped.Bytes }),
			column(fresh, func(k *keyRow) int64 { return int64(k.wrapped.Version) }),
			column(fresh, func(k *keyRow) int64 { return k.sealed }))
	}
}

// writeMappings writes first what makes room for what comes after it.
func (b *batch) writeMappings(p *pipeline, rows []*mappingRow) {
	var made []*mappingRow
	for _, r := range rows {
		switch {
		case r.made != nil:
			made = append(made, r)
		case r.retired:
			p.change(1, errNotWritten, sqlRetire, b.tenant, r.scopeID, r.tokenID)
		case r.extended:
			p.change(1, errNotWritten, sqlExtend, b.tenant, r.scopeID, r.tokenID, r.expires)
		}
	}
	scopeID := func(r *mappingRow) string { return r.scopeID }
	tokenID := func(r *mappingRow) string { return r.tokenID }
	expires := func(r *mappingRow) int64 { return r.expires }
	if len(made) == 0 {
		return
	}
	of := func(value func(*vault.Mapping) string) []string {
		return column(made, func(r *mappingRow) string { return value(&r.made.Mapping) })
	}
	p.change(len(made), errNotWritten, sqlInsertMappings, b.tenant, b.now,
		column(made, scopeID), column(made, tokenID),
		of(func(m *vault.Mapping) string { return m.Format }),
		of(func(m *vault.Mapping) string { return m.Entity }),
		of(func(m *vault.Mapping) string { return m.Class }),
		column(made, func(r *mappingRow) []byte { return r.made.Mapping.Identity[:] }),
		column(made, func(r *mappingRow) []byte { return r.made.Mapping.Lookup[:] }),
		column(made, func(r *mappingRow) int64 { return int64(r.made.Mapping.IndexVersion) }),
		of(func(m *vault.Mapping) string { return m.KeyID }),
		column(made, func(r *mappingRow) []byte { return r.made.Mapping.Sealed }),
		column(made, expires), column(made, func(r *mappingRow) int64 { return r.end }))
}

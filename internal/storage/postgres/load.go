package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What a batch is judged by. All of it is read in the round trip that takes the
// lock, by statements that come after it: what is to be read can be told from
// the changes alone. Nothing is judged here; conditions are never raised.
//
// Each row is looked up by all columns of a unique key, in a subquery of its
// own that cannot be turned into another join: a planner that knows little of
// a tenant, or that it is much larger than the others, would rather read all
// of its rows.
const (
	sqlFindChanges = `
SELECT e.change_id FROM unnest($2::text[]) AS r (change_id)
CROSS JOIN LATERAL (
    SELECT e.change_id FROM entries AS e
    WHERE e.tenant = $1 AND e.change_id = r.change_id AND e.seq = 0 LIMIT 1) AS e`
	sqlClaimsHeld = `
SELECT c.claim, c.created_at FROM unnest($2::bytea[]) AS r (claim)
CROSS JOIN LATERAL (
    SELECT c.claim, c.created_at FROM claims AS c WHERE c.tenant = $1 AND c.claim = r.claim LIMIT 1) AS c`
	sqlLivingScopes = `
SELECT s.digest, s.scope_id, s.ends_at FROM unnest($2::bytea[]) AS r (digest)
CROSS JOIN LATERAL (
    SELECT s.digest, s.scope_id, s.ends_at FROM scopes AS s
    WHERE s.tenant = $1 AND s.digest = r.digest AND s.living LIMIT 1) AS s`
	sqlScopeIDs = `
SELECT s.scope_id FROM unnest($2::text[]) AS r (scope_id)
CROSS JOIN LATERAL (
    SELECT s.scope_id FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = r.scope_id LIMIT 1) AS s`
	sqlSubjectsKnown = `
SELECT s.digest, s.subject_ref FROM unnest($2::bytea[]) AS r (digest)
CROSS JOIN LATERAL (
    SELECT s.digest, s.subject_ref FROM subjects AS s WHERE s.tenant = $1 AND s.digest = r.digest LIMIT 1) AS s`
	sqlSubjectRefs = `
SELECT s.subject_ref FROM unnest($2::text[]) AS r (subject_ref)
CROSS JOIN LATERAL (
    SELECT s.subject_ref FROM subjects AS s WHERE s.tenant = $1 AND s.subject_ref = r.subject_ref LIMIT 1) AS s`
	// Keys that stand, and those of which there is nothing but a tombstone.
	sqlKeysUsed = `
SELECT r.key_id, COALESCE(k.scope_id, ''), COALESCE(k.subject_ref, ''), COALESCE(k.sealed, 0), k.key_id IS NOT NULL
FROM unnest($2::text[]) AS r (key_id)
LEFT JOIN LATERAL (
    SELECT k.key_id, k.scope_id, k.subject_ref, k.sealed FROM data_keys AS k
    WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) AS k ON true
WHERE k.key_id IS NOT NULL
    OR (SELECT t.key_id FROM tombstones AS t WHERE t.tenant = $1 AND t.key_id = r.key_id LIMIT 1) IS NOT NULL`
	// Names of scopes and of subjects, as they were read.
	sqlScopesNamedBy = `
SELECT s.scope_id, '', s.name_key_id FROM unnest($2::text[], $3::text[]) AS r (scope_id, key_id)
CROSS JOIN LATERAL (
    SELECT s.scope_id, s.name_key_id FROM scopes AS s WHERE s.tenant = $1 AND s.scope_id = r.scope_id LIMIT 1) AS s
WHERE s.name_key_id = r.key_id
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) IS NOT NULL`
	sqlSubjectsNamedBy = `
SELECT '', p.subject_ref, p.key_id FROM unnest($2::text[], $3::text[]) AS r (subject_ref, key_id)
CROSS JOIN LATERAL (
    SELECT p.subject_ref, p.key_id FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = r.subject_ref LIMIT 1) AS p
WHERE p.key_id = r.key_id
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = r.key_id LIMIT 1) IS NOT NULL`
	// The rows that stand for values.
	sqlMatches = `
SELECT m.identity, m.scope_id, m.token_id, m.entity, m.key_id, m.state, m.expires_at, m.max_expires_at,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
FROM unnest($2::text[], $3::bytea[]) AS r (scope_id, identity)
CROSS JOIN LATERAL (
    SELECT m.identity, m.scope_id, m.token_id, m.entity, m.key_id, m.state, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.identity = r.identity AND m.state = 'live' LIMIT 1) AS m`
	// The same of many values of one scope. In a young database, of which nobody
	// knows yet how many rows a scope has, the walk along all of them may look as
	// cheap as the index of identities: here that is one walk, not one for each.
	sqlMatchesInScope = `
SELECT m.identity, m.scope_id, m.token_id, m.entity, m.key_id, m.state, m.expires_at, m.max_expires_at,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
FROM mappings AS m
WHERE m.tenant = $1 AND m.scope_id = $2 AND m.identity = ANY ($3::bytea[]) AND m.state = 'live'`
	// Rows by token, in any state.
	sqlStoodAt = `
SELECT m.identity, m.scope_id, m.token_id, m.entity, m.key_id, m.state, m.expires_at, m.max_expires_at,
    (SELECT true FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
FROM unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
CROSS JOIN LATERAL (
    SELECT m.identity, m.scope_id, m.token_id, m.entity, m.key_id, m.state, m.expires_at, m.max_expires_at
    FROM mappings AS m
    WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id LIMIT 1) AS m`
)

// readFor adds the statements that fill the image; those that would find nothing
// are left out.
func (m *image) readFor(p *pipeline, tenant string, w *wanted) {
	ask := func(n int, text string, row func(pgx.Rows) error, args ...any) {
		if n > 0 {
			p.each(text, row, append([]any{tenant}, args...)...)
		}
	}
	ask(len(w.changes), sqlFindChanges, mark(m.done), w.changes)
	ask(len(w.claims), sqlClaimsHeld, m.readClaim, w.claims)
	ask(len(w.scopes.items), sqlLivingScopes, m.readScope, digestList(w.scopes.items))
	ask(len(w.newScopes.items), sqlScopeIDs, mark(m.scopeIDs), w.newScopes.items)
	ask(len(w.subjects.items), sqlSubjectsKnown, m.readSubject, digestList(w.subjects.items))
	ask(len(w.newRefs.items), sqlSubjectRefs, mark(m.refs), w.newRefs.items)
	ask(len(w.keys.items), sqlKeysUsed, m.readKey, w.keys.items)
	identities := column(w.values.items, func(v valuePlace) []byte { return v.identity[:] })
	if scopeID, one := w.oneScope(); one && len(identities) > manyValues {
		ask(len(identities), sqlMatchesInScope, m.readMapping, scopeID, identities)
	} else {
		ask(len(identities), sqlMatches, m.readMapping, column(w.values.items, func(v valuePlace) string { return v.scopeID }), identities)
	}
	scopeID := func(t place) string { return t.scopeID }
	tokenID := func(t place) string { return t.tokenID }
	ask(len(w.tokens.items), sqlStoodAt, m.readMapping, column(w.tokens.items, scopeID), column(w.tokens.items, tokenID))
	ask(len(w.opened), sqlOpenRequests, mark(m.requests), w.opened)
	ask(len(w.lookups.items), sqlSuppressedAt, m.readSuppressed,
		column(w.lookups.items, func(l lookupPlace) []byte { return l.scope[:] }),
		column(w.lookups.items, func(l lookupPlace) []byte { return l.lookup[:] }))
	keyID := func(n vault.NameRef) string { return n.KeyID }
	ask(len(w.scopesBy.items), sqlScopesNamedBy, m.readName,
		column(w.scopesBy.items, func(n vault.NameRef) string { return n.ScopeID }), column(w.scopesBy.items, keyID))
	ask(len(w.peopleBy.items), sqlSubjectsNamedBy, m.readName,
		column(w.peopleBy.items, func(n vault.NameRef) string { return n.SubjectRef }), column(w.peopleBy.items, keyID))
	ask(len(w.erasure), sqlErasureStands, m.readErasure(w.erasure), w.erasure)
	ask(len(w.kept.items), sqlHeldAt, m.readHeld, column(w.kept.items, scopeID), column(w.kept.items, tokenID))
	m.readAbout(p, tenant, w)
}

// readAbout adds those on what stands beside the rows: proceedings, budgets.
func (m *image) readAbout(p *pipeline, tenant string, w *wanted) {
	if ids := w.proceedings.items; len(ids) > 0 {
		p.each(sqlProceedingsAt, m.readProceeding, tenant, ids)
	}
	if w.policy {
		p.each(sqlStandingPolicy, func(rows pgx.Rows) error { return scan(rows, &m.policy) }, tenant)
	}
	if keys := w.budgets.items; len(keys) > 0 {
		p.each(sqlSpentLast, m.readSpent, tenant, digestList(keys))
	}
	m.readUses(p, tenant, w)
	if w.suspensions {
		p.each(sqlSuspensions, m.readSuspension, tenant)
	}
	if len(w.reviewed) > 0 {
		var actors []string
		var most []int64
		for actor, n := range w.reviewed {
			actors, most = append(actors, actor), append(most, n)
		}
		p.each(sqlDueFirst, m.readDue, tenant, actors, most)
	}
}

// manyValues is how many values of one scope are looked for at once rather than
// one by one: so many walks along a few thousand rows take a tenth of a second.
const manyValues = 256

func mark(in map[string]bool) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var id string
		err := scan(rows, &id)
		in[id] = true
		return err
	}
}

func (m *image) readClaim(rows pgx.Rows) error {
	var key vault.Digest
	var at int64
	err := scanDigest(rows, &key, &at)
	m.claims[key] = at
	return err
}

func (m *image) readScope(rows pgx.Rows) error {
	var digest vault.Digest
	s := &scopeRow{}
	err := scanDigest(rows, &digest, &s.id, &s.endsAt)
	m.scopes[digest] = s
	return err
}

func (m *image) readSubject(rows pgx.Rows) error {
	var digest vault.Digest
	var ref string
	err := scanDigest(rows, &digest, &ref)
	m.subjects[digest] = ref
	return err
}

func (m *image) readKey(rows pgx.Rows) error {
	k := &keyRow{}
	var stands bool
	err := scan(rows, &k.id, &k.scopeID, &k.subjectRef, &k.sealed, &stands)
	if stands {
		m.keys[k.id] = k
	} else {
		m.buried[k.id] = true
	}
	return err
}

func (m *image) readName(rows pgx.Rows) error {
	var n vault.NameRef
	err := scan(rows, &n.ScopeID, &n.SubjectRef, &n.KeyID)
	m.names[n] = true
	return err
}

func (m *image) readMapping(rows pgx.Rows) error {
	r := &mappingRow{}
	err := scanDigest(rows, &r.identity, &r.scopeID, &r.tokenID, &r.entity, &r.keyID, &r.state, &r.expires, &r.end, &r.keyAlive)
	if err == nil {
		m.read(r)
	}
	return err
}

package postgres

import (
	"slices"

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

// wanted is what a batch has to know, each thing once.
type wanted struct {
	changes   []string
	claims    [][]byte
	scopes    distinct[vault.Digest]
	newScopes distinct[string]
	subjects  distinct[vault.Digest]
	newRefs   distinct[string]
	keys      distinct[string]
	values    distinct[valuePlace]
	tokens    distinct[place]
	kept      distinct[place] // of which must be known whether a hold keeps them
	erasure   string          // that goes on
	opened    string          // a request that must be open
	lookups   distinct[lookupPlace]
	scopesBy  distinct[vault.NameRef] // names of scopes
	peopleBy  distinct[vault.NameRef] // names of people
}

// distinct is a list of different things, in the order in which they came.
type distinct[K comparable] struct {
	seen  map[K]bool
	items []K
}

func (s *distinct[K]) add(k K) {
	if s.seen[k] {
		return
	}
	if s.seen == nil {
		s.seen = make(map[K]bool)
	}
	s.seen[k] = true
	s.items = append(s.items, k)
}

// want collects what a change has to know. Identifiers that cannot be stored
// are left out: the change that has them is refused without looking.
func (w *wanted) want(c vault.Change) {
	w.changes = append(w.changes, c.ID())
	if claim := c.Claim(); claim != nil {
		w.claims = append(w.claims, claim.Key[:])
	}
	switch e := c.Effect().(type) {
	case vault.OpenScope:
		w.scope(e.Scope, true)
		w.freshKeys(e.Keys)
	case vault.Tokenize:
		w.tokenize(&e)
	case vault.Restore:
		for _, ref := range e.Refs {
			w.row(ref.ScopeID, ref.TokenID)
			if ref.Expired && storable(ref.ScopeID, ref.TokenID) {
				w.kept.add(place{ref.ScopeID, ref.TokenID})
			}
		}
		for _, name := range e.Names {
			w.name(name)
		}
	case vault.Erase:
		w.erase(&e)
	case vault.LinkSubject:
		w.subject(e.Subject)
		w.freshKeys(e.Keys)
	case vault.NoteRequest:
		w.request(e.Note.RequestID)
		w.freshKeys([]vault.DataKey{{ID: e.Note.KeyID}})
	case vault.Replay:
		w.replay(&e)
	case vault.Move:
		w.freshKeys(e.Fresh)
	}
}

func (w *wanted) erase(e *vault.Erase) {
	w.freshKeys(e.Fresh)
	w.subject(vault.SubjectUse{
		Subject: vault.Subject{Digest: e.Erasure.Subject, Ref: e.Erasure.SubjectRef}, New: e.Erasure.SubjectRef != "",
	})
	if storable(e.Erasure.ID) {
		w.erasure = e.Erasure.ID
	}
}

// subject asks for whom a digest stands and, of one to be made, whether the
// reference is free.
func (w *wanted) subject(use vault.SubjectUse) {
	w.subjects.add(use.Subject.Digest)
	if use.New && storable(use.Subject.Ref) {
		w.newRefs.add(use.Subject.Ref)
	}
}

func (w *wanted) tokenize(e *vault.Tokenize) {
	w.scope(e.Scope, e.NewScope)
	w.freshKeys(e.Keys)
	for _, use := range e.Subjects {
		w.subject(use)
	}
	for i := range e.Mappings {
		m := &e.Mappings[i].Mapping
		w.row(e.Scope.ID, m.TokenID)
		if storable(e.Scope.ID) {
			w.values.add(valuePlace{e.Scope.ID, m.Identity})
		}
		w.lookups.add(lookupPlace{e.Scope.Digest, m.Lookup})
		if storable(m.KeyID) {
			w.keys.add(m.KeyID)
		}
	}
	for _, t := range e.Touch {
		w.row(e.Scope.ID, t.TokenID)
	}
}

// name asks whether a name is sealed as it was read. One that is of neither, or
// of both, is of nothing.
func (w *wanted) name(n vault.NameRef) {
	switch {
	case !storable(n.ScopeID, n.SubjectRef, n.KeyID), (n.ScopeID == "") == (n.SubjectRef == ""):
	case n.ScopeID != "":
		w.scopesBy.add(n)
	default:
		w.peopleBy.add(n)
	}
}

func (w *wanted) scope(s vault.Scope, isNew bool) {
	w.scopes.add(s.Digest)
	if isNew && storable(s.ID) {
		w.newScopes.add(s.ID)
	}
}

func (w *wanted) freshKeys(keys []vault.DataKey) {
	for _, k := range keys {
		if storable(k.ID) {
			w.keys.add(k.ID)
		}
	}
}

func (w *wanted) row(scopeID, tokenID string) {
	if storable(scopeID, tokenID) {
		w.tokens.add(place{scopeID, tokenID})
	}
}

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
}

// manyValues is how many values of one scope are looked for at once rather than
// one by one: so many walks along a few thousand rows take a tenth of a second.
const manyValues = 256

// oneScope is the scope of all values, where it is one.
func (w *wanted) oneScope() (string, bool) {
	items := w.values.items
	if len(items) == 0 {
		return "", false
	}
	other := func(v valuePlace) bool { return v.scopeID != items[0].scopeID }
	return items[0].scopeID, !slices.ContainsFunc(items, other)
}

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

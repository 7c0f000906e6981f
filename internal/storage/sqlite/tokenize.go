package sqlite

import (
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// The row that stands for a value, and whether it may go on doing so.
	sqlLiveMatch = `
SELECT m.token_id, m.expires_at, m.max_expires_at,
    m.expires_at > ?4 AND EXISTS (
        SELECT 1 FROM data_keys AS k WHERE k.tenant = m.tenant AND k.key_id = m.key_id)
FROM mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.identity = ?3 AND m.state = 'live'`
	sqlKeptMapping = `
SELECT m.expires_at, m.max_expires_at FROM mappings AS m
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.token_id = ?3 AND m.entity = ?4
    AND m.state = 'live' AND m.expires_at > ?5 AND EXISTS (
        SELECT 1 FROM data_keys AS k WHERE k.tenant = m.tenant AND k.key_id = m.key_id)`
	sqlRetire = `
UPDATE mappings SET state = 'retired' WHERE tenant = ?1 AND scope_id = ?2 AND token_id = ?3`
	sqlExtend = `
UPDATE mappings SET expires_at = ?4 WHERE tenant = ?1 AND scope_id = ?2 AND token_id = ?3`
	// An id that is in use by a row in any state is left alone.
	sqlInsertMapping = `
INSERT INTO mappings (tenant, scope_id, token_id, format, entity, class, identity, lookup,
    index_version, key_id, sealed, state, created_at, expires_at, max_expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'live', ?12, ?13, ?14)
ON CONFLICT (tenant, scope_id, token_id) DO NOTHING`
	sqlLinkSubject = `
INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
VALUES (?1, ?2, ?3, ?4, 'declared', ?5)
ON CONFLICT (tenant, scope_id, token_id, subject_ref) DO NOTHING`
	sqlNoteSource = `
INSERT INTO mapping_sources (tenant, scope_id, source, token_id, created_at)
VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant, scope_id, source, token_id) DO NOTHING`
	sqlInsertSubject = `
INSERT INTO subjects (tenant, digest, index_version, subject_ref, sealed_identifier, key_id, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING`
	sqlSubject = `
SELECT s.subject_ref FROM subjects AS s WHERE s.tenant = ?1 AND s.digest = ?2`
)

// tokenizing is one Tokenize on its way.
type tokenizing struct {
	*batch
	scopeID string
	endsAt  int64
	known   map[string]bool // subjects of the change, by reference
	keys    *keyUses
	// Look-up digests of the change, and those that are kept out of the scope:
	// nil until somebody asked.
	scopeDigest vault.Digest
	lookups     []vault.Digest
	suppressed  map[vault.Digest]bool
}

// tokenize makes mappings, or finds those that stand. Within the batch, what a
// change before it made stands already: two changes with the same value get
// one token.
func (b *batch) tokenize(c vault.Tokenize) (vault.Outcome, error) {
	t := &tokenizing{batch: b, scopeID: c.Scope.ID, scopeDigest: c.Scope.Digest, known: make(map[string]bool)}
	for i := range c.Mappings {
		t.lookups = append(t.lookups, c.Mappings[i].Mapping.Lookup)
	}
	var err error
	if t.keys, err = newKeyUses(c.Scope, c.Keys); err != nil {
		return vault.Outcome{}, err
	}
	if err := t.scope(c); err != nil {
		return vault.Outcome{}, err
	}
	for _, use := range c.Subjects {
		if err := t.subject(use); err != nil {
			return vault.Outcome{}, err
		}
	}
	var o vault.Outcome
	for i := range c.Mappings {
		standing, err := t.stand(&c.Mappings[i])
		if err != nil {
			return vault.Outcome{}, err
		}
		o.Standing = append(o.Standing, standing)
	}
	for _, touch := range c.Touch {
		expires, err := t.touch(touch)
		if err != nil {
			return vault.Outcome{}, err
		}
		o.Touched = append(o.Touched, expires)
	}
	if err := t.note(c, o); err != nil {
		return vault.Outcome{}, err
	}
	return o, b.writeKeys(t.keys)
}

// note keeps which source the tokens of the answer come from, once each, and
// where they are sent.
func (t *tokenizing) note(c vault.Tokenize, o vault.Outcome) error {
	if c.Source == (vault.Digest{}) && len(c.Destinations) == 0 {
		return nil
	}
	ids := make([]string, 0, len(o.Standing)+len(c.Touch))
	for _, s := range o.Standing {
		ids = append(ids, s.TokenID)
	}
	for _, kept := range c.Touch {
		ids = append(ids, kept.TokenID)
	}
	for _, destination := range c.Destinations {
		if err := t.sent(destination, ids); err != nil {
			return err
		}
	}
	if c.Source == (vault.Digest{}) {
		return nil
	}
	for _, id := range ids {
		if _, err := t.exec(sqlNoteSource, t.tenant, t.scopeID, c.Source[:], id, t.now); err != nil {
			return err
		}
	}
	return nil
}

func (t *tokenizing) scope(c vault.Tokenize) (err error) {
	if !c.NewScope {
		t.endsAt, err = t.standingScope(c.Scope)
		return err
	}
	if err := t.insertScope(c.Scope); err != nil {
		return err
	}
	t.endsAt = micros(c.Scope.EndsAt)
	return t.keys.name(c.Scope)
}

// subject makes a subject, or checks that it is still the one that was read.
// Values of the change may name it then.
func (t *tokenizing) subject(use vault.SubjectUse) error {
	t.known[use.Subject.Ref] = true
	return t.batch.subject(use, t.keys)
}

func (b *batch) subject(use vault.SubjectUse, keys *keyUses) error {
	s := use.Subject
	if !storable(s.Ref, s.NameKeyID) {
		return fmt.Errorf("%w: a subject", ErrMalformed)
	}
	other := fmt.Errorf("sqlite: the subject is another one now: %w", vault.ErrConflict)
	if use.New {
		if err := keys.person(s); err != nil {
			return err
		}
		return b.mustChange(other, sqlInsertSubject, b.tenant, s.Digest[:], s.IndexVersion, s.Ref,
			optional(s.SealedName), optional(s.NameKeyID), b.now)
	}
	var ref string
	found, err := b.row([]any{&ref}, sqlSubject, b.tenant, s.Digest[:])
	if err == nil && (!found || ref != s.Ref) {
		return other
	}
	return err
}

// stand finds the token that stands for a value, or makes the given one stand.
func (t *tokenizing) stand(m *vault.NewMapping) (vault.Standing, error) {
	if err := t.check(m); err != nil {
		return vault.Standing{}, err
	}
	var (
		id           string
		expires, end int64
		lives        bool
	)
	identity := m.Mapping.Identity
	found, err := t.row([]any{&id, &expires, &end, &lives}, sqlLiveMatch, t.tenant, t.scopeID, identity[:], t.now)
	if err != nil {
		return vault.Standing{}, err
	}
	reuse := found && lives
	switch {
	case reuse:
		expires, err = t.extend(id, expires, end, m.TTL)
	case found:
		// Never revived: the value gets a new id, and the old row keeps what it
		// has until it is swept.
		if _, err = t.exec(sqlRetire, t.tenant, t.scopeID, id); err == nil {
			id, expires, err = t.insert(m)
		}
	default:
		id, expires, err = t.insert(m)
	}
	if err != nil {
		return vault.Standing{}, err
	}
	for _, ref := range m.SubjectRefs {
		if _, err := t.exec(sqlLinkSubject, t.tenant, t.scopeID, id, ref, t.now); err != nil {
			return vault.Standing{}, err
		}
	}
	return vault.Standing{TokenID: id, Reused: reuse, ExpiresAt: fromMicros(expires)}, nil
}

func (t *tokenizing) check(m *vault.NewMapping) error {
	v := &m.Mapping
	unknown := func(ref string) bool { return !t.known[ref] }
	switch {
	case v.ScopeID != t.scopeID, m.TTL < time.Microsecond, m.MaxAge < time.Microsecond,
		slices.ContainsFunc(m.SubjectRefs, unknown),
		!storable(v.TokenID, v.Format, v.Entity, v.Class, v.KeyID):
		return fmt.Errorf("%w: a mapping", ErrMalformed)
	}
	return nil
}

func (t *tokenizing) insert(m *vault.NewMapping) (id string, expires int64, err error) {
	if err := t.keptOut(m.Mapping.Lookup); err != nil {
		return "", 0, err
	}
	t.keys.seal(m.Mapping.KeyID, m.SubjectRefs)
	v := &m.Mapping
	end := min(t.now+m.MaxAge.Microseconds(), t.endsAt)
	expires = min(t.now+m.TTL.Microseconds(), end)
	taken := fmt.Errorf("sqlite: %w", vault.ErrIDTaken)
	err = t.mustChange(taken, sqlInsertMapping, t.tenant, t.scopeID, v.TokenID, v.Format, v.Entity, v.Class,
		v.Identity[:], v.Lookup[:], v.IndexVersion, v.KeyID, v.Sealed, t.now, expires, end)
	return v.TokenID, expires, err
}

// extend moves the expiry of a token that is used again, but only when less
// than half of it is left, so that a long chat does not rewrite its rows each
// turn; never past its end, and never back.
func (t *tokenizing) extend(id string, expires, end int64, ttl time.Duration) (int64, error) {
	to := min(t.now+ttl.Microseconds(), end)
	if 2*(expires-t.now) >= ttl.Microseconds() || to <= expires {
		return expires, nil
	}
	_, err := t.exec(sqlExtend, t.tenant, t.scopeID, id, to)
	return to, err
}

func (t *tokenizing) touch(r vault.TouchRef) (time.Time, error) {
	gone := fmt.Errorf("sqlite: a kept token lives no more: %w", vault.ErrConflict)
	if !storable(r.TokenID, r.Entity) {
		return time.Time{}, gone
	}
	var expires, end int64
	found, err := t.row([]any{&expires, &end}, sqlKeptMapping, t.tenant, t.scopeID, r.TokenID, r.Entity, t.now)
	if err != nil {
		return time.Time{}, err
	}
	if !found {
		return time.Time{}, gone
	}
	expires, err = t.extend(r.TokenID, expires, end, r.TTL)
	return fromMicros(expires), err
}

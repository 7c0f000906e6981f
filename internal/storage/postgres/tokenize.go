package postgres

import (
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// tokenizing is one Tokenize on its way.
type tokenizing struct {
	*batch
	scopeID string
	scopeBy vault.Digest // of its name
	endsAt  int64
	known   map[string]bool // subjects of the change, by reference
	keys    *keyUses
}

// tokenize makes mappings, or finds those that stand. Within the batch, what a
// change before it made stands already: two changes with the same value get
// one token.
func (b *batch) tokenize(c vault.Tokenize) (vault.Outcome, error) {
	t := &tokenizing{batch: b, scopeID: c.Scope.ID, scopeBy: c.Scope.Digest, known: make(map[string]bool)}
	var err error
	if t.keys, err = newKeyUses(c.Scope, c.Keys); err != nil {
		return vault.Outcome{}, err
	}
	if slices.ContainsFunc(c.Destinations, func(name string) bool { return !named(name) }) {
		return vault.Outcome{}, fmt.Errorf("%w: a destination", ErrMalformed)
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
	t.note(c, o)
	for _, destination := range c.Destinations {
		t.send(destination, column(o.Standing, func(s vault.Standing) string { return s.TokenID })...)
		t.send(destination, column(c.Touch, func(r vault.TouchRef) string { return r.TokenID })...)
	}
	return o, b.useKeys(t.keys)
}

// note keeps which source the tokens of the answer come from.
func (t *tokenizing) note(c vault.Tokenize, o vault.Outcome) {
	if c.Source == (vault.Digest{}) {
		return
	}
	w := &t.image.writes
	sources := w.sources
	for _, s := range o.Standing {
		sources = append(sources, source{place{t.scopeID, s.TokenID}, c.Source})
	}
	for _, kept := range c.Touch {
		sources = append(sources, source{place{t.scopeID, kept.TokenID}, c.Source})
	}
	set(t.image, &w.sources, sources)
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

// subject takes a subject that values of the change may be linked to.
func (t *tokenizing) subject(use vault.SubjectUse) error {
	t.known[use.Subject.Ref] = true
	return t.useSubject(use, t.keys)
}

// useSubject makes a subject, with the key of its name, or checks that it is
// still the one that was read.
func (b *batch) useSubject(use vault.SubjectUse, keys *keyUses) error {
	s := use.Subject
	if !named(s.Ref) || use.New && s.IndexVersion <= 0 {
		return fmt.Errorf("%w: a subject", ErrMalformed)
	}
	ref, known := b.image.subjects[s.Digest]
	other := fmt.Errorf("postgres: the subject is another one now: %w", vault.ErrConflict)
	switch {
	case use.New && (known || b.image.refs[s.Ref]):
		return other
	case use.New:
		put(b.image, b.image.subjects, s.Digest, s.Ref)
		put(b.image, b.image.refs, s.Ref, true)
		set(b.image, &b.image.writes.subjects, append(b.image.writes.subjects, s))
		return keys.person(s)
	case ref != s.Ref && !b.hooks.skips(guardSubject):
		return other
	}
	return nil
}

// stand finds the token that stands for a value, or makes the given one stand.
func (t *tokenizing) stand(m *vault.NewMapping) (vault.Standing, error) {
	if err := t.check(m); err != nil {
		return vault.Standing{}, err
	}
	row := t.image.live[valuePlace{t.scopeID, m.Mapping.Identity}]
	lives := row != nil && row.keyAlive && (row.expires > t.now || t.hooks.skips(guardMatch))
	if lives {
		t.extend(row, m.TTL)
	} else {
		if t.image.suppressed[lookupPlace{t.scopeBy, m.Mapping.Lookup}] > t.now && !t.hooks.skips(guardSuppressed) {
			return vault.Standing{}, fmt.Errorf("postgres: %w", vault.ErrSuppressed)
		}
		if row != nil {
			// Never revived: the value gets a new id, and the old row keeps what
			// it has until it is swept.
			set(t.image, &row.state, vault.MappingRetired)
			set(t.image, &row.retired, true)
			t.image.change(row)
		}
		var err error
		if row, err = t.insert(m); err != nil {
			return vault.Standing{}, err
		}
	}
	w := &t.image.writes
	for _, ref := range m.SubjectRefs {
		set(t.image, &w.links, append(w.links, link{row.place, ref}))
	}
	return vault.Standing{TokenID: row.tokenID, Reused: lives, ExpiresAt: fromMicros(row.expires)}, nil
}

func (t *tokenizing) check(m *vault.NewMapping) error {
	v := &m.Mapping
	unknown := func(ref string) bool { return !t.known[ref] }
	switch {
	case v.ScopeID != t.scopeID, m.TTL < time.Microsecond, m.MaxAge < time.Microsecond,
		slices.ContainsFunc(m.SubjectRefs, unknown),
		!named(v.TokenID, v.Format, v.Entity, v.Class, v.KeyID), len(v.Sealed) == 0, v.IndexVersion <= 0:
		return fmt.Errorf("%w: a mapping", ErrMalformed)
	}
	return nil
}

func (t *tokenizing) insert(m *vault.NewMapping) (*mappingRow, error) {
	v := &m.Mapping
	at := place{t.scopeID, v.TokenID}
	// An id that is in use by a row in any state is left alone.
	if t.image.rows[at] != nil && !t.hooks.skips(guardTaken) {
		return nil, fmt.Errorf("postgres: %w", vault.ErrIDTaken)
	}
	t.keys.value(m)
	end := min(t.now+m.MaxAge.Microseconds(), t.endsAt)
	row := &mappingRow{
		place: at, identity: v.Identity, entity: v.Entity, keyID: v.KeyID, state: vault.MappingLive,
		expires: min(t.now+m.TTL.Microseconds(), end), end: end, keyAlive: true, made: m,
	}
	put(t.image, t.image.rows, at, row)
	put(t.image, t.image.live, valuePlace{t.scopeID, v.Identity}, row)
	t.image.change(row)
	return row, nil
}

// extend moves the expiry of a token that is used again, but only when less
// than half of it is left, so that a long chat does not rewrite its rows each
// turn; never past its end or that of its scope, and never back.
func (t *tokenizing) extend(row *mappingRow, ttl time.Duration) {
	to := min(t.now+ttl.Microseconds(), row.end, t.endsAt)
	if 2*(row.expires-t.now) >= ttl.Microseconds() || to <= row.expires {
		return
	}
	set(t.image, &row.expires, to)
	set(t.image, &row.extended, true)
	t.image.change(row)
}

func (t *tokenizing) touch(r vault.TouchRef) (time.Time, error) {
	row := t.image.rows[place{t.scopeID, r.TokenID}]
	if row == nil || row.entity != r.Entity || !t.hooks.skips(guardTouch) &&
		(row.state != vault.MappingLive || row.expires <= t.now || !row.keyAlive) {
		return time.Time{}, fmt.Errorf("postgres: a kept token lives no more: %w", vault.ErrConflict)
	}
	t.extend(row, r.TTL)
	return fromMicros(row.expires), nil
}

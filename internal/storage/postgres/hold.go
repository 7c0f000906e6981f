package postgres

import (
	"fmt"
	"math"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Holds are placed by the role that serves, for a hold only narrows what may be
// destroyed; they are reviewed and released by the one that destroys.
const (
	sqlInsertHold = `
INSERT INTO holds (tenant, hold_id, matter, reference, custodian, by_subject, by_lookup, by_scope, by_entity, by_class,
    by_destination, by_sent, created_from, created_to, existing_only, backups, review_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`
	sqlInsertHoldTerms = `
INSERT INTO hold_terms (tenant, hold_id, field, term)
SELECT $1, $2, r.field, r.term FROM unnest($3::text[], $4::bytea[]) AS r (field, term)`
	sqlReviewHold = `
UPDATE holds SET review_by = $3 WHERE tenant = $1 AND hold_id = $2 AND released_at IS NULL`
	sqlReleaseHold = `
UPDATE holds SET released_at = $3 WHERE tenant = $1 AND hold_id = $2 AND released_at IS NULL`
	sqlCloseScope = `
UPDATE scopes SET ends_at = $3
WHERE tenant = $1 AND scope_id = $2 AND living AND ends_at > $3`
	sqlExpireScope = `
UPDATE mappings SET expires_at = $3
WHERE tenant = $1 AND scope_id = $2 AND expires_at > $3`
)

// openEnd is the end of a time that has none.
const openEnd int64 = math.MaxInt64

// field is a criterion of a hold. The table has the same list.
type field string

const (
	fieldSubject     field = "subject"
	fieldLookup      field = "lookup"
	fieldScope       field = "scope"
	fieldEntity      field = "entity"
	fieldClass       field = "class"
	fieldDestination field = "destination"
)

// term is one thing that a hold is about, as the tables have it.
type term struct {
	field field
	bytes string
}

// termsOf lists what a match names, each thing once, and refuses what cannot
// be stored.
func termsOf(m vault.HoldMatch) ([]term, error) {
	var terms distinct[term]
	for _, named := range []struct {
		field   field
		digests []vault.Digest
	}{{fieldSubject, m.Subjects}, {fieldLookup, m.Lookups}, {fieldScope, m.Scopes}} {
		for _, d := range named.digests {
			terms.add(term{named.field, string(d[:])})
		}
	}
	for _, of := range []struct {
		field field
		names []string
	}{{fieldEntity, m.Entities}, {fieldClass, m.Classes}, {fieldDestination, m.Destinations}} {
		for _, name := range of.names {
			if !named(name) {
				return nil, fmt.Errorf("%w: a term of a hold", ErrMalformed)
			}
			terms.add(term{of.field, name})
		}
	}
	from, to := bounds(m)
	switch n := len(terms.items); {
	case n > vault.MaxHoldTerms:
		return nil, fmt.Errorf("%w: a hold with %d terms", ErrMalformed, n)
	case n == 0 && from == 0 && to == openEnd:
		return nil, fmt.Errorf("%w: a hold that is about nothing", ErrMalformed)
	case to <= from:
		return nil, fmt.Errorf("%w: a hold on no time", ErrMalformed)
	}
	return terms.items, nil
}

// placeHold places a hold. It commits alone, so whatever destroys comes before
// it or meets it.
func (b *batch) placeHold(p *pipeline, id string, h vault.Hold) error {
	terms, err := termsOf(h.Match)
	if err != nil {
		return err
	}
	if !named(id) || !storable(h.Matter, h.Reference, h.Custodian) || h.Matter == "" || h.Reference == "" ||
		max(len(h.Matter), len(h.Reference), len(h.Custodian)) > maxIdentifier {
		return fmt.Errorf("%w: a hold", ErrMalformed)
	}
	m := h.Match
	from, to := bounds(m)
	p.change(1, errNotWritten, sqlInsertHold, b.tenant, id, h.Matter, h.Reference, h.Custodian,
		len(m.Subjects) > 0, len(m.Lookups) > 0, len(m.Scopes) > 0, len(m.Entities) > 0, len(m.Classes) > 0,
		len(m.Destinations) > 0, m.BySent, from, to, h.ExistingOnly, h.Backups, optionalTime(h.ReviewBy), b.now)
	if len(terms) > 0 {
		p.change(len(terms), errNotWritten, sqlInsertHoldTerms, b.tenant, id,
			column(terms, func(t term) string { return string(t.field) }),
			column(terms, func(t term) []byte { return []byte(t.bytes) }))
	}
	return nil
}

// bounds are when a mapping was made that a match is about, or was sent: [from, to).
func bounds(m vault.HoldMatch) (from, to int64) {
	from, to = 0, openEnd
	if !m.From.IsZero() {
		from = micros(m.From)
	}
	if !m.To.IsZero() {
		to = micros(m.To)
	}
	return from, to
}

// optionalTime is NULL for the zero time.
func optionalTime(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	us := micros(t)
	return &us
}

func (b *batch) reviewHold(p *pipeline, r vault.ReviewHold) error {
	return b.changeHold(p, sqlReviewHold, r.ID, optionalTime(r.ReviewBy))
}

func (b *batch) releaseHold(p *pipeline, r vault.ReleaseHold) error {
	return b.changeHold(p, sqlReleaseHold, r.ID, &b.now)
}

func (b *batch) changeHold(p *pipeline, text, id string, at *int64) error {
	gone := fmt.Errorf("postgres: no such hold stands: %w", vault.ErrConflict)
	if !storable(id) {
		return gone
	}
	p.change(1, gone, text, b.tenant, id, at)
	return nil
}

// closeScope ends a scope, and all that is in it at once: nothing of it is
// restored any more, and the next sweep destroys what no hold keeps. The commit
// is later than any before it, also where time stands still: whatever was made
// is over by then.
func (b *batch) closeScope(p *pipeline, c vault.CloseScope) error {
	ended := fmt.Errorf("postgres: no such scope lives: %w", vault.ErrConflict)
	if !storable(c.ScopeID) {
		return ended
	}
	if !b.hooks.skips(guardInstant) {
		b.now = max(b.now, b.last+1)
	}
	p.change(1, ended, sqlCloseScope, b.tenant, c.ScopeID, b.now)
	p.exec(sqlExpireScope, b.tenant, c.ScopeID, b.now)
	return nil
}

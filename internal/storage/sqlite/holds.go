package sqlite

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// fits tells whether the hold g matches the mapping m: the one predicate of all
// statements that ask it. A criterion that is not set costs nothing.
const fits = `(g.by_sent OR m.created_at >= g.created_from AND m.created_at < g.created_to)
        AND (NOT g.existing_only OR m.created_at <= g.created_at)
        AND (NOT g.by_entity OR EXISTS (SELECT 1 FROM hold_terms AS t
            WHERE t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'entity' AND t.term = CAST(m.entity AS BLOB)))
        AND (NOT g.by_class OR EXISTS (SELECT 1 FROM hold_terms AS t
            WHERE t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'class' AND t.term = CAST(m.class AS BLOB)))
        AND (NOT g.by_lookup OR EXISTS (SELECT 1 FROM hold_terms AS t
            WHERE t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'lookup' AND t.term = m.lookup))
        AND (NOT g.by_scope OR EXISTS (SELECT 1 FROM scopes AS s CROSS JOIN hold_terms AS t
            WHERE s.tenant = ?1 AND s.scope_id = m.scope_id
                AND t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'scope' AND t.term = s.digest))
        AND (NOT g.by_subject OR EXISTS (SELECT 1 FROM mapping_subjects AS l CROSS JOIN subjects AS p CROSS JOIN hold_terms AS t
            WHERE l.tenant = ?1 AND l.scope_id = m.scope_id AND l.token_id = m.token_id
                AND p.tenant = ?1 AND p.subject_ref = l.subject_ref
                AND t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'subject' AND t.term = p.digest))
        AND (NOT (g.by_destination OR g.by_sent) OR EXISTS (SELECT 1 FROM mapping_destinations AS d
            WHERE d.tenant = ?1 AND d.scope_id = m.scope_id AND d.token_id = m.token_id
                AND (NOT g.by_sent OR d.first_sent < g.created_to AND d.last_sent >= g.created_from - ` + sentSlack + `)
                AND (NOT g.by_destination OR EXISTS (SELECT 1 FROM hold_terms AS t
                    WHERE t.tenant = ?1 AND t.hold_id = g.hold_id AND t.field = 'destination'
                        AND t.term = CAST(d.destination AS BLOB)))))`

// sentSlack is vault.SentResolution in microseconds: a value may have been
// sent so much later than its row says, and a hold on that time keeps it.
const sentSlack = "3600000000"

// held tells whether a standing hold of the tenant ?1 keeps the mapping m.
// Where none stands, the partial index is empty, and nothing else is looked at.
const held = `EXISTS (SELECT 1 FROM holds AS g INDEXED BY holds_standing
        WHERE g.tenant = ?1 AND g.released_at IS NULL AND ` + fits + `)`

const (
	sqlInsertHold = `
INSERT INTO holds (tenant, hold_id, matter, reference, custodian, by_subject, by_lookup, by_scope, by_entity, by_class,
    by_destination, by_sent, created_from, created_to, existing_only, backups, review_by, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)`
	sqlInsertHoldTerms = `
INSERT INTO hold_terms (tenant, hold_id, field, term)
SELECT ?1, ?2, j.value ->> 0, unhex(j.value ->> 1) FROM json_each(?3) AS j`
	sqlReviewHold = `
UPDATE holds SET review_by = ?3 WHERE tenant = ?1 AND hold_id = ?2 AND released_at IS NULL`
	sqlReleaseHold = `
UPDATE holds SET released_at = ?3 WHERE tenant = ?1 AND hold_id = ?2 AND released_at IS NULL`
)

// forever is the open end of when a mapping was made.
const forever int64 = math.MaxInt64

// criteria is a match as the tables hold it, each term once.
type criteria struct {
	bySubject, byLookup, byScope, byEntity, byClass bool
	byDestination, bySent                           bool
	from, to                                        int64
	terms                                           []holdTerm
}

// holdTerm is a criterion and, in hexadecimal, one thing that it names.
type holdTerm [2]string

func criteriaOf(m vault.HoldMatch) (criteria, error) {
	c := criteria{to: forever, bySent: m.BySent, terms: []holdTerm{}}
	if !m.From.IsZero() {
		c.from = micros(m.From)
	}
	if !m.To.IsZero() {
		c.to = micros(m.To)
	}
	c.bySubject = c.digests("subject", m.Subjects)
	c.byLookup = c.digests("lookup", m.Lookups)
	c.byScope = c.digests("scope", m.Scopes)
	c.byEntity = c.names("entity", m.Entities)
	c.byClass = c.names("class", m.Classes)
	c.byDestination = c.names("destination", m.Destinations)
	switch {
	case !storable(m.Entities...), !storable(m.Classes...), !storable(m.Destinations...):
		return criteria{}, fmt.Errorf("%w: a hold names what cannot be stored", ErrMalformed)
	case len(c.terms) > vault.MaxHoldTerms:
		return criteria{}, fmt.Errorf("%w: a hold names too much", ErrMalformed)
	case len(c.terms) == 0 && m.From.IsZero() && m.To.IsZero():
		return criteria{}, fmt.Errorf("%w: a hold is about nothing", ErrMalformed)
	case c.from >= c.to:
		return criteria{}, fmt.Errorf("%w: a hold ends before it begins", ErrMalformed)
	}
	slices.SortFunc(c.terms, func(a, b holdTerm) int { return slices.Compare(a[:], b[:]) })
	c.terms = slices.Compact(c.terms)
	return c, nil
}

func (c *criteria) digests(field string, digests []vault.Digest) (set bool) {
	for _, d := range digests {
		c.terms = append(c.terms, holdTerm{field, hex.EncodeToString(d[:])})
	}
	return len(digests) > 0
}

func (c *criteria) names(field string, names []string) (set bool) {
	for _, name := range names {
		c.terms = append(c.terms, holdTerm{field, hex.EncodeToString([]byte(name))})
	}
	return len(names) > 0
}

// placeHold writes a hold, and touches nothing of what it is about.
func (b *batch) placeHold(id string, h vault.Hold) error {
	if !storable(id, h.Matter, h.Reference, h.Custodian) {
		return fmt.Errorf("%w: a hold", ErrMalformed)
	}
	c, err := criteriaOf(h.Match)
	if err != nil {
		return err
	}
	if _, err := b.exec(sqlInsertHold, b.tenant, id, h.Matter, h.Reference, h.Custodian,
		c.bySubject, c.byLookup, c.byScope, c.byEntity, c.byClass, c.byDestination, c.bySent, c.from, c.to,
		h.ExistingOnly, h.Backups, instant(h.ReviewBy), b.now); err != nil {
		return err
	}
	_, err = b.exec(sqlInsertHoldTerms, b.tenant, id, encode(c.terms))
	return err
}

// reviewHold says when a standing hold has to be looked at again.
func (b *batch) reviewHold(r vault.ReviewHold) error {
	return b.changeHold(sqlReviewHold, r.ID, instant(r.ReviewBy))
}

// releaseHold ends a hold.
func (b *batch) releaseHold(r vault.ReleaseHold) error {
	return b.changeHold(sqlReleaseHold, r.ID, b.now)
}

// changeHold changes a hold, if it stands.
func (b *batch) changeHold(text, id string, to any) error {
	missing := fmt.Errorf("sqlite: no such hold stands: %w", vault.ErrConflict)
	if !storable(id) {
		return missing
	}
	return b.mustChange(missing, text, b.tenant, id, to)
}

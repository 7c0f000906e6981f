package postgres

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlErasureStands = `
SELECT e.subject, e.subject_ref, e.erased_at FROM erasures AS e
WHERE e.tenant = $1 AND e.erasure_id = $2 AND e.state = 'deferred'`
	sqlMoveValues = `
UPDATE mappings AS m SET key_id = r.key_to, sealed = r.sealed
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[]) AS r (scope_id, token_id, key_from, key_to, sealed)
WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id AND m.key_id = r.key_from`
	sqlMoveNames = `
UPDATE scopes AS s SET name_key_id = r.key_to, sealed_name = r.sealed
FROM unnest($2::text[], $3::text[], $4::text[], $5::bytea[]) AS r (scope_id, key_from, key_to, sealed)
WHERE s.tenant = $1 AND s.scope_id = r.scope_id AND s.name_key_id = r.key_from`
	// How many values and names are under keys.
	sqlLeftUnder = `
SELECT (SELECT count(*) FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = ANY ($2::text[])),
    (SELECT count(*) FROM scopes AS s WHERE s.tenant = $1 AND s.name_key_id = ANY ($2::text[]))`
	// Of a subject's values that stay: those to be restricted, which are about
	// nobody else and held, and those that are to be about the others alone.
	sqlErasingRest = `
SELECT m.scope_id, m.token_id, m.alone` + tied + `
WHERE m.created_at <= $3 AND (m.alone AND m.kept AND m.state = 'live' OR NOT m.alone AND NOT m.kept)
    AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL`
	sqlRestrict = `
UPDATE mappings AS m SET state = 'restricted'
FROM unnest($2::text[], $3::text[]) AS r (scope_id, token_id)
WHERE m.tenant = $1 AND m.scope_id = r.scope_id AND m.token_id = r.token_id AND m.state = 'live'`
	sqlUntie = `
DELETE FROM mapping_subjects AS l USING unnest($3::text[], $4::text[]) AS r (scope_id, token_id)
WHERE l.tenant = $1 AND l.scope_id = r.scope_id AND l.token_id = r.token_id AND l.subject_ref = $2`
	// Of values by token, those that are linked to a subject.
	sqlLinkedTo = `
SELECT l.subject_ref FROM unnest($2::text[], $3::text[], $4::text[]) AS r (scope_id, token_id, subject_ref)
CROSS JOIN LATERAL (
    SELECT l.subject_ref FROM mapping_subjects AS l
    WHERE l.tenant = $1 AND l.scope_id = r.scope_id AND l.token_id = r.token_id AND l.subject_ref = r.subject_ref LIMIT 1) AS l`
	sqlForgetSubject = `
DELETE FROM subjects WHERE tenant = $1 AND digest = $2 AND subject_ref = $3`
)

// erasure is one Erase on its way.
type erasure struct {
	*batch
	vault.Erase
	id    string
	keeps *int64 // until when what goes is kept out
	until int64  // values that were made later stay
	found *erasing
	rest  untied
}

// untied are values of the subject that stay: those to be restricted, and those
// that are about others.
type untied struct{ restrict, untie []place }

// erase destroys what goes with a subject. Survivors are moved first; then it is
// counted whether all that is left under the keys goes, and whether these are
// all the keys that have to. So it takes two or three round trips of its own, of
// which the first is as long as there are values of the subject, and deletes no
// value: the rows of what went are for the sweep.
func (b *batch) erase(p *pipeline, changeID string, effect vault.Erase) (vault.Outcome, error) {
	e := &erasure{batch: b, Erase: effect, id: changeID, until: b.now, found: newErasing()}
	if err := e.begins(); err != nil {
		return vault.Outcome{}, err
	}
	fresh, err := e.freshKeys()
	if err != nil {
		return vault.Outcome{}, err
	}
	if e.Erasure.SubjectRef == "" {
		return vault.Outcome{}, e.conclude(p, vault.ErasureCounts{})
	}
	if err := e.move(fresh); err != nil {
		return vault.Outcome{}, err
	}
	if e.found.deferred+e.found.shared > 0 {
		if err := e.readRest(); err != nil {
			return vault.Outcome{}, err
		}
	}
	counts := vault.ErasureCounts{
		Erased: e.found.goes, Shared: e.found.shared, Deferred: e.found.deferred,
		Keys: len(e.Keys), Rekeyed: len(e.Reseal) + len(e.Names),
	}
	e.release(p, fresh)
	if err := e.conclude(p, counts); err != nil {
		return vault.Outcome{}, err
	}
	e.destroy(p)
	return vault.Outcome{Erased: counts}, nil
}

// begins judges whether the erasure may begin, or go on.
func (e *erasure) begins() error {
	wanted := e.Erasure
	if !storable(wanted.SubjectRef) || len(wanted.SubjectRef) > maxID || !storable(e.Keys...) ||
		wanted.SubjectRef == "" && len(e.Keys)+len(e.Fresh)+len(e.Reseal)+len(e.Names) > 0 {
		return fmt.Errorf("%w: an erasure", ErrMalformed)
	}
	ref, known := e.image.subjects[wanted.Subject]
	other := fmt.Errorf("postgres: the subject is another one now: %w", vault.ErrConflict)
	if wanted.ID == "" {
		id := wanted.Identity
		if !spelt(wanted.Reference, wanted.Regime, id.Method, id.Reference, id.VerifiedBy) {
			return fmt.Errorf("%w: an erasure", ErrMalformed)
		}
		if (known || wanted.SubjectRef != "") && (!known || ref != wanted.SubjectRef) && !e.hooks.skips(guardErased) {
			return other
		}
		if e.Request != nil && e.Request.ID != "" {
			e.id = e.Request.ID
		}
		var err error
		e.keeps, err = e.suppresses()
		return err
	}
	if e.Request != nil {
		return fmt.Errorf("%w: an erasure that goes on has its request", ErrMalformed)
	}
	stands, deferred := e.image.erasures[wanted.ID]
	if !deferred && !e.hooks.skips(guardDeferred) {
		return fmt.Errorf("postgres: no such erasure is deferred: %w", vault.ErrConflict)
	}
	// Another erasure of the person may have come to its end before: then
	// nothing is linked to the subject, whose row is gone.
	if deferred && (stands.subject != wanted.Subject || stands.subjectRef != wanted.SubjectRef) ||
		(!known || ref != wanted.SubjectRef) && e.image.refs[wanted.SubjectRef] {
		return other
	}
	e.id, e.until = wanted.ID, stands.erasedAt
	return nil
}

// freshKeys are those that seal something, with how much. A key that seals
// nothing is not kept.
func (e *erasure) freshKeys() ([]*keyRow, error) {
	byID := make(map[string]*keyRow, len(e.Fresh))
	for _, k := range e.Fresh {
		if byID[k.ID] != nil || e.image.keys[k.ID] != nil || !named(k.ID) || !wrappable(k.Wrapped) ||
			!storable(k.ScopeID, k.SubjectRef) || (k.ScopeID == "") == (k.SubjectRef == "") || len(k.SubjectRef) > maxID {
			return nil, fmt.Errorf("%w: a fresh key", ErrMalformed)
		}
		if err := e.insertable(k.ID, k.Wrapped.Version); err != nil {
			return nil, err
		}
		byID[k.ID] = &keyRow{id: k.ID, scopeID: k.ScopeID, subjectRef: k.SubjectRef, fresh: true, wrapped: k.Wrapped}
	}
	goes := make(map[string]bool, len(e.Keys))
	for _, id := range e.Keys {
		goes[id] = true
	}
	var used []*keyRow
	// As in a tokenize, names do not count.
	seal := func(scopeID, from, to string, sealed []byte, isName bool) error {
		key := byID[to]
		switch {
		case !goes[from]:
			return fmt.Errorf("postgres: what is to be sealed anew has a key that stays: %w", vault.ErrConflict)
		case key == nil, len(sealed) == 0, !e.hooks.skips(guardHeir) && (key.scopeID != "" || isName) && key.scopeID != scopeID:
			return fmt.Errorf("%w: what is to be sealed anew", ErrMalformed)
		case key.scopeID != "" && !isName && key.sealed >= vault.MaxSealsPerKey:
			return fmt.Errorf("%w: a fresh key that is full", ErrMalformed)
		}
		if !key.counted {
			key.counted = true
			used = append(used, key)
		}
		if !isName {
			key.sealed++
		}
		return nil
	}
	for _, r := range e.Reseal {
		if err := seal(r.ScopeID, r.From, r.To, r.Sealed, false); err != nil {
			return nil, err
		}
	}
	for _, n := range e.Names {
		if err := seal(n.ScopeID, n.From, n.To, n.Sealed, true); err != nil {
			return nil, err
		}
	}
	return used, nil
}

// move seals the survivors under their new keys, and judges what is left.
func (e *erasure) move(fresh []*keyRow) error {
	changed := fmt.Errorf("postgres: something is not as it was planned: %w", vault.ErrConflict)
	for _, r := range e.Reseal {
		if !storable(r.ScopeID, r.TokenID) {
			return changed
		}
	}
	p := e.pipeline()
	e.reseal(p, fresh, changed)
	e.found.read(p, e.tenant, e.Erasure.SubjectRef, e.until)
	var values, names int
	p.each(sqlLeftUnder, func(rows pgx.Rows) error { return scan(rows, &values, &names) }, e.tenant, list(e.Keys))
	if err := e.run(p, 0); err != nil {
		return err
	}
	if !e.planned(fresh) && !e.hooks.skips(guardPlanned) {
		return changed
	}
	if (values != e.found.goes || names > 0) && !e.hooks.skips(guardSurvivors) {
		return changed
	}
	return nil
}

// reseal adds the statements that seal the survivors under their new keys.
func (e *erasure) reseal(p *pipeline, fresh []*keyRow, changed error) {
	e.writeKeys(p, fresh)
	if len(e.Reseal) > 0 {
		p.change(len(e.Reseal), changed, sqlMoveValues, e.tenant,
			column(e.Reseal, func(r vault.Resealed) string { return r.ScopeID }),
			column(e.Reseal, func(r vault.Resealed) string { return r.TokenID }),
			column(e.Reseal, func(r vault.Resealed) string { return r.From }),
			column(e.Reseal, func(r vault.Resealed) string { return r.To }),
			column(e.Reseal, func(r vault.Resealed) []byte { return r.Sealed }))
	}
	if len(e.Names) > 0 {
		p.change(len(e.Names), changed, sqlMoveNames, e.tenant,
			column(e.Names, func(n vault.ResealedName) string { return n.ScopeID }),
			column(e.Names, func(n vault.ResealedName) string { return n.From }),
			column(e.Names, func(n vault.ResealedName) string { return n.To }),
			column(e.Names, func(n vault.ResealedName) []byte { return n.Sealed }))
	}
}

// planned tells whether the keys are those that have to go. Were a value that
// goes among the survivors, its fresh key would be one of them.
func (e *erasure) planned(fresh []*keyRow) bool {
	required := make(map[string]bool, len(e.found.keys.items))
	for _, id := range e.found.keys.items {
		required[id] = true
	}
	for _, k := range fresh {
		if e.found.under[k.id] == 0 {
			delete(required, k.id)
		}
	}
	for _, id := range e.Keys {
		if !required[id] {
			return false // not one of them, or named twice
		}
		delete(required, id)
	}
	return len(required) == 0
}

func (e *erasure) readRest() error {
	p := e.pipeline()
	p.each(sqlErasingRest, func(rows pgx.Rows) error {
		var at place
		var isAlone bool
		if err := scan(rows, &at.scopeID, &at.tokenID, &isAlone); err != nil {
			return err
		}
		if isAlone {
			e.rest.restrict = append(e.rest.restrict, at)
		} else {
			e.rest.untie = append(e.rest.untie, at)
		}
		return nil
	}, e.tenant, e.Erasure.SubjectRef, e.until)
	return e.run(p, 0)
}

// release adds the statements that restrict what stays, and that destroy ties.
func (e *erasure) release(p *pipeline, fresh []*keyRow) {
	scopeID := func(t place) string { return t.scopeID }
	tokenID := func(t place) string { return t.tokenID }
	if n := len(e.rest.restrict); n > 0 {
		p.change(n, errNotWritten, sqlRestrict, e.tenant, column(e.rest.restrict, scopeID), column(e.rest.restrict, tokenID))
	}
	if n := len(e.rest.untie); n > 0 {
		p.change(n, errNotWritten, sqlUntie, e.tenant, e.Erasure.SubjectRef, column(e.rest.untie, scopeID), column(e.rest.untie, tokenID))
	}
	e.checkOwners(p, fresh)
}

// destroy adds the statements that destroy the keys, of which the tombstones are
// written before, and the row of the subject.
func (e *erasure) destroy(p *pipeline) {
	if len(e.Keys) > 0 {
		p.change(len(e.Keys), errNotWritten, sqlDestroyKeys, e.tenant, e.Keys)
		p.exec(sqlDestroyIdentifiers, e.tenant, e.Keys)
		e.tellGone(p, e.Keys)
	}
	stays := e.found.deferred + e.found.younger
	if _, known := e.image.subjects[e.Erasure.Subject]; known && stays == 0 {
		p.exec(sqlForgetSubject, e.tenant, e.Erasure.Subject[:], e.Erasure.SubjectRef)
	}
}

// checkOwners refuses a survivor under the key of a subject that it is not
// linked to, once ties are as they are to be: erasing that one would destroy it.
func (e *erasure) checkOwners(p *pipeline, fresh []*keyRow) {
	of := make(map[string]string)
	for _, k := range fresh {
		of[k.id] = k.subjectRef
	}
	theirs := slices.DeleteFunc(slices.Clone(e.Reseal), func(r vault.Resealed) bool { return of[r.To] == "" })
	if len(theirs) == 0 || e.hooks.skips(guardHeir) {
		return
	}
	strangers := fmt.Errorf("%w: a fresh key of another subject", ErrMalformed)
	p.change(len(theirs), strangers, sqlLinkedTo, e.tenant,
		column(theirs, func(r vault.Resealed) string { return r.ScopeID }),
		column(theirs, func(r vault.Resealed) string { return r.TokenID }),
		column(theirs, func(r vault.Resealed) string { return of[r.To] }))
}

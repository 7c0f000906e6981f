package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// What an erasure is about never changes; what came of it is as it was last.
	sqlReplaceErasure = `
INSERT INTO erasures (tenant, erasure_id, subject, subject_ref, reference, regime, identity_method, identity_reference,
    verified_by, verified_at, state, erased_at, completed_at, erased, shared, deferred, keys, rekeyed, suppress_until, final_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (tenant, erasure_id) DO UPDATE SET subject = excluded.subject, state = excluded.state,
    completed_at = excluded.completed_at, erased = excluded.erased, shared = excluded.shared, deferred = excluded.deferred,
    keys = excluded.keys, rekeyed = excluded.rekeyed, suppress_until = excluded.suppress_until, final_at = excluded.final_at`
	sqlReplaceErasedAt = `
INSERT INTO erasure_destinations (tenant, erasure_id, destination, mappings, first_sent, last_sent)
SELECT $1, $2, r.destination, r.mappings, r.first_sent, r.last_sent
FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[]) AS r (destination, mappings, first_sent, last_sent)
ON CONFLICT (tenant, erasure_id, destination) DO UPDATE SET mappings = excluded.mappings,
    first_sent = excluded.first_sent, last_sent = excluded.last_sent`
	// One that is there already is as it was written then.
	sqlBury = `
INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, wrap_version, rekeyed)
SELECT $1, r.key_id, $2, r.erased_at, r.wrap_version, r.rekeyed
FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::boolean[]) AS r (key_id, erased_at, wrap_version, rekeyed)
ON CONFLICT (tenant, key_id) DO NOTHING`
	// Of the subject's values those that stand and are not under a key of the
	// subject were about others too, and are about these alone.
	sqlUntieReplayed = `
DELETE FROM mapping_subjects AS l USING (
    SELECT m.scope_id, m.token_id FROM (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = $1 AND l.subject_ref = $2 OFFSET 0) AS q
    CROSS JOIN LATERAL (
        SELECT m.scope_id, m.token_id, m.key_id, m.created_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = q.scope_id AND m.token_id = q.token_id LIMIT 1) AS m
    CROSS JOIN LATERAL (
        SELECT k.subject_ref FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) AS k
    WHERE m.created_at <= $3 AND k.subject_ref IS DISTINCT FROM $2 OFFSET 0) AS r
WHERE l.tenant = $1 AND l.scope_id = r.scope_id AND l.token_id = r.token_id AND l.subject_ref = $2`
	// A row stays where something stands that came after the erasure.
	sqlForgetReplayed = `
DELETE FROM subjects AS p WHERE p.tenant = $1 AND p.subject_ref = $2 AND (
    SELECT m.token_id FROM (
        SELECT l.scope_id, l.token_id FROM mapping_subjects AS l WHERE l.tenant = $1 AND l.subject_ref = $2 OFFSET 0) AS q
    CROSS JOIN LATERAL (
        SELECT m.token_id, m.key_id, m.created_at FROM mappings AS m
        WHERE m.tenant = $1 AND m.scope_id = q.scope_id AND m.token_id = q.token_id LIMIT 1) AS m
    WHERE m.created_at > $3
        AND (SELECT k.key_id FROM data_keys AS k WHERE k.tenant = $1 AND k.key_id = m.key_id LIMIT 1) IS NOT NULL
    LIMIT 1) IS NULL`
)

// replay asks which of the keys stand.
func (w *wanted) replay(e *vault.Replay) {
	w.freshKeys(e.Fresh)
	for _, t := range e.Buried {
		if storable(t.KeyID) {
			w.keys.add(t.KeyID)
		}
	}
}

// replay erases again. What stays is sealed anew first, as for an erasure; all
// else under the keys goes with them, held or not: it went before.
func (b *batch) replay(p *pipeline, r vault.Replay) error {
	e := &erasure{batch: b, id: r.Erasure.ID, until: micros(r.Erasure.ErasedAt), Erase: vault.Erase{
		Erasure: r.Erasure, Fresh: r.Fresh, Reseal: r.Reseal, Names: r.Names,
	}}
	buried, err := e.bury(r.Buried)
	if err != nil {
		return err
	}
	fresh, err := e.freshKeys()
	if err != nil {
		return err
	}
	changed := fmt.Errorf("postgres: something is not as it was planned: %w", vault.ErrConflict)
	for _, s := range r.Reseal {
		if !storable(s.ScopeID, s.TokenID) {
			return changed
		}
	}
	first := e.pipeline()
	e.reseal(first, fresh, changed)
	e.checkOwners(first, fresh)
	e.replace(first)
	if len(buried) > 0 {
		first.exec(sqlBury, e.tenant, e.id,
			column(buried, func(t vault.Tombstone) string { return t.KeyID }),
			column(buried, func(t vault.Tombstone) int64 { return micros(t.At) }),
			column(buried, func(t vault.Tombstone) int64 { return int64(t.WrapVersion) }),
			column(buried, func(t vault.Tombstone) bool { return t.Rekeyed }))
	}
	if len(e.Keys) > 0 {
		first.change(len(e.Keys), errNotWritten, sqlDestroyKeys, e.tenant, e.Keys)
		first.exec(sqlDestroyIdentifiers, e.tenant, e.Keys)
		e.tellGone(first, e.Keys)
	}
	if err := e.run(first, 0); err != nil {
		return err
	}
	return e.settle(p)
}

// bury finds the keys that stand, and has each tombstone once.
func (e *erasure) bury(all []vault.Tombstone) (buried []vault.Tombstone, err error) {
	w := e.Erasure
	id := w.Identity
	if !named(w.ID) || !storable(w.SubjectRef) || len(w.SubjectRef) > maxID ||
		!spelt(w.Reference, w.Regime, id.Method, id.Reference, id.VerifiedBy) {
		return nil, fmt.Errorf("%w: an erasure", ErrMalformed)
	}
	fresh, seen := make(map[string]bool), make(map[string]bool)
	for _, k := range e.Fresh {
		fresh[k.ID] = true
	}
	for _, t := range all {
		if !named(t.KeyID) || fresh[t.KeyID] {
			return nil, fmt.Errorf("%w: a tombstone", ErrMalformed)
		}
		if seen[t.KeyID] {
			continue
		}
		seen[t.KeyID] = true
		buried = append(buried, t)
		if e.image.keys[t.KeyID] != nil {
			e.Keys = append(e.Keys, t.KeyID)
		}
	}
	return buried, nil
}

// replace adds the statements that write the erasure as it stood.
func (e *erasure) replace(p *pipeline) {
	w, c := e.Erasure, e.Erasure.Counts
	var subject []byte
	if w.State == vault.ErasureDeferred {
		subject = w.Subject[:]
	}
	p.change(1, errNotWritten, sqlReplaceErasure, e.tenant, e.id, subject, w.SubjectRef, w.Reference, w.Regime,
		w.Identity.Method, w.Identity.Reference, w.Identity.VerifiedBy, micros(w.Identity.At), string(w.State),
		micros(w.ErasedAt), optionalTime(w.CompletedAt), c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed,
		optionalTime(w.SuppressUntil), optionalTime(w.FinalAt))
	if len(w.Destinations) > 0 {
		p.exec(sqlReplaceErasedAt, e.tenant, e.id,
			column(w.Destinations, func(d vault.DestinationUse) string { return d.Destination }),
			column(w.Destinations, func(d vault.DestinationUse) int64 { return int64(d.Mappings) }),
			column(w.Destinations, func(d vault.DestinationUse) int64 { return micros(d.First) }),
			column(w.Destinations, func(d vault.DestinationUse) int64 { return micros(d.Last) }))
	}
}

// settle adds the statements on what stays of the subject. Where the erasure is
// deferred, what is of nobody else waits for its end, restricted.
func (e *erasure) settle(p *pipeline) error {
	ref := e.Erasure.SubjectRef
	if ref == "" {
		return nil
	}
	if e.Erasure.State == vault.ErasureCompleted {
		p.exec(sqlUntieReplayed, e.tenant, ref, e.until)
		p.exec(sqlForgetReplayed, e.tenant, ref, e.until)
		return nil
	}
	var waits []place
	read := e.pipeline()
	read.each(sqlRestrictable, func(rows pgx.Rows) error {
		var at place
		var isAlone bool
		err := scan(rows, &at.scopeID, &at.tokenID, &isAlone)
		if isAlone {
			waits = append(waits, at)
		}
		return err
	}, e.tenant, ref, e.until)
	if err := e.run(read, 0); err != nil {
		return err
	}
	e.setStates(p, waits, vault.MappingLive, vault.MappingRestricted)
	return nil
}

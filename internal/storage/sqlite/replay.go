package sqlite

import (
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlReplayErasure = `
INSERT INTO erasures (tenant, erasure_id, subject, subject_ref, reference, regime, identity_method, identity_reference,
    verified_by, verified_at, state, erased_at, completed_at, erased, shared, deferred, keys, rekeyed, suppress_until, final_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
ON CONFLICT (tenant, erasure_id) DO UPDATE SET subject = excluded.subject, subject_ref = excluded.subject_ref,
    reference = excluded.reference, regime = excluded.regime, identity_method = excluded.identity_method,
    identity_reference = excluded.identity_reference, verified_by = excluded.verified_by, verified_at = excluded.verified_at,
    state = excluded.state, erased_at = excluded.erased_at, completed_at = excluded.completed_at, erased = excluded.erased,
    shared = excluded.shared, deferred = excluded.deferred, keys = excluded.keys, rekeyed = excluded.rekeyed,
    suppress_until = excluded.suppress_until, final_at = excluded.final_at`
	sqlReplayDestination = `
INSERT INTO erasure_destinations (tenant, erasure_id, destination, mappings, first_sent, last_sent)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (tenant, erasure_id, destination) DO UPDATE SET mappings = excluded.mappings,
    first_sent = excluded.first_sent, last_sent = excluded.last_sent`
	sqlMoveBack = `
UPDATE mappings SET key_id = ?5, sealed = ?6
WHERE tenant = ?1 AND scope_id = ?2 AND token_id = ?3 AND key_id = ?4`
	sqlReplayKey = `
DELETE FROM data_keys WHERE tenant = ?1 AND key_id = ?2`
	sqlReplayTombstone = `
INSERT INTO tombstones (tenant, key_id, erasure_id, erased_at, wrap_version, rekeyed)
VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, key_id) DO NOTHING`
)

// replay does again what an erasure did after this copy of the data was made.
// What has to stay is moved first; the rest goes with its keys.
func (b *batch) replay(r vault.Replay) error {
	x := &erasing{batch: b, id: r.Erasure.ID, until: micros(r.Erasure.ErasedAt), fates: newFates(),
		Erase: vault.Erase{Erasure: r.Erasure, Fresh: r.Fresh, Reseal: r.Reseal, Names: r.Names}}
	buried := make(map[string]bool, len(r.Buried))
	for _, z := range r.Buried {
		if !storable(z.KeyID) || z.ErasureID != r.Erasure.ID {
			return fmt.Errorf("%w: a tombstone", ErrMalformed)
		}
		buried[z.KeyID] = true
	}
	if err := x.replayErasure(); err != nil {
		return err
	}
	if err := x.writeFresh(); err != nil {
		return err
	}
	if err := x.moveBack(buried); err != nil {
		return err
	}
	for _, z := range r.Buried {
		if err := b.replayTombstone(z); err != nil {
			return err
		}
	}
	if err := x.releaseAgain(); err != nil {
		return err
	}
	return x.owned()
}

// replayErasure keeps what the erasure had come to.
func (x *erasing) replayErasure() error {
	e := &x.Erasure
	if e.ID == "" || !storable(e.ID, e.SubjectRef, e.Reference, e.Regime, e.Identity.Method, e.Identity.Reference, e.Identity.VerifiedBy) {
		return fmt.Errorf("%w: an erasure", ErrMalformed)
	}
	var subject any
	if e.State != vault.ErasureCompleted {
		subject = e.Subject[:]
	}
	c := e.Counts
	if _, err := x.exec(sqlReplayErasure, x.tenant, e.ID, subject, e.SubjectRef, e.Reference, e.Regime, e.Identity.Method,
		e.Identity.Reference, e.Identity.VerifiedBy, micros(e.Identity.At), string(e.State), micros(e.ErasedAt), instant(e.CompletedAt),
		c.Erased, c.Shared, c.Deferred, c.Keys, c.Rekeyed, instant(e.SuppressUntil), instant(e.FinalAt)); err != nil {
		return err
	}
	for _, d := range e.Destinations {
		if !storable(d.Destination) {
			return fmt.Errorf("%w: a destination", ErrMalformed)
		}
		if _, err := x.exec(sqlReplayDestination, x.tenant, e.ID, d.Destination, d.Mappings, micros(d.First), micros(d.Last)); err != nil {
			return err
		}
	}
	return nil
}

// moveBack seals anew what has to stay of what the keys seal.
func (x *erasing) moveBack(buried map[string]bool) error {
	for _, r := range x.Reseal {
		if !buried[r.From] || !storable(r.ScopeID, r.TokenID) {
			return x.moved()
		}
		if err := x.mustChange(x.moved(), sqlMoveBack, x.tenant, r.ScopeID, r.TokenID, r.From, r.To, r.Sealed); err != nil {
			return err
		}
	}
	for _, n := range x.Names {
		if !buried[n.From] || !storable(n.ScopeID) {
			return x.moved()
		}
		if err := x.mustChange(x.moved(), sqlMoveName, x.tenant, n.ScopeID, n.From, n.To, n.Sealed); err != nil {
			return err
		}
	}
	return nil
}

// replayTombstone destroys a key, where it stands, with the names under it, and
// keeps that it was destroyed.
func (b *batch) replayTombstone(z vault.Tombstone) error {
	for _, text := range []string{sqlReplayKey, sqlDestroyName, sqlDestroyIdentifier} {
		if _, err := b.exec(text, b.tenant, z.KeyID); err != nil {
			return err
		}
	}
	_, err := b.exec(sqlReplayTombstone, b.tenant, z.KeyID, z.ErasureID, micros(z.At), z.WrapVersion, z.Rekeyed)
	return err
}

// releaseAgain gives what is about others too to them alone, and restricts what
// a hold still keeps. Once it was all done, nothing says who it was.
func (x *erasing) releaseAgain() error {
	ref := x.Erasure.SubjectRef
	if ref == "" {
		return nil
	}
	for _, text := range []string{sqlRestrictHeld, sqlUntieShared} {
		if _, err := x.exec(text, x.tenant, ref, x.until); err != nil {
			return err
		}
	}
	if x.Erasure.State != vault.ErasureCompleted {
		return nil
	}
	if _, err := x.exec(sqlForgetSubject, x.tenant, ref); err != nil {
		return err
	}
	return x.completeRequest(x.id)
}

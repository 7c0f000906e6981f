package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// What commits alone is judged by the statements that do it: each changes as
// many rows as were named, or the transaction ends and the change has failed.
const (
	sqlInsertTenant = `
INSERT INTO tenants (tenant, created_at) VALUES ($1, $2) ON CONFLICT (tenant) DO NOTHING`
	sqlInsertTenantKeys = `
INSERT INTO tenant_keys (tenant, key_id, purpose, version, wrapped, wrap_version, public, created_at)
SELECT $1, r.key_id, r.purpose, r.version, r.wrapped, r.wrap_version, r.public, $2
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bigint[], $8::text[])
    AS r (key_id, purpose, version, wrapped, wrap_version, public)`
	sqlDestroyKeys = `
DELETE FROM data_keys WHERE tenant = $1 AND key_id = ANY ($2::text[])`
	sqlDestroySealed = `
DELETE FROM mappings WHERE tenant = $1 AND key_id = ANY ($2::text[])`
	sqlDestroyNames = `
UPDATE scopes SET sealed_name = NULL, name_key_id = NULL WHERE tenant = $1 AND name_key_id = ANY ($2::text[])`
	sqlDestroyIdentifiers = `
UPDATE subjects SET sealed_identifier = NULL, key_id = NULL WHERE tenant = $1 AND key_id = ANY ($2::text[])`
	sqlDestroyNotes = `
DELETE FROM subject_request_notes WHERE tenant = $1 AND key_id = ANY ($2::text[])`
	// What was closed stays closed.
	sqlSetState = `
UPDATE log_heads SET state = $2 WHERE tenant = $1 AND state <> $2 AND state <> 'closed'`
	sqlRaiseWrap = `
UPDATE log_heads SET min_wrap_version = $2 WHERE tenant = $1 AND min_wrap_version < $2`
	sqlRewrapDataKeys = `
UPDATE data_keys AS k SET wrapped = r.wrapped, wrap_version = r.version
FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::bigint[]) AS r (key_id, was, wrapped, version)
WHERE k.tenant = $1 AND k.key_id = r.key_id AND k.wrap_version = r.was`
	sqlRewrapTenantKeys = `
UPDATE tenant_keys AS k SET wrapped = r.wrapped, wrap_version = r.version
FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::bigint[]) AS r (key_id, was, wrapped, version)
WHERE k.tenant = $1 AND k.key_id = r.key_id AND k.wrap_version = r.was`
)

// act adds the statements of a change that commits alone. What it fails with is
// the change's own failure.
type act func(p *pipeline) (vault.Outcome, error)

// silent is an act whose outcome is of no interest.
func silent(do func(p *pipeline) error) act {
	return func(p *pipeline) (vault.Outcome, error) { return vault.Outcome{}, do(p) }
}

// alone is what a change that shares no commit does; nil for those that share.
func (b *batch) alone(changes []vault.Change) act {
	switch e := changes[0].Effect().(type) {
	case vault.Provision:
		return silent(func(p *pipeline) error { return b.provision(p, e) })
	case vault.Sweep:
		return silent(func(p *pipeline) error { return b.sweep(p, e) })
	case vault.DestroyKeys:
		return silent(func(p *pipeline) error { return b.destroyKeys(p, e) })
	case vault.SetTenant:
		return silent(func(p *pipeline) error { return b.setTenant(p, e) })
	case vault.RaiseWrapMinimum:
		return silent(func(p *pipeline) error { return b.raiseWrapMinimum(p, e) })
	case vault.Rewrap:
		return silent(func(p *pipeline) error { return b.rewrap(p, e) })
	case vault.RotateLogKey:
		return silent(func(p *pipeline) error { return b.rotateLogKey(p, e.Key) })
	case vault.PlaceHold:
		return silent(func(p *pipeline) error { return b.placeHold(p, changes[0].ID(), e.Hold) })
	case vault.ReviewHold:
		return silent(func(p *pipeline) error { return b.reviewHold(p, e) })
	case vault.ReleaseHold:
		return silent(func(p *pipeline) error { return b.releaseHold(p, e) })
	case vault.CloseScope:
		return silent(func(p *pipeline) error { return b.closeScope(p, e) })
	case vault.Erase:
		return func(p *pipeline) (vault.Outcome, error) { return b.erase(p, changes[0].ID(), e) }
	case vault.LinkSubject:
		return func(*pipeline) (vault.Outcome, error) { return b.linkSubject(e) }
	case vault.UnlinkSubject:
		return func(*pipeline) (vault.Outcome, error) { return b.unlinkSubject(e) }
	default:
		return b.ofRights(changes[0])
	}
}

// ofRights is what a change does that is about what a person asks for, about what
// is left of what was erased, or about what people come back to.
func (b *batch) ofRights(c vault.Change) act {
	switch e := c.Effect().(type) {
	case vault.OpenRequest:
		return silent(func(p *pipeline) error { return b.openRequest(p, c.ID(), &e.Request) })
	case vault.UpdateRequest:
		return silent(func(p *pipeline) error { return b.updateRequest(p, &e.Request) })
	case vault.NoteRequest:
		return silent(func(p *pipeline) error { return b.noteRequest(p, c.ID(), e) })
	case vault.Restrict:
		return func(*pipeline) (vault.Outcome, error) { return b.restrict(e) }
	case vault.LiftRestriction:
		return func(*pipeline) (vault.Outcome, error) { return b.liftRestriction(e) }
	case vault.RetireVersions:
		return silent(func(p *pipeline) error { return b.retireVersions(p, e) })
	case vault.Finality:
		return func(*pipeline) (vault.Outcome, error) { return b.final(e) }
	case vault.Replay:
		return silent(func(p *pipeline) error { return b.replay(p, e) })
	case vault.Move:
		return silent(func(p *pipeline) error { return b.moveValues(p, e) })
	case vault.OpenProceeding:
		return silent(func(*pipeline) error { return b.open(c.ID(), e.Proceeding) })
	case vault.ChangeProceedings:
		return silent(func(p *pipeline) error { return b.changeProceedings(p, e) })
	default:
		return nil
	}
}

// changeAlone gives a change its statements and its entries. There is nothing
// to undo: where it fails the transaction ends.
func (b *batch) changeAlone(c vault.Change, do act, p *pipeline) (vault.Committed, error) {
	if err := b.admit(c); err != nil {
		return vault.Committed{}, err
	}
	if err := b.redeem(c.Redeems()); err != nil {
		return vault.Committed{}, err
	}
	if err := b.claim(c.Claim()); err != nil {
		return vault.Committed{}, err
	}
	outcome, err := do(p)
	if err != nil {
		return vault.Committed{}, err
	}
	if err := b.ride(c, outcome); err != nil {
		return vault.Committed{}, err
	}
	b.write(p) // what rides along, and a subject that is made
	return b.append(c, outcome)
}

// provision makes a tenant with its keys. Its log is made by the first entry.
func (b *batch) provision(p *pipeline, e vault.Provision) error {
	for _, k := range e.Keys {
		if !named(k.ID) || !storable(k.Public) {
			return fmt.Errorf("%w: a key of the tenant", ErrMalformed)
		}
	}
	taken := fmt.Errorf("postgres: the tenant exists: %w", vault.ErrConflict)
	p.change(1, taken, sqlInsertTenant, b.tenant, b.now)
	if len(e.Keys) == 0 {
		return nil
	}
	p.change(len(e.Keys), errNotWritten, sqlInsertTenantKeys, b.tenant, b.now,
		column(e.Keys, func(k vault.TenantKey) string { return k.ID }),
		column(e.Keys, func(k vault.TenantKey) string { return string(k.Purpose) }),
		column(e.Keys, func(k vault.TenantKey) int64 { return int64(k.Version) }),
		column(e.Keys, func(k vault.TenantKey) []byte { return k.Wrapped.Bytes }),
		column(e.Keys, func(k vault.TenantKey) int64 { return int64(k.Wrapped.Version) }),
		column(e.Keys, func(k vault.TenantKey) string { return k.Public }))
	return nil
}

// destroyKeys destroys data keys and everything that they seal: values with
// their rows, notes, the names of scopes and identifiers of subjects. Where a hold
// keeps any of the values, nothing.
func (b *batch) destroyKeys(p *pipeline, d vault.DestroyKeys) error {
	gone := fmt.Errorf("postgres: a key is not there: %w", vault.ErrConflict)
	if !storable(d.Keys...) {
		return gone
	}
	keys := list(d.Keys)
	kept := fmt.Errorf("postgres: a key seals what is held: %w", vault.ErrHeld)
	p.change(0, kept, sqlHeldUnder, b.tenant, keys)
	p.change(len(keys), gone, sqlDestroyKeys, b.tenant, keys)
	p.exec(sqlDestroySealed, b.tenant, keys)
	p.exec(sqlDestroyNames, b.tenant, keys)
	p.exec(sqlDestroyIdentifiers, b.tenant, keys)
	p.exec(sqlDestroyNotes, b.tenant, keys)
	b.tellGone(p, d.Keys)
	return nil
}

// setTenant suspends, resumes or closes the tenant. It commits alone, so no
// change after it in the queue meets the state before it.
func (b *batch) setTenant(p *pipeline, s vault.SetTenant) error {
	same := fmt.Errorf("postgres: the tenant is in that state, or closed: %w", vault.ErrConflict)
	p.change(1, same, sqlSetState, b.tenant, string(s.State))
	return nil
}

func (b *batch) raiseWrapMinimum(p *pipeline, r vault.RaiseWrapMinimum) error {
	lower := fmt.Errorf("postgres: the minimum is as high: %w", vault.ErrConflict)
	p.change(1, lower, sqlRaiseWrap, b.tenant, int64(r.Version))
	return nil
}

// rewrap replaces how keys are wrapped, data keys and tenant keys alike: ids
// are random, so an id is one of them only.
func (b *batch) rewrap(p *pipeline, r vault.Rewrap) error {
	changed := fmt.Errorf("postgres: a key is not as it was read: %w", vault.ErrConflict)
	for _, k := range r.Keys {
		if !storable(k.ID) {
			return changed
		}
		if err := b.writable(k.Wrapped.Version); err != nil {
			return err
		}
	}
	args := []any{
		b.tenant,
		column(r.Keys, func(k vault.RewrappedKey) string { return k.ID }),
		column(r.Keys, func(k vault.RewrappedKey) int64 { return int64(k.From) }),
		column(r.Keys, func(k vault.RewrappedKey) []byte { return k.Wrapped.Bytes }),
		column(r.Keys, func(k vault.RewrappedKey) int64 { return int64(k.Wrapped.Version) }),
	}
	left := int64(len(r.Keys))
	p.add(step{text: sqlRewrapDataKeys, count: func(n int64) error { left -= n; return nil }}, args)
	p.add(step{text: sqlRewrapTenantKeys, count: func(n int64) error {
		if left != n {
			return changed
		}
		return nil
	}}, args)
	return nil
}

// ids reads a column of identifiers, each once.
func ids(into *distinct[string]) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var id string
		err := scan(rows, &id)
		into.add(id)
		return err
	}
}

package vault

import (
	"context"
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// This file holds what the process does by itself. The background work of the
// lifecycle package calls it; nothing here is reachable for a caller.

// Sweep destroys one batch of what has expired in a tenant, with its entry,
// and tells whether there may be more. Expired is not restorable from the
// instant on, whether or not a sweep has run.
func (s *Service) Sweep(ctx context.Context, tenant string) (more bool, err error) {
	batch, err := s.registry.Expired(ctx, tenant, SweepBatch)
	if err != nil {
		return false, public(err)
	}
	return s.sweep(ctx, tenant, batch)
}

// SweepRecords forgets one batch of the service's own records: requests of
// persons that were closed as long ago as the policy keeps them, with their
// notes, and people whom nothing is about any more, with the callers' names for
// them. It tells whether there may be more.
func (s *Service) SweepRecords(ctx context.Context, tenant string) (more bool, err error) {
	batch, err := s.requests.StaleRecords(ctx, tenant, s.clock().Add(-s.rules().RequestsRetention()), SweepBatch)
	if err != nil {
		return false, public(err)
	}
	return s.sweep(ctx, tenant, batch)
}

// sweep destroys a batch, if all of it may still be destroyed.
func (s *Service) sweep(ctx context.Context, tenant string, batch Sweep) (more bool, err error) {
	if len(batch.Mappings)+len(batch.Tombstones)+len(batch.Keys)+len(batch.Scopes)+len(batch.Requests)+len(batch.Subjects) == 0 {
		return false, nil
	}
	entry := s.entry(Call{Channel: "lifecycle"}, audit.KindSweep, nil)
	entry.Counts = map[string]int{
		"mappings": len(batch.Mappings), "keys": len(batch.Keys), "scopes": len(batch.Scopes),
		"tombstones": len(batch.Tombstones), "requests": len(batch.Requests), "subjects": len(batch.Subjects),
	}
	entry.KeyIDs, entry.SubjectRefs = batch.Keys, batch.Subjects
	for _, m := range batch.Mappings {
		entry.Tokens = append(entry.Tokens, m.TokenID)
	}
	_, err = s.commit(ctx, tenant, batch, entry)
	if errors.Is(err, ErrConflict) {
		return true, nil // somebody used what had seemed idle: look again
	}
	if err != nil {
		return false, public(err)
	}
	for _, key := range batch.Keys {
		s.keys.Forget(tenant, key)
	}
	return true, nil
}

// ForgetKeys drops data keys of a tenant from memory that another replica has
// destroyed: all of its keys where none is named, and everybody's where there is
// no tenant. It is a help: a restoration checks in its commit that keys stand.
func (s *Service) ForgetKeys(tenant string, keys []string) {
	if tenant == "" || len(keys) == 0 {
		s.keys.Wipe() // what is needed is unwrapped again
		return
	}
	for _, key := range keys {
		s.keys.Forget(tenant, key)
	}
}

// PublishCheckpoint signs the head of a log, publishes it, and returns the
// anchor that is to be kept outside the store. The same head is not published
// twice.
func (s *Service) PublishCheckpoint(ctx context.Context, tenant string, after int64) (audit.Anchor, bool, error) {
	keys, err := s.tenants.get(ctx, tenant)
	if err != nil {
		return audit.Anchor{}, false, public(err)
	}
	tree, checkpoint, err := s.signedHead(ctx, tenant, keys)
	if err != nil || tree.Size <= after {
		return audit.Anchor{}, false, public(err)
	}
	if err := s.books.Note(ctx, tenant, Note{Kind: NoteCheckpoint, Order: tree.Size, Body: checkpoint}); err != nil {
		return audit.Anchor{}, false, public(err)
	}
	return audit.Anchor{
		Tenant: tenant, Size: tree.Size, Root: tree.Root,
		Time: s.clock().UTC().Truncate(time.Microsecond), Checkpoint: string(checkpoint),
	}, true, nil
}

// CheckAnchor refuses a store whose log is behind its anchor or another one:
// an older copy of the database, or a second history.
func (s *Service) CheckAnchor(ctx context.Context, anchor audit.Anchor) error {
	head, err := s.ledger.Head(ctx, anchor.Tenant)
	if err != nil {
		return public(err)
	}
	if head.Frontier.Size < anchor.Size {
		return Errorf(CodeConflict, "the log of %s has %d entries, its anchor says %d: this is an older copy of the data",
			anchor.Tenant, head.Frontier.Size, anchor.Size)
	}
	root, err := audit.RootAt(anchor.Size, func(level int, n int64) (audit.Hash, error) {
		return s.ledger.Node(ctx, anchor.Tenant, level, n)
	})
	if err != nil {
		return public(err)
	}
	if root != anchor.Root {
		return Errorf(CodeConflict, "the log of %s is not the one that its anchor names", anchor.Tenant)
	}
	return nil
}

// RecordStart and RecordStop say in the system's log that a replica began or
// ceased to serve, and under which policy.
func (s *Service) RecordStart(ctx context.Context) error {
	entry := s.entry(Call{Channel: "process"}, audit.KindServiceStart, nil)
	_, err := s.commit(ctx, SystemTenant, Record{}, entry)
	return public(err)
}

// RecordStop commits what is still counted, then the stop itself.
func (s *Service) RecordStop(ctx context.Context) error {
	flushed := s.FlushDenials(ctx, true)
	entry := s.entry(Call{Channel: "process"}, audit.KindServiceStop, nil)
	_, err := s.commit(ctx, SystemTenant, Record{}, entry)
	return errors.Join(flushed, public(err))
}

// KeyCache counts what the cache of plain data keys did.
func (s *Service) KeyCache() envelope.CacheStats { return s.keys.Stats() }

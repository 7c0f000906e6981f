package vault

import (
	"context"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// This file changes the signing key of a log. The old key vouches for the new one
// (audit.Handover), so that whoever trusts the old one may go on. What the old one
// signed stays good: receipts are kept for years.

// CountVersion is the count of an entry of kind log_rotate that holds the version
// of the new key.
const CountVersion = "version"

// RotateLogKey gives the log of a tenant a new signing key and returns it. The
// other replicas sign with it within seconds.
func (s *Service) RotateLogKey(ctx context.Context, call Call, tenant string) (LogKey, error) {
	s = s.under(call)
	stored, err := s.registry.TenantKeys(ctx, tenant)
	if err != nil {
		return LogKey{}, public(err)
	}
	before, found := newestLogKey(stored)
	if !found {
		return LogKey{}, Errorf(CodeNotFound, "the tenant has no log")
	}
	keys, err := s.tenants.load(ctx, tenant) // not what is remembered: another replica may have rotated
	if err != nil {
		return LogKey{}, public(err)
	}
	key, err := s.successor(ctx, tenant, keys.signer, before.Version)
	if err != nil {
		return LogKey{}, public(err)
	}
	entry := s.entry(call, audit.KindLogRotate, nil)
	entry.Decision = audit.Allow
	entry.KeyIDs = []string{before.ID, key.ID}
	entry.Counts = map[string]int{CountVersion: key.Version}
	committed, err := s.commit(ctx, tenant, RotateLogKey{Key: key}, entry)
	if err != nil {
		return LogKey{}, public(err)
	}
	s.tenants.forget(tenant)
	return LogKey{Version: key.Version, Key: key.Public, Since: committed.At, Handover: key.Handover}, nil
}

// successor makes the key after one, which vouches for it.
func (s *Service) successor(ctx context.Context, tenant string, from *audit.Signer, version int) (TenantKey, error) {
	secret := envelope.RandomSecret()
	defer secret.Wipe()
	to, err := audit.NewSigner(from.Origin(), secret.Reveal())
	if err != nil {
		return TenantKey{}, fmt.Errorf("vault: log key: %w", err)
	}
	head, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return TenantKey{}, err
	}
	root, err := head.Frontier.Root()
	if err != nil {
		return TenantKey{}, err
	}
	handover, err := audit.SignHandover(audit.TreeHead{Origin: from.Origin(), Size: head.Frontier.Size, Root: root}, from, to)
	if err != nil {
		return TenantKey{}, err
	}
	key := TenantKey{ID: NewID(), Purpose: PurposeLog, Version: version + 1, Public: to.VerifierKey(), Handover: string(handover)}
	key.Wrapped, err = envelope.WrapSecret(ctx, s.wrapper, tenant, envelope.PurposeLog, key.ID, secret)
	return key, err
}

// newestLogKey is the one that signs; stored is in the order of the registry.
func newestLogKey(stored []TenantKey) (TenantKey, bool) {
	for _, key := range stored {
		if key.Purpose == PurposeLog {
			return key, true
		}
	}
	return TenantKey{}, false
}

// SyncLogKeys forgets the keys of a log that has a newer one, as another replica or
// a command made it. What the older one still signs meanwhile is good.
func (s *Service) SyncLogKeys(ctx context.Context, tenant string) error {
	set := s.tenants.remembered(tenant)
	if set == nil {
		return nil
	}
	stored, err := s.registry.TenantKeys(ctx, tenant)
	if err != nil {
		return public(err)
	}
	if newest, found := newestLogKey(stored); found && newest.Public != set.signer.VerifierKey() {
		s.tenants.forget(tenant)
	}
	return nil
}

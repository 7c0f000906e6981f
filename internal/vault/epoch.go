package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// This file is the store's half of a key epoch: after the wrapping key of a
// tenant got a new version, RaiseWrapMinimum says that no key is written under
// an older one any more, and Rewrap moves what stands, batch by batch, while
// requests are served. Once nothing stands below the minimum, the old version
// can be destroyed by those who may.

// CountMinWrapVersion is the count of an entry of kind key_rotate that holds
// the new minimum.
const CountMinWrapVersion = "min_wrap_version"

// CountRetiredBelow is the count of entries of the kinds key_retire and finality
// that holds the oldest version that is left.
const CountRetiredBelow = "retired_below"

// EpochStatus says where a tenant stands in its key epoch.
type EpochStatus struct {
	Tenant         string
	MinWrapVersion int  // no key is written under an older one
	Current        int  // the version that wraps now
	Stale          int  // keys below the minimum that were counted, at most RewrapBatch
	More           bool // there are more stale keys than were counted
}

// EpochStatus tells where a tenant stands.
func (s *Service) EpochStatus(ctx context.Context, tenant string) (EpochStatus, error) {
	row, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return EpochStatus{}, public(err)
	}
	current, err := s.wrapper.Version(ctx, tenant)
	if err != nil {
		return EpochStatus{}, public(err)
	}
	stale, err := s.registry.StaleKeys(ctx, tenant, row.MinWrapVersion, RewrapBatch)
	if err != nil {
		return EpochStatus{}, public(err)
	}
	return EpochStatus{
		Tenant: tenant, MinWrapVersion: row.MinWrapVersion, Current: current,
		Stale: len(stale), More: len(stale) == RewrapBatch,
	}, nil
}

// RaiseWrapMinimum makes the current version of the wrapping key the oldest
// under which keys are written. It tells that version, and whether it rose.
func (s *Service) RaiseWrapMinimum(ctx context.Context, call Call, tenant string) (version int, raised bool, err error) {
	s = s.under(call)
	version, err = s.wrapper.Version(ctx, tenant)
	if err != nil {
		return 0, false, public(err)
	}
	entry := s.entry(call, audit.KindKeyRotate, nil)
	entry.Decision = audit.Allow
	entry.Counts = map[string]int{CountMinWrapVersion: version}
	_, err = s.commit(ctx, tenant, RaiseWrapMinimum{Version: version}, entry)
	if errors.Is(err, ErrConflict) {
		return version, false, nil
	}
	return version, err == nil, public(err)
}

// Rewrap moves one batch of a tenant's stale keys to the current version, with
// its entry, and tells how many it moved and whether there may be more. A key
// that does not open is left as it is and counted in the error: what it seals
// is lost, and somebody has to know before its version is destroyed.
func (s *Service) Rewrap(ctx context.Context, call Call, tenant string) (moved int, more bool, err error) {
	s = s.under(call)
	row, err := s.ledger.Head(ctx, tenant)
	if err != nil {
		return 0, false, public(err)
	}
	stale, err := s.registry.StaleKeys(ctx, tenant, row.MinWrapVersion, RewrapBatch)
	if err != nil || len(stale) == 0 {
		return 0, false, public(err)
	}
	wrapped := make([]envelope.Wrapped, len(stale))
	for i, k := range stale {
		wrapped[i] = k.Wrapped
	}
	anew, err := s.wrapper.Rewrap(ctx, tenant, wrapped)
	if err != nil {
		return 0, false, public(err)
	}
	effect, entry, broken := Rewrap{}, s.entry(call, audit.KindKeyRewrap, nil), 0
	for i, k := range stale {
		if anew[i].Err != nil {
			broken++
			continue
		}
		effect.Keys = append(effect.Keys, RewrappedKey{ID: k.ID, From: k.Wrapped.Version, Wrapped: anew[i].Wrapped})
		entry.KeyIDs = append(entry.KeyIDs, k.ID)
	}
	if len(effect.Keys) > 0 {
		oldest := effect.Keys[0].From
		for _, k := range effect.Keys {
			oldest = min(oldest, k.From)
		}
		entry.Counts = map[string]int{"keys": len(effect.Keys), CountOldestWrap: oldest}
		_, err = s.commit(ctx, tenant, effect, entry)
		if errors.Is(err, ErrConflict) {
			return 0, true, nil // one of them was destroyed meanwhile: look again
		}
		if err != nil {
			return 0, false, public(err)
		}
	}
	if broken > 0 {
		return len(effect.Keys), false, Errorf(CodeInternal, "%d keys of %s cannot be wrapped anew", broken, tenant)
	}
	return len(effect.Keys), len(stale) == RewrapBatch, nil
}

// wrapFloors remembers, per tenant, the version below which the store refused
// a key. The pool goes on handing out keys that were wrapped before.
type wrapFloors struct {
	mu    sync.Mutex
	floor map[string]int
}

func newWrapFloors() *wrapFloors { return &wrapFloors{floor: make(map[string]int)} }

// raise notes that a version was refused.
func (f *wrapFloors) raise(tenant string, refused int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor[tenant] = max(f.floor[tenant], refused+1)
}

func (f *wrapFloors) of(tenant string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.floor[tenant]
}

// refused notes the versions of keys that a commit refused with ErrWrapVersion.
func (s *Service) refused(tenant string, err error, keys []DataKey) {
	if !errors.Is(err, ErrWrapVersion) {
		return
	}
	for _, k := range keys {
		s.floors.raise(tenant, k.Wrapped.Version)
	}
}

// freshKey takes a key from the pool. One that was wrapped under a version that
// the store does not take any more is wrapped anew; the key, and all that it may
// have sealed, stays the same. Where that version is gone already the key is
// dropped, since it never sealed anything, and another one taken: what the pool
// wraps after that is of the version that is left.
func (s *Service) freshKey(ctx context.Context, tenant string) (fresh envelope.FreshKey, err error) {
	for range envelope.PoolKeys + 1 {
		fresh, err = s.pool.Take(ctx, tenant)
		if err != nil || fresh.Wrapped.Version >= s.floors.of(tenant) {
			return fresh, err
		}
		var anew []envelope.Rewrapped
		anew, err = s.wrapper.Rewrap(ctx, tenant, []envelope.Wrapped{fresh.Wrapped})
		if err == nil {
			err = anew[0].Err
		}
		if err == nil {
			fresh.Wrapped = anew[0].Wrapped
			return fresh, nil
		}
		fresh.Key.Wipe()
		if !errors.Is(err, envelope.ErrVersionGone) {
			break
		}
	}
	return envelope.FreshKey{}, fmt.Errorf("vault: wrap a fresh key anew: %w", err)
}

package vault

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// keySet holds a tenant's long-lived keys, opened.
type keySet struct {
	index        *envelope.IndexKey
	indexVersion int
	signer       *audit.Signer
	loaded       time.Time
}

// tenantKeys keeps index and log keys in memory for at most TenantKeyLife, so
// that no request waits for the key service in the steady state.
type tenantKeys struct {
	registry Registry
	wrapper  envelope.KeyWrapper
	prefix   string
	clock    func() time.Time

	mu   sync.Mutex
	sets map[string]*keySet
}

func newTenantKeys(r Registry, w envelope.KeyWrapper, prefix string, clock func() time.Time) *tenantKeys {
	return &tenantKeys{registry: r, wrapper: w, prefix: prefix, clock: clock, sets: make(map[string]*keySet)}
}

// get returns the keys of a tenant that exists. Two callers may load the same
// set at once; both sets are equal, and the later one stays.
func (t *tenantKeys) get(ctx context.Context, tenant string) (*keySet, error) {
	now := t.clock()
	t.mu.Lock()
	set := t.sets[tenant]
	t.mu.Unlock()
	if set != nil && now.Sub(set.loaded) < TenantKeyLife {
		return set, nil
	}
	set, err := t.load(ctx, tenant)
	if err != nil {
		return nil, err
	}
	set.loaded = now
	t.mu.Lock()
	t.sets[tenant] = set
	t.mu.Unlock()
	return set, nil
}

func (t *tenantKeys) load(ctx context.Context, tenant string) (*keySet, error) {
	stored, err := t.registry.TenantKeys(ctx, tenant)
	if err != nil {
		return nil, err
	}
	set := &keySet{}
	for _, key := range stored { // newest version first: the first of a purpose is in use
		switch {
		case key.Purpose == PurposeIndex && set.index == nil:
			err = set.openIndex(ctx, t.wrapper, tenant, key)
		case key.Purpose == PurposeLog && set.signer == nil:
			err = set.openSigner(ctx, t.wrapper, tenant, audit.Origin(t.prefix, tenant), key)
		}
		if err != nil {
			return nil, err
		}
	}
	if set.index == nil || set.signer == nil {
		return nil, fmt.Errorf("%w: %s has no keys", ErrUnknownTenant, tenant)
	}
	return set, nil
}

func (k *keySet) openIndex(ctx context.Context, w envelope.KeyWrapper, tenant string, key TenantKey) error {
	secret, err := envelope.UnwrapSecret(ctx, w, tenant, envelope.PurposeIndex, key.ID, key.Wrapped)
	if err != nil {
		return fmt.Errorf("vault: index key of %s: %w", tenant, err)
	}
	defer secret.Wipe()
	k.index, err = envelope.NewIndexKey(secret)
	k.indexVersion = key.Version
	return err
}

func (k *keySet) openSigner(ctx context.Context, w envelope.KeyWrapper, tenant, origin string, key TenantKey) error {
	secret, err := envelope.UnwrapSecret(ctx, w, tenant, envelope.PurposeLog, key.ID, key.Wrapped)
	if err != nil {
		return fmt.Errorf("vault: log key of %s: %w", tenant, err)
	}
	defer secret.Wipe()
	k.signer, err = audit.NewSigner(origin, secret.Reveal())
	if err == nil && k.signer.VerifierKey() != key.Public {
		// The stored public key is what auditors were given. A row that was
		// changed must not lead us to sign under another one.
		return fmt.Errorf("vault: the log key of %s does not match its public key", tenant)
	}
	return err
}

// remembered is the set of a tenant that is in memory, else nil.
func (t *tenantKeys) remembered(tenant string) *keySet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sets[tenant]
}

// forget has the keys of a tenant read anew.
func (t *tenantKeys) forget(tenant string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.sets, tenant)
}

// wipe forgets every set.
func (t *tenantKeys) wipe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.sets)
}

// CreateTenant makes a tenant with its index key, its log key and its log,
// whose first entry says so. It is an error if the tenant exists.
func (s *Service) CreateTenant(ctx context.Context, call Call, tenant string) error {
	s = s.under(call)
	if err := checkTenantName(tenant); err != nil {
		return err
	}
	index, err := s.newTenantKey(ctx, tenant, PurposeIndex, envelope.PurposeIndex)
	if err != nil {
		return public(err)
	}
	log, err := s.newTenantKey(ctx, tenant, PurposeLog, envelope.PurposeLog)
	if err != nil {
		return public(err)
	}
	entry := s.entry(call, audit.KindTenantCreate, nil)
	entry.Decision = audit.Allow
	entry.KeyIDs = []string{index.ID, log.ID}
	entry.Obligations = []string{audit.ObligationVersion + entry.PolicyVersion} // the log begins with an announcement
	_, err = s.commit(ctx, tenant, Provision{Keys: []TenantKey{index, log}}, entry)
	if errors.Is(err, ErrConflict) {
		return Errorf(CodeConflict, "the tenant exists").Because(err)
	}
	return public(err)
}

func (s *Service) newTenantKey(ctx context.Context, tenant string, purpose KeyPurpose, frame envelope.Purpose) (TenantKey, error) {
	secret := envelope.RandomSecret()
	defer secret.Wipe()
	key := TenantKey{ID: NewID(), Purpose: purpose, Version: 1}
	if purpose == PurposeLog {
		signer, err := audit.NewSigner(audit.Origin(s.tenants.prefix, tenant), secret.Reveal())
		if err != nil {
			return TenantKey{}, fmt.Errorf("vault: log key: %w", err)
		}
		key.Public = signer.VerifierKey()
	}
	wrapped, err := envelope.WrapSecret(ctx, s.wrapper, tenant, frame, key.ID, secret)
	if err != nil {
		return TenantKey{}, fmt.Errorf("vault: wrap %s key: %w", purpose, err)
	}
	key.Wrapped = wrapped
	return key, nil
}

// Tenants returns the names of all tenants, the system's own among them.
func (s *Service) Tenants(ctx context.Context) ([]string, error) {
	tenants, err := s.registry.Tenants(ctx)
	if err != nil {
		return nil, public(err)
	}
	names := make([]string, len(tenants))
	for i, t := range tenants {
		names[i] = t.Name
	}
	return names, nil
}

func hexDigest(d [32]byte) string { return hex.EncodeToString(d[:]) }

package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// start has nanoseconds, so that a store that keeps them is noticed.
var start = time.Date(2026, 3, 29, 1, 59, 59, 123456789, time.FixedZone("CET", 3600))

// Now is the time as it was set.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock, also back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// The lives that the suite gives to what it makes.
const (
	ttl    = time.Hour
	maxAge = 10 * time.Hour
	life   = 365 * 24 * time.Hour
)

// world is a store and what the clauses need to speak to it.
type world struct {
	testing.TB
	Stores
	ctx   context.Context
	clock *Clock
}

func newWorld(t testing.TB, open Open) *world {
	clock := &Clock{now: start}
	w := &world{TB: t, ctx: context.Background(), clock: clock}
	w.Stores = open(t, clock.Now)
	return w
}

// now is the store's time while the clock stands still.
func (w *world) now() time.Time { return w.clock.Now().UTC().Truncate(time.Microsecond) }

func (w *world) no(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected error: %v", err)
	}
}

// is checks an error by errors.Is; a nil want is success.
func (w *world) is(err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("got error %v, want %v", err, want)
	}
}

// Digest stands for a keyed digest of something.
func Digest(parts ...string) vault.Digest {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	return vault.Digest(h.Sum(nil))
}

// proceedingKinds are the kinds of entries for a proceeding that is opened, and
// for one that is changed.
var proceedingKinds = map[vault.ProceedingKind][2]audit.Kind{
	vault.ProceedingApproval:     {audit.KindApprovalRequest, audit.KindApprovalDecide},
	vault.ProceedingRestoration:  {audit.KindApprovalRequest, audit.KindApprovalDecide},
	vault.ProceedingReview:       {audit.KindReviewOpen, audit.KindReviewClose},
	vault.ProceedingSuspension:   {audit.KindSuspend, audit.KindLiftSuspension},
	vault.ProceedingIncident:     {audit.KindIncidentOpen, audit.KindIncidentChange},
	vault.ProceedingConsent:      {audit.KindConsent, audit.KindWithdrawConsent},
	vault.ProceedingAccessReview: {audit.KindAccessReview, audit.KindAccessReview},
	vault.ProceedingPolicy:       {audit.KindPolicyPropose, audit.KindPolicyChange},
	vault.ProceedingEvidence:     {audit.KindEvidenceRequest, audit.KindEvidenceDone},
	vault.ProceedingGrant:        {audit.KindGrant, audit.KindGrantRenew},
}

// kindOf is the kind of entry that speaks for an effect.
func kindOf(effect vault.Effect) audit.Kind {
	switch e := effect.(type) {
	case vault.Provision:
		return audit.KindTenantCreate
	case vault.OpenScope:
		return audit.KindScopeOpen
	case vault.Tokenize:
		return audit.KindTokenize
	case vault.Restore:
		return kindOfRestore(e)
	case vault.Sweep:
		return audit.KindSweep
	case vault.DestroyKeys:
		return audit.KindKeyDestroy
	case vault.SetTenant:
		switch e.State {
		case vault.TenantSuspended:
			return audit.KindTenantSuspend
		case vault.TenantClosed:
			return audit.KindTenantClose
		default:
			return audit.KindTenantResume
		}
	case vault.PlaceHold:
		return audit.KindHoldPlace
	case vault.ReviewHold:
		return audit.KindHoldReview
	case vault.ReleaseHold:
		return audit.KindHoldRelease
	case vault.CloseScope:
		return audit.KindScopeClose
	case vault.Erase:
		return audit.KindErase
	case vault.LinkSubject:
		return audit.KindSubjectLink
	case vault.UnlinkSubject:
		return audit.KindSubjectUnlink
	case vault.OpenRequest:
		return audit.KindRequestOpen
	case vault.UpdateRequest, vault.NoteRequest:
		return audit.KindRequestChange
	case vault.Restrict:
		return audit.KindRestrict
	case vault.LiftRestriction:
		return audit.KindLiftRestriction
	case vault.RetireVersions:
		return audit.KindKeyRetire
	case vault.Finality:
		return audit.KindFinality
	case vault.Replay:
		return audit.KindReplay
	case vault.Move:
		return audit.KindReseal
	case vault.RaiseWrapMinimum:
		return audit.KindKeyRotate
	case vault.Rewrap:
		return audit.KindKeyRewrap
	case vault.RotateLogKey:
		return audit.KindLogRotate
	case vault.OpenProceeding:
		return proceedingKinds[e.Proceeding.Kind][0]
	case vault.ChangeProceedings:
		return kindOfChange(e.Proceedings[0])
	default:
		return audit.KindServiceStart
	}
}

func kindOfRestore(r vault.Restore) audit.Kind {
	if r.Draw != nil {
		return audit.KindGrantFlush
	}
	return audit.KindRestore
}

// kindOfChange is the kind of entry for what becomes of a proceeding: it is another
// one where a grant is closed.
func kindOfChange(p vault.Proceeding) audit.Kind {
	if p.Kind == vault.ProceedingGrant && p.State.Closes() {
		return audit.KindGrantClose
	}
	return proceedingKinds[p.Kind][1]
}

// Change makes a change with a plain entry.
func Change(t testing.TB, tenant string, effect vault.Effect) vault.Change {
	t.Helper()
	return changeWith(t, tenant, effect, audit.Entry{Kind: kindOf(effect), Actor: "svc-1", Decision: audit.Allow})
}

func changeWith(t testing.TB, tenant string, effect vault.Effect, entry audit.Entry) vault.Change {
	t.Helper()
	c, err := vault.NewChange(tenant, effect, entry)
	if err != nil {
		t.Fatalf("a change: %v", err)
	}
	return c
}

// try commits an effect and returns what the store says.
func (w *world) try(tenant string, effect vault.Effect) (vault.Committed, error) {
	w.Helper()
	return w.Store.Commit(w.ctx, tenant, Change(w, tenant, effect))
}

// commit commits an effect that must succeed.
func (w *world) commit(tenant string, effect vault.Effect) vault.Committed {
	w.Helper()
	c, err := w.try(tenant, effect)
	w.no(err)
	return c
}

// refuse commits an effect that must fail with want, and must leave no entry.
func (w *world) refuse(want error, tenant string, effect vault.Effect) {
	w.Helper()
	before := w.size(tenant)
	if _, err := w.try(tenant, effect); !errors.Is(err, want) || err == nil {
		w.Errorf("got error %v, want %v", err, want)
	}
	if after := w.size(tenant); after != before {
		w.Errorf("a refused change left %d entries", after-before)
	}
}

// size is the number of entries of a tenant's log, 0 where there is none.
func (w *world) size(tenant string) int64 {
	w.Helper()
	head, err := w.Ledger.Head(w.ctx, tenant)
	if errors.Is(err, vault.ErrUnknownTenant) {
		return 0
	}
	w.no(err)
	return head.Frontier.Size
}

// Provision is the effect that makes a tenant with one key of each purpose.
func Provision() vault.Provision {
	return vault.Provision{Keys: []vault.TenantKey{
		{ID: vault.NewID(), Purpose: vault.PurposeIndex, Version: 1, Wrapped: wrapped("index")},
		{ID: vault.NewID(), Purpose: vault.PurposeLog, Version: 1, Wrapped: wrapped("log"), Public: "log+key+1"},
	}}
}

func wrapped(what string) envelope.Wrapped {
	return envelope.Wrapped{Version: 3, Bytes: []byte("wrapped " + what)}
}

// Place is where values are put: a scope of a tenant, and a key of it.
type Place struct {
	Tenant string
	Scope  vault.Scope
	Key    vault.DataKey
}

// NewPlace proposes a scope by the clock, with a key for its name and values.
func NewPlace(tenant, name string, now time.Time) Place {
	now = now.UTC().Truncate(time.Microsecond)
	p := Place{Tenant: tenant, Scope: vault.Scope{
		ID: vault.NewID(), Digest: Digest("scope", name), IndexVersion: 1, Kind: vault.ScopeConversation,
		Client: "gateway", SealedName: []byte("sealed " + name), IdleTTL: ttl, CreatedAt: now, EndsAt: now.Add(life),
	}}
	p.Key = p.FreshKey()
	p.Scope.NameKeyID = p.Key.ID
	return p
}

// FreshKey is another key of the scope, not stored yet.
func (p Place) FreshKey() vault.DataKey {
	return vault.DataKey{ID: vault.NewID(), ScopeID: p.Scope.ID, Wrapped: wrapped("key")}
}

// Open is the effect that makes the scope.
func (p Place) Open() vault.OpenScope {
	return vault.OpenScope{Scope: p.Scope, Keys: []vault.DataKey{p.Key}}
}

// Value is a value to be kept under the key of the place, with a new token id.
func (p Place) Value(value string) vault.NewMapping {
	return vault.NewMapping{TTL: ttl, MaxAge: maxAge, Mapping: vault.Mapping{
		ScopeID: p.Scope.ID, TokenID: vault.NewID()[:10], Format: "label", Entity: "PERSON", Class: "confidential",
		Identity: Digest("identity", p.Scope.ID, value), Lookup: Digest("lookup", value), IndexVersion: 1,
		KeyID: p.Key.ID, Sealed: []byte("sealed " + value), State: vault.MappingLive,
	}}
}

// Tokenize is the effect that keeps values in the scope as it stands.
func (p Place) Tokenize(values ...vault.NewMapping) vault.Tokenize {
	return vault.Tokenize{Scope: p.Scope, Mappings: values}
}

// Ref names a mapping for a restoration.
func (p Place) Ref(m vault.NewMapping) vault.RestoreRef {
	return vault.RestoreRef{ScopeID: p.Scope.ID, TokenID: m.Mapping.TokenID, KeyID: m.Mapping.KeyID, Entity: m.Mapping.Entity}
}

// Restore is the intent to give values back.
func (p Place) Restore(values ...vault.NewMapping) vault.Restore {
	var r vault.Restore
	for _, m := range values {
		r.Refs = append(r.Refs, p.Ref(m))
	}
	return r
}

// Sweep destroys mappings.
func (p Place) Sweep(values ...vault.NewMapping) vault.Sweep {
	var s vault.Sweep
	for _, m := range values {
		s.Mappings = append(s.Mappings, vault.MappingRef{ScopeID: p.Scope.ID, TokenID: m.Mapping.TokenID})
	}
	return s
}

// tenant makes a tenant.
func (w *world) tenant(name string) {
	w.Helper()
	w.commit(name, Provision())
}

// place makes a tenant and a scope in it.
func (w *world) place(tenant string) Place {
	w.Helper()
	w.tenant(tenant)
	return w.scope(tenant, "a conversation")
}

// scope makes a scope of a tenant.
func (w *world) scope(tenant, name string) Place {
	w.Helper()
	p := NewPlace(tenant, name, w.now())
	w.commit(tenant, p.Open())
	return p
}

// keep tokenizes values under the standing key and returns what stands.
func (w *world) keep(p Place, values ...vault.NewMapping) []vault.Standing {
	w.Helper()
	return w.commit(p.Tenant, p.Tokenize(values...)).Outcome.Standing
}

// read returns the mappings of token ids by their id.
func (w *world) read(p Place, ids ...string) map[string]vault.Mapping {
	w.Helper()
	mappings, err := w.Store.Mappings(w.ctx, p.Tenant, vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: ids})
	w.no(err)
	found := make(map[string]vault.Mapping)
	for _, m := range mappings {
		found[m.TokenID] = m
	}
	if len(found) != len(mappings) {
		w.Errorf("a mapping was returned twice")
	}
	return found
}

// answer is what a commit that ran on the side came to.
type answer struct {
	vault.Committed
	err error
}

// window submits changes in order while the queue is held, and lets it go once
// all of them wait: they share a batch where they may.
func (w *world) window(tenant string, changes ...vault.Change) []answer {
	w.Helper()
	return w.windowThen(func() {}, tenant, changes...)
}

// windowThen calls then before the queue is let go.
func (w *world) windowThen(then func(), tenant string, changes ...vault.Change) []answer {
	w.Helper()
	release := w.Hold()
	answers := make([]answer, len(changes))
	var group sync.WaitGroup
	for i, c := range changes {
		group.Go(func() { answers[i].Committed, answers[i].err = w.Store.Commit(w.ctx, tenant, c) })
		w.awaitWaiting(tenant, i+1)
	}
	then()
	release()
	group.Wait()
	return answers
}

// awaitWaiting waits until n changes of a tenant are in the queue.
func (w *world) awaitWaiting(tenant string, n int) {
	for w.Waiting(tenant) != n {
		runtime.Gosched()
	}
}

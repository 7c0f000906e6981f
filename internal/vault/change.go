package vault

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Change is what changes and the entry that says so. Only [NewChange] makes
// one, and a store refuses the zero Change, so nothing is ever written without
// its entry (invariant 2).
type Change struct {
	id     string
	effect Effect
	entry  audit.Entry
	claim  *Claim
	// What rides along: an approval that is used, a proceeding that is opened, a
	// notice that is sent, a grant that is given out.
	redeems *Redemption
	opens   *Proceeding
	notice  *Notice
	grant   *GrantRider
}

// Effect is what a change does. The set is closed: a store switches over it.
type Effect interface {
	// kinds are the entries that may speak for the effect.
	kinds() []audit.Kind
}

// Provision makes a tenant: its row, its keys, its empty log. It is the only
// effect that a store accepts for a tenant that does not exist.
type Provision struct{ Keys []TenantKey }

// OpenScope makes a scope and the data key that seals its name. It fails with
// ErrScopeMoved where a living scope of that digest stands.
type OpenScope struct {
	Scope Scope
	Keys  []DataKey
}

// Tokenize inserts mappings or finds the living ones that stand.
type Tokenize struct {
	// Scope is the scope as it was read or, with NewScope, as it is to be
	// made. Another living scope of the same digest is ErrScopeMoved.
	Scope    Scope
	NewScope bool
	// Subjects are those that NewMapping.Subjects name: to be made where New
	// is set, else to be found as they were read. Otherwise: ErrConflict.
	Subjects []SubjectUse
	// Keys are fresh data keys. One that seals nothing of what was inserted,
	// nor the scope's name, is not kept.
	Keys []DataKey
	// Mappings have different Identity digests (made unique by the caller).
	Mappings []NewMapping
	// Touch are ids of living tokens that the text already held. Their expiry
	// is extended like that of a value found again; where one lives no more
	// the change fails with ErrConflict.
	Touch []TouchRef
	// Source is the document that the text came from: every token that stands
	// in the answer is noted under it. The zero digest notes nothing.
	Source Digest
	// Destinations are where the text is sent, each once: when each token that
	// stands or is touched was first and last sent there is kept.
	Destinations []string
}

// SubjectUse is a subject as read, or to be made.
type SubjectUse struct {
	Subject Subject
	New     bool
}

// TouchRef is a token that is extended without being made.
type TouchRef struct {
	TokenID string
	Entity  string
	TTL     time.Duration
}

// NewMapping is a value to be kept: sealed by the caller under KeyID, with the
// times left to the store's clock.
type NewMapping struct {
	Mapping     Mapping
	TTL         time.Duration // until expiry when unused
	MaxAge      time.Duration // of the class, since creation
	SubjectRefs []string
}

// Restore is the intent to give values back. Its precondition: every mapping
// is there, live, not expired and its key stands, by the store's clock after
// the lock. Otherwise ErrConflict, and the caller reads again.
type Restore struct {
	Refs []RestoreRef
	// Names are those of scopes and subjects: each must be sealed under its key
	// as it was read, and the key stand.
	Names []NameRef
	// By is who has them back. No suspension that stands may stop any of it
	// (Stopped), else ErrConflict.
	By Restorer
	// Spends are counted, all or none, each of another Key. Where one would pass
	// its limit the change fails with ErrExhausted.
	Spends []Spend
	// Standing are proceedings that it rests on, such as consents: each must be
	// ProceedingStanding and not expired, else ErrConflict.
	Standing []string
	// MaxOverdue, where it is above zero, is how many reviews of By.Actor may be
	// past their DueAt and not closed: with so many or more it is ErrConflict.
	MaxOverdue int
	// Draw is what a stream takes of its grant beyond the tokens that it names, nil
	// for a restoration that goes by none.
	Draw *Draw
}

// Draw takes tokens that a grant does not name. The grant must be among
// Restore.Standing. Where it would then have more than Most different ones of them
// the change fails with ErrExhausted; what it had before counts once.
type Draw struct {
	GrantID string
	Uses    []MappingRef
	Most    int
}

// NameRef is a sealed name as it was read. ScopeName is the digest of the scope's
// name, where it is that of a scope.
type NameRef struct {
	ScopeID, SubjectRef, KeyID string
	ScopeName                  Digest
}

// RestoreRef names one mapping as it was read.
type RestoreRef struct {
	ScopeID string
	TokenID string
	KeyID   string
	Entity  string
	// ScopeName is the digest of the scope's name, and MadeAt when the mapping was
	// made: suspensions match them. They never change.
	ScopeName Digest
	MadeAt    time.Time
	// Restricted and Expired admit a mapping in that state, for reasons that
	// reach it. One that is expired or retired must be held, too.
	Restricted bool
	Expired    bool
}

// Sweep destroys what has expired: mappings past their time, then data keys
// that seal nothing any more, then scopes past their end that hold nothing.
// Everything named must still be so at the commit, else ErrConflict: the
// entry's counts are exact.
//
// Mappings whose key has a tombstone go as well, expired or not. Tombstones
// names keys of erasures that seal nothing any more: their rows are gone. Where
// the erasure suppresses what it destroyed, the digests of what is swept are kept
// for that long and no longer.
//
// Requests must be closed, and go with their notes, whose key is destroyed.
// Subjects must be as Requests.StaleRecords says, and go with their names.
type Sweep struct {
	Mappings   []MappingRef
	Tombstones []string
	Keys       []string
	Scopes     []string
	Requests   []string
	Subjects   []string
}

// MappingRef names a mapping within a tenant.
type MappingRef struct{ ScopeID, TokenID string }

// DestroyKeys destroys data keys and every mapping that they seal.
type DestroyKeys struct{ Keys []string }

// PlaceHold places a hold. Its id is that of the change.
type PlaceHold struct{ Hold Hold }

// ReviewHold says until when somebody has to look at a hold again. A hold that
// is not there, or was released, is ErrConflict.
type ReviewHold struct {
	ID       string
	ReviewBy time.Time // zero: nobody has to
}

// ReleaseHold ends a hold for good. What it alone kept may be destroyed from
// then on. A hold that is not there, or was released, is ErrConflict.
type ReleaseHold struct{ ID string }

// CloseScope ends a scope: it and every mapping of it expire in the commit. It
// fails with ErrConflict where no living scope has that id, or it has ended.
type CloseScope struct{ ScopeID string }

// SetTenant suspends, resumes or closes a tenant. It fails with ErrConflict
// where the tenant is in that state already, or was closed.
type SetTenant struct{ State TenantState }

// RaiseWrapMinimum says that no key is written any more that a version of the
// wrapping key below Version wrapped. It never falls: a lower one, or the same
// again, is ErrConflict.
type RaiseWrapMinimum struct{ Version int }

// Rewrap replaces how keys are wrapped. Each must be as it was read, under the
// version From, else ErrConflict; a new version below the tenant's minimum is
// ErrWrapVersion.
type Rewrap struct{ Keys []RewrappedKey }

// RewrappedKey is a data key or a tenant key, wrapped anew.
type RewrappedKey struct {
	ID      string
	From    int
	Wrapped envelope.Wrapped
}

// RotateLogKey inserts the next signing key of the log. Its version follows the
// newest one that stands, else ErrConflict. From the commit on the newest signs.
type RotateLogKey struct{ Key TenantKey }

// Record changes nothing but the log: a denial, a start, a failure.
type Record struct{}

func (Provision) kinds() []audit.Kind { return []audit.Kind{audit.KindTenantCreate} }
func (OpenScope) kinds() []audit.Kind { return []audit.Kind{audit.KindScopeOpen} }
func (Tokenize) kinds() []audit.Kind  { return []audit.Kind{audit.KindTokenize} }
func (r Restore) kinds() []audit.Kind {
	if r.Draw != nil {
		return []audit.Kind{audit.KindGrantFlush}
	}
	return []audit.Kind{audit.KindRestore, audit.KindGrant}
}
func (Sweep) kinds() []audit.Kind       { return []audit.Kind{audit.KindSweep} }
func (DestroyKeys) kinds() []audit.Kind { return []audit.Kind{audit.KindKeyDestroy} }
func (s SetTenant) kinds() []audit.Kind {
	switch s.State {
	case TenantActive:
		return []audit.Kind{audit.KindTenantResume}
	case TenantSuspended:
		return []audit.Kind{audit.KindTenantSuspend}
	case TenantClosed:
		return []audit.Kind{audit.KindTenantClose}
	default:
		return nil
	}
}
func (PlaceHold) kinds() []audit.Kind        { return []audit.Kind{audit.KindHoldPlace} }
func (ReviewHold) kinds() []audit.Kind       { return []audit.Kind{audit.KindHoldReview} }
func (ReleaseHold) kinds() []audit.Kind      { return []audit.Kind{audit.KindHoldRelease} }
func (Erase) kinds() []audit.Kind            { return []audit.Kind{audit.KindErase} }
func (Move) kinds() []audit.Kind             { return []audit.Kind{audit.KindReseal} }
func (LinkSubject) kinds() []audit.Kind      { return []audit.Kind{audit.KindSubjectLink} }
func (UnlinkSubject) kinds() []audit.Kind    { return []audit.Kind{audit.KindSubjectUnlink} }
func (CloseScope) kinds() []audit.Kind       { return []audit.Kind{audit.KindScopeClose} }
func (RaiseWrapMinimum) kinds() []audit.Kind { return []audit.Kind{audit.KindKeyRotate} }
func (Rewrap) kinds() []audit.Kind           { return []audit.Kind{audit.KindKeyRewrap} }
func (RotateLogKey) kinds() []audit.Kind     { return []audit.Kind{audit.KindLogRotate} }
func (Record) kinds() []audit.Kind {
	return []audit.Kind{
		audit.KindTokenize, audit.KindRestore, audit.KindOutcome, audit.KindIntegrityFailure,
		audit.KindPolicyLoad, audit.KindServiceStart, audit.KindServiceStop,
		audit.KindAuthFailures, audit.KindRequestRefused, audit.KindSubjectSearch, audit.KindRecover,
		audit.KindDispatch, audit.KindPrune, audit.KindControl,
		// Of these only the denial: see NewChange.
		audit.KindGrant, audit.KindGrantFlush,
	}
}

// changeIDBytes makes a change id unguessable and unique for all practical
// purposes: 128 random bits.
const changeIDBytes = 16

// NewChange joins an effect with the entry that says so. The entry's time,
// change id and links are set by the commit.
func NewChange(tenant string, effect Effect, entry audit.Entry) (Change, error) {
	if effect == nil {
		return Change{}, fmt.Errorf("%w: no effect", ErrNoEntry)
	}
	if !slices.Contains(effect.kinds(), entry.Kind) {
		return Change{}, fmt.Errorf("%w: an entry of kind %q does not speak for %T", ErrNoEntry, entry.Kind, effect)
	}
	if _, bare := effect.(Record); bare && len(entry.Tokens) > 0 && entry.Kind != audit.KindIntegrityFailure {
		return Change{}, fmt.Errorf("%w: an entry names tokens, and nothing checks them", ErrNoEntry)
	}
	if _, bare := effect.(Record); bare && entry.Decision != audit.Deny && (entry.Kind == audit.KindGrant || entry.Kind == audit.KindGrantFlush) {
		return Change{}, fmt.Errorf("%w: an entry says that something is granted, and nothing checks it", ErrNoEntry)
	}
	entry.V = audit.Version
	entry.Tenant = tenant
	entry.ChangeID = NewID()
	if err := entry.Validate(); err != nil {
		return Change{}, fmt.Errorf("vault: the entry of a change: %w", err)
	}
	return Change{id: entry.ChangeID, effect: effect, entry: entry}, nil
}

// Claiming returns the change with an idempotency key that rides along: where
// the key is in use the change fails with ErrClaimed.
func (c Change) Claiming(key, body Digest) Change {
	c.claim = &Claim{Key: key, Body: body, ChangeID: c.id}
	return c
}

// Claim is the idempotency key that rides along, nil where there is none.
func (c Change) Claim() *Claim { return c.claim }

// Serves tells whether the change is refused with ErrSuspended unless its
// tenant is active: it would tokenize or restore. Everything else, a denial or
// a sweep, goes on.
func (c Change) Serves() bool {
	switch c.effect.(type) {
	case Tokenize, Restore, OpenScope:
		return true
	default:
		return false
	}
}

// NewID returns 128 random bits in hexadecimal.
func NewID() string {
	var b [changeIDBytes]byte
	// crypto/rand.Read never fails since Go 1.24; it crashes the process
	// rather than return predictable bytes.
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// ID is random and unique per tenant; a store finds a change by it after a
// commit whose outcome is unknown.
func (c Change) ID() string { return c.id }

// Effect is nil for the zero Change, which every store refuses.
func (c Change) Effect() Effect { return c.effect }

// Shares tells whether the change may share a commit with others. Whatever
// destroys commits alone, in queue order.
func (c Change) Shares() bool {
	if c.redeems != nil {
		return false
	}
	switch c.effect.(type) {
	case Tokenize, Restore, Record, OpenScope:
		return true
	default:
		return false
	}
}

// Grant is a grant that is given out besides, nil where none is.
func (c Change) Grant() *GrantRider { return c.grant }

// Outcome is what a store did for one change.
type Outcome struct {
	// Standing answers Tokenize.Mappings, in order.
	Standing []Standing
	// Touched answers Tokenize.Touch, in order.
	Touched []time.Time
	// Erased answers Erase: what this commit did, and what is deferred after it.
	Erased ErasureCounts
	// Linked answers LinkSubject and UnlinkSubject: how many ties were changed.
	Linked int
	// Restricted answers Restrict and LiftRestriction: how many mappings changed
	// their state; Shared how many did not since they are about others too.
	Restricted, Shared int
	// Final answers Finality: how many erasures are final by it.
	Final int
}

// Standing is the token that stands for a value after the commit.
type Standing struct {
	TokenID   string
	Reused    bool
	ExpiresAt time.Time
}

// tell completes the entry with what is known in the commit only.
func (c Change) tell(o Outcome, entry *audit.Entry) {
	switch e := c.effect.(type) {
	case PlaceHold:
		entry.HoldIDs = []string{c.id}
	case Erase:
		entry.Counts = map[string]int{
			"erased": o.Erased.Erased, "shared": o.Erased.Shared, "deferred": o.Erased.Deferred,
			"keys": o.Erased.Keys, "rekeyed": o.Erased.Rekeyed,
		}
	case LinkSubject, UnlinkSubject:
		entry.Counts = map[string]int{"mappings": o.Linked}
	case Restrict, LiftRestriction:
		entry.Counts = map[string]int{"mappings": o.Restricted, "shared": o.Shared}
	case Finality:
		entry.Counts = map[string]int{CountRetiredBelow: e.Below, "erasures": o.Final}
	case Tokenize:
		entry.Tokens = e.tokens(o)
	}
}

// tokens are those of the answer: what stands, then what the text already held.
func (t *Tokenize) tokens(o Outcome) []string {
	ids := make([]string, 0, len(o.Standing)+len(t.Touch))
	for _, s := range o.Standing {
		ids = append(ids, s.TokenID)
	}
	for _, touch := range t.Touch {
		ids = append(ids, touch.TokenID)
	}
	return ids
}

// Leaves builds the entries of the change as they are to be hashed, once the
// store knows what stands and what time it is. A store calls it inside the
// commit, after its writes, and stores exactly these bytes.
func (c Change) Leaves(o Outcome, at time.Time) ([]audit.Entry, [][]byte, error) {
	if c.effect == nil {
		return nil, nil, ErrNoEntry
	}
	if err := c.checkRiders(); err != nil {
		return nil, nil, err
	}
	entry := c.entry
	c.tell(o, &entry)
	entries, err := audit.Link(entry)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: link entries: %w", err)
	}
	leaves, err := audit.Finalise(entries, at)
	if err != nil {
		return nil, nil, fmt.Errorf("vault: finalise entries: %w", err)
	}
	if c.grant == nil {
		return entries, leaves, nil
	}
	granted, grantLeaves, err := c.grant.leaves(o, at)
	if err != nil {
		return nil, nil, err
	}
	return append(entries, granted...), append(leaves, grantLeaves...), nil
}

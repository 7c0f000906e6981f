package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Digest is a keyed digest (HMAC-SHA-256) under one of the tenant's index key
// labels. It identifies without telling.
type Digest [32]byte

// ScopeKind sets how long a scope and its mappings live.
type ScopeKind string

// The kinds of scopes.
const (
	ScopeConversation ScopeKind = "conversation"
	ScopeUser         ScopeKind = "user"
	ScopeCase         ScopeKind = "case"
	ScopeCorpus       ScopeKind = "corpus"
)

// Scope is a pseudonymisation domain inside a tenant: the same value gets the
// same token within it and an unrelated one outside. It is bound to the client
// that made it and, where one was named, to the end user.
type Scope struct {
	ID           string // random, 128 bits
	Digest       Digest // of the caller's name for it
	IndexVersion int    // of the index key that made Digest and EndUser
	Kind         ScopeKind
	Client       string
	EndUser      Digest // zero where no end user is bound
	SealedName   []byte // the caller's name, sealed under NameKeyID
	NameKeyID    string
	IdleTTL      time.Duration // a mapping that is not used for so long expires
	CreatedAt    time.Time
	EndsAt       time.Time // nothing of the scope outlives it
}

// HasEndUser tells whether the scope is bound to an end user.
func (s Scope) HasEndUser() bool { return s.EndUser != Digest{} }

// Subject is a person whom data are about. The row that links Digest and Ref
// is the only place where the two meet; erasure destroys it.
type Subject struct {
	Digest       Digest
	IndexVersion int
	Ref          string // random, 128 bits; the only name in the log
	// SealedName is the caller's identifier, sealed under NameKeyID, a data key of
	// the subject. Both are given where a subject is made, and may be empty.
	SealedName []byte
	NameKeyID  string
	CreatedAt  time.Time
}

// DataKey is a stored data key: the unit of destruction. It belongs to one
// subject, or to one scope for values of nobody named.
type DataKey struct {
	ID         string
	ScopeID    string // set where the key belongs to a scope
	SubjectRef string // set where the key belongs to a subject
	Wrapped    envelope.Wrapped
	Sealed     int // how many values it seals; never falls
	CreatedAt  time.Time
}

// MappingState tells whether a mapping may be found and restored.
type MappingState string

// The states of a mapping. Expiry is no state: it is judged by the store's
// clock at the moment of the decision.
const (
	MappingLive       MappingState = "live"
	MappingRetired    MappingState = "retired"    // replaced by a newer one, not restorable
	MappingRestricted MappingState = "restricted" // kept, but only for reasons that reach restricted data
)

// Mapping is one token's encrypted value and its metadata.
type Mapping struct {
	ScopeID      string
	TokenID      string
	Format       string
	Entity       string
	Class        string
	Identity     Digest // finds the token of a value again; unique among live rows
	Lookup       Digest // subject search only; never unique
	IndexVersion int
	KeyID        string
	Sealed       []byte
	State        MappingState
	CreatedAt    time.Time
	ExpiresAt    time.Time
	MaxExpiresAt time.Time // creation plus the class maximum, not past the scope's end

	// Expired is judged by the store's clock when the row was read.
	Expired bool
	// KeyAlive tells whether the data key stood when the row was read.
	KeyAlive bool
	// Held tells, of one that is expired or retired, whether a hold keeps it.
	Held bool
	// SubjectRefs are the subjects that the value is linked to.
	SubjectRefs []string
}

// over tells whether nothing but a hold can keep the mapping.
func (m *Mapping) over() bool { return m.Expired || m.State == MappingRetired }

// Hold is a legal hold: nothing that it matches is destroyed until it is
// released. It is judged at the moment of destruction, so what it matches may
// come after it.
type Hold struct {
	ID string // of the change that placed it
	// Matter, Reference and Custodian are identifiers of the callers', of which
	// the last may be empty. They are never free text.
	Matter, Reference, Custodian string
	Match                        HoldMatch
	// ExistingOnly leaves out what is tokenized after the hold was placed.
	ExistingOnly bool
	// Backups keeps versions of the wrapping key from being retired while the
	// hold stands: what it is about may be in backups alone.
	Backups    bool
	ReviewBy   time.Time // zero where nobody has to look again
	CreatedAt  time.Time // set by the store
	ReleasedAt time.Time // set by the store; zero while it stands
}

// HoldMatch says what a hold is about. Every field that is set must match, and
// of a list any element. At least one is set.
type HoldMatch struct {
	// Subjects are digests of the callers' identifiers, known yet or not; a
	// mapping that is linked to one of them matches.
	Subjects []Digest
	Lookups  []Digest // look-up digests of values
	Scopes   []Digest // of the names of scopes, also of scopes that ended
	Entities []string
	Classes  []string
	// Destinations are where a value was sent.
	Destinations []string
	// From and To bound when a mapping was made: [From, To). Zero is open. With
	// BySent they bound when it was sent instead, to one of Destinations where
	// these are set: the time from the first to the last of it overlaps [From, To).
	From, To time.Time
	BySent   bool
}

// Reach is what a match is about at a moment.
type Reach struct {
	Mappings int // of them Expired are past their time
	Expired  int
	Scopes   int
	Subjects int
	Entities map[string]int
}

// Sighting is what one scope has of a person, of one entity.
type Sighting struct {
	ScopeID       string
	Kind          ScopeKind
	Entity, Class string
	Mappings      int // of them Expired are past their time
	Expired       int
	First, Last   time.Time // when the oldest and the newest were made
	// SubjectRefs are all subjects that any of them is linked to, sorted.
	SubjectRefs []string
	// Destinations are where any of them was sent, by name.
	Destinations []DestinationUse
	// Ends is when the last of them expires.
	Ends time.Time
}

// Erasure is a wish to destroy what there is of a subject, and what came of it.
// It is about what was tokenized until ErasedAt: an erasure blocks no new
// values of the person, and a later part of it does not reach them.
type Erasure struct {
	ID string // of the change that began it
	// Subject is the digest of the caller's identifier, and zero once the erasure
	// is completed: nothing says any more whose reference SubjectRef was.
	Subject    Digest
	SubjectRef string // empty where the person was not known
	Reference  string // of the caller's, never free text
	Regime     string // whose clock runs
	Identity   IdentityCheck
	State      ErasureState
	// ErasedAt is the time of the first commit, CompletedAt of the last; zero
	// while a hold defers a part. Set by the store.
	ErasedAt, CompletedAt time.Time
	// SuppressUntil is until when what was erased is kept out; zero: not at all.
	// The end of time (SuppressForever) is for ever.
	SuppressUntil time.Time
	// FinalAt is when nothing opens any more what was erased, no backup either:
	// zero until Finality says so.
	FinalAt time.Time
	// Destinations are where what was erased had been sent, by name. They are
	// read only where one erasure is asked for by its id.
	Destinations []DestinationUse
	Counts       ErasureCounts
}

// SuppressForever is the end of a suppression that has none.
var SuppressForever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// IdentityCheck says who established how that the person is the one who asks.
// All of it are identifiers.
type IdentityCheck struct {
	Method, Reference, VerifiedBy string
	At                            time.Time
}

// ErasureState says how far an erasure has come.
type ErasureState string

// The states of an erasure.
const (
	ErasureDeferred  ErasureState = "deferred" // a hold keeps a part, which is restricted
	ErasureCompleted ErasureState = "completed"
)

// ErasureCounts are what an erasure did, all of its commits together. Deferred
// is how it stood after the last.
type ErasureCounts struct {
	Erased   int // values that nothing opens any more
	Shared   int // values that were about others too: they stay, and are about the others
	Deferred int // values that a hold keeps, also those that are about others too
	Keys     int // data keys destroyed
	Rekeyed  int // values of others, and names, sealed anew because their key went
}

// ErasurePlan is what erasing a subject would touch, as it was read.
type ErasurePlan struct {
	// Keys are all that go: those under which anything is sealed that goes, and the
	// subject's own, but for those under which all that is the subject's stays: it
	// is held, or younger than the erasure.
	Keys []string
	// Survivors are sealed under one of Keys and stay: they are about somebody
	// else too, or about nobody, or held, or younger than the erasure. Names are
	// scopes whose name is sealed so.
	Survivors []Mapping
	Names     []Scope
	// Parts tell what becomes of the subject's values, by scope.
	Parts []ErasurePart
}

// ErasurePart is what becomes of a subject's values in one scope.
type ErasurePart struct {
	ScopeID                  string
	Erased, Deferred, Shared int
}

// LinkBasis says how a mapping came to belong to a subject.
type LinkBasis string

// The bases of a link between a mapping and a subject.
const (
	BasisDeclared   LinkBasis = "declared"   // the caller named the subject with the value
	BasisLinked     LinkBasis = "linked"     // a person linked it later
	BasisIdentifier LinkBasis = "identifier" // it equals an identifier of the subject
)

// Tenant is the unit of isolation.
type Tenant struct {
	Name      string
	State     TenantState
	CreatedAt time.Time
	// MinWrapVersion is the oldest version of the wrapping key under which
	// keys are still written.
	MinWrapVersion int
}

// TenantState tells whether a tenant is served.
type TenantState string

// The states of a tenant. A suspended one can be resumed; closed is for good.
// In both nothing is tokenized or restored, while the log can be read, denials
// are recorded, and what has expired is swept.
const (
	TenantActive    TenantState = "active"
	TenantSuspended TenantState = "suspended"
	TenantClosed    TenantState = "closed"
)

// StaleKey is a data key or a tenant key that an older version of the wrapping
// key wrapped.
type StaleKey struct {
	ID      string
	Wrapped envelope.Wrapped
}

// Claim ties an idempotency key to the body that it first came with. It rides
// along with the change of that request and says nothing of what may be
// restored, by whom or for how long.
type Claim struct {
	Key      Digest
	Body     Digest
	ChangeID string    // of the first request
	At       time.Time // set by the store
}

// TenantKey is a long-lived secret of a tenant, wrapped.
type TenantKey struct {
	ID      string
	Purpose KeyPurpose
	Version int // 1 and up, per purpose
	Wrapped envelope.Wrapped
	Public  string // the verifier key of a log key; empty otherwise
	// Handover is how the log key before this one vouched for it: a statement that
	// both signed (audit.Handover). Empty for a first one, and for other keys.
	Handover  string
	CreatedAt time.Time
}

// KeyPurpose says what a tenant key is for.
type KeyPurpose string

// The purposes of tenant keys.
const (
	PurposeIndex KeyPurpose = "index"
	PurposeLog   KeyPurpose = "log"
)

// SystemTenant owns the log of what belongs to no tenant: start and stop,
// policy, attempts without a credential.
const SystemTenant = "_system"

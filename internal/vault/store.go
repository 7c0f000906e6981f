package vault

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Store keeps scopes, keys and mappings, and writes. The clauses below are
// the contract; storagetest holds a test for each.
//
//   - Every method is about one tenant and never returns a row of another.
//     Tenant names, scope ids and token ids are compared byte for byte.
//   - Commit is atomic and durable when it returns nil: the effect and all of
//     its entries, or nothing. The zero Change is refused with ErrNoEntry.
//   - Within a tenant commits are serial. An entry is in the tree if and only
//     if its change was committed: indexes have no gap.
//   - Changes that arrive while a commit is under way share the next one,
//     where Change.Shares allows it; the others commit alone, in queue order.
//     A change whose precondition fails, fails alone.
//   - The context of a request bounds its waiting, never the commit: a change
//     that is already in a batch is committed or not, whatever its caller does.
//   - A change that serves (Change.Serves) of a tenant that is not active is
//     ErrSuspended, judged after the lock. A key that is inserted or wrapped
//     anew under a version below the tenant's minimum is ErrWrapVersion.
//   - A claim that rides along is written with its change or not at all. Where
//     another one of its key stands, the change fails with ErrClaimed.
//   - A hold that stands when the lock is had keeps what it matches: a sweep
//     that names any of it fails with ErrConflict, destroying its key with
//     ErrHeld. Restore reaches what is past its time or retired only where
//     RestoreRef.Expired says so and a hold keeps it.
//   - A data key that an erasure destroyed leaves a tombstone. What it sealed
//     is erased from that commit on: KeyAlive is false, whatever else the row
//     says. A sweep removes such rows, held or not: there is nothing to keep.
//     A key with a tombstone is never inserted again: ErrKeyDestroyed.
//   - A value that an erasure suppresses is not tokenized while it does: where a
//     mapping would have to be made for it, the change fails with ErrSuppressed.
//   - What rides along with a change (Redeems, Opens, Notice) is written with it or
//     not at all. A restoration that a suspension stops, or that rests on what does
//     not stand, fails with ErrConflict; one that would pass a budget with
//     ErrExhausted, and then none of its budgets is counted.
//   - After an unknown outcome the store looks the change ids up. What cannot
//     be looked up is never acknowledged: ErrUnavailable.
//   - Time is the store's: set inside the commit, in UTC, truncated to
//     microseconds, never decreasing within a log. Expiry is judged by it,
//     after the lock. At ExpiresAt and after it a mapping is expired.
type Store interface {
	// Scope returns the living scope of a digest, else ErrNotFound. A scope
	// at or past EndsAt does not live.
	Scope(ctx context.Context, tenant string, digest Digest) (Scope, error)
	// Subjects returns those of the digests that exist, in any order.
	Subjects(ctx context.Context, tenant string, digests []Digest) ([]Subject, error)
	// Mappings returns ciphertext and metadata of those that exist, in any
	// order, also expired and restricted ones; retired ones only where a hold
	// keeps them, and never as part of a source.
	Mappings(ctx context.Context, tenant string, q MappingQuery) ([]Mapping, error)
	// Keys returns data keys that exist, newest first.
	Keys(ctx context.Context, tenant string, q KeyQuery) ([]DataKey, error)
	// Commit writes a change and its entries.
	Commit(ctx context.Context, tenant string, c Change) (Committed, error)
}

// MappingQuery names mappings of one scope by token id or, where Source is
// set, a page of those that were noted under a source, by token id.
type MappingQuery struct {
	ScopeID  string
	TokenIDs []string

	Source Digest
	After  string // the token id that the page before ended with
	Limit  int    // of the page; zero means PageTokens
}

// KeyQuery asks for keys by id, or for those of a scope, or for those of a
// subject. Exactly one of the three is set.
type KeyQuery struct {
	IDs        []string
	ScopeID    string
	SubjectRef string
	// Limit bounds the answer by owner; zero means MaxKeysPerQuery.
	Limit int
}

// MaxKeysPerQuery bounds how many keys of one owner are read at a time: a
// request uses at most a few, the newest.
const MaxKeysPerQuery = 8

// Committed says where the entries of a change stand.
type Committed struct {
	Outcome Outcome
	First   int64 // index of the change's first entry
	Count   int   // number of its entries, in a row
	At      time.Time
	// Tree is shared by all changes of the batch.
	Tree *Tree

	changeID string // set by the service
}

// Ledger reads the log and what belongs to it.
type Ledger interface {
	// Head returns where the log of the tenant stands, else ErrUnknownTenant.
	Head(ctx context.Context, tenant string) (Head, error)
	// Entries returns stored entries in index order, ascending or descending.
	Entries(ctx context.Context, tenant string, q EntryQuery) ([]StoredEntry, error)
	// Node returns a complete subtree's hash; level 0 are the leaf hashes.
	Node(ctx context.Context, tenant string, level int, n int64) (audit.Hash, error)
	// Nodes returns count of them in a row, from the given one on, all or
	// ErrNotFound: at most audit.TileWidth, with one look-up.
	Nodes(ctx context.Context, tenant string, level int, from int64, count int) ([]audit.Hash, error)
	// CountEntries counts what Entries would return without Limit and Cursor.
	CountEntries(ctx context.Context, tenant string, q EntryQuery) (int64, error)
}

// Bookkeeping is what is written without an entry of its own: never anything
// that widens access.
type Bookkeeping interface {
	// Note writes a piece of bookkeeping.
	Note(ctx context.Context, tenant string, n Note) error
	// LastNote returns the note of a kind, else ErrNotFound.
	LastNote(ctx context.Context, tenant string, kind NoteKind) (Note, error)
	// Claim returns what an idempotency key stands for, else ErrNotFound. A
	// claim of ClaimLife ago or more stands for nothing.
	Claim(ctx context.Context, tenant string, key Digest) (Claim, error)
	// ForgetClaims deletes at most limit claims that stand for nothing any
	// more, and tells how many.
	ForgetClaims(ctx context.Context, tenant string, limit int) (int, error)
}

// Registry reads tenants and their long-lived keys.
type Registry interface {
	// Tenants returns all tenants by name, the system's own among them.
	Tenants(ctx context.Context) ([]Tenant, error)
	// TenantKeys returns the keys of a tenant, newest version first.
	TenantKeys(ctx context.Context, tenant string) ([]TenantKey, error)
	// Expired returns what a sweep may destroy now, at most limit mappings:
	// first those whose key an erasure destroyed, then expired ones; without
	// any, tombstones that are done, idle keys and ended scopes. What a hold
	// keeps is left out.
	Expired(ctx context.Context, tenant string, limit int) (Sweep, error)
	// StaleKeys returns at most limit data keys and tenant keys that a version
	// of the wrapping key below the given one wrapped.
	StaleKeys(ctx context.Context, tenant string, below, limit int) ([]StaleKey, error)
	// Ready tells whether the store can commit.
	Ready(ctx context.Context) error
}

// Custody reads holds, and what there is of a person.
type Custody interface {
	// Holds returns a page of holds, the newest first.
	Holds(ctx context.Context, tenant string, q HoldQuery) ([]Hold, error)
	// Scopes returns every scope of a name that is still stored, the newest
	// first: the living one, and those that have ended but hold something. It
	// is how a reason that reaches held data finds what a hold keeps.
	Scopes(ctx context.Context, tenant string, digest Digest) ([]Scope, error)
	// Reach counts what a match is about now, whether or not a hold of it stands.
	Reach(ctx context.Context, tenant string, m HoldMatch) (Reach, error)
	// Sightings returns what there is of a person: mappings that are linked to
	// one of the subjects or that have one of the look-up digests, each once,
	// by scope and entity; expired ones too, retired ones not.
	Sightings(ctx context.Context, tenant string, q PersonQuery) ([]Sighting, error)
}

// HoldQuery selects holds. Zero fields do not select.
type HoldQuery struct {
	ID       string
	Standing bool   // only those that are not released
	Before   string // the id that the page before ended with
	Limit    int    // of the page; zero means PageHolds
}

// PersonQuery names a person by what is known of them. At most Limit sightings
// are returned, in order of scope and entity; zero means MaxSightings.
type PersonQuery struct {
	Subjects []Digest
	Lookups  []Digest
	Limit    int
}

// Erasures reads what erasing touches, and what was erased.
//
// A mapping goes with a subject if it is linked to the subject and to nobody
// else, was made at or before the erasure began, and no hold keeps it.
type Erasures interface {
	// PlanErasure reads what erasing a subject would touch. Until bounds when
	// values were made; zero is now. Where more than limit survivors would have
	// to be sealed anew it fails with ErrTooMany, and returns the plan with as many
	// of them as the limit says.
	PlanErasure(ctx context.Context, tenant, subjectRef string, until time.Time, limit int) (ErasurePlan, error)
	// Erasures returns a page of erasures, the newest first.
	Erasures(ctx context.Context, tenant string, q ErasureQuery) ([]Erasure, error)
}

// ErasureQuery selects erasures. Zero fields do not select.
type ErasureQuery struct {
	ID     string
	State  ErasureState
	Before string // the id that the page before ended with
	Limit  int    // of the page; zero means PageErasures
}

// Head is where a log stands.
type Head struct {
	Frontier audit.Frontier
	At       time.Time // time of the last entry
	// State and MinWrapVersion are those of the tenant. They stand with the
	// head, which every commit reads under its lock.
	State          TenantState
	MinWrapVersion int
	// RetiredBelow is the oldest version of the wrapping key that was not
	// retired; 1 while none was.
	RetiredBelow int
}

// EntryQuery selects entries: those for which all that is set holds. Cursor is
// the index of the last entry of the page before. What was taken out of a log by
// Prune is found by index alone, without its leaf.
type EntryQuery struct {
	Actor, Reason, Entity, Kind, Token, RequestID, ChangeID string
	Decision                                                audit.Decision
	Reference, Client, Approver, Class, Destination         string
	PolicyVersion                                           string
	EndUser                                                 string // the digest, as in on_behalf_of
	// Subjects and Scopes are references as entries name them, of which an entry
	// names any; at most MaxAnyOf of each.
	Subjects, Scopes []string

	Since, Until time.Time // [Since, Until)
	Descending   bool
	HasCursor    bool
	Cursor       int64
	Limit        int
}

// StoredEntry is an entry as it was hashed.
type StoredEntry struct {
	Index    int64
	Leaf     []byte // nil where it was pruned
	LeafHash audit.Hash
}

// NoteKind is one of a closed list, pinned by a test.
type NoteKind string

// The bookkeeping that may be written without an entry. None of it says what
// can be restored, by whom, or for how long.
const (
	// NoteCheckpoint is the last published checkpoint of a log.
	NoteCheckpoint NoteKind = "checkpoint"
	// NoteExport is how far a log was exported.
	NoteExport NoteKind = "export"
	// NoteEvidence is how far the evidence is that is being put together.
	NoteEvidence NoteKind = "evidence"
)

// NoteKinds returns the closed list.
func NoteKinds() []NoteKind { return []NoteKind{NoteCheckpoint, NoteExport, NoteEvidence} }

// Note is a piece of bookkeeping. One of its kind and of the same or a higher
// Order replaces it; one of a lower Order is dropped, so that of two replicas
// that write at once the one that is behind does not win.
type Note struct {
	Kind  NoteKind
	Order int64 // of a checkpoint: the size of the log; of an export: the next index
	Body  []byte
	At    time.Time // set by the store
}

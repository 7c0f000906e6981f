package vault

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Remains reads what is left of what was destroyed, and how much there is of
// everything else.
type Remains interface {
	// Tombstones returns data keys that erasures destroyed, by the time of the
	// commit and the key's id, those of q.Since and later.
	Tombstones(ctx context.Context, tenant string, q TombstoneQuery) ([]Tombstone, error)
	// SealedUnder returns all that those of the keys seal that stand. More than
	// limit values and names are ErrTooMany.
	SealedUnder(ctx context.Context, tenant string, keys []string, limit int) (SealedUnder, error)
	// Suppressed returns those of the look-up digests that a suppression keeps
	// out of a scope of the given name.
	Suppressed(ctx context.Context, tenant string, scope Digest, lookups []Digest) ([]Digest, error)
	// ForgetSuppressions deletes at most limit suppressions whose time is over,
	// and tells how many.
	ForgetSuppressions(ctx context.Context, tenant string, limit int) (int, error)
	// Inventory counts what a tenant has.
	Inventory(ctx context.Context, tenant string) (Inventory, error)
}

// TombstoneQuery selects tombstones.
type TombstoneQuery struct {
	Since time.Time // of the commit; zero means all
	After string    // of those at Since, only keys with a greater id
	Limit int       // zero means PageTombstones
}

// PageTombstones bounds a page of tombstones.
const PageTombstones = 1000

// Tombstone is what is left of a data key that an erasure destroyed.
type Tombstone struct {
	KeyID       string
	ErasureID   string
	At          time.Time // of the commit that destroyed it
	WrapVersion int       // that wrapped it when it was destroyed
	// Rekeyed says that it sealed once what did not go with it: what stayed and was
	// sealed anew, in that commit or before, or what was swept. Tokens are then
	// those that went with the key, as far as they are not swept yet, by scope and
	// token. Of others they are not read: all that they ever sealed went.
	Rekeyed bool
	Tokens  []MappingRef
	Swept   bool // nothing of what it sealed is stored any more
}

// SealedUnder is what data keys seal.
type SealedUnder struct {
	Mappings []Mapping
	Names    []Scope
}

// Inventory counts what a tenant has.
type Inventory struct {
	Mappings []InventoryLine
	// Scopes and Subjects are all that are stored, DataKeys those that stand.
	Scopes, Subjects, DataKeys int
	Holds                      int // that stand
	Tombstones                 int
	Suppressions               int
	Claims                     int
	RequestsOpen               int
	RequestsClosed             int
	OldestClosed               time.Time // when the oldest closed request was closed; zero without any
	Erasures                   int
	ErasuresDeferred           int
}

// InventoryLine counts the mappings of one class in scopes of one kind. What an
// erasure destroyed and a sweep has not taken is in Erased and nowhere else.
type InventoryLine struct {
	Class    string
	Kind     ScopeKind
	Live     int // may be restored
	Expired  int // past its time and not swept; Held of them are kept by a hold
	Held     int
	Retired  int // replaced by a newer token, and not past its time
	Erased   int
	Oldest   time.Time // when the oldest of Live was made; zero without any
	LastEnds time.Time // when the last of Live expires
}

// DestinationUse says when values were sent to a destination.
type DestinationUse struct {
	Destination string
	Mappings    int
	// First and Last are when any of them was sent first and last. Last is up to
	// SentResolution behind.
	First, Last time.Time
}

// SentResolution is how far behind the time may be at which a value was last
// sent to a destination: a chat sends its history each turn, and its rows are
// not to be written each turn.
const SentResolution = time.Hour

// RetireVersions says that versions of the wrapping key below one are destroyed,
// before it is done. Nothing may stand that one of them wrapped, and no key may
// be inserted under one (the tenant's minimum is Below or more), else
// ErrConflict. A hold that stands and keeps backups is ErrHeld. Below never
// falls: a lower one, or the same again, is ErrConflict.
type RetireVersions struct{ Below int }

// Finality says that the versions below one are destroyed. It fails with
// ErrConflict unless the tenant has retired exactly those. Erasures that are
// completed and whose keys were all wrapped by one of those versions are final
// from then on, after the given time that the key service keeps its own backups.
type Finality struct {
	Below   int
	Backups time.Duration
}

// Replay does again in an older copy of the data what an erasure did in the one
// that was lost. Erasure is as it stood there, and replaces the row of its id or
// is inserted. Buried are its keys: those that stand are destroyed, and all get
// tombstones. What those that stand seal and what has to stay is in Reseal and
// Names; the rest is erased. Where the erasure is completed the subject's row
// goes.
type Replay struct {
	Erasure Erasure
	Buried  []Tombstone
	Fresh   []DataKey
	Reseal  []Resealed
	Names   []ResealedName
}

// Suppression says for how long a value that was erased is not tokenized again.
type Suppression struct {
	For     time.Duration // zero: not at all
	Forever bool
	// Common are entities whose values many people share, such as names: these
	// are suppressed only in scopes of a name in which they were.
	Common []string
}

func (RetireVersions) kinds() []audit.Kind { return []audit.Kind{audit.KindKeyRetire} }
func (Finality) kinds() []audit.Kind       { return []audit.Kind{audit.KindFinality} }
func (Replay) kinds() []audit.Kind         { return []audit.Kind{audit.KindReplay} }

// FinalityTimes are how long it takes until what was erased opens nowhere.
type FinalityTimes struct {
	Epoch         time.Duration // between two rotations of the wrapping keys
	BackupHorizon time.Duration // how long backups of the database are kept
	KeyBackups    time.Duration // how long the key service's own are, or copies of the key file
}

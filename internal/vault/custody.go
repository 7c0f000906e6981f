package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Identifier is a value that a person is known by.
type Identifier struct {
	Entity string
	Value  string
}

// HoldWords is what a hold is about, in the words of the caller. Every field
// that is set must match, and of a list any element; at least one is set.
type HoldWords struct {
	Subjects    []string
	Identifiers []Identifier
	Scopes      []string
	Entities    []string
	Classes     []string
	// Destinations are where a value was sent.
	Destinations []string
	// From and To bound when it was tokenized or, with BySent, sent: [From, To).
	// Zero is open.
	From, To time.Time
	BySent   bool
}

// HoldRequest asks for a legal hold.
type HoldRequest struct {
	Matter    string // the number of the matter, not its name
	Reference string // of who ordered it
	Custodian string // who answers for it; may be empty
	Match     HoldWords
	// ExistingOnly leaves out what is tokenized after the hold was placed.
	ExistingOnly bool
	// Backups keeps versions of the wrapping key from being retired: what the hold
	// is about may be in backups alone.
	Backups  bool
	ReviewBy time.Time // zero: nobody has to look again
	DryRun   bool      // nothing is placed; the answer says what it would reach
}

// HoldInfo describes a hold. People, values and scopes that it names are kept
// as digests, so only their number can be told.
type HoldInfo struct {
	ID                           string
	Matter, Reference, Custodian string
	Subjects, Identifiers        int
	Scopes                       int
	Entities, Classes            []string
	Destinations                 []string
	From, To                     time.Time
	BySent                       bool
	ExistingOnly, Backups        bool
	ReviewBy                     time.Time
	CreatedAt, ReleasedAt        time.Time // zero: not yet
}

// HoldResult is the answer to what places, reviews or releases a hold, or
// looks at one.
type HoldResult struct {
	Hold  *HoldInfo // nil for a dry run
	Reach *Reach    // of a dry run, and of one hold that is looked at
	Audit *audit.Receipt
}

// HoldListRequest asks for a page of holds.
type HoldListRequest struct {
	Standing bool // only those that are not released
	Limit    int  // zero means PageHolds
	Cursor   string
}

// HoldPage is a page of holds, the newest first.
type HoldPage struct {
	Holds []HoldInfo
	Next  string
}

// SubjectSearchRequest asks what there is of a person. At least one of the two
// is set.
type SubjectSearchRequest struct {
	Subject     string
	Identifiers []Identifier
	// Variants looks also for other ways in which the identifiers may have been
	// written: see detect.Variants.
	Variants bool
}

// SubjectSearchResult says where a person was found, without values.
type SubjectSearchResult struct {
	SubjectRefs []string
	Sightings   []Sighting
	// Ambiguous says that nothing but names led here: other people may have
	// the same one.
	Ambiguous bool
	// More says that MaxSightings were not enough.
	More  bool
	Audit *audit.Receipt
}

// CloseScopeRequest asks that a scope ends now.
type CloseScopeRequest struct{ Scope string }

// CloseScopeResult says when it did.
type CloseScopeResult struct {
	ScopeRef string
	ClosedAt time.Time
	Audit    *audit.Receipt
}

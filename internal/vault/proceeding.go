package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Proceedings reads what people have to come back to, and what was spent of
// budgets.
type Proceedings interface {
	// Proceedings returns a page of proceedings, the newest first.
	Proceedings(ctx context.Context, tenant string, q ProceedingQuery) ([]Proceeding, error)
	// Spent returns how many tokens were counted under each of the keys in the
	// hour that it is by the store's clock, in their order, and when the hour ends.
	Spent(ctx context.Context, tenant string, keys []Digest) ([]int, time.Time, error)
	// ForgetSpent deletes at most limit counts of hours that are over, and tells
	// how many.
	ForgetSpent(ctx context.Context, tenant string, limit int) (int, error)
	// ForgetGrants deletes at most limit grants that were closed GrantKept ago or
	// longer by the store's clock, those closed first before others, and tells how
	// many. One whose uses are not forgotten yet stays, and so does whatever is no
	// grant, or not closed.
	ForgetGrants(ctx context.Context, tenant string, limit int) (int, error)
	// Exposure counts the mappings that are stored by where they were sent, by
	// destination, entity and class.
	Exposure(ctx context.Context, tenant string) ([]ExposureLine, error)
}

// Outbox hands out notices. They are bookkeeping: a notice says that something
// happened, and is written in the commit of what did.
type Outbox interface {
	// TakeNotices returns at most limit notices whose time has come, the oldest
	// first, and puts each off by the lease, so that no two replicas have it.
	TakeNotices(ctx context.Context, tenant string, limit int, lease time.Duration) ([]Notice, error)
	// PostponeNotice puts a notice off until a time and counts an attempt. One that
	// is not there any more is no error.
	PostponeNotice(ctx context.Context, tenant, id string, until time.Time) error
	// SettleNotice deletes a notice that was delivered or given up.
	SettleNotice(ctx context.Context, tenant, id string) error
}

// Proceeding is something that people have to come back to. Who may do what with
// which kind is for the service; a store knows states, revisions and times.
type Proceeding struct {
	ID       string // of the change that opened it
	Kind     ProceedingKind
	Revision int // rises by one with each change; 1 at first. Set by the store
	State    ProceedingState
	Actor    string // who opened it, as in the entry
	// SubjectRef is the person whom a consent is of, else empty.
	SubjectRef string
	// DueAt is until when somebody has to have come back to it, ExpiresAt from when
	// on it stands for nothing, by the store's clock; zero: never.
	DueAt, ExpiresAt    time.Time
	CreatedAt, ClosedAt time.Time // set by the store; ClosedAt is zero while it is open
	// Body are the details in JSON: identifiers, digests, counts and times, never a
	// value and never free text. At most MaxProceedingBody bytes.
	Body []byte
}

// MaxProceedingBody bounds the details of a proceeding: a packed policy bundle,
// as text, is the largest.
const MaxProceedingBody = 1 << 20

// ProceedingKind says what a proceeding is. The list is closed.
type ProceedingKind string

// The kinds of proceedings.
const (
	ProceedingApproval     ProceedingKind = "approval"      // an operation that others have to agree to
	ProceedingRestoration  ProceedingKind = "restoration"   // the same of a restoration
	ProceedingReview       ProceedingKind = "review"        // a use that somebody has to look at
	ProceedingSuspension   ProceedingKind = "suspension"    // nothing that it matches is restored
	ProceedingIncident     ProceedingKind = "incident"      // a breach and its clocks
	ProceedingConsent      ProceedingKind = "consent"       // a person agrees to a purpose
	ProceedingAccessReview ProceedingKind = "access_review" // somebody looked at who may do what
	ProceedingPolicy       ProceedingKind = "policy"        // a bundle that was proposed, and may be in force
	ProceedingEvidence     ProceedingKind = "evidence"      // evidence of a period that somebody asked for
	ProceedingGrant        ProceedingKind = "grant"         // a stream may restore, for a while
)

// ProceedingKinds returns the closed list.
func ProceedingKinds() []ProceedingKind {
	return []ProceedingKind{
		ProceedingApproval, ProceedingRestoration, ProceedingReview, ProceedingSuspension,
		ProceedingIncident, ProceedingConsent, ProceedingAccessReview, ProceedingPolicy, ProceedingEvidence,
		ProceedingGrant,
	}
}

// ProceedingState says how far a proceeding has come.
type ProceedingState string

// The states. ProceedingDone and ProceedingRejected close it for good.
const (
	ProceedingPending  ProceedingState = "pending"  // others have to agree, or to promote it
	ProceedingApproved ProceedingState = "approved" // they did; it can be redeemed once
	ProceedingStanding ProceedingState = "standing" // it is in force, or open
	ProceedingDone     ProceedingState = "done"     // redeemed, lifted, closed, withdrawn, retired
	ProceedingRejected ProceedingState = "rejected"
)

// Closes tells whether a proceeding in the state is closed for good.
func (s ProceedingState) Closes() bool { return s == ProceedingDone || s == ProceedingRejected }

// ProceedingQuery selects proceedings. Zero fields do not select.
type ProceedingQuery struct {
	ID          string
	Kind        ProceedingKind
	State       ProceedingState
	Open        bool // only those that are not closed
	Actor       string
	SubjectRefs []string // of any of these persons, at most MaxFindings
	DueBefore   time.Time
	Before      string // the id that the page before ended with
	Limit       int    // of the page; zero means PageProceedings
}

// PageProceedings bounds a page of proceedings.
const PageProceedings = 100

// OpenProceeding opens a proceeding. Its id is that of the change. Where a
// SubjectRef is given, that subject must stand, else ErrConflict.
type OpenProceeding struct{ Proceeding Proceeding }

// ChangeProceedings replaces proceedings, all or none, each of another id: each
// must be at the given Revision and not closed, else ErrConflict. Kind, Actor and
// SubjectRef stay as they are, whatever is given. At most one proceeding of kind
// ProceedingPolicy stands (ProceedingStanding) in a tenant after it: another is
// ErrConflict. All are of one kind.
type ChangeProceedings struct{ Proceedings []Proceeding }

// proceedingEntries are the kinds of entries that speak for a kind of proceeding
// that is opened, and after it for one that is changed. A grant is never opened
// by itself: it rides along with what it rests on.
var proceedingEntries = map[ProceedingKind][]audit.Kind{
	ProceedingApproval:     {audit.KindApprovalRequest, audit.KindApprovalDecide},
	ProceedingRestoration:  {audit.KindApprovalRequest, audit.KindApprovalDecide},
	ProceedingReview:       {audit.KindReviewOpen, audit.KindReviewClose},
	ProceedingSuspension:   {audit.KindSuspend, audit.KindLiftSuspension},
	ProceedingIncident:     {audit.KindIncidentOpen, audit.KindIncidentChange},
	ProceedingConsent:      {audit.KindConsent, audit.KindWithdrawConsent},
	ProceedingAccessReview: {audit.KindAccessReview, audit.KindAccessReview},
	ProceedingPolicy:       {audit.KindPolicyPropose, audit.KindPolicyChange},
	ProceedingEvidence:     {audit.KindEvidenceRequest, audit.KindEvidenceDone},
	ProceedingGrant:        {"", audit.KindGrantRenew, audit.KindGrantClose},
}

func (o OpenProceeding) kinds() []audit.Kind {
	kinds, known := proceedingEntries[o.Proceeding.Kind]
	if !known {
		return nil
	}
	return kinds[:1]
}

func (c ChangeProceedings) kinds() []audit.Kind {
	if len(c.Proceedings) == 0 {
		return nil
	}
	kinds, known := proceedingEntries[c.Proceedings[0].Kind]
	if !known {
		return nil
	}
	return kinds[1:]
}

// Restorer is who has values back, as suspensions match it.
type Restorer struct {
	Actor, Client string
	EndUser       Digest // zero where none is named
	Reason        string
}

// Spend counts tokens against a budget of the hour that it is by the store's
// clock, after the lock. Key names the budget and whose it is.
type Spend struct {
	Key           Digest
	Tokens, Limit int
}

// Redemption is an approval that is used by a change: it must be approved, at
// that revision and not expired, else ErrConflict. It is done from the commit on.
type Redemption struct {
	ID       string
	Revision int
}

// Notice says to somebody outside that something happened. Its id is that of the
// change that it rides along with.
type Notice struct {
	ID       string
	Kind     string // of the entry
	Body     []byte // JSON, at most MaxNoticeBody bytes: ids, counts, times; never a value
	Attempts int
	At       time.Time // of the commit
}

// MaxNoticeBody bounds a notice: it names a few ids and counts.
const MaxNoticeBody = 8 << 10

// ExposureLine counts what is stored of one entity and class that was sent to one
// destination.
type ExposureLine struct {
	Destination, Entity, Class string
	Mappings                   int
	First, Last                time.Time // when any was sent first and last; see SentResolution
}

// Redeeming returns the change with an approval that it uses.
func (c Change) Redeeming(r Redemption) Change {
	c.redeems = &r
	return c
}

// Redeems is the approval that the change uses, nil where it needs none. It rides
// along with every effect, is judged after the lock and before all else, and such
// a change commits alone.
func (c Change) Redeems() *Redemption { return c.redeems }

// Opening returns the change with a proceeding that it opens besides, under the id
// of the change.
func (c Change) Opening(p Proceeding) Change {
	c.opens = &p
	return c
}

// Opens is the proceeding that the change opens besides, nil where there is none.
// Only a Restore opens one, and a Tokenize that gives out a grant. It has its id:
// that of the change or, of a grant that rides along, that of the grant's entry.
// The outcome completes its body; with the zero Outcome it is what it would be if
// nothing stood.
func (c Change) Opens(o Outcome) *Proceeding {
	if c.grant != nil {
		p := c.grant.proceeding(o)
		return &p
	}
	if c.opens == nil {
		return nil
	}
	p := *c.opens
	p.ID = c.id
	return &p
}

// Notifying returns the change with a notice that is sent once it is committed.
func (c Change) Notifying(kind string, body []byte) Change {
	c.notice = &Notice{ID: c.id, Kind: kind, Body: body}
	return c
}

// Notice is what is sent once the change is committed, nil where nothing is. It
// rides along with every effect.
func (c Change) Notice() *Notice { return c.notice }

// checkRiders refuses what a change may not carry.
func (c Change) checkRiders() error {
	switch {
	case c.opens != nil && (len(c.opens.Body) > MaxProceedingBody || c.opens.State.Closes()):
		return fmt.Errorf("%w: a proceeding that may not be opened", ErrNoEntry)
	case c.notice != nil && len(c.notice.Body) > MaxNoticeBody:
		return fmt.Errorf("%w: a notice that is too long", ErrNoEntry)
	}
	restore, restores := c.effect.(Restore)
	switch {
	case c.opens != nil && !restores:
		return fmt.Errorf("%w: %T opens no proceeding besides", ErrNoEntry, c.effect)
	case c.grants() != (c.entry.Kind == audit.KindGrant && c.entry.Decision != audit.Deny):
		return fmt.Errorf("%w: a grant and its entry go together", ErrNoEntry)
	case restores && restore.Draw != nil && !slices.Contains(restore.Standing, restore.Draw.GrantID):
		return fmt.Errorf("%w: a stream that does not rest on its grant", ErrNoEntry)
	}
	return c.checkGrant()
}

// grants tells whether the change itself opens a grant.
func (c Change) grants() bool { return c.opens != nil && c.opens.Kind == ProceedingGrant }

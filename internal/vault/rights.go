package vault

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Requests reads the requests of persons, and what there is to answer them with.
type Requests interface {
	// Requests returns a page of requests, the newest first. Lookups are set
	// only where one is asked for by its id.
	Requests(ctx context.Context, tenant string, q RequestQuery) ([]SubjectRequest, error)
	// RequestNotes returns the notes of a request, the oldest first.
	RequestNotes(ctx context.Context, tenant, requestID string) ([]RequestNote, error)
	// PersonTokens returns a page of the mappings that Sightings counts, in
	// order of scope and token, from after the given one. The query's Limit
	// bounds the page; zero means PageTokens.
	PersonTokens(ctx context.Context, tenant string, q PersonQuery, after MappingRef) ([]MappingRef, error)
	// Names returns the sealed names of those of the scopes and subjects that
	// have one, in any order.
	Names(ctx context.Context, tenant string, scopeIDs, subjectRefs []string) ([]SealedName, error)
	// StaleRecords returns what a sweep may forget of the service's own records:
	// at most limit requests that were closed before a time, and at most limit
	// subjects that nothing is about: no mapping is linked to one, no data key
	// but that of its own name is its, and no request that is not closed and no
	// deferred erasure has its reference.
	StaleRecords(ctx context.Context, tenant string, closedBefore time.Time, limit int) (Sweep, error)
}

// RequestQuery selects requests of persons. Zero fields do not select.
type RequestQuery struct {
	ID       string
	Kind     RequestKind
	State    RequestState
	Open     bool      // only those that are not closed
	From, To time.Time // when they were received, [From, To)
	Before   string    // the id that the page before ended with
	Limit    int       // of the page; zero means PageRequests
}

// PageRequests bounds a page of requests of persons.
const PageRequests = 100

// SubjectRequest is what a person asked for, and how far the answer has come.
// Everything in it but the sealed notes is an identifier, a digest or a time.
type SubjectRequest struct {
	ID string // of the change that opened it
	// Revision rises by one with each change; 1 at first. Set by the store.
	Revision int
	Kind     RequestKind
	Regime   string // whose clock runs
	// Subject is the digest of the caller's name for the person, zero where none
	// was given; Lookups are look-up digests of values that the person is known
	// by, at most MaxIdentifiers. Both are forgotten when the request is closed.
	Subject Digest
	Lookups []Digest
	// SubjectRef is the reference of the person once somebody found it.
	SubjectRef string
	Reference  string // of the caller's, never free text
	State      RequestState
	// Identity is zero until somebody established that the person asks.
	Identity    IdentityCheck
	Assignee    string // may be empty
	RefusalCode string // of those that were refused
	Extended    bool
	// ReceivedAt is when the clock began, DueAt when it ends.
	ReceivedAt, DueAt time.Time
	// ClosedAt is zero while the request is open. Set by the store, when State
	// is one that closes.
	ClosedAt time.Time
}

// RequestKind is what a person asks for.
type RequestKind string

// The kinds of requests.
const (
	RequestAccess      RequestKind = "access"      // GDPR Art. 15, CCPA 1798.110, HIPAA 164.524
	RequestErasure     RequestKind = "erasure"     // GDPR Art. 17, CCPA 1798.105
	RequestRestriction RequestKind = "restriction" // GDPR Art. 18
	RequestObjection   RequestKind = "objection"   // GDPR Art. 21
	RequestAccounting  RequestKind = "accounting"  // HIPAA 164.528
)

// RequestState says how far a request has come.
type RequestState string

// The states of a request. From StatePartial on it is closed.
const (
	StateReceived         RequestState = "received"          // nobody said yet whom it is about
	StateAwaitingIdentity RequestState = "awaiting_identity" // nobody established yet that the person asks
	StateOpen             RequestState = "open"
	StateRunning          RequestState = "running"  // restricted, and not decided yet
	StateDeferred         RequestState = "deferred" // a hold keeps a part
	StatePartial          RequestState = "partially_completed"
	StateCompleted        RequestState = "completed"
	StateRefused          RequestState = "refused"
	StateWithdrawn        RequestState = "withdrawn"
)

// Closes tells whether a request in the state is closed for good.
func (s RequestState) Closes() bool {
	switch s {
	case StatePartial, StateCompleted, StateRefused, StateWithdrawn:
		return true
	default:
		return false
	}
}

// RequestNote is what somebody wrote about a request: sealed under a data key
// whose SubjectRef is the request's id, so that it goes with the request.
type RequestNote struct {
	ID        string // of the change that wrote it
	RequestID string
	Author    string // who wrote it, as in the entry
	KeyID     string
	Sealed    []byte
	At        time.Time // set by the store
}

// SealedName is the caller's own name for a scope or for a person.
type SealedName struct {
	ScopeID, SubjectRef string // exactly one of the two
	KeyID               string
	Sealed              []byte
}

// OpenRequest writes down what a person asked for. Its id is that of the change.
// ReceivedAt may be before the commit, never after it: otherwise ErrConflict.
type OpenRequest struct{ Request SubjectRequest }

// UpdateRequest replaces a request that is at the given Revision, else
// ErrConflict; a closed one is never changed: ErrConflict. Kind, Regime,
// ReceivedAt and Reference stay as they are, whatever is given. Where State
// closes, Subject and Lookups are forgotten and ClosedAt is set.
type UpdateRequest struct{ Request SubjectRequest }

// NoteRequest adds a note to a request that is not closed, else ErrConflict. Its
// id is that of the change. Key is the fresh data key that seals it, nil where
// the request has one already.
type NoteRequest struct {
	Note RequestNote
	Key  *DataKey
}

// Restrict restricts every live mapping that is linked to the subject and to
// nobody else (GDPR Art. 18): from the commit on it is restored only for reasons
// that reach restricted data. It changes the request as UpdateRequest does.
type Restrict struct {
	SubjectRef string
	Request    SubjectRequest
}

// LiftRestriction undoes Restrict, unless another request of the same SubjectRef
// restricts the same: one that is running, or an objection that is completed. Then
// only the request is changed. Otherwise restricted mappings of the subject alone live
// again, but for those that a deferred erasure of the subject restricted
// (created at or before its ErasedAt), and those whose value has another live
// token by now, which are retired. It changes the request as UpdateRequest does.
type LiftRestriction struct {
	SubjectRef string
	Request    SubjectRequest
}

func (OpenRequest) kinds() []audit.Kind     { return []audit.Kind{audit.KindRequestOpen} }
func (UpdateRequest) kinds() []audit.Kind   { return []audit.Kind{audit.KindRequestChange} }
func (NoteRequest) kinds() []audit.Kind     { return []audit.Kind{audit.KindRequestChange} }
func (Restrict) kinds() []audit.Kind        { return []audit.Kind{audit.KindRestrict} }
func (LiftRestriction) kinds() []audit.Kind { return []audit.Kind{audit.KindLiftRestriction} }

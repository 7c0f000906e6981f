package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// IntakeRequest writes down what a person asked for. A request that names
// nobody yet is received; one without an identity check awaits it.
type IntakeRequest struct {
	Kind        RequestKind
	Regime      string // gdpr, ccpa or hipaa: whose clock runs
	Subject     string
	Identifiers []Identifier
	Reference   string
	Assignee    string         // may be empty
	ReceivedAt  time.Time      // when the person asked; zero: now
	Identity    *IdentityCheck // nil: to be established
}

// IdentifyRequest says that the person is the one who asks and, where the
// request names nobody yet, who that is.
type IdentifyRequest struct {
	Identity    IdentityCheck
	Subject     string
	Identifiers []Identifier
}

// ExecuteRequest does what an open request of the kinds erasure, restriction and
// objection asks for.
type ExecuteRequest struct {
	ConfirmSubject string // the subject again, where the request has one
	PreviewID      string // of a dry run of an erasure
	DryRun         bool
	Suppress       string // of an erasure: none, 30d or forever; empty is 30d
	ApprovalID     string // of an erasure, where the policy demands one for what goes
}

// RefusalCode says why a request was refused. The list is closed.
type RefusalCode string

// The reasons for a refusal.
const (
	RefusedIdentity   RefusalCode = "identity_not_established" // GDPR Art. 12(6), CCPA 1798.130(a)(2)
	RefusedUnfounded  RefusalCode = "manifestly_unfounded"     // GDPR Art. 12(5)
	RefusedExcessive  RefusalCode = "excessive"                // GDPR Art. 12(5), CCPA 1798.145(h)(3)
	RefusedObligation RefusalCode = "legal_obligation"         // GDPR Art. 17(3)(b), CCPA 1798.105(d)(8)
	RefusedClaims     RefusalCode = "legal_claims"             // GDPR Art. 17(3)(e), Art. 18(2), Art. 21(1)
	RefusedGrounds    RefusalCode = "compelling_grounds"       // GDPR Art. 21(1)
	RefusedNotOurs    RefusalCode = "not_our_data"             // we process it for somebody else, who has to answer
	RefusedDuplicate  RefusalCode = "duplicate"                // it is answered under another request
)

// RefusalCodes returns the closed list.
func RefusalCodes() []RefusalCode {
	return []RefusalCode{
		RefusedIdentity, RefusedUnfounded, RefusedExcessive, RefusedObligation, RefusedClaims,
		RefusedGrounds, RefusedNotOurs, RefusedDuplicate,
	}
}

// RequestInfo describes a request. Whom it is about is told by a reference only.
type RequestInfo struct {
	ID, Regime, Reference, Assignee string
	Kind                            RequestKind
	Status                          RequestState
	SubjectRef                      string
	// Named and Identifiers tell whether a subject and how many values the open
	// request has.
	Named       bool
	Identifiers int
	Identity    *IdentityCheck // nil until it is established
	RefusalCode RefusalCode
	Extended    bool
	ReceivedAt  time.Time
	DueAt       time.Time
	ClosedAt    time.Time // zero while it is open
	Overdue     bool
	// Erasure is what was destroyed, nil unless something was.
	Erasure *ErasureInfo
}

// RequestResult is the answer to what opens or changes a request.
type RequestResult struct {
	Request RequestInfo
	// Restricted and Shared tell, after a restriction was made or lifted, how many
	// values changed, and how many stay as they are since they are about others.
	Restricted, Shared int
	Audit              *audit.Receipt
}

// RequestListRequest asks for a page of requests. Zero fields do not select.
type RequestListRequest struct {
	Kind     RequestKind
	Status   RequestState
	Open     bool
	From, To time.Time // when they were received, [From, To)
	Limit    int       // zero means PageRequests
	Cursor   string
}

// RequestPage is a page of requests, the newest first.
type RequestPage struct {
	Requests []RequestInfo
	Next     string
}

// NoteInfo is a note, opened.
type NoteInfo struct {
	ID, Author, Text string
	At               time.Time
}

// NotesResult are the notes of a request, the oldest first. Reading them is an
// entry.
type NotesResult struct {
	Notes []NoteInfo
	Audit *audit.Receipt
}

// RequestSummary counts the requests of a period, as regulators ask for it
// (11 CCR 7102 for the CCPA).
type RequestSummary struct {
	From, To time.Time // when they were received, [From, To)
	Lines    []RequestSummaryLine
	// More says that MaxSummaryRequests were not enough: the rest is not counted.
	More bool
}

// RequestSummaryLine counts the requests of one kind and regime.
type RequestSummaryLine struct {
	Kind     RequestKind
	Regime   string
	Received int
	ByStatus map[RequestState]int
	Refused  map[RefusalCode]int
	Extended int
	Overdue  int // open and past due, or closed after it was due
	// MedianDays and LongestDays are from receipt to closing, of those closed.
	MedianDays, LongestDays float64
}

// ReportRequest asks for the report of a request of the kinds access and
// accounting.
type ReportRequest struct {
	// Values asks for the values too, for a reason whose code is SUBJECT_ACCESS.
	Values bool
	Reason ReasonGiven
	// Actors names who had values back; otherwise only their roles are told.
	Actors bool
}

// SubjectReport is what a person is told (GDPR Art. 15, HIPAA 164.524 and 164.528).
type SubjectReport struct {
	RequestID, Reference string
	Kind                 RequestKind
	GeneratedAt          time.Time
	SubjectRefs          []string
	Holdings             []ReportHolding
	Destinations         []ReportDestination
	Purposes             []ReportPurpose
	Restorations         []ReportRestoration // the newest first
	Retention            []RetentionLine     // of the classes that Holdings has
	Values               []ReportValue       // only where they were asked for
	// Limits are what the report cannot tell.
	Limits []ReportLimit
	Audit  *audit.Receipt
}

// ReportHolding is what one scope has of a person, of one entity.
type ReportHolding struct {
	ScopeRef, Entity, Class string
	ScopeKind               ScopeKind
	Values, Expired         int
	First, Last, Ends       time.Time
}

// ReportDestination is where values of a person were sent.
type ReportDestination struct {
	Destination, Vendor, Region string
	VendorRetentionDays         int
	Training                    bool
	Values                      int
	First, Last                 time.Time
}

// ReportPurpose is a reason for which values of a person were given back.
type ReportPurpose struct {
	Reason, Description, LegalBasis string
	Restorations                    int
}

// ReportRestoration is one time that values of a person were given back.
type ReportRestoration struct {
	At        time.Time
	Index     int64 // of the entry
	Reason    string
	Roles     []string // by which it was allowed
	Actor     string   // empty unless actors were asked for
	Client    string
	Recipient string
	Reference string // empty unless actors were asked for
	Values    int    // of this person's
}

// ReportValue is a value of a person. Those that are about somebody else too are
// left out: see LimitThirdParties.
type ReportValue struct {
	ScopeRef, Token, Entity, Value string
}

// ReportLimit says what a report cannot tell. The list is closed.
type ReportLimit string

// What a report cannot tell.
const (
	LimitExpired       ReportLimit = "expired_data_gone"   // what expired and was swept
	LimitUntied        ReportLimit = "untied_values"       // values that nobody tied to the person
	LimitNamesOnly     ReportLimit = "names_are_ambiguous" // found by a name alone: may be somebody else
	LimitThirdParties  ReportLimit = "third_parties_left_out"
	LimitConsents      ReportLimit = "consents_not_kept"
	LimitScopes        ReportLimit = "too_many_scopes"       // MaxSightings
	LimitTokens        ReportLimit = "too_many_values"       // MaxReportTokens: restorations of the rest are not told
	LimitRestorations  ReportLimit = "too_many_restorations" // MaxReportRestorations
	LimitValuesRefused ReportLimit = "values_not_restored"   // some values were refused or did not open
	LimitIndexKey      ReportLimit = "older_index_keys"      // digests of older index keys are not searched
)

// ReportLimits returns the closed list.
func ReportLimits() []ReportLimit {
	return []ReportLimit{
		LimitExpired, LimitUntied, LimitNamesOnly, LimitThirdParties, LimitConsents, LimitScopes,
		LimitTokens, LimitRestorations, LimitValuesRefused, LimitIndexKey,
	}
}

// RetentionReport says what is kept for how long, and what is there.
type RetentionReport struct {
	At        time.Time
	Settings  []RetentionLine
	Inventory Inventory
	// Records say how long the service keeps its own records.
	Records RecordsRetention
	// LastSweep is when a sweep last destroyed something, zero if never; Swept is
	// what its entry counts.
	LastSweep time.Time
	Swept     map[string]int
}

// RetentionLine is a rule of retention in force for the tenant. Empty fields do
// not select; of several that match the shortest counts.
type RetentionLine struct {
	Class, Entity, Destination string
	ScopeKind                  ScopeKind
	For                        time.Duration
}

// RecordsRetention says how long the service keeps its own records.
type RecordsRetention struct {
	Requests     time.Duration // after they were closed, with their notes
	Idempotency  time.Duration
	Suppressions string // "as asked"
	Tombstones   string // "for ever"
	Log          string // "for ever"
}

// NamesRequest asks for the callers' own names of scopes and people, for a reason
// whose code is SUBJECT_ACCESS.
type NamesRequest struct {
	ScopeRefs, SubjectRefs []string
	Reason                 ReasonGiven
}

// NamesResult are the names. What is not there, or has none, is left out.
type NamesResult struct {
	Scopes, Subjects map[string]string // by reference
	Audit            *audit.Receipt
}

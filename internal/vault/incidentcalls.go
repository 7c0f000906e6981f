package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// AssessRequest asks who was exposed by what happened in a time. Zero fields do
// not select.
type AssessRequest struct {
	From, To                       time.Time // [From, To), required, at most MaxAssessment apart
	Actor, Client, Reason, Entity  string
	Destination, Scope, SubjectRef string // Scope by its name
	// Tokenized asks about what was sent to destinations instead of what was
	// restored.
	Tokenized bool
}

// MaxAssessment bounds the time that one assessment looks at.
const MaxAssessment = 92 * 24 * time.Hour

// Assessment says who was exposed, from the log.
type Assessment struct {
	Entries  int // that matched
	Tokens   int // different ones
	Entities map[string]int
	Actors   map[string]int // entries by actor
	Subjects []string       // references
	Scopes   []string       // references
	TokenIDs []string       // the first MaxListed of them
	// Truncated says that there was more than one assessment looks at.
	Truncated bool
	Audit     *audit.Receipt
}

// IncidentRequest writes down an incident and starts its clocks: 72 hours to the
// supervisory authority (GDPR Art. 33(1)), 60 days to the persons (45 CFR
// 164.404(b)), both from when somebody became aware.
type IncidentRequest struct {
	Reference string
	AwareAt   time.Time // zero: now
	From, To  time.Time // when it happened, as far as that is known
}

// IncidentEventKind says what happened in an incident. The list is closed.
type IncidentEventKind string

// The events of an incident.
const (
	IncidentAssessed          IncidentEventKind = "assessed"
	IncidentContained         IncidentEventKind = "contained"
	IncidentAuthorityNotified IncidentEventKind = "authority_notified"
	IncidentPersonsNotified   IncidentEventKind = "persons_notified"
	IncidentHandedOver        IncidentEventKind = "handed_over"
)

// IncidentOutcome is why an incident was closed. The list is closed.
type IncidentOutcome string

// The outcomes of an incident.
const (
	OutcomeNotified    IncidentOutcome = "notified"
	OutcomeNoRisk      IncidentOutcome = "no_risk" // GDPR Art. 33(1): unlikely to result in a risk
	OutcomeNotIncident IncidentOutcome = "not_an_incident"
)

// IncidentEvent is one thing that happened.
type IncidentEvent struct {
	Kind          IncidentEventKind
	Reference, By string
	At            time.Time
}

// IncidentInfo describes an incident and its clocks.
type IncidentInfo struct {
	ID, Reference, OpenedBy      string
	AwareAt, From, To            time.Time
	AuthorityDueAt, PersonsDueAt time.Time
	AuthorityNotified            time.Time // zero: not yet
	PersonsNotified              time.Time
	AuthorityOverdue             bool
	PersonsOverdue               bool
	Events                       []IncidentEvent
	Outcome                      IncidentOutcome // empty while it is open
	OutcomeReference             string
	OpenedAt, ClosedAt           time.Time
}

// IncidentResult is the answer to what opens or changes an incident.
type IncidentResult struct {
	Incident IncidentInfo
	Audit    *audit.Receipt
}

// IncidentPage is a page of incidents, the newest first.
type IncidentPage struct {
	Incidents []IncidentInfo
	Next      string
}

// AgreementInfo is an agreement with a vendor as it is now.
type AgreementInfo struct {
	Ref                string
	ValidFrom, ValidTo time.Time
	InForce            bool
}

// DestinationExposure is what a vendor has had, or has in clear.
type DestinationExposure struct {
	Name, Vendor, Region string // without vendor and region: the policy dropped it
	Training             bool
	VendorRetentionDays  int
	BAA, DPA             *AgreementInfo // nil: none
	InClear              []string       // entities that go there as they are, now
	Sent                 []ExposureLine // what is stored of what was sent there, as tokens
}

// AccessReviewDecision is what a reviewer says of one right.
type AccessReviewDecision struct {
	Rule     string `json:"rule"`     // its id
	Decision string `json:"decision"` // keep, revoke or change
}

// AccessReviewRequest writes down that somebody reviewed who may have what back.
type AccessReviewRequest struct {
	From, To  time.Time // the period, [From, To)
	Reviewer  string    // the caller's own name
	Reference string
	Decisions []AccessReviewDecision // one for every rule of the matrix
}

// AccessReviewInfo describes one.
type AccessReviewInfo struct {
	ID, Reviewer, Reference, PolicyVersion string
	From, To, At                           time.Time
	Decisions                              []AccessReviewDecision
}

// AccessReviewResult is the answer to one.
type AccessReviewResult struct {
	Review AccessReviewInfo
	Audit  *audit.Receipt
}

// AccessReviewPage is a page of access reviews, the newest first.
type AccessReviewPage struct {
	Reviews []AccessReviewInfo
	Next    string
}

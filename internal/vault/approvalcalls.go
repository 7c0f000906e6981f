package vault

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// ApprovalStatus says how far an approval has come. The list is closed.
type ApprovalStatus string

// The statuses of an approval, also of one of a restoration.
const (
	ApprovalPending  ApprovalStatus = "pending"
	ApprovalApproved ApprovalStatus = "approved" // it can be redeemed, once and in time
	ApprovalRejected ApprovalStatus = "rejected"
	ApprovalExpired  ApprovalStatus = "expired"
	ApprovalRedeemed ApprovalStatus = "redeemed"
)

// ApprovalInfo describes what others have to agree to.
type ApprovalInfo struct {
	ID        string
	Operation string // restore, erase, hold_release, policy_promotion, trim, tenant_close
	// Target is what the operation is about: a preview of an erasure, a hold, a
	// proposed policy, a version of the wrapping key; empty for a restoration.
	Target    string
	Status    ApprovalStatus
	Requester string
	// Reason, Reference, Entities and Tokens are of a restoration: why, and what.
	Reason, Reference string
	Entities          map[string]int
	Tokens            int
	ScopeRefs         []string
	Required          int
	Decisions         []ApprovalDecision
	RequestedAt       time.Time
	ExpiresAt         time.Time
	ClosedAt          time.Time // zero while it is open
}

// ApprovalDecision is what one person said.
type ApprovalDecision struct {
	By, Decision string // approve or reject
	NoteDigest   string // keyed digest of the note, empty without one
	At           time.Time
}

// ApprovalResult is the answer to what opens or decides an approval.
type ApprovalResult struct {
	Approval ApprovalInfo
	Audit    *audit.Receipt
}

// ApprovalRequest asks others to agree to an operation that the caller may do.
type ApprovalRequest struct {
	Operation, Target, Reference string
}

// DecisionGiven is what an approver says. The note is free text: only its keyed
// digest is kept.
type DecisionGiven struct{ Decision, Note string }

// ApprovalListRequest asks for a page of approvals or restorations.
type ApprovalListRequest struct {
	Status ApprovalStatus // empty: all
	Limit  int            // zero means PageProceedings
	Cursor string
}

// ApprovalPage is a page of approvals, the newest first.
type ApprovalPage struct {
	Approvals []ApprovalInfo
	Next      string
}

// ReviewInfo describes a use that somebody has to look at.
type ReviewInfo struct {
	ID                       string // of the change of the restoration
	Actor, Reason, Reference string
	Entities                 map[string]int
	Tokens                   int
	ScopeRefs                []string
	OpenedAt, DueAt          time.Time
	Overdue                  bool
	Finding                  string // justified, not_justified or policy_gap; empty while it is open
	FindingReference         string
	ClosedBy                 string
	ClosedAt                 time.Time
}

// ReviewListRequest asks for a page of reviews.
type ReviewListRequest struct {
	Status string // open, overdue, closed; empty: all
	Limit  int
	Cursor string
}

// ReviewPage is a page of reviews, the newest first.
type ReviewPage struct {
	Reviews []ReviewInfo
	Next    string
}

// ReviewResult is the answer to a finding.
type ReviewResult struct {
	Review ReviewInfo
	Audit  *audit.Receipt
}

// QuotaLine is one budget of the caller.
type QuotaLine struct {
	Reason, Per string // caller, end_user or tenant
	Class       string // empty: all classes together
	Limit, Used int
	ResetsAt    time.Time
}

// SuspensionWords is what a suspension stops, in the words of the caller. Every
// field that is set must match, and of a list any element; at least one is set.
type SuspensionWords struct {
	Callers, Clients, EndUsers, Scopes, Reasons, Entities []string
	From, To                                              time.Time // when a value was tokenized, [From, To)
}

// SuspensionRequest asks that restorations are stopped.
type SuspensionRequest struct {
	Match  SuspensionWords
	Reason string // a reference, never free text
}

// SuspensionInfo describes a suspension; of people and scopes only the number.
type SuspensionInfo struct {
	ID                                  string
	Callers, Clients, Reasons, Entities []string
	EndUsers, Scopes                    int
	From, To                            time.Time
	Reason, PlacedBy                    string
	PlacedAt, LiftedAt                  time.Time // LiftedAt is zero while it stands
}

// SuspensionResult is the answer to what places or lifts a suspension.
type SuspensionResult struct {
	Suspension SuspensionInfo
	Audit      *audit.Receipt
}

// ProceedingListRequest asks for a page of suspensions, incidents, consents,
// access reviews or proposed policies.
type ProceedingListRequest struct {
	Open   bool // only those that are not closed
	Limit  int
	Cursor string
}

// SuspensionPage is a page of suspensions, the newest first.
type SuspensionPage struct {
	Suspensions []SuspensionInfo
	Next        string
}

// ConsentRequest writes down that a person consents to a purpose.
type ConsentRequest struct {
	Subject, Purpose, Reference string
	ExpiresAt                   time.Time // zero: until it is withdrawn
}

// ConsentInfo describes a consent.
type ConsentInfo struct {
	ID, SubjectRef, Purpose, Reference string
	Status                             string // live, expired, withdrawn
	GivenAt, ExpiresAt, WithdrawnAt    time.Time
}

// ConsentResult is the answer to what gives or withdraws a consent.
type ConsentResult struct {
	Consent ConsentInfo
	Audit   *audit.Receipt
}

// ConsentPage is a page of consents, the newest first.
type ConsentPage struct {
	Consents []ConsentInfo
	Next     string
}

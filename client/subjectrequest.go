package client

import (
	"context"
	"net/url"
	"time"
)

// What a person may ask for.
const (
	KindAccess      = "access"
	KindErasure     = "erasure"
	KindRestriction = "restriction"
	KindObjection   = "objection"
	KindAccounting  = "accounting"
)

// The regimes under which a person may ask.
const (
	RegimeGDPR  = "gdpr"
	RegimeCCPA  = "ccpa"
	RegimeHIPAA = "hipaa"
)

// How far the answer to a person has come. From RequestPartial on the request
// is closed.
const (
	RequestReceived         = "received"          // nobody said yet whom it is about
	RequestAwaitingIdentity = "awaiting_identity" // nobody established yet that the person asks
	RequestOpen             = "open"
	RequestRunning          = "running"  // restricted, and not decided yet
	RequestDeferred         = "deferred" // a hold keeps a part
	RequestPartial          = "partially_completed"
	RequestCompleted        = "completed"
	RequestRefused          = "refused"
	RequestWithdrawn        = "withdrawn"
)

// IdentityCheck says how it was established that the person is the one who
// asks: codes and numbers, no names.
type IdentityCheck struct {
	Method     string    `json:"method"`
	Reference  string    `json:"reference"`
	VerifiedBy string    `json:"verified_by"`
	At         time.Time `json:"at"`
}

// sent is the check as the service takes it, and texts are its strings.
func (i IdentityCheck) sent() *IdentityCheck {
	i.At = *instant(&i.At)
	return &i
}

func (i IdentityCheck) texts() []string { return []string{i.Method, i.Reference, i.VerifiedBy} }

// SubjectRequest is a request of a person, as it stands. Whom it is about is
// told by the reference of the log only.
type SubjectRequest struct {
	ID          string         `json:"request_id"`
	Kind        string         `json:"kind"`
	Regime      string         `json:"regime"`
	Reference   string         `json:"reference"`
	Status      string         `json:"status"`
	SubjectRef  string         `json:"subject_ref,omitempty"`
	Named       bool           `json:"named"`       // whether it has the caller's name for the person
	Identifiers int            `json:"identifiers"` // how many values it has that the person is known by
	Identity    *IdentityCheck `json:"identity,omitempty"`
	Assignee    string         `json:"assignee,omitempty"`
	RefusalCode string         `json:"refusal_code,omitempty"`
	Extended    bool           `json:"extended"`
	ReceivedAt  time.Time      `json:"received_at"`
	DueAt       time.Time      `json:"due_at"`
	ClosedAt    *time.Time     `json:"closed_at,omitempty"`
	Overdue     bool           `json:"overdue"`
	Erasure     *Erasure       `json:"erasure,omitempty"` // what was destroyed, where one request is shown
}

// SubjectRequestStep is what became of a request, or would.
type SubjectRequestStep struct {
	Request *SubjectRequest `json:"request,omitempty"` // nil where it was only tried
	// Of an erasure, and where it was only tried with PreviewID and Counts.
	PreviewID string         `json:"preview_id,omitempty"`
	Outcome   string         `json:"outcome,omitempty"` // erased, deferred, shared or not_found
	Parts     []ErasurePart  `json:"parts,omitempty"`
	Counts    *ErasureCounts `json:"counts,omitempty"`
	// Of a restriction that was made or lifted: how many values changed, and how
	// many stay as they are since they are about others too.
	Restricted int      `json:"restricted,omitempty"`
	Shared     int      `json:"shared,omitempty"`
	Receipt    *Receipt `json:"audit,omitempty"`
}

// IntakeRequest writes down what a person asks for. Kind, Regime and Reference
// are required; a request that names nobody waits until somebody does, and one
// without Identity until it is established.
type IntakeRequest struct {
	Kind, Regime, Reference string
	Subject                 string
	Identifiers             []Identifier
	Assignee                string
	ReceivedAt              *time.Time // when the person asked; nil is now
	Identity                *IdentityCheck

	IdempotencyKey string // 128 random bits where it is empty
}

// intake is a request of a person as the service reads it.
type intake struct {
	Kind           string         `json:"kind"`
	Regime         string         `json:"regime"`
	Subject        string         `json:"subject,omitempty"`
	ConfirmSubject string         `json:"confirm_subject,omitempty"`
	Identifiers    []Identifier   `json:"identifiers,omitempty"`
	Reference      string         `json:"reference"`
	Assignee       string         `json:"assignee,omitempty"`
	ReceivedAt     *time.Time     `json:"received_at,omitempty"`
	Identity       *IdentityCheck `json:"identity,omitempty"`
	PreviewID      string         `json:"preview_id,omitempty"`
	ApprovalID     string         `json:"approval_id,omitempty"`
	Suppress       string         `json:"suppress,omitempty"`
	DryRun         bool           `json:"dry_run,omitempty"`
}

func (i *intake) encode() ([]byte, error) {
	texts := append(spelled(i.Identifiers), i.Kind, i.Regime, i.Subject, i.ConfirmSubject, i.Reference, i.Assignee, i.PreviewID, i.ApprovalID, i.Suppress)
	if i.Identity != nil {
		texts = append(texts, i.Identity.texts()...)
	}
	return plain{i, texts}.encode()
}

// OpenSubjectRequest writes down what a person asks for and starts its clock.
func (c *Client) OpenSubjectRequest(ctx context.Context, r IntakeRequest) (*SubjectRequestStep, error) {
	b := &intake{
		Kind: r.Kind, Regime: r.Regime, Subject: r.Subject, Identifiers: r.Identifiers, Reference: r.Reference,
		Assignee: r.Assignee, ReceivedAt: instant(r.ReceivedAt),
	}
	if r.Identity != nil {
		b.Identity = r.Identity.sent()
	}
	return c.step(ctx, "subject-requests", b, r.IdempotencyKey, false)
}

// step sends what moves a request on, or only asks what would.
func (c *Client) step(ctx context.Context, path string, b encoder, key string, dryRun bool) (*SubjectRequestStep, error) {
	var answer SubjectRequestStep
	if err := c.change(ctx, path, b, key, &answer, &answer.Receipt); err != nil {
		return nil, err
	}
	if !dryRun && answer.Request == nil {
		return nil, badAnswer("the request is missing")
	}
	return &answer, nil
}

// RequestFilter selects requests. Zero fields do not select.
type RequestFilter struct {
	Kind, Status string
	Open         bool       // only those that are not closed
	From, To     *time.Time // received at or after the one, before the other
}

// SubjectRequestPage is a page of requests of persons, the newest first.
type SubjectRequestPage struct {
	Requests   []SubjectRequest `json:"requests"`
	NextCursor string           `json:"next_cursor,omitempty"`
}

// SubjectRequests returns a page of requests after a cursor, "" for the first.
func (c *Client) SubjectRequests(ctx context.Context, f RequestFilter, cursor string) (*SubjectRequestPage, error) {
	query := url.Values{}
	set := func(name, text string) {
		if text != "" {
			query.Set(name, text)
		}
	}
	set("kind", f.Kind)
	set("status", f.Status)
	if f.Open {
		set("open", "true")
	}
	set("from", written(f.From))
	set("to", written(f.To))
	set("cursor", cursor)
	var page SubjectRequestPage
	if err := c.list(ctx, "subject-requests", query, &page); err != nil {
		return nil, err
	}
	return &page, nil
}

// written is a time in a query.
func written(t *time.Time) string {
	if t == nil {
		return ""
	}
	return instant(t).Format(time.RFC3339Nano)
}

// SubjectRequest returns a request of a person as it stands.
func (c *Client) SubjectRequest(ctx context.Context, id string) (*SubjectRequest, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Request *SubjectRequest `json:"request"`
	}
	if err := c.get(ctx, path, &answer); err != nil {
		return nil, err
	}
	if answer.Request == nil {
		return nil, badAnswer("the request is missing")
	}
	return answer.Request, nil
}

func requestPath(id string) (string, error) {
	if !isID(id) {
		return "", refuse("request_id", "must be letters and digits")
	}
	return "subject-requests/" + id, nil
}

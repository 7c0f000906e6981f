package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// The regimes under which a person may ask.
const (
	RegimeGDPR  = "gdpr"
	RegimeCCPA  = "ccpa"
	RegimeHIPAA = "hipaa"
)

// IdentityCheck says how it was established that the person is the one who
// asks: codes and numbers, no names.
type IdentityCheck struct {
	Method     string    `json:"method"`
	Reference  string    `json:"reference"`
	VerifiedBy string    `json:"verified_by"`
	At         time.Time `json:"at"`
}

// ErasureRequest asks that what there is of a person is erased. All but
// PreviewID is required; TryErasure does without ConfirmSubject.
type ErasureRequest struct {
	Regime         string
	Subject        string
	ConfirmSubject string // the subject again
	Reference      string
	Identity       IdentityCheck
	PreviewID      string // of a TryErasure: another match is a conflict

	IdempotencyKey string // 128 random bits where it is empty
}

// ErasureCounts say what was erased, or would be.
type ErasureCounts struct {
	Erased   int `json:"erased"`   // nothing opens them any more
	Deferred int `json:"deferred"` // kept by a hold, and restricted
	Shared   int `json:"shared"`   // about others too: they stay
	Keys     int `json:"keys"`     // data keys that were destroyed
	Rekeyed  int `json:"rekeyed"`  // values of others, and names, sealed anew
}

// ErasurePart is what becomes of a person's values in one scope.
type ErasurePart struct {
	ScopeRef string `json:"scope_ref"`
	Erased   int    `json:"erased"`
	Deferred int    `json:"deferred"`
	Shared   int    `json:"shared"`
}

// SubjectRequest is a request of a person, as it stands.
type SubjectRequest struct {
	ID          string        `json:"request_id"`
	Kind        string        `json:"kind"`
	Regime      string        `json:"regime"`
	Reference   string        `json:"reference"`
	State       string        `json:"state"` // deferred or completed
	ErasedAt    time.Time     `json:"erased_at"`
	CompletedAt *time.Time    `json:"completed_at,omitempty"`
	DueAt       time.Time     `json:"due_at"`
	Identity    IdentityCheck `json:"identity"`
	Counts      ErasureCounts `json:"counts"`
}

// ErasureAnswer is what was erased, or would be.
type ErasureAnswer struct {
	Request   *SubjectRequest `json:"request,omitempty"`    // nil where it was only tried
	PreviewID string          `json:"preview_id,omitempty"` // where it was only tried
	Counts    *ErasureCounts  `json:"counts,omitempty"`     // the same
	Parts     []ErasurePart   `json:"parts"`
	Receipt   *Receipt        `json:"audit,omitempty"`
}

type erasureBody struct {
	Kind           string        `json:"kind"`
	Regime         string        `json:"regime"`
	Subject        string        `json:"subject"`
	ConfirmSubject string        `json:"confirm_subject,omitempty"`
	Reference      string        `json:"reference"`
	Identity       IdentityCheck `json:"identity"`
	PreviewID      string        `json:"preview_id,omitempty"`
	DryRun         bool          `json:"dry_run,omitempty"`
}

// TryErasure tells what would be erased, and erases nothing. That it was asked
// is in the log.
func (c *Client) TryErasure(ctx context.Context, r ErasureRequest) (*ErasureAnswer, error) {
	return c.erasure(ctx, r, true)
}

// Erase erases what there is of a person, as far as no hold keeps it. Under an
// idempotency key of the caller's own it is done once, however often it is
// asked for.
func (c *Client) Erase(ctx context.Context, r ErasureRequest) (*ErasureAnswer, error) {
	return c.erasure(ctx, r, false)
}

func (c *Client) erasure(ctx context.Context, r ErasureRequest, dryRun bool) (*ErasureAnswer, error) {
	r.Identity.At = r.Identity.At.UTC().Truncate(time.Microsecond)
	b := erasureBody{
		Kind: "erasure", Regime: r.Regime, Subject: r.Subject, ConfirmSubject: r.ConfirmSubject, Reference: r.Reference,
		Identity: r.Identity, PreviewID: r.PreviewID, DryRun: dryRun,
	}
	texts := []string{
		r.Regime, r.Subject, r.ConfirmSubject, r.Reference, r.Identity.Method, r.Identity.Reference, r.Identity.VerifiedBy, r.PreviewID,
	}
	var answer ErasureAnswer
	seen, err := c.post(ctx, "subject-requests", plain{b, texts}, "", r.IdempotencyKey, &answer)
	if err != nil {
		return nil, err
	}
	if r.IdempotencyKey != "" {
		seen = 0 // the entry may be the one of then
	}
	if err := c.log.check(answer.Receipt, seen); err != nil {
		return nil, err
	}
	if !dryRun && answer.Request == nil {
		return nil, badAnswer("the request is missing")
	}
	return &answer, nil
}

// SubjectRequestPage is a page of requests of persons, the newest first.
type SubjectRequestPage struct {
	Requests   []SubjectRequest `json:"requests"`
	NextCursor string           `json:"next_cursor,omitempty"`
}

// SubjectRequests returns a page of requests after a cursor, "" for the first;
// with a state only those in it.
func (c *Client) SubjectRequests(ctx context.Context, state, cursor string) (*SubjectRequestPage, error) {
	query := url.Values{}
	if state != "" {
		query.Set("state", state)
	}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var page SubjectRequestPage
	if err := c.list(ctx, "subject-requests", query, &page); err != nil {
		return nil, err
	}
	return &page, nil
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

// The audiences of a receipt.
const (
	AudienceSubject  = "subject"  // to be handed to the person
	AudienceInternal = "internal" // with the entry and its references
)

// ErasureReceipt returns the receipt of an erasure as the service gave it, to be
// kept. Its proof was checked and, in an internal copy, that it is of the entry.
func (c *Client) ErasureReceipt(ctx context.Context, id, audience string) (json.RawMessage, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := c.list(ctx, path+"/receipt", url.Values{"audience": {audience}}, &raw); err != nil {
		return nil, err
	}
	var receipt struct {
		Entry *string  `json:"entry"`
		Proof *Receipt `json:"proof"`
	}
	if err := decode(raw, &receipt); err != nil {
		return nil, err
	}
	if err := c.log.check(receipt.Proof, 0); err != nil {
		return nil, err
	}
	switch {
	case receipt.Entry == nil && audience == AudienceInternal:
		return nil, badAnswer("the entry is missing")
	case receipt.Entry != nil && audit.LeafHash([]byte(*receipt.Entry)) != receipt.Proof.LeafHash:
		return nil, badAnswer("the proof is of another entry")
	}
	return raw, nil
}

func requestPath(id string) (string, error) {
	if !isID(id) {
		return "", refuse("request_id", "must be letters and digits")
	}
	return "subject-requests/" + id, nil
}

package client

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// For how long what was erased is masked instead of tokenized when it is sent
// again.
const (
	SuppressNone    = "none"
	Suppress30Days  = "30d" // the default
	SuppressForever = "forever"
)

// ErasureRequest asks that what there is of a person is erased at once. Regime,
// Reference, Identity and either Subject and ConfirmSubject or Identifiers are
// required; TryErasure does without ConfirmSubject.
type ErasureRequest struct {
	Regime         string
	Subject        string
	ConfirmSubject string // the subject again
	// Identifiers, without Subject, name values that nobody is tied to.
	Identifiers []Identifier
	Reference   string
	Identity    IdentityCheck
	PreviewID   string // of a TryErasure: another match is a conflict
	ApprovalID  string // where the policy demands one: of the PreviewID
	Suppress    string // empty is Suppress30Days

	IdempotencyKey string // 128 random bits where it is empty
}

// Erasure is what was destroyed.
type Erasure struct {
	ErasedAt    time.Time  `json:"erased_at"`
	CompletedAt *time.Time `json:"completed_at,omitempty"` // nil while a part is deferred
	// ExpectedFinalAt is when no backup will open it either; FinalAt is when
	// that came true.
	ExpectedFinalAt   *time.Time       `json:"expected_final_at,omitempty"`
	FinalAt           *time.Time       `json:"final_at,omitempty"`
	SuppressUntil     *time.Time       `json:"suppress_until,omitempty"`
	SuppressedForever bool             `json:"suppressed_forever"`
	Destinations      []DestinationUse `json:"destinations"` // to be told that it was erased
	Counts            ErasureCounts    `json:"counts"`
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
	Outcome  string `json:"outcome"`
	Erased   int    `json:"erased"`
	Deferred int    `json:"deferred"`
	Shared   int    `json:"shared"`
}

// TryErasure tells what would be erased, and erases nothing. That it was asked
// is in the log.
func (c *Client) TryErasure(ctx context.Context, r ErasureRequest) (*SubjectRequestStep, error) {
	return c.erasure(ctx, r, true)
}

// Erase erases what there is of a person, as far as no hold keeps it. Under an
// idempotency key of the caller's own it is done once, however often it is
// asked for.
func (c *Client) Erase(ctx context.Context, r ErasureRequest) (*SubjectRequestStep, error) {
	if r.ConfirmSubject == "" && r.PreviewID == "" {
		return nil, refuse("confirm_subject", "or preview_id is required: without them a request is only written down")
	}
	return c.erasure(ctx, r, false)
}

func (c *Client) erasure(ctx context.Context, r ErasureRequest, dryRun bool) (*SubjectRequestStep, error) {
	return c.step(ctx, "subject-requests", &intake{
		Kind: KindErasure, Regime: r.Regime, Subject: r.Subject, ConfirmSubject: r.ConfirmSubject, Identifiers: r.Identifiers,
		Reference: r.Reference, Identity: r.Identity.sent(), PreviewID: r.PreviewID, ApprovalID: r.ApprovalID, Suppress: r.Suppress, DryRun: dryRun,
	}, r.IdempotencyKey, dryRun)
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
	if err := c.accept(ctx, receipt.Proof, 0); err != nil {
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

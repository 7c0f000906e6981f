package client

import (
	"context"
	"encoding/json"
)

// What stands in the answer for a token that is not restored.
const (
	RefusedKeep  = "keep"  // the token; the default
	RefusedLabel = "label" // its entity, as in <EMAIL_ADDRESS>
	RefusedFail  = "fail"  // nothing: the whole request is denied
)

// What became of a token. Only the first three give anything of its value.
const (
	StatusRestored         = "restored"
	StatusPartial          = "partial"
	StatusMasked           = "masked"
	StatusPlace            = "place"
	StatusNeedsApproval    = "needs_approval" // of others: RequestRestoration
	StatusNeedsConsent     = "needs_consent"  // of the person: GiveConsent
	StatusOverBudget       = "over_budget"
	StatusSuspended        = "suspended"
	StatusRestricted       = "restricted"
	StatusExpired          = "expired"
	StatusErased           = "erased"
	StatusAmbiguous        = "ambiguous"
	StatusIntegrityFailure = "integrity_failure"
	StatusDenied           = "denied"
	StatusUnknown          = "unknown"
)

// Reason is why the caller wants the values, by the catalogue of the policy.
type Reason struct {
	Code      string `json:"code"`
	Reference string `json:"reference,omitempty"` // of a ticket, matter or incident
	Note      string `json:"note,omitempty"`      // for reviewers; the log has a digest
}

// DetokenizeRequest asks for values in the place of tokens. Content is required, and
// either Scope and Reason or a Grant, which has them. One without a reason is sent all the same: the service
// refuses it and records that.
type DetokenizeRequest struct {
	Scope      string
	Reason     Reason
	Content    Restorable
	ReadScopes []string // further scopes whose tokens may stand there
	Recipient  string   // who will see the values, where it is not the caller
	OnRefused  string   // RefusedKeep, RefusedLabel or RefusedFail

	Grant   string // the id of a grant; with a Text only
	Partial bool   // with Grant: the text is the beginning of one that goes on

	OnBehalfOf     string // the end user, where the client may assert one
	IdempotencyKey string // 128 random bits where it is empty
}

// DetokenizeAnswer holds the content with the values that were restored. Of
// Text, Values and Payload that one is set which was sent; Values are those of
// Tokens, in their order.
type DetokenizeAnswer struct {
	Text          string          `json:"text"`
	Values        []string        `json:"values"`
	Payload       json.RawMessage `json:"payload"`
	Results       []TokenResult   `json:"results"`
	PolicyVersion string          `json:"policy_version"`
	Receipt       *Receipt        `json:"audit"` // nil under a grant, whose entry covers it
	// HoldbackChars is, of a Partial, how many code points at the end of Text may still
	// become part of a token, and are not to be shown yet.
	HoldbackChars int    `json:"holdback_chars"`
	RequestID     string `json:"request_id"`
}

// TokenResult says what became of one token.
type TokenResult struct {
	Token    string `json:"token"`   // as the caller wrote it
	Pointer  string `json:"pointer"` // of the string in the payload
	Status   string `json:"status"`
	Form     string `json:"form"`     // full, partial, masked; "" where nothing was given
	Repaired bool   `json:"repaired"` // read from a form that a model had changed
}

// Detokenize puts values back in the place of tokens. The answer is given out
// only if the log proves that the restoration was recorded.
func (c *Client) Detokenize(ctx context.Context, r DetokenizeRequest) (*DetokenizeAnswer, error) {
	return c.restore(ctx, "detokenize", r)
}

func (r *DetokenizeRequest) body() (*body, error) {
	b := &body{Scope: r.Scope, ReadScopes: r.ReadScopes, Recipient: r.Recipient, OnRefused: r.OnRefused, Partial: r.Partial}
	if r.Grant != "" {
		b.Grant = r.Grant
	}
	if r.Reason != (Reason{}) {
		b.Reason = &r.Reason
	}
	return b, b.content(r.Content)
}

func (c *Client) restore(ctx context.Context, path string, r DetokenizeRequest) (*DetokenizeAnswer, error) {
	b, err := r.body()
	if err != nil {
		return nil, err
	}
	var answer struct {
		Text *string `json:"text"`
		DetokenizeAnswer
	}
	seen, err := c.post(ctx, path, b, r.OnBehalfOf, r.IdempotencyKey, &answer)
	if err != nil {
		return nil, err
	}
	out := &answer.DetokenizeAnswer
	if r.Grant == "" {
		err = c.accept(ctx, out.Receipt, seen)
	}
	if err == nil {
		err = matches(r.Content, answer.Text, &out.Text, out.Values, out.Payload)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

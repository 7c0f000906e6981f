package client

import (
	"context"
	"encoding/json"
	"time"
)

// What becomes of tokens that the content already holds.
const (
	ExistingKeep = "keep" // those that live in the scope stay; the default
	ExistingWrap = "wrap" // all of them are data
)

// What tokens look like.
const (
	FormatLabel  = "label"  // made for models
	FormatOpaque = "opaque" // made for storage
)

// TokenizeRequest asks for tokens in the place of personal data. Scope and
// Content are required.
type TokenizeRequest struct {
	Scope       string
	Content     Tokenizable
	Subject     string        // whom the values are about, unless a span or a value says otherwise
	Destination string        // where the prompt is going, by its name in the policy
	SourceRef   string        // the document that the content is of, by the caller's name
	TTL         time.Duration // of an unused token, in whole seconds; can only shorten
	Format      string        // FormatLabel or FormatOpaque; without it the entity's own
	Existing    string        // ExistingKeep or ExistingWrap
	ReadScopes  []string      // whose tokens may stand there too
	DetectOff   bool          // only the spans of the caller are used
	Entities    []string      // what to look for; empty means the default set
	Explain     bool          // say of each finding which rule found it
	DryRun      bool          // only tell what would be found: no token is made
	Grant       *GrantWish    // a grant to restore the answer, in the same commit

	OnBehalfOf     string // the end user, where the client may assert one
	IdempotencyKey string // 128 random bits where it is empty
}

// TokenizeAnswer holds the content with tokens. Of Text, Values and Payload
// that one is set which was sent, and none in a dry run.
type TokenizeAnswer struct {
	Text     string          `json:"text"`
	Values   []string        `json:"values"`
	Payload  json.RawMessage `json:"payload"`
	Tokens   []Token         `json:"tokens"`
	Masked   []Masked        `json:"masked"`
	Coverage *Coverage       `json:"coverage"` // of a payload
	// Unanalyzed is how many texts an external analyzer should have seen and did not.
	Unanalyzed    int      `json:"unanalyzed"`
	PolicyVersion string   `json:"policy_version"`
	Receipt       *Receipt `json:"audit"` // nil in a dry run
	Grant         *Grant   `json:"grant"` // that was asked for; nil where the content holds no token
	RequestID     string   `json:"request_id"`
}

// Token is a token of the answer. Offsets are those of what was sent, in code
// points; nil where values were sent.
type Token struct {
	Token     string     `json:"token"` // "" in a dry run, unless it was kept
	Entity    string     `json:"entity"`
	Class     string     `json:"class"`
	Origin    string     `json:"origin"`  // new, reused, kept, wrapped
	Pointer   string     `json:"pointer"` // of the string in the payload
	Start     *int       `json:"start"`
	End       *int       `json:"end"`
	Score     *float64   `json:"score"`
	Rule      string     `json:"rule"` // that found it, where the request asked
	ExpiresAt *time.Time `json:"expires_at"`
}

// Masked is a finding for which no token was made.
type Masked struct {
	Entity  string `json:"entity"`
	Action  string `json:"action"` // mask, warn or allow
	Pointer string `json:"pointer"`
	Start   *int   `json:"start"`
	End     *int   `json:"end"`
	// Score and Rule are those of what found it, where the request asked.
	Score *float64 `json:"score"`
	Rule  string   `json:"rule"`
}

// Coverage is what of a payload was searched, and what was not, and why.
type Coverage struct {
	Shape   string `json:"shape"`
	Scanned []struct {
		Pointer string `json:"pointer"`
		Kind    string `json:"kind"`
	} `json:"scanned"`
	Skipped []struct {
		Pointer string `json:"pointer"`
		Why     string `json:"why"`
	} `json:"skipped"`
}

// Tokenize puts tokens in the place of personal data.
func (c *Client) Tokenize(ctx context.Context, r TokenizeRequest) (*TokenizeAnswer, error) {
	b := &body{
		Scope: r.Scope, Subject: r.Subject, Destination: r.Destination, SourceRef: r.SourceRef,
		Format: r.Format, Existing: r.Existing, ReadScopes: r.ReadScopes, DryRun: r.DryRun,
	}
	if r.DetectOff || r.Explain || len(r.Entities) > 0 {
		b.Detect = &detectField{Enabled: !r.DetectOff, Entities: r.Entities, Explain: r.Explain}
	}
	var err error
	if b.TTL, err = seconds("ttl", r.TTL); err != nil {
		return nil, err
	}
	if r.Grant != nil {
		if b.Grant, err = r.Grant.field(); err != nil {
			return nil, err
		}
	}
	if err := b.content(r.Content); err != nil {
		return nil, err
	}
	// The outer text hides the inner one: a text that is missing is not empty.
	var answer struct {
		Text *string `json:"text"`
		TokenizeAnswer
	}
	seen, err := c.post(ctx, "tokenize", b, r.OnBehalfOf, r.IdempotencyKey, &answer)
	if err != nil {
		return nil, err
	}
	out := &answer.TokenizeAnswer
	if r.DryRun {
		err = nothingMade(out, answer.Text)
	} else if err = c.accept(ctx, out.Receipt, seen); err == nil {
		err = matches(r.Content, answer.Text, &out.Text, out.Values, out.Payload)
	}
	if err == nil && out.Grant != nil {
		err = c.accept(ctx, out.Grant.Receipt, seen)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// nothingMade holds a dry run to its word.
func nothingMade(out *TokenizeAnswer, text *string) error {
	if text != nil || out.Values != nil || out.Payload != nil || out.Receipt != nil {
		return badAnswer("a dry run made something")
	}
	return nil
}

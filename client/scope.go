package client

import (
	"context"
	"time"
)

// The kinds of scopes.
const (
	KindConversation = "conversation"
	KindUser         = "user"
	KindCase         = "case"
	KindCorpus       = "corpus"
)

// OpenScopeRequest makes a scope before its first use. Scope and Kind are
// required.
type OpenScopeRequest struct {
	Scope   string
	Kind    string
	TTL     time.Duration // of the scope, in whole seconds; can only shorten
	IdleTTL time.Duration // of an unused token of it
	EndUser string        // to whom it belongs, where that is not OnBehalfOf

	OnBehalfOf     string // the end user, where the client may assert one
	IdempotencyKey string // 128 random bits where it is empty
}

// ScopeAnswer is the scope that stands.
type ScopeAnswer struct {
	Kind         string
	Created      bool // false where it stood already; there is no receipt then
	EndsAt       time.Time
	IdleTTL      time.Duration
	EndUserBound bool
	ScopeRef     string // its name in the log
	Receipt      *Receipt
	RequestID    string
}

// OpenScope makes a scope, or finds that it stands. Where the first answer was
// lost on the way, the attempt after it finds the scope standing, and there is
// no receipt: the log has the entry all the same.
func (c *Client) OpenScope(ctx context.Context, r OpenScopeRequest) (*ScopeAnswer, error) {
	b := &body{Scope: r.Scope, Kind: r.Kind, EndUser: r.EndUser}
	var err error
	if b.TTL, err = seconds("ttl", r.TTL); err != nil {
		return nil, err
	}
	if b.IdleTTL, err = seconds("idle_ttl", r.IdleTTL); err != nil {
		return nil, err
	}
	var answer struct {
		Kind         string    `json:"kind"`
		Created      bool      `json:"created"`
		EndsAt       time.Time `json:"ends_at"`
		IdleTTL      int64     `json:"idle_ttl"`
		EndUserBound bool      `json:"end_user_bound"`
		ScopeRef     string    `json:"scope_ref"`
		Receipt      *Receipt  `json:"audit"`
		RequestID    string    `json:"request_id"`
	}
	seen, err := c.post(ctx, "scopes", b, r.OnBehalfOf, r.IdempotencyKey, &answer)
	if err != nil {
		return nil, err
	}
	if answer.Created || answer.Receipt != nil {
		if err := c.accept(ctx, answer.Receipt, seen); err != nil {
			return nil, err
		}
	}
	return &ScopeAnswer{
		Kind: answer.Kind, Created: answer.Created, EndsAt: answer.EndsAt,
		IdleTTL: time.Duration(answer.IdleTTL) * time.Second, EndUserBound: answer.EndUserBound,
		ScopeRef: answer.ScopeRef, Receipt: answer.Receipt, RequestID: answer.RequestID,
	}, nil
}

// ClosedScope is a scope that has ended.
type ClosedScope struct {
	ScopeRef  string    `json:"scope_ref"`
	ClosedAt  time.Time `json:"closed_at"`
	Receipt   *Receipt  `json:"audit"`
	RequestID string    `json:"request_id"`
}

// CloseScope ends a scope: from then on nothing of it is restored, and the next
// request under its name makes another one.
func (c *Client) CloseScope(ctx context.Context, scope, onBehalfOf string) (*ClosedScope, error) {
	value := struct {
		Scope string `json:"scope"`
	}{scope}
	var answer ClosedScope
	seen, err := c.post(ctx, "scopes/close", plain{value, []string{scope}}, onBehalfOf, "", &answer)
	if err != nil {
		return nil, err
	}
	if err := c.accept(ctx, answer.Receipt, seen); err != nil {
		return nil, err
	}
	return &answer, nil
}

package client

import (
	"context"
	"net/http"
	"time"
)

// GrantWish is what a grant is asked to be. Reason is required.
type GrantWish struct {
	Reason    Reason
	Recipient string        // who will see the values, where it is not the caller
	TTL       time.Duration // how long it stands, in whole seconds; 15 minutes where it is 0
	Budget    int           // how many different tokens it may restore; 1000 where it is 0
	Renewable bool          // it may be renewed, and serves streams until it ends
}

// GrantRequest asks for a grant. Scope and Reason are required.
type GrantRequest struct {
	GrantWish
	Scope      string
	ReadScopes []string
	Tokens     []string // that it names; without any, what lives in its scopes

	OnBehalfOf     string // the end user, where the client may assert one
	IdempotencyKey string // 128 random bits where it is empty
}

// Grant is what a stream goes by. It is no secret, and no authority by itself: it
// serves the caller that it was given to.
type Grant struct {
	ID             string        `json:"id"`
	Status         string        `json:"status"` // open, expired, closed
	Reason         string        `json:"reason"`
	Tokens         int           `json:"tokens"` // how many it names
	Budget         int           `json:"budget"`
	Renewable      bool          `json:"renewable"`
	ExpiresAt      time.Time     `json:"expires_at"`
	RenewableUntil time.Time     `json:"renewable_until"`
	Results        []TokenResult `json:"results"` // of the tokens that were sent
	Receipt        *Receipt      `json:"audit"`
	RequestID      string        `json:"request_id"`
}

// wishField is a grant as a request asks for it.
type wishField struct {
	Reason    *Reason `json:"reason,omitempty"`
	Recipient string  `json:"recipient,omitempty"`
	TTL       int64   `json:"ttl,omitempty"`
	Budget    int     `json:"budget,omitempty"`
	Renewable bool    `json:"renewable,omitempty"`
}

func (w *GrantWish) field() (*wishField, error) {
	ttl, err := seconds("ttl", w.TTL)
	if err != nil {
		return nil, err
	}
	f := &wishField{Recipient: w.Recipient, TTL: ttl, Budget: w.Budget, Renewable: w.Renewable}
	if w.Reason != (Reason{}) {
		f.Reason = &w.Reason
	}
	return f, nil
}

// grantBody is the body of a request for a grant, or for its renewal.
type grantBody struct {
	*wishField
	Scope      string   `json:"scope,omitempty"`
	ReadScopes []string `json:"read_scopes,omitempty"`
	Tokens     []string `json:"tokens,omitempty"`
}

// plain is the body with the strings in it.
func (b *grantBody) plain() plain {
	texts := append(append([]string{b.Scope}, b.ReadScopes...), b.Tokens...)
	return plain{b, append(texts, b.texts()...)}
}

func (w *wishField) texts() []string {
	texts := []string{w.Recipient}
	if w.Reason != nil {
		texts = append(texts, w.Reason.Code, w.Reason.Reference, w.Reason.Note)
	}
	return texts
}

// OpenGrant lets an answer be restored while it streams. The grant is given out only
// if the log proves that it was recorded. TokenizeRequest.Grant asks for one with the
// prompt, which costs no round trip.
func (c *Client) OpenGrant(ctx context.Context, r GrantRequest) (*Grant, error) {
	wish, err := r.field()
	if err != nil {
		return nil, err
	}
	return c.changeGrant(ctx, "grants", (&grantBody{
		wishField: wish, Scope: r.Scope, ReadScopes: r.ReadScopes, Tokens: r.Tokens,
	}).plain(), r.OnBehalfOf, r.IdempotencyKey)
}

// RenewGrant lets a grant stand for longer, from now on: for ttl, or for as long as it
// may.
func (c *Client) RenewGrant(ctx context.Context, id string, ttl time.Duration, onBehalfOf string) (*Grant, error) {
	wish, err := (&GrantWish{TTL: ttl}).field()
	if err != nil {
		return nil, err
	}
	return c.changeGrant(ctx, "grants/"+id+"/renew", (&grantBody{wishField: wish}).plain(), onBehalfOf, "")
}

func (c *Client) changeGrant(ctx context.Context, path string, b encoder, endUser, key string) (*Grant, error) {
	var out Grant
	seen, err := c.post(ctx, path, b, endUser, key, &out)
	if err != nil {
		return nil, err
	}
	if key != "" {
		seen = 0 // the entry may be the one of the first request under the key
	}
	if err := c.accept(ctx, out.Receipt, seen); err != nil {
		return nil, err
	}
	return &out, nil
}

// CloseGrant ends a grant: from the next flush on it gives nothing.
func (c *Client) CloseGrant(ctx context.Context, id, onBehalfOfUser string) (*Grant, error) {
	if err := onBehalfOf(onBehalfOfUser); err != nil {
		return nil, err
	}
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	seen := c.log.newest()
	answer, err := c.call(ctx, exchange{method: http.MethodDelete, path: "grants/" + id, media: jsonType, endUser: onBehalfOfUser})
	if err != nil {
		return nil, err
	}
	var out Grant
	if err := decode(answer, &out); err != nil {
		return nil, err
	}
	if err := c.accept(ctx, out.Receipt, seen); err != nil {
		return nil, err
	}
	return &out, nil
}

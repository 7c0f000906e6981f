package client

import (
	"context"
	"time"
)

// ConsentRequest writes down that a person consents to a purpose, such as
// marketing. All but ExpiresAt and the key are required.
type ConsentRequest struct {
	Subject, Purpose string
	Reference        string     // the number of the form, which goes into the log
	ExpiresAt        *time.Time // nil: until it is withdrawn

	IdempotencyKey string // 128 random bits where it is empty
}

// Consent is one. Whose it is, the reference of the log says.
type Consent struct {
	ID          string     `json:"id"`
	SubjectRef  string     `json:"subject_ref"`
	Purpose     string     `json:"purpose"`
	Reference   string     `json:"reference"`
	Status      string     `json:"status"` // live, expired or withdrawn
	GivenAt     time.Time  `json:"given_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	WithdrawnAt *time.Time `json:"withdrawn_at,omitempty"`
	Proof
}

// GiveConsent writes it down. Reasons whose basis is consent restore what is
// about the person while it is live.
func (c *Client) GiveConsent(ctx context.Context, r ConsentRequest) (*Consent, error) {
	return send[Consent](ctx, c, "consents", plain{struct {
		Subject   string     `json:"subject"`
		Purpose   string     `json:"purpose"`
		Reference string     `json:"reference"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}{r.Subject, r.Purpose, r.Reference, instant(r.ExpiresAt)}, []string{r.Subject, r.Purpose, r.Reference}}, r.IdempotencyKey)
}

// WithdrawConsent ends one, from the commit on.
func (c *Client) WithdrawConsent(ctx context.Context, id, reference string) (*Consent, error) {
	return sendTo[Consent](ctx, c, "consents", id, "withdraw", referring(reference))
}

// ConsentPage is a page of consents, the newest first.
type ConsentPage struct {
	Consents   []Consent `json:"consents"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

// Consents returns a page after a cursor, "" for the first: of one person, or of
// all where subject is empty; with live only those that are not ended.
func (c *Client) Consents(ctx context.Context, subject string, live bool, cursor string) (*ConsentPage, error) {
	// A name of a person stands in no address.
	value := struct {
		Subject string `json:"subject,omitempty"`
		Open    bool   `json:"open,omitempty"`
		Cursor  string `json:"cursor,omitempty"`
	}{subject, live, cursor}
	var page ConsentPage
	if _, err := c.post(ctx, "consents/search", plain{value, []string{subject, cursor}}, "", "", &page); err != nil {
		return nil, err
	}
	return &page, nil
}

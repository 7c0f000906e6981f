package client

import (
	"context"
	"slices"
	"time"
)

// SuspensionMatch is what a suspension stops. Every field that is set must fit,
// and of a list any element; at least one is set.
type SuspensionMatch struct {
	Callers  []string `json:"callers,omitempty"`
	Clients  []string `json:"clients,omitempty"`
	EndUsers []string `json:"end_users,omitempty"`
	Scopes   []string `json:"scopes,omitempty"`
	Reasons  []string `json:"reasons,omitempty"`
	Entities []string `json:"entities,omitempty"`
	// From and To are of what was tokenized at or after the one, before the other.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
}

// SuspensionRequest asks that restorations are stopped. Match and Reason are
// required.
type SuspensionRequest struct {
	Match  SuspensionMatch
	Reason string // the number of an incident or ticket, which goes into the log

	IdempotencyKey string // 128 random bits where it is empty
}

// Suspension stops restorations until it is lifted. Of end users and scopes only
// the number can be told.
type Suspension struct {
	ID    string `json:"id"`
	Match struct {
		Callers  []string   `json:"callers"`
		Clients  []string   `json:"clients"`
		EndUsers int        `json:"end_users"`
		Scopes   int        `json:"scopes"`
		Reasons  []string   `json:"reasons"`
		Entities []string   `json:"entities"`
		From     *time.Time `json:"from,omitempty"`
		To       *time.Time `json:"to,omitempty"`
	} `json:"match"`
	Reason   string     `json:"reason"`
	PlacedBy string     `json:"placed_by"`
	PlacedAt time.Time  `json:"placed_at"`
	LiftedAt *time.Time `json:"lifted_at,omitempty"` // nil while it stands
	Proof
}

// Suspend stops what matches, on every replica from the commit on.
func (c *Client) Suspend(ctx context.Context, r SuspensionRequest) (*Suspension, error) {
	m := r.Match
	m.From, m.To = instant(m.From), instant(m.To)
	texts := slices.Concat([]string{r.Reason}, m.Callers, m.Clients, m.EndUsers, m.Scopes, m.Reasons, m.Entities)
	return send[Suspension](ctx, c, "suspensions", plain{struct {
		Match  SuspensionMatch `json:"match"`
		Reason string          `json:"reason"`
	}{m, r.Reason}, texts}, r.IdempotencyKey)
}

// LiftSuspension ends one.
func (c *Client) LiftSuspension(ctx context.Context, id, reference string) (*Suspension, error) {
	return sendTo[Suspension](ctx, c, "suspensions", id, "lift", referring(reference))
}

// SuspensionPage is a page of suspensions, the newest first.
type SuspensionPage struct {
	Suspensions []Suspension `json:"suspensions"`
	NextCursor  string       `json:"next_cursor,omitempty"`
}

// Suspensions returns a page after a cursor, "" for the first; with standing only
// those that are not lifted.
func (c *Client) Suspensions(ctx context.Context, standing bool, cursor string) (*SuspensionPage, error) {
	return fetch[SuspensionPage](ctx, c, "suspensions", pageAfter(cursor, "open", onlyOpen(standing)))
}

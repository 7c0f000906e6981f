package client

import (
	"context"
	"time"
)

// What happens in an incident.
const (
	EventAssessed          = "assessed"
	EventContained         = "contained"
	EventAuthorityNotified = "authority_notified" // stops the clock of 72 hours
	EventPersonsNotified   = "persons_notified"   // stops the clock of 60 days
	EventHandedOver        = "handed_over"
)

// Why an incident is closed.
const (
	OutcomeNotified    = "notified"
	OutcomeNoRisk      = "no_risk"
	OutcomeNotIncident = "not_an_incident"
)

// AssessRequest asks who was exposed by what happened in a time. From and To are
// required; other fields that are empty do not select.
type AssessRequest struct {
	From, To                       time.Time
	Actor, Client, Reason, Entity  string
	Destination, Scope, SubjectRef string
	// Tokenized asks about what was sent to destinations, not what was restored.
	Tokenized bool
}

// Assessment says who was exposed, from the log.
type Assessment struct {
	Entries     int            `json:"entries"`
	Tokens      int            `json:"tokens"` // different ones
	Entities    map[string]int `json:"entities"`
	Actors      map[string]int `json:"actors"`
	SubjectRefs []string       `json:"subject_refs"`
	ScopeRefs   []string       `json:"scope_refs"`
	TokenIDs    []string       `json:"token_ids"` // the first of them
	Truncated   bool           `json:"truncated"` // there was more than one assessment looks at
	Proof
}

// AssessIncident asks. That it was asked is in the log.
func (c *Client) AssessIncident(ctx context.Context, r AssessRequest) (*Assessment, error) {
	return send[Assessment](ctx, c, "incidents/assess", plain{struct {
		span
		Actor       string `json:"actor,omitempty"`
		Client      string `json:"client,omitempty"`
		Reason      string `json:"reason,omitempty"`
		Entity      string `json:"entity,omitempty"`
		Destination string `json:"destination,omitempty"`
		Scope       string `json:"scope,omitempty"`
		SubjectRef  string `json:"subject_ref,omitempty"`
		Tokenized   bool   `json:"tokenized,omitempty"`
	}{between(&r.From, &r.To), r.Actor, r.Client, r.Reason, r.Entity, r.Destination, r.Scope, r.SubjectRef, r.Tokenized},
		[]string{r.Actor, r.Client, r.Reason, r.Entity, r.Destination, r.Scope, r.SubjectRef}}, "")
}

// IncidentRequest writes an incident down. Reference is required.
type IncidentRequest struct {
	Reference string
	AwareAt   *time.Time // when somebody became aware, which starts the clocks; nil is now
	From, To  *time.Time // when it happened, as far as that is known

	IdempotencyKey string // 128 random bits where it is empty
}

// IncidentEvent is one thing that happened in an incident.
type IncidentEvent struct {
	Kind      string    `json:"kind"`
	Reference string    `json:"reference"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// Incident is one, with its two clocks: 72 hours to the authority (GDPR Art.
// 33(1)) and 60 days to the persons (45 CFR 164.404(b)).
type Incident struct {
	ID                  string          `json:"id"`
	Reference           string          `json:"reference"`
	OpenedBy            string          `json:"opened_by"`
	AwareAt             time.Time       `json:"aware_at"`
	From                *time.Time      `json:"from,omitempty"`
	To                  *time.Time      `json:"to,omitempty"`
	AuthorityDueAt      time.Time       `json:"authority_due_at"`
	AuthorityNotifiedAt *time.Time      `json:"authority_notified_at,omitempty"`
	AuthorityOverdue    bool            `json:"authority_overdue"`
	PersonsDueAt        time.Time       `json:"persons_due_at"`
	PersonsNotifiedAt   *time.Time      `json:"persons_notified_at,omitempty"`
	PersonsOverdue      bool            `json:"persons_overdue"`
	Events              []IncidentEvent `json:"events"`
	Outcome             string          `json:"outcome,omitempty"` // empty while it is open
	OutcomeReference    string          `json:"outcome_reference,omitempty"`
	OpenedAt            time.Time       `json:"opened_at"`
	ClosedAt            *time.Time      `json:"closed_at,omitempty"`
	Proof
}

const incidents = "incidents"

// OpenIncident writes an incident down and starts its clocks.
func (c *Client) OpenIncident(ctx context.Context, r IncidentRequest) (*Incident, error) {
	return send[Incident](ctx, c, incidents, plain{struct {
		Reference string     `json:"reference"`
		AwareAt   *time.Time `json:"aware_at,omitempty"`
		span
	}{r.Reference, instant(r.AwareAt), between(r.From, r.To)}, []string{r.Reference}}, r.IdempotencyKey)
}

// NoteIncident writes down that something happened in it.
func (c *Client) NoteIncident(ctx context.Context, id, kind, reference string) (*Incident, error) {
	return sendTo[Incident](ctx, c, incidents, id, "events", plain{struct {
		Kind      string `json:"kind"`
		Reference string `json:"reference"`
	}{kind, reference}, []string{kind, reference}})
}

// CloseIncident closes it.
func (c *Client) CloseIncident(ctx context.Context, id, outcome, reference string) (*Incident, error) {
	return sendTo[Incident](ctx, c, incidents, id, "close", plain{struct {
		Outcome   string `json:"outcome"`
		Reference string `json:"reference"`
	}{outcome, reference}, []string{outcome, reference}})
}

// Incident returns one as it stands.
func (c *Client) Incident(ctx context.Context, id string) (*Incident, error) {
	path, err := pathOf(incidents, id)
	if err != nil {
		return nil, err
	}
	return fetch[Incident](ctx, c, path, nil)
}

// IncidentPage is a page of incidents, the newest first.
type IncidentPage struct {
	Incidents  []Incident `json:"incidents"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Incidents returns a page after a cursor, "" for the first; with open only those
// that are not closed.
func (c *Client) Incidents(ctx context.Context, open bool, cursor string) (*IncidentPage, error) {
	return fetch[IncidentPage](ctx, c, incidents, pageAfter(cursor, "open", onlyOpen(open)))
}

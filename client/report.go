package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// SubjectReport is what a person is told: what is held, where it was sent, who
// had it back and why, and what the report cannot tell.
type SubjectReport struct {
	RequestID    string              `json:"request_id"` // of the person's request
	Reference    string              `json:"reference"`
	Kind         string              `json:"kind"`
	GeneratedAt  time.Time           `json:"generated_at"`
	SubjectRefs  []string            `json:"subject_refs"`
	Holdings     []ReportHolding     `json:"holdings"`
	Destinations []ReportDestination `json:"destinations"`
	Purposes     []ReportPurpose     `json:"purposes"`
	Restorations []ReportRestoration `json:"restorations"` // the newest first
	Retention    []RetentionLine     `json:"retention"`
	Values       []ReportValue       `json:"values,omitempty"` // only where they were asked for
	Limits       []string            `json:"limits"`           // a closed list, in the OpenAPI document
	Receipt      *Receipt            `json:"audit,omitempty"`
}

// ReportHolding is what one scope has of a person, of one entity.
type ReportHolding struct {
	ScopeRef       string    `json:"scope_ref"`
	ScopeKind      string    `json:"scope_kind"`
	Entity         string    `json:"entity"`
	Class          string    `json:"class"`
	Values         int       `json:"values"`
	Expired        int       `json:"expired"`
	FirstCreatedAt time.Time `json:"first_created_at"`
	LastCreatedAt  time.Time `json:"last_created_at"`
	EndsAt         time.Time `json:"ends_at"`
}

// ReportDestination is where values of a person were sent.
type ReportDestination struct {
	Destination         string    `json:"destination"`
	Vendor              string    `json:"vendor"`
	Region              string    `json:"region"`
	VendorRetentionDays int       `json:"vendor_retention_days"`
	Training            bool      `json:"training"` // the vendor may train models on it
	Values              int       `json:"values"`
	FirstSent           time.Time `json:"first_sent"`
	LastSent            time.Time `json:"last_sent"`
}

// ReportPurpose is a reason for which values of a person were given back.
type ReportPurpose struct {
	Reason       string `json:"reason"`
	Description  string `json:"description"`
	LegalBasis   string `json:"legal_basis"`
	Restorations int    `json:"restorations"`
}

// ReportRestoration is one time that values of a person were given back.
type ReportRestoration struct {
	At        time.Time `json:"at"`
	Index     int64     `json:"index"` // of the entry
	Reason    string    `json:"reason"`
	Roles     []string  `json:"roles"`
	Actor     string    `json:"actor,omitempty"` // only where actors were asked for
	Client    string    `json:"client"`
	Recipient string    `json:"recipient,omitempty"`
	Reference string    `json:"reference,omitempty"` // only where actors were asked for
	Values    int       `json:"values"`
}

// ReportValue is a value of a person, and of nobody else.
type ReportValue struct {
	ScopeRef string `json:"scope_ref"`
	Token    string `json:"token"`
	Entity   string `json:"entity"`
	Value    string `json:"value"`
}

// ReportRequest says what a report has. With a Reason, whose code is
// SUBJECT_ACCESS, it has the values too.
type ReportRequest struct {
	Reason Reason
	Actors bool // who had values back, where else their roles are told
}

func (r *ReportRequest) body(format string) plain {
	value := struct {
		Format string  `json:"format"`
		Values bool    `json:"values,omitempty"`
		Reason *Reason `json:"reason,omitempty"`
		Actors bool    `json:"actors,omitempty"`
	}{Format: format, Actors: r.Actors}
	if r.Reason != (Reason{}) {
		value.Values, value.Reason = true, &r.Reason
	}
	return plain{value, r.Reason.texts()}
}

// ReportOnRequest makes the report of a request for access or an accounting.
// Each report is in the log, and one with values is a restoration.
func (c *Client) ReportOnRequest(ctx context.Context, id string, r ReportRequest) (*SubjectReport, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	var report SubjectReport
	if err := c.change(ctx, path+"/report", r.body("json"), "", &report, &report.Receipt); err != nil {
		return nil, err
	}
	return &report, nil
}

// ReportPage is the same as a page in HTML, to print and hand over. It has no
// receipt, so nothing is checked here: that it was made is in the log.
func (c *Client) ReportPage(ctx context.Context, id string, r ReportRequest) ([]byte, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	x := exchange{method: http.MethodPost, path: path + "/report", media: htmlType}
	if err := x.write(r.body("html")); err != nil {
		return nil, err
	}
	return c.call(ctx, x)
}

// RequestSummary counts the requests that were received in a period.
type RequestSummary struct {
	From      time.Time            `json:"from"`
	To        time.Time            `json:"to"`
	Lines     []RequestSummaryLine `json:"lines"`
	More      bool                 `json:"more"` // there are more than could be counted
	RequestID string               `json:"request_id"`
}

// RequestSummaryLine counts the requests of one kind and regime. The days are
// from receipt to closing, and nil where none is closed.
type RequestSummaryLine struct {
	Kind        string         `json:"kind"`
	Regime      string         `json:"regime"`
	Received    int            `json:"received"`
	ByStatus    map[string]int `json:"by_status"`
	Refused     map[string]int `json:"refused"`
	Extended    int            `json:"extended"`
	Overdue     int            `json:"overdue"`
	MedianDays  *float64       `json:"median_days,omitempty"`
	LongestDays *float64       `json:"longest_days,omitempty"`
}

// RequestSummary counts the requests of a period, as regulators ask for it.
func (c *Client) RequestSummary(ctx context.Context, from, to time.Time) (*RequestSummary, error) {
	var summary RequestSummary
	query := url.Values{"from": {written(&from)}, "to": {written(&to)}}
	if err := c.list(ctx, "subject-requests/summary", query, &summary); err != nil {
		return nil, err
	}
	return &summary, nil
}

// RequestNotes are the notes on a request, the oldest first.
type RequestNotes struct {
	Notes   []RequestNote `json:"notes"`
	Receipt *Receipt      `json:"audit,omitempty"`
}

// RequestNote is a note on a request.
type RequestNote struct {
	ID     string    `json:"note_id"`
	Author string    `json:"author"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"`
}

// NotesOfRequest opens the notes on a request. That they were read is in the
// log.
func (c *Client) NotesOfRequest(ctx context.Context, id string) (*RequestNotes, error) {
	path, err := requestPath(id)
	if err != nil {
		return nil, err
	}
	if err := c.trust(ctx); err != nil {
		return nil, err
	}
	seen := c.log.newest()
	var notes RequestNotes
	if err := c.get(ctx, path+"/notes", &notes); err != nil {
		return nil, err
	}
	if err := c.accept(ctx, notes.Receipt, seen); err != nil {
		return nil, err
	}
	return &notes, nil
}

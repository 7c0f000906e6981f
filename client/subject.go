package client

import (
	"context"
	"slices"
	"time"
)

// Sighting is what one scope has of a person, of one entity.
type Sighting struct {
	ScopeRef       string           `json:"scope_ref"` // the name of the scope in the log
	Kind           string           `json:"kind"`
	Entity         string           `json:"entity"`
	Class          string           `json:"class"`
	Count          int              `json:"count"` // of them Expired have expired, and are not destroyed yet
	Expired        int              `json:"expired"`
	FirstCreatedAt time.Time        `json:"first_created_at"`
	LastCreatedAt  time.Time        `json:"last_created_at"`
	EndsAt         time.Time        `json:"ends_at"` // when the last of them expires
	Destinations   []DestinationUse `json:"destinations"`
	SubjectRefs    []string         `json:"subject_refs"`
}

// DestinationUse says when values were sent to a destination. The last time may
// be up to an hour behind. Vendor and Region are told of what was erased.
type DestinationUse struct {
	Destination string    `json:"destination"`
	Vendor      string    `json:"vendor,omitempty"`
	Region      string    `json:"region,omitempty"`
	Mappings    int       `json:"mappings"`
	FirstSent   time.Time `json:"first_sent"`
	LastSent    time.Time `json:"last_sent"`
}

// SubjectsAnswer says where a person was found, without values.
type SubjectsAnswer struct {
	SubjectRefs []string   `json:"subject_refs"`
	Found       []Sighting `json:"found"`
	Ambiguous   bool       `json:"ambiguous"` // nothing but names led here
	More        bool       `json:"more"`      // there is more than one answer holds
	Receipt     *Receipt   `json:"audit"`
	RequestID   string     `json:"request_id"`
}

// SubjectSearch says whom to look for: by the caller's name for the person, by
// values that the person is known by, or both.
type SubjectSearch struct {
	Subject     string
	Identifiers []Identifier
	// Variants looks for other ways to write the identifiers, too.
	Variants bool
}

// SearchSubjects looks for a person. Each search is in the log.
func (c *Client) SearchSubjects(ctx context.Context, r SubjectSearch) (*SubjectsAnswer, error) {
	value := struct {
		Subject     string       `json:"subject,omitempty"`
		Identifiers []Identifier `json:"identifiers,omitempty"`
		Match       string       `json:"match,omitempty"`
	}{Subject: r.Subject, Identifiers: r.Identifiers}
	if r.Variants {
		value.Match = "variants"
	}
	var answer SubjectsAnswer
	if err := c.change(ctx, "subjects/search", plain{value, append(spelled(r.Identifiers), r.Subject)}, "", &answer, &answer.Receipt); err != nil {
		return nil, err
	}
	return &answer, nil
}

// NamesRequest asks for the callers' own names of scopes and people, by the
// references that the log has for them. The code of Reason is SUBJECT_ACCESS.
type NamesRequest struct {
	ScopeRefs, SubjectRefs []string
	Reason                 Reason
}

// NamesAnswer has the names by reference. What is not there, has no name, or was
// erased is left out.
type NamesAnswer struct {
	Scopes    map[string]string `json:"scopes"`
	Subjects  map[string]string `json:"subjects"`
	Receipt   *Receipt          `json:"audit"`
	RequestID string            `json:"request_id"`
}

// RestoreNames gives names back, so that a transcript can be found where it is
// kept. It is a restoration: the log says so first.
func (c *Client) RestoreNames(ctx context.Context, r NamesRequest) (*NamesAnswer, error) {
	value := struct {
		ScopeRefs   []string `json:"scope_refs,omitempty"`
		SubjectRefs []string `json:"subject_refs,omitempty"`
		Reason      Reason   `json:"reason"`
	}{r.ScopeRefs, r.SubjectRefs, r.Reason}
	texts := slices.Concat(r.ScopeRefs, r.SubjectRefs, r.Reason.texts())
	var answer NamesAnswer
	if err := c.change(ctx, "subjects/names", plain{value, texts}, "", &answer, &answer.Receipt); err != nil {
		return nil, err
	}
	return &answer, nil
}

func (r Reason) texts() []string { return []string{r.Code, r.Reference, r.Note} }

// LinkAnswer says how many values were tied to a person, or are no more.
type LinkAnswer struct {
	SubjectRef string   `json:"subject_ref"`
	Changed    int      `json:"changed"`
	Receipt    *Receipt `json:"audit"`
	RequestID  string   `json:"request_id"`
}

// LinkSubject ties every stored value that equals one of the identifiers to a
// person, so that an erasure reaches it.
func (c *Client) LinkSubject(ctx context.Context, subject string, identifiers ...Identifier) (*LinkAnswer, error) {
	return c.link(ctx, subject, identifiers, false)
}

// UnlinkSubject takes such ties back.
func (c *Client) UnlinkSubject(ctx context.Context, subject string, identifiers ...Identifier) (*LinkAnswer, error) {
	return c.link(ctx, subject, identifiers, true)
}

func (c *Client) link(ctx context.Context, subject string, identifiers []Identifier, undo bool) (*LinkAnswer, error) {
	value := struct {
		Subject     string       `json:"subject"`
		Identifiers []Identifier `json:"identifiers"`
		Undo        bool         `json:"undo,omitempty"`
	}{subject, identifiers, undo}
	var answer LinkAnswer
	if err := c.change(ctx, "subjects/links", plain{value, append(spelled(identifiers), subject)}, "", &answer, &answer.Receipt); err != nil {
		return nil, err
	}
	return &answer, nil
}

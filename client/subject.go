package client

import (
	"context"
	"time"
)

// Sighting is what one scope has of a person, of one entity.
type Sighting struct {
	ScopeRef       string    `json:"scope_ref"` // the name of the scope in the log
	Kind           string    `json:"kind"`
	Entity         string    `json:"entity"`
	Class          string    `json:"class"`
	Count          int       `json:"count"` // of them Expired have expired, and are not destroyed yet
	Expired        int       `json:"expired"`
	FirstCreatedAt time.Time `json:"first_created_at"`
	LastCreatedAt  time.Time `json:"last_created_at"`
	SubjectRefs    []string  `json:"subject_refs"`
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

// SearchSubjects looks for a person by the caller's name for the person, by
// values that the person is known by, or both. Each search is in the log.
func (c *Client) SearchSubjects(ctx context.Context, subject string, identifiers ...Identifier) (*SubjectsAnswer, error) {
	value := struct {
		Subject     string       `json:"subject,omitempty"`
		Identifiers []Identifier `json:"identifiers,omitempty"`
	}{subject, identifiers}
	var answer SubjectsAnswer
	seen, err := c.post(ctx, "subjects/search", plain{value, append(spelled(identifiers), subject)}, "", "", &answer)
	if err != nil {
		return nil, err
	}
	if err := c.log.check(answer.Receipt, seen); err != nil {
		return nil, err
	}
	return &answer, nil
}

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
	seen, err := c.post(ctx, "subjects/links", plain{value, append(spelled(identifiers), subject)}, "", "", &answer)
	if err != nil {
		return nil, err
	}
	if err := c.log.check(answer.Receipt, seen); err != nil {
		return nil, err
	}
	return &answer, nil
}

package client

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Identifier is a value that a person is known by.
type Identifier struct {
	Entity string `json:"entity"`
	Value  string `json:"value"`
}

// HoldMatch says what a legal hold is about. Every field that is set must fit,
// and of a list any element; at least one is set.
type HoldMatch struct {
	Subjects    []string     `json:"subjects,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	Scopes      []string     `json:"scopes,omitempty"`
	Entities    []string     `json:"entities,omitempty"`
	Classes     []string     `json:"classes,omitempty"`
	// Destinations are where a value was sent.
	Destinations []string   `json:"destinations,omitempty"`
	From         *time.Time `json:"from,omitempty"` // tokenized, or sent, at or after it
	To           *time.Time `json:"to,omitempty"`   // tokenized, or sent, before it
	TimeField    string     `json:"time_field,omitempty"`
}

// What From and To of a hold bound.
const (
	TimeCreated = "created" // when a value was tokenized; the default
	TimeSent    = "sent"    // when it was sent
)

// HoldRequest asks for a legal hold. Matter, Reference and Match are required.
type HoldRequest struct {
	Matter, Reference, Custodian string // numbers or codes, which go into the log
	Match                        HoldMatch
	ExistingOnly                 bool // not what is tokenized after the hold was placed
	Backups                      bool // no version of the wrapping key is retired while it stands
	ReviewBy                     *time.Time

	IdempotencyKey string // 128 random bits where it is empty
}

// Hold is a legal hold. Of people, values and scopes that it names only their
// number can be told.
type Hold struct {
	ID        string `json:"hold_id"`
	Matter    string `json:"matter"`
	Reference string `json:"reference"`
	Custodian string `json:"custodian,omitempty"`
	Match     struct {
		Subjects     int        `json:"subjects"`
		Identifiers  int        `json:"identifiers"`
		Scopes       int        `json:"scopes"`
		Entities     []string   `json:"entities"`
		Classes      []string   `json:"classes"`
		Destinations []string   `json:"destinations"`
		From         *time.Time `json:"from,omitempty"`
		To           *time.Time `json:"to,omitempty"`
		TimeField    string     `json:"time_field"`
	} `json:"match"`
	AppliesTo  string     `json:"applies_to"`
	Backups    bool       `json:"backups"`
	ReviewBy   *time.Time `json:"review_by,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	ReleasedAt *time.Time `json:"released_at,omitempty"` // nil while it stands
}

// Reach is what a hold matches at a moment.
type Reach struct {
	Mappings int            `json:"mappings"`
	Expired  int            `json:"expired"`
	Scopes   int            `json:"scopes"`
	Subjects int            `json:"subjects"`
	Entities map[string]int `json:"entities"`
}

// HoldAnswer is a hold and the proof of what was written about it.
type HoldAnswer struct {
	Hold      *Hold    `json:"hold,omitempty"`  // nil for a dry run
	Reach     *Reach   `json:"reach,omitempty"` // of a dry run, and of a hold that was looked at
	Receipt   *Receipt `json:"audit,omitempty"` // nil where nothing was written
	RequestID string   `json:"request_id"`
}

type holdBody struct {
	Matter    string     `json:"matter"`
	Reference string     `json:"reference"`
	Custodian string     `json:"custodian,omitempty"`
	Match     HoldMatch  `json:"match"`
	AppliesTo string     `json:"applies_to,omitempty"`
	Backups   bool       `json:"backups,omitempty"`
	ReviewBy  *time.Time `json:"review_by,omitempty"`
	DryRun    bool       `json:"dry_run,omitempty"`
}

func (r *HoldRequest) body(dryRun bool) plain {
	b := holdBody{
		Matter: r.Matter, Reference: r.Reference, Custodian: r.Custodian, Match: r.Match,
		Backups: r.Backups, ReviewBy: instant(r.ReviewBy), DryRun: dryRun,
	}
	b.Match.From, b.Match.To = instant(r.Match.From), instant(r.Match.To)
	if r.ExistingOnly {
		b.AppliesTo = "existing"
	}
	m := &r.Match
	return plain{b, slices.Concat(
		[]string{r.Matter, r.Reference, r.Custodian, m.TimeField}, m.Subjects, m.Scopes, m.Entities, m.Classes, m.Destinations,
		spelled(m.Identifiers),
	)}
}

// instant is a time as the service takes it: in UTC, to the microsecond.
func instant(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	cut := t.UTC().Truncate(time.Microsecond)
	return &cut
}

func spelled(identifiers []Identifier) []string {
	texts := make([]string, 0, 2*len(identifiers))
	for _, id := range identifiers {
		texts = append(texts, id.Entity, id.Value)
	}
	return texts
}

// PlaceHold places a legal hold, for callers who may: nothing that it matches
// is destroyed until it is released. Under an idempotency key of the caller's
// own it is placed once, however often that is asked for.
func (c *Client) PlaceHold(ctx context.Context, r HoldRequest) (*HoldAnswer, error) {
	return c.aboutHold(ctx, "holds", r.body(false), r.IdempotencyKey)
}

// TryHold tells what a hold would match, and places none. That it was asked is
// in the log.
func (c *Client) TryHold(ctx context.Context, r HoldRequest) (*HoldAnswer, error) {
	return c.aboutHold(ctx, "holds", r.body(true), r.IdempotencyKey)
}

// ReleaseHold ends a hold for good, on the word that the reference names.
// approvalID is "" where the policy demands no approval.
func (c *Client) ReleaseHold(ctx context.Context, id, reference, approvalID string) (*HoldAnswer, error) {
	path, err := holdPath(id)
	if err != nil {
		return nil, err
	}
	return c.aboutHold(ctx, path+"/release", approved(reference, approvalID), "")
}

// ReviewHold says when somebody has to look at a hold again; nil says that
// nobody has to.
func (c *Client) ReviewHold(ctx context.Context, id string, reviewBy *time.Time) (*HoldAnswer, error) {
	path, err := holdPath(id)
	if err != nil {
		return nil, err
	}
	value := struct {
		ReviewBy *time.Time `json:"review_by"`
	}{instant(reviewBy)}
	return c.aboutHold(ctx, path+"/review", plain{value: value}, "")
}

// holdPath is the path of a hold. An id that could lead elsewhere is none.
func holdPath(id string) (string, error) {
	if !isID(id) {
		return "", refuse("hold_id", "must be letters and digits")
	}
	return "holds/" + id, nil
}

func isID(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !alphanumeric(r) })
}

func (c *Client) aboutHold(ctx context.Context, path string, b plain, key string) (*HoldAnswer, error) {
	var answer HoldAnswer
	if err := c.change(ctx, path, b, key, &answer, &answer.Receipt); err != nil {
		return nil, err
	}
	return &answer, nil
}

// Hold returns a hold and what it matches now, for callers who may read holds.
func (c *Client) Hold(ctx context.Context, id string) (*HoldAnswer, error) {
	path, err := holdPath(id)
	if err != nil {
		return nil, err
	}
	var answer HoldAnswer
	if err := c.get(ctx, path, &answer); err != nil {
		return nil, err
	}
	if answer.Hold == nil {
		return nil, badAnswer("the hold is missing")
	}
	return &answer, nil
}

// HoldPage is a page of holds, the newest first.
type HoldPage struct {
	Holds      []Hold `json:"holds"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// Holds returns a page of holds after a cursor, "" for the first; with standing
// only those that are not released.
func (c *Client) Holds(ctx context.Context, standing bool, cursor string) (*HoldPage, error) {
	query := url.Values{"standing": {strconv.FormatBool(standing)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var page HoldPage
	if err := c.list(ctx, "holds", query, &page); err != nil {
		return nil, err
	}
	return &page, nil
}

package client

import (
	"context"
	"time"
)

// What came of trying a control.
const (
	ControlPass      = "pass"
	ControlFail      = "fail"
	ControlPartial   = "partial"    // not all of it could be looked at
	ControlNotTested = "not_tested" // there was nothing to look at
)

// Control is one control and what came of it last. One that was never tried has no
// Result.
type Control struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	Query      string     `json:"query"` // that yields its evidence
	Frequency  string     `json:"frequency"`
	Clauses    []string   `json:"clauses"` // of frameworks, that it answers
	Result     string     `json:"result,omitempty"`
	Population int64      `json:"population"`        // how much it looked at
	Exceptions int64      `json:"exceptions"`        // how much of that was not as it ought to be
	Entries    []int64    `json:"entries,omitempty"` // places of the first exceptions, of a check
	Detail     []string   `json:"detail,omitempty"`  // of a check
	At         *time.Time `json:"at,omitempty"`
	Due        *time.Time `json:"due,omitempty"` // when it is tried again by itself
}

type controlsAnswer struct {
	Controls []Control `json:"controls"`
}

// Controls returns every control, and what the log says of it, for callers who may
// read the log.
func (c *Client) Controls(ctx context.Context) ([]Control, error) {
	var answer controlsAnswer
	if err := c.get(ctx, "controls", &answer); err != nil {
		return nil, err
	}
	return answer.Controls, nil
}

// CheckControls tries all controls now. Each result is an entry of the log.
func (c *Client) CheckControls(ctx context.Context) ([]Control, error) {
	var answer controlsAnswer
	if _, err := c.post(ctx, "controls/check", plain{value: struct{}{}}, "", "", &answer); err != nil {
		return nil, err
	}
	return answer.Controls, nil
}

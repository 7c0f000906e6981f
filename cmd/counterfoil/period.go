package main

import (
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// utc is a time in whole seconds, or a day, which begins in UTC: evidence of a
// quarter is the same wherever it is asked for.
type utc struct{ time.Time }

var errUTC = errors.New("must be a day as 2026-01-31, or a time as 2026-01-31T08:00:00Z")

// UnmarshalText reads a day or a time.
func (u *utc) UnmarshalText(text []byte) error {
	at, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		if at, err = time.Parse(time.RFC3339, string(text)); err != nil {
			return errUTC
		}
	}
	u.Time = at.UTC()
	return nil
}

// period is of what evidence is.
type period struct {
	From utc `required:"" placeholder:"TIME" help:"From then on: a day as 2026-01-01, or a time as 2026-01-01T08:00:00Z."`
	To   utc `required:"" placeholder:"TIME" help:"Before: what happens then is not part of it."`
}

func (p *period) span() evidence.Period { return evidence.Period{From: p.From.Time, To: p.To.Time} }

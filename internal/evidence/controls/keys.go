package controls

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// grace is how much later than planned something may be that runs by a schedule.
const grace = day

// rotations looks whether the wrapping key has a new version in each epoch.
type rotations struct {
	base
	last  time.Time
	index int64 // of the last one, -1 before the first
}

func newRotations(e *env) query { return &rotations{base: base{env: e}, index: -1} }

func (q *rotations) take(c *evidence.Change, in bool) {
	if q.last.IsZero() {
		q.last = c.Entry.Time // what is in the log was not before it
	}
	if c.Entry.Kind != audit.KindKeyRotate || !done(&c.Entry) {
		return
	}
	if in {
		q.gap(c.First, c.Entry.Time)
	}
	q.last, q.index = c.Entry.Time, c.First
}

func (q *rotations) gap(index int64, until time.Time) {
	q.population++
	if until.Sub(q.last) > q.facts.KeyEpoch+grace {
		q.broken(index, "a wrapping key that was in use for longer than "+short(q.facts.KeyEpoch)+" and a day")
	}
}

func (q *rotations) finish() *finding {
	switch {
	case q.facts.KeyEpoch <= 0:
		return &finding{untold: "how often keys are to be rotated was not given"}
	case !q.last.IsZero():
		q.gap(q.index, q.end)
	}
	return &q.finding
}

// finality looks whether what was erased is destroyed in the backups, too: the
// versions of the wrapping key that its keys were under.
type finality struct {
	base
	byID  map[string]*destroyed
	order []*destroyed
}

type destroyed struct {
	index int64
	last  time.Time
	below int // the version that has to be the oldest that is left
	stays int // what a hold kept
	at    time.Time
}

func newFinality(e *env) query { return &finality{base{env: e}, make(map[string]*destroyed), nil} }

func (q *finality) take(c *evidence.Change, _ bool) {
	e := &c.Entry
	if !done(e) {
		return
	}
	switch e.Kind {
	case audit.KindErase:
		q.erase(c)
	case audit.KindKeyRotate:
		for _, d := range q.order {
			if d.below == 0 {
				d.below = e.Counts["min_wrap_version"]
			}
		}
	case audit.KindFinality:
		for _, d := range q.order {
			if d.at.IsZero() && d.stays == 0 && d.below > 0 && e.Counts["retired_below"] >= d.below {
				d.at = e.Time
			}
		}
	}
}

func (q *finality) erase(c *evidence.Change) {
	e := &c.Entry
	id := e.AboutOne(requestPrefix)
	if id == "" {
		id = e.ChangeID
	}
	d := q.byID[id]
	if d == nil {
		d = &destroyed{index: c.First}
		q.byID[id] = d
		q.order = append(q.order, d)
	}
	// Another key went: it may be of a younger version than those before.
	d.last, d.stays, d.below, d.at = e.Time, e.Counts["deferred"], 0, time.Time{}
}

func (q *finality) finish() *finding {
	if q.facts.KeyEpoch <= 0 || q.facts.BackupHorizon <= 0 {
		return &finding{untold: "how often keys are to be rotated, or how long backups are kept, was not given"}
	}
	within := q.facts.KeyEpoch + q.facts.BackupHorizon + grace
	for _, d := range q.order {
		due := d.last.Add(within)
		dueNow := d.stays == 0 && !due.Before(q.period.From) && due.Before(q.end)
		if !dueNow && (d.at.IsZero() || !q.period.Holds(d.at)) {
			continue
		}
		q.population++
		switch {
		case d.at.IsZero():
			q.broken(d.index, "an erasure whose key versions still open a backup")
		case d.at.After(due):
			q.broken(d.index, "an erasure whose key versions were destroyed too late")
		}
	}
	return &q.finding
}

package evidence

import (
	"context"
	"fmt"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A section makes one or a few tables that belong together.
type section interface {
	// take gets every change before the end of the period, in order, and whether it
	// is in the period. What it is told is good until it returns, but for strings.
	take(c *Change, in bool)
	tables() []Table
}

// builder is what the sections of one evidence share.
type builder struct {
	facts  *Facts
	period Period
	words  pool
}

// Build walks the log and makes the tables of a period. What comes after the period
// changes nothing in them but the size of the log: the evidence of a period is the
// same whenever it is made.
func Build(ctx context.Context, log Source, facts Facts, period Period) (*Evidence, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}
	b := &builder{facts: &facts, period: period, words: make(pool)}
	e := &Evidence{
		Tenant: facts.Tenant, Origin: facts.Origin, ToolVersion: facts.ToolVersion,
		Made: facts.Made, Period: period, First: -1, Last: -1,
	}
	sections := b.sections()
	var tree frontier
	var pruned int
	err := tree.watching(ctx, log).Changes(func(c *Change) error {
		switch at := c.Entry.Time; {
		case c.Pruned:
			pruned++
		case !at.Before(period.To):
			if e.Last < 0 {
				e.Last = c.First
			}
		default:
			in := !at.Before(period.From)
			if in && e.First < 0 {
				e.First = c.First
			}
			for _, s := range sections {
				s.take(c, in)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if e.Size = tree.size; e.Last < 0 {
		e.Last = e.Size
	}
	if e.First < 0 {
		e.First = e.Last
	}
	if e.Root, err = tree.root(); err != nil {
		return nil, err
	}
	for _, s := range sections {
		e.Tables = append(e.Tables, s.tables()...)
	}
	e.note(pruned)
	return e, nil
}

// note says of every table that leaves were pruned.
func (e *Evidence) note(pruned int) {
	if pruned == 0 {
		return
	}
	for i := range e.Tables {
		e.Tables[i].Notes = append(e.Tables[i].Notes,
			strconv.Itoa(pruned)+" entries of the log were pruned: their hashes are proved, what they said is not in this table.")
	}
}

// watching is the source with its hashes put into the tree, for as long as the
// context lasts.
func (f *frontier) watching(ctx context.Context, log Source) Source {
	return func(yield func(Entry) error) error {
		return log(func(one Entry) error {
			if one.Index != f.size {
				return fmt.Errorf("%w: entry %d where %d should be", ErrSource, one.Index, f.size)
			}
			f.add(one.Hash)
			if err := ctx.Err(); err != nil {
				return err
			}
			return yield(one)
		})
	}
}

func (b *builder) sections() []section {
	restorations := newRestorations(b)
	approvals := &approvals{builder: b, byID: make(map[string]*approval)}
	glass := &breakGlass{builder: b, byID: make(map[string]*use)}
	erasures := &erasures{builder: b, byID: make(map[string]*erasure)}
	requests := &requests{builder: b, byID: make(map[string]*request)}
	exposure := newExposure(b)
	return []section{
		restorations,
		&denials{builder: b, byReason: make(map[denialKey]*denialSum)},
		approvals, glass,
		&accessReviews{builder: b},
		&policies{builder: b, byVersion: make(map[string]*policyUse)},
		&keys{builder: b},
		&holds{builder: b, byID: make(map[string]*hold)},
		erasures, requests,
		&retention{builder: b, byDay: make(map[dayKind]*deleted)},
		exposure,
		&levels{builder: b, restorations: restorations, approvals: approvals, glass: glass, erasures: erasures, requests: requests},
		&suspensions{builder: b, byID: make(map[string]*suspension)},
		&incidents{builder: b, byID: make(map[string]*incident)},
		&dispatches{builder: b, byVendor: make(map[vendor]*dispatchSum)},
		&consents{builder: b, byID: make(map[string]*consent)},
	}
}

// ran tells whether the entry is of something that was done, not refused.
func ran(e *audit.Entry) bool { return e.Decision != audit.Deny && e.Seq == 0 }

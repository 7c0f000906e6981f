package evidence

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A Change is the entries of one change: the first one, with the lists of the linked
// ones after it joined to its own.
type Change struct {
	First, Last int64      // index of the first and of the last entry
	Hash        audit.Hash // of the first
	Entry       audit.Entry
	Pruned      bool // nothing but index and hash is left
}

// Restoration tells whether the change is one, as the package comment defines it.
func (c *Change) Restoration() bool {
	e := &c.Entry
	return (e.Kind == audit.KindRestore || e.Kind == audit.KindGrant) && e.Seq == 0 &&
		(e.Decision == audit.Allow || e.Decision == audit.Partial)
}

// Denials is how many denials the change stands for: none where it is no denial.
// Identical ones of a minute are counted in one entry.
func (c *Change) Denials() int {
	if c.Entry.Decision != audit.Deny {
		return 0
	}
	return max(1, c.Entry.Counts[countDenials])
}

// ReviewHours is within how many hours somebody has to look at the restoration, 0
// where nobody has to: what the log says of a break-glass.
func (c *Change) ReviewHours() int {
	if !c.Restoration() {
		return 0
	}
	hours := 0
	for _, obligation := range c.Entry.Obligations {
		if rest, is := strings.CutPrefix(obligation, obligationReview); is {
			hours = max(hours, number(rest))
		}
	}
	return hours
}

// Proceeding is the change id of the entry that opened what people came back to,
// empty where the entry names none.
func (c *Change) Proceeding() string { return c.about(audit.ObligationProceeding) }

func (c *Change) about(prefix string) string { return c.Entry.AboutOne(prefix) }

// What the entries of package vault say by these names.
const (
	countDenials     = "denials"
	obligationReview = "review_hours:"
)

// Changes walks the log change by change. Entries of a change stand next to one
// another. One whose first entry was pruned keeps its Seq, and is a part of nothing.
func (s Source) Changes(yield func(*Change) error) error {
	var open *Change
	flush := func() error {
		if open == nil {
			return nil
		}
		c := open
		open = nil
		return yield(c)
	}
	err := s(func(one Entry) error {
		if open != nil && open.continues(&one) {
			open.join(&one)
			return nil
		}
		if err := flush(); err != nil {
			return err
		}
		open = &Change{First: one.Index, Last: one.Index, Hash: one.Hash, Entry: one.Entry, Pruned: one.Pruned()}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

func (c *Change) continues(next *Entry) bool {
	return !c.Pruned && !next.Pruned() && next.Entry.Seq > 0 &&
		next.Entry.ChangeID == c.Entry.ChangeID && next.Entry.Seq == c.Entry.Seq+int(c.Last-c.First)+1
}

// join adds the lists that are divided among linked entries, see audit.Link. What is
// counted stands in the first alone.
func (c *Change) join(next *Entry) {
	c.Last = next.Index
	e, n := &c.Entry, &next.Entry
	e.ScopeRefs = append(slices.Clip(e.ScopeRefs), n.ScopeRefs...)
	e.SubjectRefs = append(slices.Clip(e.SubjectRefs), n.SubjectRefs...)
	e.KeyIDs = append(slices.Clip(e.KeyIDs), n.KeyIDs...)
	e.Tokens = append(slices.Clip(e.Tokens), n.Tokens...)
}

// sum adds up what is counted.
func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

// names are those of what is counted, sorted.
func names[K cmp.Ordered, V any](counts map[K]V) []K { return slices.Sorted(maps.Keys(counts)) }

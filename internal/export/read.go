package export

import (
	"context"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Limits of a batch: what is held in memory, several times over for the formats.
const (
	// MaxBatchEntries is how many entries a batch has: seconds of a busy log.
	MaxBatchEntries = 5000
	// MaxBatchBytes bounds their leaves; 5,000 of the usual size are 3 MiB. As events
	// they take eight times as much at most, where an entry is nothing but short ids.
	MaxBatchBytes = 4 << 20
	// pageEntries is how many entries are asked for at a time.
	pageEntries = 500
)

// read returns the entries that come next, those of the intent where there is one.
func (s *step) read(ctx context.Context) ([]record, error) {
	to := min(s.head.Size, s.state.Next+MaxBatchEntries)
	if s.state.Intent != nil {
		to = s.state.Intent.To
	}
	var batch []record
	size := 0
	for at := s.state.Next; at < to; {
		page, err := s.log.Entries(ctx, at, int(min(pageEntries, to-at)))
		if err != nil {
			return nil, fmt.Errorf("export: entries from %d: %w", at, err)
		}
		if len(page) == 0 || int64(len(page)) > to-at {
			return nil, fmt.Errorf("%w: asked for entries from %d, it gave %d", ErrLog, at, len(page))
		}
		for _, entry := range page {
			r, err := s.check(entry, at)
			if err != nil {
				return nil, err
			}
			if at == s.state.Next {
				s.progress.Oldest = r.entry.Time
			}
			batch, size, at = append(batch, r), size+len(r.leaf), at+1
			if size >= MaxBatchBytes && s.state.Intent == nil {
				return batch, nil
			}
		}
	}
	return batch, nil
}

// check holds an entry to its index and its hash, and reads it.
func (s *step) check(entry Entry, index int64) (record, error) {
	switch {
	case entry.Index != index:
		return record{}, fmt.Errorf("%w: index %d stands where %d should", ErrLog, entry.Index, index)
	case entry.Leaf == nil:
		return record{}, fmt.Errorf("%w: %d", ErrPruned, index)
	case audit.LeafHash(entry.Leaf) != entry.LeafHash:
		return record{}, fmt.Errorf("%w: entry %d does not have its hash", ErrLog, index)
	}
	read, err := audit.ParseLeaf(entry.Leaf)
	if err != nil {
		return record{}, fmt.Errorf("%w: entry %d: %w", ErrLog, index, err)
	}
	if read.Tenant != s.log.Tenant {
		return record{}, fmt.Errorf("%w: entry %d is of another tenant", ErrLog, index)
	}
	return record{index: index, leaf: entry.Leaf, hash: entry.LeafHash, entry: read}, nil
}

// day is the day that an entry counts for: its own, but none that is closed.
func (s *step) day(r record) day { return max(dayOf(r.entry.Time), s.state.Day) }

// sameDay is how many of the entries, from the first on, are of one day.
func (s *step) sameDay(batch []record) int {
	first := s.day(batch[0])
	if n := slices.IndexFunc(batch, func(r record) bool { return s.day(r) != first }); n > 0 {
		return n
	}
	return len(batch)
}

// dayIsOver tells whether nothing more comes of the open day: a later one has
// begun, or the clock says so and all is out.
func (s *step) dayIsOver(batch []record) bool {
	if s.state.Day == "" || s.state.Closing {
		return s.state.Closing
	}
	if len(batch) > 0 {
		return s.day(batch[0]) > s.state.Day
	}
	return s.state.Day.over(s.head.At)
}

// waits tells whether more entries are waited for, to go out in one batch.
func (s *step) waits(batch []record) bool {
	full := s.sameDay(batch) < len(batch) || batch[len(batch)-1].index+1 < s.head.Size
	if s.Every == 0 || full || s.day(batch[0]).over(s.head.At) {
		return false
	}
	return s.Now().Sub(batch[0].entry.Time) < s.Every
}

package vault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Journal is how far the journal of a tenant has come, as one process knows it.
// It is made from the journal alone. The zero value is the empty journal.
type Journal struct {
	Lines int
	Chain audit.Hash
	// since is the time of the last tombstones that are in it, which are latest;
	// states are the erasures.
	since  time.Time
	latest map[string]bool
	states map[string]ErasureState
	// looked is up to which entry of the log erasures were looked for, plus one.
	looked int64
}

// Follow takes a line in.
func (j *Journal) Follow(raw []byte) (JournalLine, error) {
	line, err := ParseJournalLine(raw)
	if err != nil {
		return JournalLine{}, fmt.Errorf("%w: line %d", err, j.Lines+1)
	}
	if e := line.Erased; e != nil {
		if j.states == nil {
			j.states = make(map[string]ErasureState)
		}
		j.states[e.ID] = e.State
		for _, z := range e.Buried {
			if z.At.After(j.since) {
				j.since, j.latest = z.At, make(map[string]bool)
			}
			if z.At.Equal(j.since) {
				j.latest[z.KeyID] = true
			}
		}
	}
	j.Lines++
	j.Chain = JournalHash(j.Chain, raw)
	return line, nil
}

// JournalSource is what a journal is written from.
type JournalSource interface {
	Erasures
	Tombstones(ctx context.Context, tenant string, q TombstoneQuery) ([]Tombstone, error)
	Entries(ctx context.Context, tenant string, q EntryQuery) ([]StoredEntry, error)
}

// JournalDue are the lines that are missing in a journal: of erasures that were
// committed since, went on, or were completed. Followed is to be called once they
// are all in it.
func JournalDue(ctx context.Context, s JournalSource, tenant string, j *Journal) (due []JournalLine, followed func(), err error) {
	last, err := s.Entries(ctx, tenant, EntryQuery{Kind: string(audit.KindErase), Descending: true, Limit: 1})
	if err != nil || len(last) == 0 || last[0].Index < j.looked {
		return nil, func() {}, err
	}
	looked := last[0].Index + 1
	parts, err := newTombstones(ctx, s, tenant, j)
	if err != nil {
		return nil, nil, err
	}
	changed, err := changedErasures(ctx, s, tenant, j)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range changed {
		if !slices.ContainsFunc(parts, func(p journalPart) bool { return p.erasure == e.ID }) {
			parts = append(parts, journalPart{at: later(e.ErasedAt, e.CompletedAt), erasure: e.ID})
		}
	}
	// In the order of time: wherever a crash cuts it off, what comes after the last
	// tombstone of the journal is what is missing.
	slices.SortStableFunc(parts, func(a, b journalPart) int { return a.at.Compare(b.at) })
	for _, p := range parts {
		// Destinations are told only of one that is asked for.
		row, err := s.Erasures(ctx, tenant, ErasureQuery{ID: p.erasure, Limit: 1})
		if err != nil {
			return nil, nil, err
		}
		if len(row) == 1 {
			due = append(due, erasureLines(row[0], p.buried)...)
		}
	}
	return due, func() { j.looked = looked }, nil
}

// journalPart is what one commit of an erasure destroyed.
type journalPart struct {
	at      time.Time
	erasure string
	buried  []Tombstone
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// newTombstones are those after the last that is in the journal, by commit.
func newTombstones(ctx context.Context, s JournalSource, tenant string, j *Journal) (parts []journalPart, err error) {
	for q := (TombstoneQuery{Since: j.since}); ; {
		page, err := s.Tombstones(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		for _, z := range page {
			if z.At.Equal(j.since) && j.latest[z.KeyID] {
				continue
			}
			n := slices.IndexFunc(parts, func(p journalPart) bool { return p.erasure == z.ErasureID && p.at.Equal(z.At) })
			if n < 0 {
				n, parts = len(parts), append(parts, journalPart{at: z.At, erasure: z.ErasureID})
			}
			parts[n].buried = append(parts[n].buried, z)
		}
		if len(page) == 0 {
			return parts, nil
		}
		q.Since, q.After = page[len(page)-1].At, page[len(page)-1].KeyID
	}
}

// changedErasures are those that the journal does not have, or has in another
// state.
func changedErasures(ctx context.Context, s JournalSource, tenant string, j *Journal) (changed []Erasure, err error) {
	for q := (ErasureQuery{Limit: PageErasures}); ; {
		page, err := s.Erasures(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		fresh := 0
		for _, e := range page {
			if _, known := j.states[e.ID]; !known {
				changed, fresh = append(changed, e), fresh+1
			}
		}
		// Erasures are journaled in the order in which they began: before one that
		// is known all are.
		if fresh < len(page) || len(page) < PageErasures {
			break
		}
		q.Before = page[len(page)-1].ID
	}
	for id, state := range j.states {
		if state == ErasureCompleted {
			continue
		}
		row, err := s.Erasures(ctx, tenant, ErasureQuery{ID: id, Limit: 1})
		if err != nil {
			return nil, err
		}
		if len(row) == 1 && row[0].State != state {
			changed = append(changed, row[0])
		}
	}
	return changed, nil
}

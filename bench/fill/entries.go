package fill

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// entriesAtOnce bounds a transaction, and the memory for what is made ahead of it.
const entriesAtOnce = 10_000

const (
	sqlHead       = `SELECT h.frontier, h.last_time FROM log_heads AS h WHERE h.tenant = $1`
	sqlMoveHead   = `UPDATE log_heads SET frontier = $2, last_time = $3 WHERE tenant = $1`
	sqlModelEntry = `
SELECT e.leaf FROM entry_terms AS t JOIN entries AS e ON e.tenant = t.tenant AND e.idx = t.idx
WHERE t.tenant = $1 AND t.field = 'kind' AND t.term = 'tokenize' AND e.leaf IS NOT NULL
ORDER BY t.idx DESC LIMIT 1`
)

// Entries brings the log up to so many entries. Those that it adds are like the last
// one of kind tokenize, or, where bare is set, like those of a sweep, which name next
// to nothing: a log of many is then small enough for the disk of one machine.
func (f *Fill) Entries(ctx context.Context, to int64, bare bool) error {
	m, err := f.maker(ctx, bare)
	if err != nil || m.frontier.Size >= to {
		return err
	}
	return f.withoutIndexes(ctx, []string{"entries", "entry_terms", "log_nodes"}, func() error {
		return f.appendTo(ctx, to, m)
	})
}

// maker starts at the head that the service left.
func (f *Fill) maker(ctx context.Context, bare bool) (*maker, error) {
	m := &maker{now: f.now, bare: bare}
	var frontier, leaf []byte
	if err := f.conn.QueryRow(ctx, sqlHead, f.tenant).Scan(&frontier, &m.last); err != nil {
		return nil, fmt.Errorf("fill: head: %w", err)
	}
	if err := m.frontier.UnmarshalBinary(frontier); err != nil {
		return nil, fmt.Errorf("fill: head: %w", err)
	}
	err := f.conn.QueryRow(ctx, sqlModelEntry, f.tenant).Scan(&leaf)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w: an entry", ErrNothing)
	}
	if err != nil {
		return nil, fmt.Errorf("fill: an entry: %w", err)
	}
	if m.model, err = audit.ParseLeaf(leaf); err != nil {
		return nil, fmt.Errorf("fill: an entry: %w", err)
	}
	return m, nil
}

// appendTo writes chunk by chunk, while the next ones are made.
func (f *Fill) appendTo(ctx context.Context, to int64, m *maker) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chunks, failed := make(chan chunk, 1), make(chan error, 1)
	go func() {
		defer close(chunks)
		for m.frontier.Size < to {
			c, err := m.chunk(int(min(to-m.frontier.Size, entriesAtOnce)))
			if err != nil {
				failed <- err
				return
			}
			select {
			case chunks <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	for c := range chunks {
		if err := f.write(ctx, &c); err != nil {
			return err
		}
	}
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// write makes a chunk the end of the log, with everything that goes with it.
func (f *Fill) write(ctx context.Context, c *chunk) error {
	return pgx.BeginFunc(ctx, f.conn, func(tx pgx.Tx) error {
		for _, copied := range []struct {
			table   string
			columns []string
			n       int
			row     func(int) ([]any, error)
		}{
			{"entries", []string{"tenant", "idx", "leaf", "leaf_hash", "time", "change_id", "seq"}, len(c.entries), func(i int) ([]any, error) {
				e := &c.entries[i]
				return []any{f.tenant, e.idx, e.leaf, e.hash[:], e.time, e.changeID, int64(0)}, nil
			}},
			{"entry_terms", []string{"tenant", "field", "term", "idx"}, len(c.terms), func(i int) ([]any, error) {
				t := &c.terms[i]
				return []any{f.tenant, string(t.Field), t.Value, t.idx}, nil
			}},
			{"log_nodes", []string{"tenant", "level", "n", "hash"}, len(c.nodes), func(i int) ([]any, error) {
				n := &c.nodes[i]
				return []any{f.tenant, int64(n.Level), n.N, n.Hash[:]}, nil
			}},
		} {
			_, err := tx.CopyFrom(ctx, pgx.Identifier{copied.table}, copied.columns, pgx.CopyFromSlice(copied.n, copied.row))
			if err != nil {
				return fmt.Errorf("fill: %s: %w", copied.table, err)
			}
		}
		if _, err := tx.Exec(ctx, sqlMoveHead, f.tenant, c.frontier, c.entries[len(c.entries)-1].time); err != nil {
			return fmt.Errorf("fill: head: %w", err)
		}
		return nil
	})
}

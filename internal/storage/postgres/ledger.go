package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlReadHead = `
SELECT h.frontier, h.last_time, h.state, h.min_wrap_version, h.retired_below FROM log_heads AS h WHERE h.tenant = $1`
	sqlLeafHash = `
SELECT e.leaf_hash FROM entries AS e WHERE e.tenant = $1 AND e.idx = $2`
	sqlNode = `
SELECT n.hash FROM log_nodes AS n WHERE n.tenant = $1 AND n.level = $2 AND n.n = $3`
	sqlLeafHashes = `
SELECT e.idx, e.leaf_hash FROM entries AS e WHERE e.tenant = $1 AND e.idx >= $2 ORDER BY e.idx LIMIT $3`
	sqlNodes = `
SELECT n.n, n.hash FROM log_nodes AS n WHERE n.tenant = $1 AND n.level = $4 AND n.n >= $2 ORDER BY n.n LIMIT $3`
	// A note of an unknown tenant is refused by the foreign key.
	sqlWriteNote = `
INSERT INTO notes (tenant, kind, ord, body, at)
VALUES ($1, $2, $3, $4, (SELECT GREATEST(COALESCE($5::bigint, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint),
        (SELECT h.last_time FROM log_heads AS h WHERE h.tenant = $1))))
ON CONFLICT (tenant, kind) DO UPDATE SET ord = excluded.ord, body = excluded.body, at = GREATEST(notes.at, excluded.at)
WHERE notes.ord <= excluded.ord`
	sqlLastNote = `
SELECT n.ord, n.body, n.at FROM notes AS n WHERE n.tenant = $1 AND n.kind = $2`
)

// Head implements vault.Ledger.
func (v *View) Head(ctx context.Context, tenant string) (vault.Head, error) {
	var frontier []byte
	var last int64
	var h vault.Head
	found, err := v.one(ctx, "the head", sqlReadHead, []any{&frontier, &last, &h.State, &h.MinWrapVersion, &h.RetiredBelow}, tenant)
	if err != nil {
		return vault.Head{}, err
	}
	if !found {
		return vault.Head{}, vault.ErrUnknownTenant
	}
	h.At = fromMicros(last)
	if err := h.Frontier.UnmarshalBinary(frontier); err != nil {
		return vault.Head{}, fmt.Errorf("postgres: head of the log: %w", err)
	}
	return h, nil
}

// Node implements vault.Ledger.
func (v *View) Node(ctx context.Context, tenant string, level int, n int64) (audit.Hash, error) {
	var column []byte
	var found bool
	var err error
	if level == 0 {
		found, err = v.one(ctx, "a leaf hash", sqlLeafHash, []any{&column}, tenant, n)
	} else {
		found, err = v.one(ctx, "a node", sqlNode, []any{&column}, tenant, int64(level), n)
	}
	if err != nil {
		return audit.Hash{}, err
	}
	if !found {
		return audit.Hash{}, vault.ErrNotFound
	}
	var h audit.Hash
	copy(h[:], column)
	return h, nil
}

// Nodes implements vault.Ledger.
func (v *View) Nodes(ctx context.Context, tenant string, level int, from int64, count int) ([]audit.Hash, error) {
	if count < 1 || count > audit.TileWidth {
		return nil, fmt.Errorf("%w: so many nodes at once", ErrMalformed)
	}
	text, args := sqlNodes, []any{from, int64(count), int64(level)}
	if level == 0 {
		text, args = sqlLeafHashes, args[:2]
	}
	hashes := make([]audit.Hash, 0, count)
	err := v.each(ctx, "nodes", text, func(rows pgx.Rows) error {
		var at int64
		var column []byte
		err := scan(rows, &at, &column)
		if at == from+int64(len(hashes)) { // else there is a hole
			var h audit.Hash
			copy(h[:], column)
			hashes = append(hashes, h)
		}
		return err
	}, tenant, args...)
	if err != nil {
		return nil, err
	}
	if len(hashes) != count {
		return nil, vault.ErrNotFound
	}
	return hashes, nil
}

// LastNote implements vault.Bookkeeping.
func (v *View) LastNote(ctx context.Context, tenant string, kind vault.NoteKind) (vault.Note, error) {
	note := vault.Note{Kind: kind}
	var at int64
	found, err := v.one(ctx, "a note", sqlLastNote, []any{&note.Order, &note.Body, &at}, tenant, string(kind))
	if err != nil {
		return vault.Note{}, err
	}
	if !found {
		return vault.Note{}, vault.ErrNotFound
	}
	note.At = fromMicros(at)
	return note, nil
}

// Note implements vault.Bookkeeping. It does not wait in the queue: it is one row,
// and nothing depends on its order among changes.
func (s *Store) Note(ctx context.Context, tenant string, n vault.Note) error {
	switch {
	case s.closed.Load():
		return vault.ErrClosed
	case ctx.Err() != nil:
		return fmt.Errorf("postgres: note: %w", ctx.Err())
	case !slices.Contains(vault.NoteKinds(), n.Kind):
		return fmt.Errorf("%w: a note of a kind that is not in the list", ErrMalformed)
	case len(n.Body) > maxNote:
		return fmt.Errorf("%w: a note of more than %d bytes", ErrMalformed, maxNote)
	case !storable(tenant):
		return vault.ErrUnknownTenant
	}
	if _, err := s.Head(ctx, tenant); err != nil {
		return err
	}
	body := n.Body
	if body == nil {
		body = []byte{} // there is no absent body: nil and empty are the same
	}
	// After an error it may stand or not; writing it again does no harm.
	p := &pipeline{hooks: s.hooks}
	p.exec(sqlBound, tenant, inMillis(lockTimeout), inMillis(statementTimeout), inMillis(idleTimeout))
	p.exec(sqlWriteNote, tenant, string(n.Kind), n.Order, body, s.now())
	if err := pooled(ctx, s.pool, p); err != nil {
		return fmt.Errorf("postgres: note: %w: %w", vault.ErrUnavailable, err)
	}
	return nil
}

// collectEntries reads rows of index, leaf and leaf hash.
func collectEntries(into *[]vault.StoredEntry) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var e vault.StoredEntry
		var hash []byte
		if err := scan(rows, &e.Index, &e.Leaf, &hash); err != nil {
			return err
		}
		copy(e.LeafHash[:], hash)
		*into = append(*into, e)
		return nil
	}
}

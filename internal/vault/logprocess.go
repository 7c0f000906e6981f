package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// This file is what the process itself reads of a log, to export it, to write its
// tiles and to put evidence together. No caller is asked for: none of it is
// answered to one.

// ErrPruned says that leaf bytes were taken out of the log.
var ErrPruned = errors.New("vault: the leaf was pruned")

// SignedHead returns the head of a log with its checkpoint.
func (s *Service) SignedHead(ctx context.Context, tenant string) (audit.TreeHead, []byte, error) {
	keys, err := s.tenants.get(ctx, tenant)
	if err != nil {
		return audit.TreeHead{}, nil, public(err)
	}
	tree, checkpoint, err := s.signedHead(ctx, tenant, keys)
	return tree, checkpoint, public(err)
}

// StoredEntries returns at most limit entries from an index on.
func (s *Service) StoredEntries(ctx context.Context, tenant string, from int64, limit int) ([]StoredEntry, error) {
	entries, err := s.ledger.Entries(ctx, tenant, EntryQuery{HasCursor: from > 0, Cursor: from - 1, Limit: limit})
	return entries, public(err)
}

// Leaves returns exactly count leaves from an index on, else ErrNotFound; ErrPruned
// where one of them is gone.
func (s *Service) Leaves(ctx context.Context, tenant string, from int64, count int) ([][]byte, error) {
	entries, err := s.StoredEntries(ctx, tenant, from, count)
	if err != nil {
		return nil, err
	}
	if len(entries) != count || count > 0 && entries[count-1].Index != from+int64(count)-1 {
		return nil, ErrNotFound
	}
	leaves := make([][]byte, count)
	for i, e := range entries {
		if e.Leaf == nil {
			return nil, fmt.Errorf("%w: entry %d", ErrPruned, e.Index)
		}
		leaves[i] = e.Leaf
	}
	return leaves, nil
}

// Nodes returns count subtrees of a log in a row.
func (s *Service) Nodes(ctx context.Context, tenant string, level int, from int64, count int) ([]audit.Hash, error) {
	hashes, err := s.ledger.Nodes(ctx, tenant, level, from, count)
	return hashes, public(err)
}

// SignStatement signs a statement of a log.
func (s *Service) SignStatement(ctx context.Context, tenant, title, body string) ([]byte, error) {
	keys, err := s.tenants.get(ctx, tenant)
	if err != nil {
		return nil, public(err)
	}
	signed, err := audit.SignStatement(audit.Statement{Title: title, Origin: keys.signer.Origin(), Body: body}, keys.signer)
	return signed, public(err)
}

// Bookmark returns a piece of bookkeeping of a log; none is the zero Note.
func (s *Service) Bookmark(ctx context.Context, tenant string, kind NoteKind) (Note, error) {
	note, err := s.books.LastNote(ctx, tenant, kind)
	if errors.Is(err, ErrNotFound) {
		return Note{}, nil
	}
	return note, public(err)
}

// SetBookmark keeps a piece of bookkeeping.
func (s *Service) SetBookmark(ctx context.Context, tenant string, note Note) error {
	return public(s.books.Note(ctx, tenant, note))
}

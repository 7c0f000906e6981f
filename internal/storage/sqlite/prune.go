package sqlite

import (
	"context"
	"fmt"
	"os"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// Of what was pruned there is no term any more.
	sqlPrunable = `
SELECT d.idx FROM entry_terms AS d
WHERE d.tenant = ?1 AND d.field = 'kind' AND d.term = ?2 AND d.idx >= ?3 AND d.idx < ?4
ORDER BY d.idx LIMIT ?5`
	sqlRowsToPrune = `
SELECT e.idx, e.leaf, e.leaf_hash, e.time, e.change_id, e.seq
FROM json_each(?2) AS j CROSS JOIN entries AS e ON e.tenant = ?1 AND e.idx = j.value`
	sqlTermsToPrune = `
SELECT t.idx, t.field, t.term
FROM json_each(?2) AS j CROSS JOIN entry_terms AS t INDEXED BY entry_terms_entry ON t.tenant = ?1 AND t.idx = j.value`
	sqlPruneLeaves = `
UPDATE entries SET leaf = NULL
WHERE tenant = ?1 AND idx IN (SELECT j.value FROM json_each(?2) AS j) AND leaf IS NOT NULL`
	sqlPruneTerms = `
DELETE FROM entry_terms INDEXED BY entry_terms_entry
WHERE tenant = ?1 AND idx IN (SELECT j.value FROM json_each(?2) AS j)`
)

// Pruner is vault.Pruner on a file that no service has open: it holds the lock of the
// process from OpenPruner to Close.
//
// Leaves are set to NULL and their terms deleted in transactions of the file, so a
// crash leaves each batch whole or not begun. What goes is overwritten with zeros in
// the file (secure_delete); the write-ahead log has it until Close, which empties the
// log; file systems, disks, backups and the archive keep copies of their own.
type Pruner struct{ store *Store }

var _ vault.Pruner = (*Pruner)(nil)

// OpenPruner opens a database that is there. It fails with ErrLocked where a service
// has it.
func OpenPruner(ctx context.Context, path string, opts Options) (*Pruner, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqlite: there is no database to prune: %w", err)
	}
	s, err := Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	return &Pruner{s}, nil
}

// Close lets go of the file.
func (p *Pruner) Close() error { return p.store.Close() }

// Prune implements vault.Pruner.
func (p *Pruner) Prune(ctx context.Context, tenant string, what vault.Pruning) (int64, error) {
	if err := entryrow.CheckPruning(what); err != nil {
		return 0, err
	}
	if err := p.said(ctx, tenant, what); err != nil {
		return 0, err
	}
	// Times never decrease: nothing at this index or after it is old enough.
	end, err := p.store.since(ctx, tenant, what.Before)
	if err != nil {
		return 0, err
	}
	end = min(end, what.To)
	var gone int64
	for _, kind := range what.Kinds {
		for more := true; more; {
			if ctx.Err() != nil {
				return gone, fmt.Errorf("sqlite: prune: %w", ctx.Err())
			}
			n, err := p.batch(tenant, string(kind), what, end)
			if err != nil {
				return gone, fmt.Errorf("sqlite: prune: %w", err)
			}
			gone += int64(n)
			more = n == p.store.writer.hooks.pruneBatch()
		}
	}
	return gone, nil
}

// said looks for the entry that says it, the newest first.
func (p *Pruner) said(ctx context.Context, tenant string, what vault.Pruning) error {
	q := vault.EntryQuery{Kind: string(audit.KindPrune), Descending: true, Limit: defaultPage}
	for {
		page, err := p.store.Entries(ctx, tenant, q)
		if err != nil {
			return err
		}
		for i := range page {
			if entryrow.Says(&page[i], tenant, what) {
				return nil
			}
		}
		if len(page) < q.Limit {
			return fmt.Errorf("sqlite: no entry says that the range is pruned: %w", vault.ErrNoEntry)
		}
		q.HasCursor, q.Cursor = true, page[len(page)-1].Index
	}
}

// batch takes the next leaves of a kind out, all or none, and tells how many.
func (p *Pruner) batch(tenant, kind string, what vault.Pruning, end int64) (int, error) {
	w := p.store.writer
	w.mu.Lock()
	defer w.mu.Unlock()
	x, err := w.begin()
	if err != nil {
		return 0, err
	}
	defer x.abandon()
	var indexes []int64
	if err := x.each(sqlPrunable, collectIndexes(&indexes), tenant, kind, what.From, end, w.hooks.pruneBatch()); err != nil {
		return 0, err
	}
	if len(indexes) == 0 {
		return 0, nil
	}
	these := encode(indexes)
	var rows []entryrow.Row
	if err := x.each(sqlRowsToPrune, collectRows(&rows), tenant, these); err != nil {
		return 0, err
	}
	if len(rows) != len(indexes) {
		return 0, fmt.Errorf("%w: a term is of no entry", entryrow.ErrColumn)
	}
	if err := x.each(sqlTermsToPrune, collectTerms(rows), tenant, these); err != nil {
		return 0, err
	}
	sortTerms(rows)
	terms := 0
	for i := range rows {
		if err := rows[i].CheckPrunable(tenant, what); err != nil {
			return 0, err
		}
		terms += len(rows[i].Terms)
	}
	for _, change := range []struct {
		text string
		rows int
	}{{sqlPruneLeaves, len(indexes)}, {sqlPruneTerms, terms}} {
		n, err := x.exec(change.text, tenant, these)
		if err == nil && n != int64(change.rows) {
			err = fmt.Errorf("%w: other rows than were read", vault.ErrConflict)
		}
		if err != nil {
			return 0, err
		}
	}
	return len(indexes), x.commit()
}

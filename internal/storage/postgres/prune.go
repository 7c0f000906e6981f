package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// The triggers let the owner through who says so, until the end of the
	// transaction.
	sqlLiftForPrune = `
SELECT set_config('counterfoil.prune', 'entries', true)`
	// Of what was pruned there is no term any more.
	sqlPrunable = `
SELECT d.idx FROM entry_terms AS d
WHERE d.tenant = $1 AND d.field = 'kind' AND d.term = $2 AND d.idx >= $3 AND d.idx < $4
ORDER BY d.idx LIMIT $5`
	sqlRowsToPrune = `
SELECT e.idx, e.leaf, e.leaf_hash, e.time, e.change_id, e.seq FROM entries AS e
WHERE e.tenant = $1 AND e.idx = ANY ($2::bigint[]) ORDER BY e.idx`
	sqlTermsToPrune = `
SELECT t.idx, t.field, t.term FROM entry_terms AS t
WHERE t.tenant = $1 AND t.idx = ANY ($2::bigint[]) ORDER BY t.idx`
	sqlPruneLeaves = `
UPDATE entries SET leaf = NULL WHERE tenant = $1 AND idx = ANY ($2::bigint[]) AND leaf IS NOT NULL`
	sqlPruneTerms = `
DELETE FROM entry_terms WHERE tenant = $1 AND idx = ANY ($2::bigint[])`
)

// Pruner is vault.Pruner, as the owner of the tables. A service may have the database
// meanwhile: what is pruned stands, and no commit writes it.
//
// Each batch is one transaction, so a crash leaves it whole or not begun; after an
// error from COMMIT it is either, and pruning again does what is missing. What goes
// stays in dead rows until VACUUM has been there, in the write-ahead log, its archive,
// standbys that are behind, and backups.
type Pruner struct {
	view  *View
	hooks *hooks
}

var _ vault.Pruner = (*Pruner)(nil)

// ownerConns is one to work, and one to look.
const ownerConns = 2

// OpenPruner connects as the owner of the tables, past any pooler or not.
func OpenPruner(ctx context.Context, ownerDSN string) (*Pruner, error) {
	var c Config
	pool, err := openPool(ctx, "owner", ownerDSN, ownerConns, &c)
	if err != nil {
		return nil, err
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("postgres: connect as the owner: %w", &fault{err})
	}
	err = errors.Join(checkServer(ctx, conn.Conn()), checkVersion(ctx, conn.Conn()))
	conn.Release()
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &Pruner{view: &View{pool: pool, hooks: &c.hooks, health: &health{}}, hooks: &c.hooks}, nil
}

// Close closes the connections.
func (p *Pruner) Close() error { return p.view.Close() }

// Prune implements vault.Pruner.
func (p *Pruner) Prune(ctx context.Context, tenant string, what vault.Pruning) (int64, error) {
	if err := entryrow.CheckPruning(what); err != nil {
		return 0, err
	}
	if err := p.said(ctx, tenant, what); err != nil {
		return 0, err
	}
	// Times never decrease: nothing at this index or after it is old enough.
	end, err := p.view.since(ctx, tenant, what.Before)
	if err != nil {
		return 0, err
	}
	end = min(end, what.To)
	var gone int64
	for _, kind := range what.Kinds {
		for more := true; more; {
			if ctx.Err() != nil {
				return gone, fmt.Errorf("postgres: prune: %w", ctx.Err())
			}
			n, err := p.batch(tenant, string(kind), what, end)
			if err != nil {
				return gone, fmt.Errorf("postgres: prune: %w", err)
			}
			gone += int64(n)
			more = n == p.hooks.pruneBatch()
		}
	}
	return gone, nil
}

// said looks for the entry that says it, the newest first.
func (p *Pruner) said(ctx context.Context, tenant string, what vault.Pruning) error {
	q := vault.EntryQuery{Kind: string(audit.KindPrune), Descending: true, Limit: defaultPage}
	for {
		page, err := p.view.Entries(ctx, tenant, q)
		if err != nil {
			return err
		}
		for i := range page {
			if entryrow.Says(&page[i], tenant, what) {
				return nil
			}
		}
		if len(page) < q.Limit {
			return fmt.Errorf("postgres: no entry says that the range is pruned: %w", vault.ErrNoEntry)
		}
		q.HasCursor, q.Cursor = true, page[len(page)-1].Index
	}
}

// batch takes the next leaves of a kind out, all or none, and tells how many.
func (p *Pruner) batch(tenant, kind string, what vault.Pruning, end int64) (int, error) {
	conn, err := acquire(p.view.pool)
	if err != nil {
		return 0, err
	}
	x := &transaction{conn: conn, hooks: p.hooks, tenant: tenant}
	defer x.abandon()
	var indexes []int64
	begin := x.pipeline()
	begin.exec(sqlBegin)
	begin.exec(sqlBound, tenant, inMillis(lockTimeout), inMillis(statementTimeout), inMillis(idleTimeout))
	begin.exec(sqlLiftForPrune)
	begin.each(sqlPrunable, func(rows pgx.Rows) error {
		var idx int64
		err := scan(rows, &idx)
		indexes = append(indexes, idx)
		return err
	}, tenant, kind, what.From, end, int64(p.hooks.pruneBatch()))
	if err := x.run(begin, 0); err != nil || len(indexes) == 0 {
		return 0, err
	}
	terms, err := p.check(x, indexes, what)
	if err != nil {
		return 0, err
	}
	write := x.pipeline()
	write.change(len(indexes), errNotWritten, sqlPruneLeaves, tenant, indexes)
	write.change(terms, errNotWritten, sqlPruneTerms, tenant, indexes)
	write.exec(sqlUnbound)
	if err := x.run(write, 0); err != nil {
		return 0, err
	}
	return len(indexes), x.commit()
}

// check reads what is to go, and tells how many terms it has.
func (p *Pruner) check(x *transaction, indexes []int64, what vault.Pruning) (terms int, err error) {
	var rows []entryrow.Row
	read := x.pipeline()
	read.each(sqlRowsToPrune, collectRows(&rows), x.tenant, indexes)
	if err := x.run(read, 0); err != nil {
		return 0, err
	}
	if len(rows) != len(indexes) {
		return 0, fmt.Errorf("%w: a term is of no entry", entryrow.ErrColumn)
	}
	read = x.pipeline()
	read.each(sqlTermsToPrune, collectTerms(rows), x.tenant, indexes)
	if err := x.run(read, 0); err != nil {
		return 0, err
	}
	sortTerms(rows)
	for i := range rows {
		if err := rows[i].CheckPrunable(x.tenant, what); err != nil {
			return 0, err
		}
		terms += len(rows[i].Terms)
	}
	return terms, nil
}

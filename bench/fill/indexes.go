package fill

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// grown is how full, in percent, the pages of an index are into which rows came in no
// order: a B-tree whose pages are split in halves as they fill up is at ln 2. An index
// that is built is nine tenths full, and would be smaller than in reality.
const grown = 70

const (
	// An index that is not ready gets no rows; REINDEX makes it ready again.
	sqlIndexesOff = `UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = $1::regclass`
	// Those whose keys come in the order of the table stay as full as they are built.
	sqlIndexesOf = `
SELECT quote_ident(c.relname) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = $1::regclass AND NOT c.relname = ANY ('{entries_pkey,entries_time,entry_terms_entry,log_nodes_pkey,mappings_expiry}')`
)

// withoutIndexes writes to tables that have none meanwhile, and builds them anew.
func (f *Fill) withoutIndexes(ctx context.Context, tables []string, write func() error) error {
	for _, table := range tables {
		if _, err := f.conn.Exec(ctx, sqlIndexesOff, table); err != nil {
			return fmt.Errorf("fill: indexes of %s: %w", table, err)
		}
	}
	if err := write(); err != nil {
		return err
	}
	for _, table := range tables {
		if err := f.rebuild(ctx, table); err != nil {
			return fmt.Errorf("fill: indexes of %s: %w", table, err)
		}
	}
	return nil
}

func (f *Fill) rebuild(ctx context.Context, table string) error {
	rows, err := f.conn.Query(ctx, sqlIndexesOf, table)
	if err != nil {
		return err
	}
	loose, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, index := range loose {
		if _, err := f.conn.Exec(ctx, fmt.Sprintf("ALTER INDEX %s SET (fillfactor = %d)", index, grown)); err != nil {
			return err
		}
	}
	if _, err := f.conn.Exec(ctx, "REINDEX TABLE "+pgx.Identifier{table}.Sanitize()); err != nil {
		return err
	}
	for _, index := range loose {
		if _, err := f.conn.Exec(ctx, "ALTER INDEX "+index+" RESET (fillfactor)"); err != nil {
			return err
		}
	}
	return nil
}

package fill

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Size is what a table takes on the disk.
type Size struct {
	Table string
	// Rows of all tenants.
	Rows int64
	// Row is the table itself, with its maps; Index all its indexes. Bytes.
	Row, Index int64
}

// Total is both.
func (s Size) Total() int64 { return s.Row + s.Index }

// Per is how many bytes of the table there are for each of n things.
func (s Size) Per(n int64) float64 { return float64(s.Total()) / float64(max(n, 1)) }

// Sizes measures tables, in the order in which they are named.
func (f *Fill) Sizes(ctx context.Context, tables ...string) ([]Size, error) {
	var sizes []Size
	for _, table := range tables {
		s := Size{Table: table}
		err := f.conn.QueryRow(ctx, "SELECT count(*), pg_table_size($1::regclass), pg_indexes_size($1::regclass) FROM "+
			pgx.Identifier{table}.Sanitize(), table).Scan(&s.Rows, &s.Row, &s.Index)
		if err != nil {
			return nil, fmt.Errorf("fill: size of %s: %w", table, err)
		}
		sizes = append(sizes, s)
	}
	return sizes, nil
}

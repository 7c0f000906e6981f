package fill

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNothing says that the service wrote nothing yet for the tenant that could be
// copied.
var ErrNothing = errors.New("fill: the tenant has nothing to copy")

// sqlSession: what is written here is no one's but this program's. The memory is for
// building indexes: of ten million rows each is sorted in a few runs.
const sqlSession = `
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB'`

// Fill adds to what a tenant has.
type Fill struct {
	conn   *pgx.Conn
	tenant string
	now    func() time.Time
	keep   int64 // the largest step of mappings that keeps their indexes
}

// Open connects as the superuser. Close must be called.
func Open(ctx context.Context, adminDSN, tenant string) (*Fill, error) {
	conn, err := pgx.Connect(ctx, adminDSN)
	if err != nil {
		return nil, fmt.Errorf("fill: connect: %w", err)
	}
	f := &Fill{conn: conn, tenant: tenant, now: time.Now, keep: keepIndexes}
	if _, err := conn.Exec(ctx, sqlSession); err != nil {
		return nil, errors.Join(fmt.Errorf("fill: %w", err), conn.Close(ctx))
	}
	return f, nil
}

// Close ends the connection.
func (f *Fill) Close(ctx context.Context) error { return f.conn.Close(ctx) }

// Tidy does what a server does by itself some time after rows were written, so that
// it does not do it while something is measured.
func (f *Fill) Tidy(ctx context.Context) error {
	for _, text := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := f.conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("fill: %s: %w", text, err)
		}
	}
	return nil
}

func (f *Fill) count(ctx context.Context, text string) (n int64, err error) {
	if err := f.conn.QueryRow(ctx, text, f.tenant).Scan(&n); err != nil {
		return 0, fmt.Errorf("fill: count: %w", err)
	}
	return n, nil
}

// DropTerms empties what entries are searched by, while the service may be running. The
// log proves what it proved; it only cannot be searched, nor does the verifier find its
// tables whole.
func (f *Fill) DropTerms(ctx context.Context) error {
	if _, err := f.conn.Exec(ctx, "TRUNCATE entry_terms"); err != nil {
		return fmt.Errorf("fill: terms: %w", err)
	}
	return nil
}

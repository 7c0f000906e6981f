package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// All of what a tenant sent, in the order of the table. Rows of what was erased
// stand until they are swept, and do not count.
const sqlExposure = `
SELECT d.destination, m.entity, m.class, COUNT(*), MIN(d.first_sent), MAX(d.last_sent)
FROM mapping_destinations AS d CROSS JOIN mappings AS m
WHERE d.tenant = ?1 AND m.tenant = ?1 AND m.scope_id = d.scope_id AND m.token_id = d.token_id AND NOT ` + erased + `
GROUP BY d.destination, m.entity, m.class`

// Exposure implements vault.Proceedings.
func (v *View) Exposure(ctx context.Context, tenant string) ([]vault.ExposureLine, error) {
	var lines []vault.ExposureLine
	err := v.each(ctx, "where values were sent", sqlExposure, func(rows *sql.Rows) error {
		var l vault.ExposureLine
		var first, last int64
		err := rows.Scan(&l.Destination, &l.Entity, &l.Class, &l.Mappings, &first, &last)
		l.First, l.Last = fromMicros(first), fromMicros(last)
		lines = append(lines, l)
		return err
	}, tenant)
	slices.SortFunc(lines, func(a, b vault.ExposureLine) int {
		return cmp.Or(strings.Compare(a.Destination, b.Destination), strings.Compare(a.Entity, b.Entity), strings.Compare(a.Class, b.Class))
	})
	return lines, err
}

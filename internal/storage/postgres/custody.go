package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// holdColumns are those of the hold o, with its terms in the order of their
// bytes.
const holdColumns = `
SELECT o.hold_id, o.matter, o.reference, o.custodian, o.created_from, o.created_to, o.by_sent, o.existing_only, o.backups,
    o.review_by, o.created_at, o.released_at,
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'subject'),
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'lookup'),
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'scope'),
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'entity'),
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'class'),
    (SELECT array_agg(t.term ORDER BY t.term) FROM hold_terms AS t WHERE t.tenant = $1 AND t.hold_id = o.hold_id AND t.field = 'destination')
FROM holds AS o`

const (
	sqlHold = holdColumns + `
WHERE o.tenant = $1 AND o.hold_id = $2 AND (NOT $3 OR o.released_at IS NULL)`
	// A page goes on after a hold; one that is not there is the end.
	sqlHolds = holdColumns + `
WHERE o.tenant = $1 AND (NOT $3 OR o.released_at IS NULL)
    AND (o.created_at, o.hold_id) < ((
        SELECT CASE WHEN $2 = '' THEN 9223372036854775807
        ELSE COALESCE((SELECT b.created_at FROM holds AS b WHERE b.tenant = $1 AND b.hold_id = $2 LIMIT 1), 0) END), $2)
ORDER BY o.created_at DESC, o.hold_id DESC LIMIT $4`
	sqlScopesNamed = `
SELECT s.scope_id, s.index_version, s.kind, s.client, s.end_user_digest, s.sealed_name,
    COALESCE(s.name_key_id, ''), s.idle_ttl, s.created_at, s.ends_at
FROM scopes AS s
WHERE s.tenant = $1 AND s.digest = $2
ORDER BY s.created_at DESC, s.scope_id DESC`
)

// Holds implements vault.Custody.
func (v *View) Holds(ctx context.Context, tenant string, q vault.HoldQuery) ([]vault.Hold, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = vault.PageHolds
	}
	var holds []vault.Hold
	add := func(rows pgx.Rows) error {
		h, err := scanHold(rows)
		holds = append(holds, h)
		return err
	}
	if q.ID != "" {
		err := v.each(ctx, "a hold", sqlHold, add, tenant, q.ID, q.Standing)
		return holds, err
	}
	err := v.each(ctx, "holds", sqlHolds, add, tenant, q.Before, q.Standing, int64(limit))
	return holds, err
}

func scanHold(rows pgx.Rows) (h vault.Hold, err error) {
	var from, to, created int64
	var review, released *int64
	var subjects, lookups, scopes, entities, classes, destinations [][]byte
	m := &h.Match
	err = scan(rows, &h.ID, &h.Matter, &h.Reference, &h.Custodian, &from, &to, &m.BySent, &h.ExistingOnly, &h.Backups, &review, &created, &released,
		&subjects, &lookups, &scopes, &entities, &classes, &destinations)
	if err != nil {
		return h, err
	}
	m.Subjects, m.Lookups, m.Scopes = digestsOf(subjects), digestsOf(lookups), digestsOf(scopes)
	m.Entities, m.Classes, m.Destinations = namesOf(entities), namesOf(classes), namesOf(destinations)
	if from != 0 {
		m.From = fromMicros(from)
	}
	if to != openEnd {
		m.To = fromMicros(to)
	}
	h.CreatedAt, h.ReviewBy, h.ReleasedAt = fromMicros(created), timeOf(review), timeOf(released)
	return h, nil
}

// timeOf is the zero time for NULL.
func timeOf(us *int64) time.Time {
	if us == nil {
		return time.Time{}
	}
	return fromMicros(*us)
}

func digestsOf(terms [][]byte) (digests []vault.Digest) {
	for _, t := range terms {
		var d vault.Digest
		copy(d[:], t)
		digests = append(digests, d)
	}
	return digests
}

func namesOf(terms [][]byte) (names []string) {
	for _, t := range terms {
		names = append(names, string(t))
	}
	return names
}

// Scopes implements vault.Custody.
func (v *View) Scopes(ctx context.Context, tenant string, digest vault.Digest) ([]vault.Scope, error) {
	var scopes []vault.Scope
	err := v.each(ctx, "scopes of a name", sqlScopesNamed, func(rows pgx.Rows) error {
		s, err := scanScope(rows)
		s.Digest = digest
		scopes = append(scopes, s)
		return err
	}, tenant, digest[:])
	return scopes, err
}

package sqlite

import (
	"context"
	"database/sql"
	"math"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlLiveGrant = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body,
    h.state, MAX(?3, h.last_time), (SELECT COUNT(*) FROM grant_uses AS u WHERE u.tenant = ?1 AND u.grant_id = ?2 AND u.drawn)
FROM proceedings AS c CROSS JOIN log_heads AS h
WHERE c.tenant = ?1 AND c.proceeding_id = ?2 AND c.kind = 'grant' AND h.tenant = ?1`
	// There is no limit: one that was left out would not stop what it stops.
	sqlLiveSuspensions = `
SELECT c.proceeding_id, c.kind, c.revision, c.state, c.actor, c.subject_ref, c.due_at, c.expires_at, c.created_at, c.closed_at, c.body
FROM proceedings AS c INDEXED BY proceedings_open
WHERE c.tenant = ?1 AND c.kind = 'suspension' AND c.closed_at IS NULL AND c.state = 'standing'
    AND (c.expires_at IS NULL OR c.expires_at > MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0)))
ORDER BY c.created_at DESC, c.proceeding_id DESC`
	// Along what has not expired, as far as is asked for. What an erasure left for
	// the sweep is passed over.
	sqlAlive = `
SELECT m.token_id, m.format, m.entity, m.class, m.identity, m.lookup, m.index_version, m.key_id,
    m.sealed, m.state, m.created_at, m.expires_at, m.max_expires_at, 0, 1,
    (SELECT json_group_array(l.subject_ref ORDER BY l.subject_ref) FROM mapping_subjects AS l
        WHERE l.tenant = m.tenant AND l.scope_id = m.scope_id AND l.token_id = m.token_id), 0
FROM mappings AS m INDEXED BY mappings_alive
WHERE m.tenant = ?1 AND m.scope_id = ?2 AND m.state = 'live'
    AND m.expires_at > MAX(?3, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    AND EXISTS (SELECT 1 FROM data_keys AS k WHERE k.tenant = ?1 AND k.key_id = m.key_id)
ORDER BY m.expires_at DESC LIMIT ?4`
)

// Live implements vault.Grants. All of it is read from one commit, the last one
// when it was called or a later one.
func (v *View) Live(ctx context.Context, tenant string, q vault.LiveQuery) (vault.Live, error) {
	if !storable(tenant, q.GrantID) {
		return vault.Live{}, vault.ErrNotFound
	}
	var live vault.Live
	now, tokens := v.now(), storableOf(q.TokenIDs)
	err := v.snapshot(ctx, "a grant", func(each eachRow) error {
		live = vault.Live{}
		if err := each(sqlLiveGrant, scanLive(&live), tenant, q.GrantID, now); err != nil || live.Grant.ID == "" {
			return err
		}
		if err := each(sqlLiveSuspensions, func(rows *sql.Rows) error {
			p, err := scanProceeding(rows)
			live.Suspensions = append(live.Suspensions, p)
			return err
		}, tenant, now); err != nil || len(tokens) == 0 {
			return err
		}
		return readLive(&live, each, tenant, q.ScopeIDs, encode(tokens), now)
	})
	switch {
	case err != nil:
		return vault.Live{}, err
	case live.Grant.ID == "":
		return vault.Live{}, vault.ErrNotFound
	default:
		return live, nil
	}
}

// scanLive scans what there is one of.
func scanLive(live *vault.Live) func(*sql.Rows) error {
	return func(rows *sql.Rows) (err error) {
		var at int64
		live.Grant, err = scanProceeding(rows, &live.State, &at, &live.Drawn)
		live.At = fromMicros(at)
		return err
	}
}

// readLive reads the tokens in each of the scopes, and the keys that seal them.
func readLive(live *vault.Live, each eachRow, tenant string, scopes []string, tokens string, now int64) error {
	for _, scope := range differing(scopes) {
		if err := each(sqlMappings, mappingOf(&live.Mappings, scope), tenant, scope, tokens, now); err != nil {
			return err
		}
	}
	var ids []string
	for _, m := range live.Mappings {
		ids = append(ids, m.KeyID)
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	return each(sqlKeysByID, func(rows *sql.Rows) error {
		k, err := scanKey(rows)
		live.Keys = append(live.Keys, k)
		return err
	}, tenant, encode(slices.Compact(ids)))
}

// mappingOf adds a mapping of a scope.
func mappingOf(into *[]vault.Mapping, scope string) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		m, err := scanMapping(rows)
		m.ScopeID = scope
		*into = append(*into, m)
		return err
	}
}

// differing has each identifier once, without those that cannot be stored.
func differing(ids []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(storableOf(ids))))
}

// Alive implements vault.Grants. All of it is read from one commit.
func (v *View) Alive(ctx context.Context, tenant string, scopeIDs []string, limit int) ([]vault.Mapping, error) {
	if !storable(tenant) {
		return nil, nil
	}
	var alive []vault.Mapping
	now, most := v.now(), min(max(limit, 0), math.MaxInt-1)
	err := v.snapshot(ctx, "what is alive", func(each eachRow) error {
		alive = nil
		for _, scope := range differing(scopeIDs) {
			if len(alive) > most {
				break
			}
			// One more tells that there are more.
			if err := each(sqlAlive, mappingOf(&alive, scope), tenant, scope, now, most-len(alive)+1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return alive, nil
}

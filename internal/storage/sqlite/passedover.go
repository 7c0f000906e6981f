package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	sqlStandingHolds = `
SELECT json_group_array(g.hold_id) FROM holds AS g INDEXED BY holds_standing WHERE g.tenant = ?1 AND g.released_at IS NULL`
	sqlExpiredMappings = `
SELECT m.scope_id, m.token_id, m.expires_at FROM mappings AS m
WHERE m.tenant = ?1
    AND m.expires_at <= MAX(?2, COALESCE((SELECT h.last_time FROM log_heads AS h WHERE h.tenant = ?1), 0))
    AND (m.expires_at, m.scope_id, m.token_id) >= (?4, ?5, ?6)
    AND NOT ` + held + `
    AND NOT ` + erased + `
ORDER BY m.expires_at, m.scope_id, m.token_id LIMIT ?3`
)

// passedLife is how long a plan is believed about what it passed over, and so how
// long a clock that was set back and forth again may delay a sweep.
const passedLife = time.Hour

// passedOver remembers of each tenant until where everything that is past its
// time is held, so that very much that is held is looked at once and not with
// every plan. It is exact while the holds stand that did then: what one keeps it
// keeps until it is released, and what expires later stands behind.
type passedOver struct {
	mu      sync.Mutex
	tenants map[string]passedUntil
}

// passedUntil is where the next plan begins.
type passedUntil struct {
	holds   []string // that stood
	expires int64
	ref     vault.MappingRef
	at      time.Time
}

// from tells where a plan begins while some holds stand, by a clock.
func (p *passedOver) from(tenant string, standing []string, now time.Time) passedUntil {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.tenants[tenant]
	for _, id := range known.holds {
		if !slices.Contains(standing, id) {
			return passedUntil{}
		}
	}
	if now.Before(known.at) || now.Sub(known.at) > passedLife || now.UnixMicro() < known.expires {
		return passedUntil{}
	}
	return known
}

// keep remembers where the next plan begins.
func (p *passedOver) keep(tenant string, next passedUntil) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(next.holds) == 0 {
		delete(p.tenants, tenant)
		return
	}
	if p.tenants == nil {
		p.tenants = make(map[string]passedUntil)
	}
	p.tenants[tenant] = next
}

// expired returns what is past its time and not held. Both statements read what
// one commit left: what was passed over is held by the holds that are listed.
func (v *View) expired(ctx context.Context, tenant string, limit int) (found []vault.MappingRef, err error) {
	now := v.clock()
	var next passedUntil
	err = v.snapshot(ctx, "expired mappings", func(each eachRow) error {
		var list string
		if err := each(sqlStandingHolds, func(rows *sql.Rows) error { return rows.Scan(&list) }, tenant); err != nil {
			return err
		}
		var standing []string
		if err := json.Unmarshal([]byte(list), &standing); err != nil {
			return fmt.Errorf("sqlite: standing holds: %w", err)
		}
		first := v.passed.from(tenant, standing, now)
		next = passedUntil{holds: standing, expires: micros(now), at: now}
		if !first.at.IsZero() {
			next.at = first.at // believed no longer than the plan that looked at it
		}
		return each(sqlExpiredMappings, func(rows *sql.Rows) error {
			var m vault.MappingRef
			var expires int64
			err := rows.Scan(&m.ScopeID, &m.TokenID, &expires)
			if len(found) == 0 {
				next.expires, next.ref = expires, m
			}
			found = append(found, m)
			return err
		}, tenant, micros(now), limit, first.expires, first.ref.ScopeID, first.ref.TokenID)
	})
	if err != nil {
		return nil, err
	}
	v.passed.keep(tenant, next)
	return found, nil
}

package postgres

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Proceedings are opened and changed by the role that serves; what destroys may
// use an approval, too.
const (
	sqlProceedingsAt = `
SELECT p.proceeding_id, p.kind, p.revision, p.state, COALESCE(p.expires_at, 0) FROM unnest($2::text[]) AS r (proceeding_id)
CROSS JOIN LATERAL (
    SELECT p.proceeding_id, p.kind, p.revision, p.state, p.expires_at FROM proceedings AS p
    WHERE p.tenant = $1 AND p.proceeding_id = r.proceeding_id LIMIT 1) AS p`
	sqlStandingPolicy = `
SELECT p.proceeding_id FROM proceedings AS p WHERE p.tenant = $1 AND p.kind = 'policy' AND p.state = 'standing'`
	sqlOpenProceedings = `
INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, due_at, expires_at,
    created_at, closed_at, body)
SELECT $1, r.proceeding_id, r.kind, 1, r.state, r.actor, r.subject_ref, r.due_at, r.expires_at,
    $2::bigint, CASE WHEN r.state IN ('done', 'rejected') THEN $2::bigint END, r.body
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bytea[])
    AS r (proceeding_id, kind, state, actor, subject_ref, due_at, expires_at, body)`
	sqlChangeProceeding = `
UPDATE proceedings SET revision = revision + 1, state = $4::text, due_at = $5, expires_at = $6, body = $7,
    closed_at = CASE WHEN $4::text IN ('done', 'rejected') THEN $8::bigint END
WHERE tenant = $1 AND proceeding_id = $2 AND revision = $3 AND closed_at IS NULL`
	sqlRedeem = `
UPDATE proceedings SET revision = revision + 1, state = 'done', closed_at = $4
WHERE tenant = $1 AND proceeding_id = $2 AND revision = $3 AND closed_at IS NULL`
)

// proceedingStates is the list that the table has, too.
var proceedingStates = []vault.ProceedingState{
	vault.ProceedingPending, vault.ProceedingApproved, vault.ProceedingStanding, vault.ProceedingDone, vault.ProceedingRejected,
}

// proceedingRow is what a change is judged by. It is put anew where it changes,
// so that a change that fails can be undone.
type proceedingRow struct {
	kind     vault.ProceedingKind
	state    vault.ProceedingState
	revision int
	expires  int64 // 0: never
}

// is tells whether a proceeding is in a state and stands for anything.
func (r proceedingRow) is(state vault.ProceedingState, now int64) bool {
	return r.state == state && (r.expires == 0 || r.expires > now)
}

func (m *image) readProceeding(rows pgx.Rows) error {
	var id string
	var r proceedingRow
	err := scan(rows, &id, &r.kind, &r.revision, &r.state, &r.expires)
	m.proceedings[id] = r
	return err
}

// redeem uses the approval that a change rests on. The change commits alone, so
// nobody meets it half used.
func (b *batch) redeem(r *vault.Redemption) error {
	if r == nil {
		return nil
	}
	row := b.image.proceedings[r.ID]
	if (!row.is(vault.ProceedingApproved, b.now) || row.revision != r.Revision) && !b.hooks.skips(guardRedeem) {
		return fmt.Errorf("postgres: what is redeemed is not approved: %w", vault.ErrConflict)
	}
	row.state = vault.ProceedingDone
	row.revision++
	put(b.image, b.image.proceedings, r.ID, row)
	set(b.image, &b.image.writes.redeemed, append(b.image.writes.redeemed, *r))
	return nil
}

// ride takes what else rides along with a change: a proceeding, what a grant
// spends, and a notice, which has the id of the change.
func (b *batch) ride(c vault.Change, o vault.Outcome) error {
	if g := c.Grant(); g != nil {
		if err := b.spend(g.Spends); err != nil {
			return err
		}
	}
	if p := c.Opens(o); p != nil {
		if err := b.open(p.ID, *p); err != nil {
			return err
		}
	}
	return b.notify(c.ID(), c.Notice())
}

// lasting refuses what the table would: details that are too long, a time before
// all times.
func lasting(p *vault.Proceeding) error {
	if !slices.Contains(proceedingStates, p.State) || len(p.Body) > vault.MaxProceedingBody ||
		!p.DueAt.IsZero() && micros(p.DueAt) <= 0 || !p.ExpiresAt.IsZero() && micros(p.ExpiresAt) <= 0 {
		return fmt.Errorf("%w: a proceeding", ErrMalformed)
	}
	return nil
}

// open opens a proceeding under an id.
func (b *batch) open(id string, p vault.Proceeding) error {
	if err := lasting(&p); err != nil {
		return err
	}
	if !named(id) || !spelt(p.Actor) || !slices.Contains(vault.ProceedingKinds(), p.Kind) ||
		!storable(p.SubjectRef) || len(p.SubjectRef) > maxID {
		return fmt.Errorf("%w: a proceeding", ErrMalformed)
	}
	m := b.image
	if p.SubjectRef != "" && !m.refs[p.SubjectRef] && !b.hooks.skips(guardConsenting) {
		return fmt.Errorf("postgres: the person is not there: %w", vault.ErrConflict)
	}
	if p.Kind == vault.ProceedingPolicy && p.State == vault.ProceedingStanding {
		if m.policy != "" && !b.hooks.skips(guardPolicy) {
			return errSecondPolicy
		}
		set(m, &m.policy, id)
	}
	p.ID = id
	row := proceedingRow{kind: p.Kind, state: p.State, revision: 1}
	if !p.ExpiresAt.IsZero() {
		row.expires = micros(p.ExpiresAt)
	}
	put(m, m.proceedings, id, row)
	if p.Kind == vault.ProceedingReview && !p.State.Closes() && !p.DueAt.IsZero() {
		put(m, m.due, p.Actor, append(slices.Clip(m.due[p.Actor]), micros(p.DueAt)))
	}
	if p.Kind == vault.ProceedingSuspension && p.State == vault.ProceedingStanding {
		set(m, &m.suspensions, append(m.suspensions, suspension{Proceeding: p, expires: row.expires}))
	}
	set(m, &m.writes.opened, append(m.writes.opened, p))
	return nil
}

var errSecondPolicy = fmt.Errorf("postgres: another policy is in force: %w", vault.ErrConflict)

// changeProceedings replaces proceedings, all or none. What closes comes first,
// so that a policy makes room for the next; of two in force the index would only
// tell once everything else is lost.
func (b *batch) changeProceedings(p *pipeline, e vault.ChangeProceedings) error {
	standing := make(map[string]bool)
	if b.image.policy != "" {
		standing[b.image.policy] = true
	}
	seen := make(map[string]bool)
	for i := range e.Proceedings {
		to := &e.Proceedings[i]
		row, err := b.changeable(to)
		if err != nil {
			return err
		}
		if seen[to.ID] || row.kind != b.image.proceedings[e.Proceedings[0].ID].kind {
			return fmt.Errorf("postgres: one proceeding twice, or of two kinds: %w", vault.ErrConflict)
		}
		seen[to.ID] = true
		if row.kind == vault.ProceedingPolicy {
			delete(standing, to.ID)
			if to.State == vault.ProceedingStanding {
				standing[to.ID] = true
			}
		}
	}
	if len(standing) > 1 && !b.hooks.skips(guardPolicy) {
		return errSecondPolicy
	}
	for _, stands := range []bool{false, true} {
		for i := range e.Proceedings {
			to := &e.Proceedings[i]
			if (to.State == vault.ProceedingStanding) != stands {
				continue
			}
			p.change(1, errNotWritten, sqlChangeProceeding, b.tenant, to.ID, int64(to.Revision), string(to.State),
				optionalTime(to.DueAt), optionalTime(to.ExpiresAt), whole(to.Body), b.now)
		}
	}
	return nil
}

// changeable finds a proceeding that is to be changed, as it was read.
func (b *batch) changeable(to *vault.Proceeding) (proceedingRow, error) {
	if err := lasting(to); err != nil {
		return proceedingRow{}, err
	}
	row, there := b.image.proceedings[to.ID]
	if (!there || row.revision != to.Revision || row.state.Closes()) && !b.hooks.skips(guardProceeding) {
		return row, fmt.Errorf("postgres: a proceeding is another one now: %w", vault.ErrConflict)
	}
	return row, nil
}

func (b *batch) writeProceedings(p *pipeline, w *writes) {
	for _, r := range w.redeemed {
		p.change(1, errNotWritten, sqlRedeem, b.tenant, r.ID, int64(r.Revision), b.now)
	}
	if opened := w.opened; len(opened) > 0 {
		p.change(len(opened), errNotWritten, sqlOpenProceedings, b.tenant, b.now,
			column(opened, func(o vault.Proceeding) string { return o.ID }),
			column(opened, func(o vault.Proceeding) string { return string(o.Kind) }),
			column(opened, func(o vault.Proceeding) string { return string(o.State) }),
			column(opened, func(o vault.Proceeding) string { return o.Actor }),
			column(opened, func(o vault.Proceeding) string { return o.SubjectRef }),
			column(opened, func(o vault.Proceeding) *int64 { return optionalTime(o.DueAt) }),
			column(opened, func(o vault.Proceeding) *int64 { return optionalTime(o.ExpiresAt) }),
			column(opened, func(o vault.Proceeding) []byte { return whole(o.Body) }))
	}
}

// whole is a body that is never NULL: nil and empty are the same.
func whole(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

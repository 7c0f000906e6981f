package sqlite

import (
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// otherPolicy tells whether a policy stands that is not the proceeding ?2.
	otherPolicy = `EXISTS (SELECT 1 FROM proceedings AS c INDEXED BY proceedings_policy
        WHERE c.tenant = ?1 AND c.kind = 'policy' AND c.state = 'standing' AND c.proceeding_id <> ?2)`
	// Who it is of must stand, and of policies only one; an id is never used twice.
	sqlOpenProceeding = `
INSERT INTO proceedings (tenant, proceeding_id, kind, revision, state, actor, subject_ref, due_at, expires_at,
    created_at, closed_at, body)
SELECT ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
WHERE (?6 = '' OR EXISTS (SELECT 1 FROM subjects AS p WHERE p.tenant = ?1 AND p.subject_ref = ?6))
    AND NOT (?3 = 'policy' AND ?4 = 'standing' AND ` + otherPolicy + `)
ON CONFLICT (tenant, proceeding_id) DO NOTHING`
	// What a proceeding began with stays. One that is closed is never changed.
	sqlChangeProceeding = `
UPDATE proceedings SET revision = revision + 1, state = ?4, due_at = ?5, expires_at = ?6, closed_at = ?7, body = ?8
WHERE tenant = ?1 AND proceeding_id = ?2 AND revision = ?3 AND closed_at IS NULL
    AND NOT (kind = 'policy' AND ?4 = 'standing' AND ` + otherPolicy + `)`
	sqlKindsOfProceedings = `
SELECT COUNT(DISTINCT c.kind) FROM json_each(?2) AS j CROSS JOIN proceedings AS c
WHERE c.tenant = ?1 AND c.proceeding_id = j.value`
	sqlRedeem = `
UPDATE proceedings SET revision = revision + 1, state = 'done', closed_at = ?4
WHERE tenant = ?1 AND proceeding_id = ?2 AND revision = ?3 AND state = 'approved' AND (expires_at IS NULL OR expires_at > ?4)`
)

// openProceeding writes down, under an id, what people have to come back to.
func (b *batch) openProceeding(id string, p vault.Proceeding) error {
	if !storable(id, p.Actor, p.SubjectRef) {
		return fmt.Errorf("%w: a proceeding", ErrMalformed)
	}
	refused := fmt.Errorf("sqlite: whom it is of is not there, another policy stands, or it was opened before: %w", vault.ErrConflict)
	return b.mustChange(refused, sqlOpenProceeding, b.tenant, id, string(p.Kind), string(p.State), p.Actor, p.SubjectRef,
		instant(p.DueAt), instant(p.ExpiresAt), b.now, b.closes(p.State), present(p.Body))
}

// changeProceedings replaces proceedings that are as they were read. Those that
// stand then come last: a policy makes room before the next one stands.
func (b *batch) changeProceedings(c vault.ChangeProceedings) error {
	changed := fmt.Errorf("sqlite: a proceeding is another one now, or closed: %w", vault.ErrConflict)
	ids := make([]string, len(c.Proceedings))
	for i, p := range c.Proceedings {
		if slices.Contains(ids[:i], p.ID) || !storable(p.ID) {
			return changed
		}
		ids[i] = p.ID
	}
	var kinds int
	if _, err := b.row([]any{&kinds}, sqlKindsOfProceedings, b.tenant, list(ids)); err != nil {
		return err
	}
	if kinds != 1 {
		return changed // of several kinds, or none is there
	}
	for _, stand := range []bool{false, true} {
		for _, p := range c.Proceedings {
			if (p.State == vault.ProceedingStanding) != stand {
				continue
			}
			if err := b.mustChange(changed, sqlChangeProceeding, b.tenant, p.ID, p.Revision, string(p.State),
				instant(p.DueAt), instant(p.ExpiresAt), b.closes(p.State), present(p.Body)); err != nil {
				return err
			}
		}
	}
	return nil
}

// closes is when a proceeding in the state is closed: now, or not.
func (b *batch) closes(s vault.ProceedingState) any {
	if s.Closes() {
		return b.now
	}
	return nil
}

// redeem uses the approval that rides along with a change.
func (b *batch) redeem(r *vault.Redemption) error {
	if r == nil {
		return nil
	}
	used := fmt.Errorf("sqlite: the approval is another one now, used or past its time: %w", vault.ErrConflict)
	if !storable(r.ID) {
		return used
	}
	return b.mustChange(used, sqlRedeem, b.tenant, r.ID, r.Revision, b.now)
}

// ride writes what rides along with a change whose entries are written.
func (b *batch) ride(c vault.Change, o vault.Outcome) error {
	if p := c.Opens(o); p != nil {
		if err := b.openProceeding(p.ID, *p); err != nil {
			return err
		}
		b.suspensions = nil // it may be one of them
	}
	if g := c.Grant(); g != nil {
		if err := b.spend(g.Spends); err != nil {
			return err
		}
	}
	return b.notify(c.Notice())
}

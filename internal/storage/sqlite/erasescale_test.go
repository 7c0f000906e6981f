package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// eraseTime is how long the commit may take that makes 100,000 values of a
// person unreadable.
const eraseTime = time.Second

// exposureTime is how long it may take to count where 100,000 values were sent:
// one look at each, in the order of the table.
const exposureTime = time.Second

// sqlManyOfPerson ties what sqlManyMappings made to a person, under a key of
// the person's own, and says where all of it was sent.
const sqlManyOfPerson = `
UPDATE mappings SET key_id = '%[1]s' WHERE token_id LIKE 'many %%';
INSERT INTO mapping_subjects (tenant, scope_id, token_id, subject_ref, basis, created_at)
SELECT m.tenant, m.scope_id, m.token_id, '%[2]s', 'declared', m.created_at FROM mappings AS m WHERE m.token_id LIKE 'many %%';
INSERT INTO mapping_destinations (tenant, scope_id, token_id, destination, first_sent, last_sent)
SELECT m.tenant, m.scope_id, m.token_id, 'vendor', m.created_at, m.created_at FROM mappings AS m WHERE m.token_id LIKE 'many %%'`

// TestErasureOfMany erases a person of whom there is very much. Rows are not
// touched, so that it takes as long as one look at each.
func TestErasureOfMany(t *testing.T) {
	inOneGoroutine(t)
	m := newManyMappings(t)
	ann := vault.Subject{Digest: storagetest.Digest("ann"), IndexVersion: 1, Ref: vault.NewID()}
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: m.place.Key.Wrapped}
	hers := m.place.Value("hers")
	hers.Mapping.KeyID, hers.SubjectRefs = key.ID, []string{ann.Ref}
	first := m.place.Tokenize(hers)
	first.Keys, first.Subjects = []vault.DataKey{key}, []vault.SubjectUse{{Subject: ann, New: true}}
	m.commit(first)
	m.commit(vault.PlaceHold{Hold: vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{
		Lookups: []vault.Digest{storagetest.Digest("another")}}}})
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	raw(t, m.path, fmt.Sprintf(sqlManyOfPerson, key.ID, ann.Ref))
	m.Stores = m.Reopen()
	var plan vault.ErasurePlan
	m.timed("plan an erasure of all", func() {
		var err error
		plan, err = m.Erasures.PlanErasure(t.Context(), "acme", ann.Ref, time.Time{}, vault.MaxReseals)
		must(t, 0, err)
	})
	if len(plan.Keys) != 1 || len(plan.Survivors) != 0 || plan.Parts[0].Erased != m.many {
		t.Fatalf("%d keys, %d survivors, %+v", len(plan.Keys), len(plan.Survivors), plan.Parts)
	}
	exposed := func(want int) {
		before, n := processorTime(t), 0
		m.timed("count where they were sent", func() {
			lines, err := m.Proceedings.Exposure(t.Context(), "acme")
			must(t, 0, err)
			for _, l := range lines {
				n += l.Mappings
			}
		})
		took := processorTime(t) - before
		t.Logf("%v of a processor", took)
		if limit := exposureTime * time.Duration(m.many) / 100_000; took > limit && !underRace {
			t.Errorf("it took %v of a processor, want at most %v", took, limit)
		}
		if n != want {
			t.Errorf("%d were sent, want %d", n, want)
		}
	}
	exposed(m.many - 1) // one was made before, and sent nowhere
	erase := vault.Erase{Keys: plan.Keys, Erasure: vault.Erasure{
		Subject: ann.Digest, SubjectRef: ann.Ref, Reference: "R-7", Regime: "gdpr",
		Identity: vault.IdentityCheck{Method: "passport", Reference: "I-1", VerifiedBy: "officer", At: m.now},
	}}
	limit := eraseTime * time.Duration(m.many) / 100_000
	before := processorTime(t)
	m.timed("erase them", func() { m.commit(erase) })
	took := processorTime(t) - before
	t.Logf("%v of a processor", took)
	if took > limit && !underRace {
		t.Errorf("it took %v of a processor, want at most %v", took, limit)
	}
	exposed(0)
	restore := m.place.Restore(hers)
	if _, err := m.Store.Commit(t.Context(), "acme", storagetest.Change(t, "acme", restore)); err == nil {
		t.Error("what was erased was restored")
	}
	m.timed("sweep a batch of them", func() { m.commit(m.plan(vault.SweepBatch)) })
}

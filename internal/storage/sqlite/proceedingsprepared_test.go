package sqlite_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// proceedings are the cases of what people come back to, and of what rides along
// with a change: an approval, a proceeding that is opened, a notice.
func (p *prepared) proceedings(commit func(vault.Effect) string) []faultCase {
	place := storagetest.NewPlace("acme", "of proceedings", p.now)
	m := place.Value("of proceedings")
	commit(place.Open())
	commit(place.Tokenize(m))
	mia := vault.Subject{Digest: storagetest.Digest("mia"), IndexVersion: 1, Ref: "ref of mia"}
	commit(vault.LinkSubject{Subject: vault.SubjectUse{Subject: mia, New: true}})
	begin := func(kind vault.ProceedingKind, state vault.ProceedingState) vault.Proceeding {
		q := opening(kind, state)
		q.ID, q.Revision = commit(vault.OpenProceeding{Proceeding: q}), 1
		return q
	}
	// What commits alone takes its riders along the same way.
	release := begin(vault.ProceedingApproval, vault.ProceedingApproved)
	p.riders["release hold"] = func(c vault.Change) vault.Change {
		return c.Redeeming(vault.Redemption{ID: release.ID, Revision: 1}).Notifying("hold_release", []byte(`{}`))
	}
	return []faultCase{
		consentCase(mia.Ref), promoteCase(begin(vault.ProceedingPolicy, vault.ProceedingStanding), begin(vault.ProceedingPolicy, vault.ProceedingPending)),
		p.approvedRestore(place.Restore(m), begin(vault.ProceedingRestoration, vault.ProceedingApproved), begin(vault.ProceedingConsent, vault.ProceedingStanding)),
	}
}

func opening(kind vault.ProceedingKind, state vault.ProceedingState) vault.Proceeding {
	return vault.Proceeding{Kind: kind, State: state, Actor: "officer", Body: []byte(`{}`)}
}

func readProceedings(t *testing.T, s *sqlite.View, q vault.ProceedingQuery) []vault.Proceeding {
	t.Helper()
	found, err := s.Proceedings(t.Context(), "acme", q)
	must(t, 0, err)
	return found
}

func readProceeding(t *testing.T, s *sqlite.View, id string) vault.Proceeding {
	t.Helper()
	found := readProceedings(t, s, vault.ProceedingQuery{ID: id})
	if len(found) != 1 {
		t.Fatalf("%d proceedings of an id", len(found))
	}
	return found[0]
}

func consentCase(ref string) faultCase {
	consent := opening(vault.ProceedingConsent, vault.ProceedingStanding)
	consent.SubjectRef = ref
	return faultCase{"open proceeding", "acme", vault.OpenProceeding{Proceeding: consent}, func(t *testing.T, s *sqlite.View) bool {
		return len(readProceedings(t, s, vault.ProceedingQuery{SubjectRefs: []string{ref}})) == 1
	}}
}

// promoteCase puts a policy in the place of another.
func promoteCase(old, next vault.Proceeding) faultCase {
	over, stands := old, next
	over.State, stands.State = vault.ProceedingDone, vault.ProceedingStanding
	effect := vault.ChangeProceedings{Proceedings: []vault.Proceeding{stands, over}}
	return faultCase{"change proceedings", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		was, is := readProceeding(t, s, old.ID), readProceeding(t, s, next.ID)
		return tells(t, "standing 1 pending 1", "done 2 standing 2", was.State, " ", was.Revision, " ", is.State, " ", is.Revision)
	}}
}

// approvedRestore is a restoration with all that it may be judged by, and all that
// may ride along.
func (p *prepared) approvedRestore(effect vault.Restore, approval, consent vault.Proceeding) faultCase {
	budgets := []vault.Digest{storagetest.Digest("budget", "a"), storagetest.Digest("budget", "b")}
	effect.By = vault.Restorer{Actor: "on call"}
	effect.Standing, effect.MaxOverdue = []string{consent.ID}, 2
	for _, key := range budgets {
		effect.Spends = append(effect.Spends, vault.Spend{Key: key, Tokens: 3, Limit: 3})
	}
	review := opening(vault.ProceedingReview, vault.ProceedingStanding)
	review.Actor = effect.By.Actor
	const name = "restore with riders"
	p.riders[name] = func(c vault.Change) vault.Change {
		return c.Redeeming(vault.Redemption{ID: approval.ID, Revision: 1}).Opening(review).Notifying("restore", []byte(`{}`))
	}
	return faultCase{name, "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		spent, _, err := s.Spent(t.Context(), "acme", budgets)
		must(t, 0, err)
		reviews := readProceedings(t, s, vault.ProceedingQuery{Actor: review.Actor})
		return tells(t, "approved [0 0] 0", "done [3 3] 1", readProceeding(t, s, approval.ID).State, " ", spent, " ", len(reviews))
	}}
}

// noticed checks that the approval of a change is used and its notice there if
// and only if the change is.
func (p *prepared) noticed(t *testing.T, s *sqlite.Store, c faultCase, change vault.Change, there bool) {
	t.Helper()
	if r := change.Redeems(); r != nil && (readProceeding(t, s.View, r.ID).State == vault.ProceedingDone) != there {
		t.Errorf("its approval is used: %v, its entry is there: %v", !there, there)
	}
	if change.Notice() == nil {
		return
	}
	taken, err := s.TakeNotices(t.Context(), c.tenant, 10, time.Minute)
	if told := must(t, len(taken), err) == 1 && taken[0].ID == change.ID(); told != there {
		t.Errorf("its notice is there: %v, its entry: %v", told, there)
	}
}

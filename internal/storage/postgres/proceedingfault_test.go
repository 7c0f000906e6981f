package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// riding is an effect with what rides along with its change.
type riding struct {
	vault.Effect
	riders func(vault.Change) vault.Change
}

// changeOf is the change of an effect, with what rides along.
func changeOf(t testing.TB, effect vault.Effect) vault.Change {
	t.Helper()
	switch with := effect.(type) {
	case riding:
		return with.riders(storagetest.Change(t, "acme", with.Effect))
	case granting:
		return storagetest.Granting(t, "acme", with.Restore, with.grant)
	}
	return storagetest.Change(t, "acme", effect)
}

// begun is a proceeding of a kind and state, which is opened where there is none.
func (p *prepared) begun(kind vault.ProceedingKind, state vault.ProceedingState) vault.Proceeding {
	for {
		open, err := p.s.Proceedings(context.Background(), "acme", vault.ProceedingQuery{Kind: kind, State: state})
		if err != nil {
			panic(err)
		}
		if len(open) > 0 {
			return open[0]
		}
		effect := vault.OpenProceeding{Proceeding: vault.Proceeding{Kind: kind, State: state, Actor: "mia", Body: []byte(`{}`)}}
		if _, err := p.s.Commit(context.Background(), "acme", storagetest.Change(p.t, "acme", effect)); err != nil {
			panic(err)
		}
	}
}

// count is how many proceedings a query selects.
func (p *prepared) count(t *testing.T, q vault.ProceedingQuery) int {
	t.Helper()
	found, err := p.s.Proceedings(t.Context(), "acme", q)
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// notified tells whether there is a notice, which it takes.
func (p *prepared) notified(t *testing.T) bool {
	t.Helper()
	notices, err := p.s.TakeNotices(t.Context(), "acme", 10, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return len(notices) == 1
}

var budget = storagetest.Digest("budget")

var proceedingFaultCases = []faultCase{
	{"restore what was agreed to", func(p *prepared) vault.Effect {
		effect := p.place.Restore(p.stands)
		effect.By = vault.Restorer{Actor: "mia"}
		effect.Spends = []vault.Spend{{Key: budget, Tokens: 3, Limit: 3}}
		effect.Standing, effect.MaxOverdue = []string{p.begun(vault.ProceedingConsent, vault.ProceedingStanding).ID}, 1
		agreed := p.begun(vault.ProceedingRestoration, vault.ProceedingApproved)
		return riding{effect, func(c vault.Change) vault.Change {
			review := vault.Proceeding{Kind: vault.ProceedingReview, State: vault.ProceedingStanding, Actor: "mia", DueAt: p.now.Add(time.Hour)}
			return c.Redeeming(vault.Redemption{ID: agreed.ID, Revision: agreed.Revision}).Opening(review).Notifying("restore", []byte(`{}`))
		}}
	}, func(t *testing.T, p *prepared) bool {
		there := p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingRestoration, State: vault.ProceedingDone}) == 1
		spent, _, err := p.s.Spent(t.Context(), "acme", []vault.Digest{budget})
		if err != nil || (spent[0] == 3) != there || (spent[0] == 0) == there || p.notified(t) != there ||
			(p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingReview}) == 1) != there {
			t.Errorf("half of it is there: %v, %v", spent, err)
		}
		return there
	}},
	{"open a proceeding", func(p *prepared) vault.Effect {
		return vault.OpenProceeding{Proceeding: vault.Proceeding{
			Kind: vault.ProceedingConsent, State: vault.ProceedingStanding, Actor: "mia", SubjectRef: p.ann.Ref,
		}}
	}, func(t *testing.T, p *prepared) bool {
		return p.count(t, vault.ProceedingQuery{SubjectRefs: []string{p.ann.Ref}}) == 1
	}},
	{"have one policy follow another", func(p *prepared) vault.Effect {
		old, next := p.begun(vault.ProceedingPolicy, vault.ProceedingStanding), p.begun(vault.ProceedingPolicy, vault.ProceedingPending)
		old.State, next.State = vault.ProceedingDone, vault.ProceedingStanding
		return vault.ChangeProceedings{Proceedings: []vault.Proceeding{next, old}}
	}, func(t *testing.T, p *prepared) bool {
		followed := p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingPolicy, State: vault.ProceedingDone}) == 1
		if p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingPolicy, State: vault.ProceedingStanding}) != 1 ||
			(p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingPolicy, State: vault.ProceedingPending}) == 0) != followed {
			t.Error("not one policy is in force")
		}
		return followed
	}},
	{"release a hold as agreed", func(p *prepared) vault.Effect {
		agreed := p.begun(vault.ProceedingApproval, vault.ProceedingApproved)
		return riding{vault.ReleaseHold{ID: p.hold}, func(c vault.Change) vault.Change {
			return c.Redeeming(vault.Redemption{ID: agreed.ID, Revision: agreed.Revision}).Notifying("hold_release", []byte(`{}`))
		}}
	}, func(t *testing.T, p *prepared) bool {
		released := len(p.holds(t, vault.HoldQuery{Standing: true})) == 0
		if (p.count(t, vault.ProceedingQuery{Kind: vault.ProceedingApproval, Open: true}) == 0) != released || p.notified(t) != released {
			t.Error("half of a release is there")
		}
		return released
	}},
}

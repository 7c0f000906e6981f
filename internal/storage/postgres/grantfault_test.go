package postgres_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// granting is a restoration that gives out a grant.
type granting struct {
	vault.Restore
	grant vault.Proceeding
}

// given is a grant, which is given out where there is none.
func (p *prepared) given() vault.Proceeding {
	for {
		open, err := p.s.Proceedings(context.Background(), "acme", vault.ProceedingQuery{Kind: vault.ProceedingGrant, Open: true})
		if err != nil {
			panic(err)
		}
		if len(open) > 0 {
			return open[0]
		}
		change := storagetest.Granting(p.t, "acme", vault.Restore{}, storagetest.Grant(p.now.Add(time.Hour)))
		if _, err := p.s.Commit(context.Background(), "acme", change); err != nil {
			panic(err)
		}
	}
}

// grants are those that stand.
func (p *prepared) grants(t *testing.T) []vault.Proceeding {
	t.Helper()
	found, err := p.s.Proceedings(t.Context(), "acme", vault.ProceedingQuery{Kind: vault.ProceedingGrant, State: vault.ProceedingStanding})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// entries counts those of a kind.
func (p *prepared) entries(t *testing.T, kind string) int64 {
	t.Helper()
	n, err := p.s.CountEntries(t.Context(), "acme", vault.EntryQuery{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// spentOf is what was spent of the budget.
func (p *prepared) spentOf(t *testing.T) int {
	t.Helper()
	spent, _, err := p.s.Spent(t.Context(), "acme", []vault.Digest{budget})
	if err != nil {
		t.Fatal(err)
	}
	return spent[0]
}

var grantFaultCases = []faultCase{
	{"tokenize with a grant", func(p *prepared) vault.Effect {
		rider := storagetest.Rider(storagetest.Grant(p.now.Add(time.Hour)), vault.Spend{Key: budget, Tokens: 2, Limit: 2})
		return riding{p.place.Tokenize(p.place.Value("stands"), p.added), func(c vault.Change) vault.Change {
			c, err := c.Granting(rider)
			if err != nil {
				panic(err)
			}
			return c.Notifying("grant", []byte(`{}`))
		}}
	}, func(t *testing.T, p *prepared) bool {
		grants, made := p.grants(t), p.reads(t, p.added) == 1
		if (len(grants) == 1) != made || p.entries(t, "grant") != int64(len(grants)) || p.spentOf(t) != 2*len(grants) || p.notified(t) != made {
			t.Errorf("half of a grant is there: %d grants, %d entries, %d spent, the value %v", len(grants), p.entries(t, "grant"), p.spentOf(t), made)
		}
		return made
	}},
	{"give out a grant with a restoration", func(p *prepared) vault.Effect {
		effect := p.place.Restore(p.stands)
		effect.Spends = []vault.Spend{{Key: budget, Tokens: 1, Limit: 1}}
		return granting{effect, storagetest.Grant(p.now.Add(time.Hour))}
	}, func(t *testing.T, p *prepared) bool {
		n := len(p.grants(t))
		if p.spentOf(t) != n {
			t.Errorf("half of a grant is there: %d grants, %d spent", n, p.spentOf(t))
		}
		return n == 1
	}},
	{"flush beyond a grant", func(p *prepared) vault.Effect {
		effect := p.place.Restore(p.stands, p.near)
		grant := p.given().ID
		effect.Standing, effect.Spends = []string{grant}, []vault.Spend{{Key: budget, Tokens: 2, Limit: 2}}
		effect.Draw = &vault.Draw{GrantID: grant, Uses: p.place.Sweep(p.stands, p.near).Mappings, Most: 2}
		return effect
	}, func(t *testing.T, p *prepared) bool {
		uses, err := p.s.Uses(t.Context(), "acme", p.given().ID)
		if err != nil || len(uses) != p.spentOf(t) || len(uses) == 1 {
			t.Errorf("half of a flush is there: %d uses, %d spent, %v", len(uses), p.spentOf(t), err)
		}
		return len(uses) == 2
	}},
	{"close a grant", func(p *prepared) vault.Effect {
		closes := p.given()
		closes.State = vault.ProceedingDone
		return vault.ChangeProceedings{Proceedings: []vault.Proceeding{closes}}
	}, func(t *testing.T, p *prepared) bool {
		return !slices.ContainsFunc(p.grants(t), func(g vault.Proceeding) bool { return g.Revision == 1 }) && p.entries(t, "grant_close") == 1
	}},
}

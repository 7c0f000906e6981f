package sqlite_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// granted is a case whose change is not made of its effect alone.
func (p *prepared) granted(name string, effect vault.Effect, make func(t *testing.T) vault.Change, present func(*testing.T, *sqlite.View) bool) faultCase {
	p.makes[name] = make
	return faultCase{name, "acme", effect, present}
}

// grants are the cases of grants: one that rides along with a tokenize, one that a
// restoration gives out, and a flush beyond what one names.
func (p *prepared) grants(place storagetest.Place, stands vault.NewMapping, commit func(vault.Change)) []faultCase {
	until := p.now.Add(time.Hour)
	given := func(t *testing.T, effect vault.Restore, actor string) vault.Change {
		grant := storagetest.Grant(until)
		grant.Actor = actor
		return storagetest.Granting(t, "acme", effect, grant)
	}
	flushed, closed := given(p.t, vault.Restore{}, "flushed"), given(p.t, vault.Restore{}, "closed")
	commit(flushed)
	commit(closed)
	closes := storagetest.Grant(until)
	closes.ID, closes.Revision, closes.State = closed.ID(), 1, vault.ProceedingDone
	return []faultCase{
		p.ridden(place, until), p.givenOut(place.Restore(stands), given), p.flush(place, stands, flushed.ID()),
		{"close a grant", "acme", vault.ChangeProceedings{Proceedings: []vault.Proceeding{closes}}, func(t *testing.T, s *sqlite.View) bool {
			return readProceeding(t, s, closed.ID()).State == vault.ProceedingDone
		}},
	}
}

// ridden is a tokenize with a grant of what stands after it.
func (p *prepared) ridden(place storagetest.Place, until time.Time) faultCase {
	grant, key := storagetest.Grant(until), storagetest.Digest("budget", "of a tokenize")
	grant.Actor = "ridden"
	again, added := place.Value("stands"), place.Value("granted")
	effect := place.Tokenize(again, added)
	return p.granted("tokenize with a grant", effect, func(t *testing.T) vault.Change {
		change, err := storagetest.Change(t, "acme", effect).Granting(storagetest.Rider(grant, vault.Spend{Key: key, Tokens: 2, Limit: 2}))
		must(t, 0, err)
		return change.Notifying("grant", []byte(`{}`))
	}, func(t *testing.T, s *sqlite.View) bool {
		spent, _, err := s.Spent(t.Context(), "acme", []vault.Digest{key})
		must(t, 0, err)
		grants := readProceedings(t, s, vault.ProceedingQuery{Actor: grant.Actor})
		return tells(t, "0 0 [0]", "1 1 [2]", len(readMappings(t, s, place, added.Mapping.TokenID)), " ", len(grants), " ", spent)
	})
}

// givenOut is a restoration that gives out a grant.
func (p *prepared) givenOut(effect vault.Restore, given func(*testing.T, vault.Restore, string) vault.Change) faultCase {
	key := storagetest.Digest("budget", "of a restoration")
	effect.Spends = []vault.Spend{{Key: key, Tokens: 1, Limit: 1}}
	return p.granted("give out a grant with a restoration", effect, func(t *testing.T) vault.Change {
		return given(t, effect, "given out")
	}, func(t *testing.T, s *sqlite.View) bool {
		spent, _, err := s.Spent(t.Context(), "acme", []vault.Digest{key})
		must(t, 0, err)
		return tells(t, "0 [0]", "1 [1]", len(readProceedings(t, s, vault.ProceedingQuery{Actor: "given out"})), " ", spent)
	})
}

// flush draws a token of a grant.
func (p *prepared) flush(place storagetest.Place, stands vault.NewMapping, grant string) faultCase {
	key := storagetest.Digest("budget", "of a flush")
	effect := place.Restore(stands)
	effect.Standing, effect.Spends = []string{grant}, []vault.Spend{{Key: key, Tokens: 1, Limit: 1}}
	effect.Draw = &vault.Draw{GrantID: grant, Uses: place.Sweep(stands).Mappings, Most: 1}
	return faultCase{"flush beyond a grant", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		spent, _, err := s.Spent(t.Context(), "acme", []vault.Digest{key})
		must(t, 0, err)
		uses, err := s.Uses(t.Context(), "acme", grant)
		return tells(t, "0 [0]", "1 [1]", must(t, len(uses), err), " ", spent)
	}}
}

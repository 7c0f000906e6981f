package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// prepared is a closed database with something in it for every effect, and
// the effects. By its clock one mapping is expired.
type prepared struct {
	file  []byte
	now   time.Time
	cases []faultCase
	// riders are what rides along with the change of a case, by its name.
	riders map[string]func(vault.Change) vault.Change
	// makes make the change of a case whose effect does not say what its entry is.
	makes map[string]func(t *testing.T) vault.Change
	t     *testing.T // that it is prepared for
}

// faultCase is one change. Its effect is there if and only if present says so.
type faultCase struct {
	name    string
	tenant  string
	effect  vault.Effect
	present func(t *testing.T, s *sqlite.View) bool
}

// change makes the change of a case.
func (p *prepared) change(t *testing.T, c faultCase) vault.Change {
	t.Helper()
	if makes := p.makes[c.name]; makes != nil {
		return makes(t)
	}
	change := storagetest.Change(t, c.tenant, c.effect)
	if ride := p.riders[c.name]; ride != nil {
		change = ride(change)
	}
	return change
}

func (p *prepared) clock() time.Time { return p.now }

func prepare(t *testing.T) *prepared {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	p := &prepared{
		t: t, riders: make(map[string]func(vault.Change) vault.Change), makes: make(map[string]func(*testing.T) vault.Change),
		now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC),
	}
	s := openAt(t, path, sqlite.Options{Clock: p.clock}, sqlite.Hooks{})
	do := func(change vault.Change) {
		t.Helper()
		if _, err := s.Store.Commit(t.Context(), "acme", change); err != nil {
			t.Fatal(err)
		}
	}
	committed := func(effect vault.Effect) (id string) {
		t.Helper()
		change := storagetest.Change(t, "acme", effect)
		do(change)
		return change.ID()
	}
	commit := func(effect vault.Effect) { committed(effect) }
	commit(storagetest.Provision())
	place := storagetest.NewPlace("acme", "standing", p.now)
	commit(place.Open())
	underKey := func(value string) (vault.NewMapping, vault.DataKey) {
		m, key := place.Value(value), place.FreshKey()
		m.Mapping.KeyID = key.ID
		effect := place.Tokenize(m)
		effect.Keys = []vault.DataKey{key}
		commit(effect)
		return m, key
	}
	expired, idle := underKey("expired")
	p.now = p.now.Add(time.Hour - time.Minute)
	stands, doomed := underKey("stands")
	p.now = p.now.Add(time.Minute)
	hold := committed(vault.PlaceHold{Hold: vault.Hold{
		Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{Classes: []string{"of nothing"}},
	}})
	sweep := place.Sweep(expired)
	sweep.Keys = []string{idle.ID}
	p.cases = []faultCase{
		{"provision", "globex", storagetest.Provision(), func(t *testing.T, s *sqlite.View) bool {
			tenants, err := s.Tenants(t.Context())
			return must(t, len(tenants), err) == 2
		}},
		p.openScope(), p.firstUse(), p.reuse(place, stands),
		{"restore", "acme", place.Restore(stands), nil},
		{"sweep", "acme", sweep, func(t *testing.T, s *sqlite.View) bool {
			keys, err := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{idle.ID}})
			gone := must(t, len(keys), err) == 0
			rows := readMappings(t, s, place, expired.Mapping.TokenID)
			if gone != (len(rows) == 0) {
				t.Error("half of a sweep is there")
			}
			return gone
		}},
		{"destroy keys", "acme", vault.DestroyKeys{Keys: []string{doomed.ID}}, func(t *testing.T, s *sqlite.View) bool {
			keys, err := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{doomed.ID}})
			gone := must(t, len(keys), err) == 0
			if gone != (len(readMappings(t, s, place, stands.Mapping.TokenID)) == 0) {
				t.Error("half of a destruction is there")
			}
			return gone
		}},
		{"record", "acme", vault.Record{}, nil},
	}
	p.cases = append(p.cases, custodyCases(place, stands, hold)...)
	p.cases = append(p.cases, p.people(commit)...)
	p.cases = append(p.cases, p.rights(committed)...)
	p.cases = append(p.cases, p.proceedings(committed)...)
	p.cases = append(p.cases, p.grants(place, stands, do)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.file, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return p
}

// custodyCases place, review and release holds, and close a scope.
func custodyCases(place storagetest.Place, stands vault.NewMapping, hold string) []faultCase {
	return []faultCase{
		placeHold(),
		{"review hold", "acme", vault.ReviewHold{ID: hold, ReviewBy: place.Scope.EndsAt}, func(t *testing.T, s *sqlite.View) bool {
			return !readHold(t, s, hold).ReviewBy.IsZero()
		}},
		{"release hold", "acme", vault.ReleaseHold{ID: hold}, func(t *testing.T, s *sqlite.View) bool {
			return !readHold(t, s, hold).ReleasedAt.IsZero()
		}},
		{"close scope", "acme", vault.CloseScope{ScopeID: place.Scope.ID}, func(t *testing.T, s *sqlite.View) bool {
			_, err := s.Scope(t.Context(), "acme", place.Scope.Digest)
			over := readMappings(t, s, place, stands.Mapping.TokenID)[0].Expired
			if over != errors.Is(err, vault.ErrNotFound) {
				t.Errorf("half of a closing is there: %v", err)
			}
			return over
		}},
	}
}

// placeHold names two things: a hold without its terms would keep too much.
func placeHold() faultCase {
	match := vault.HoldMatch{Entities: []string{"PERSON"}, Subjects: []vault.Digest{storagetest.Digest("ann")}}
	hold := vault.Hold{Matter: "M-2", Reference: "R-2", Match: match}
	return faultCase{"place hold", "acme", vault.PlaceHold{Hold: hold}, func(t *testing.T, s *sqlite.View) bool {
		holds, err := s.Holds(t.Context(), "acme", vault.HoldQuery{Standing: true})
		must(t, 0, err)
		for _, h := range holds {
			if h.Matter != hold.Matter {
				continue
			}
			if len(h.Match.Entities)+len(h.Match.Subjects) != 2 {
				t.Errorf("half of a hold is there: %+v", h.Match)
			}
			return true
		}
		return false
	}}
}

func readHold(t *testing.T, s *sqlite.View, id string) vault.Hold {
	t.Helper()
	holds, err := s.Holds(t.Context(), "acme", vault.HoldQuery{ID: id})
	if must(t, len(holds), err) != 1 {
		t.Fatalf("%d holds of an id", len(holds))
	}
	return holds[0]
}

func (p *prepared) openScope() faultCase {
	place := storagetest.NewPlace("acme", "another", p.now)
	return faultCase{"open scope", "acme", place.Open(), func(t *testing.T, s *sqlite.View) bool {
		_, err := s.Scope(t.Context(), "acme", place.Scope.Digest)
		keys, kerr := s.Keys(t.Context(), "acme", vault.KeyQuery{ScopeID: place.Scope.ID})
		if n := must(t, len(keys), kerr); (err == nil) != (n == 1) {
			t.Errorf("the scope: %v, with %d keys", err, n)
		}
		return err == nil
	}}
}

// firstUse makes a scope, a subject, two keys and two mappings.
func (p *prepared) firstUse() faultCase {
	place := storagetest.NewPlace("acme", "first use", p.now)
	ann := vault.Subject{Digest: storagetest.Digest("ann"), IndexVersion: 1, Ref: vault.NewID()}
	hers, other := place.Value("hers"), place.Value("other")
	key := vault.DataKey{ID: vault.NewID(), SubjectRef: ann.Ref, Wrapped: place.Key.Wrapped}
	hers.Mapping.KeyID, hers.SubjectRefs = key.ID, []string{ann.Ref}
	effect := place.Tokenize(hers, other)
	effect.NewScope, effect.Subjects = true, []vault.SubjectUse{{Subject: ann, New: true}}
	effect.Keys = []vault.DataKey{place.Key, key}
	return faultCase{"tokenize at first use", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		_, err := s.Scope(t.Context(), "acme", place.Scope.Digest)
		subjects, serr := s.Subjects(t.Context(), "acme", []vault.Digest{ann.Digest})
		keys, kerr := s.Keys(t.Context(), "acme", vault.KeyQuery{IDs: []string{place.Key.ID, key.ID}})
		rows := readMappings(t, s, place, hers.Mapping.TokenID, other.Mapping.TokenID)
		linked := 0
		for _, m := range rows {
			linked += len(m.SubjectRefs)
		}
		parts := fmt.Sprint(err == nil, must(t, len(subjects), serr), must(t, len(keys), kerr), len(rows), linked)
		if parts != "true 1 2 2 1" && parts != "false 0 0 0 0" {
			t.Errorf("a part of it is there: %s", parts)
		}
		return err == nil
	}}
}

// reuse retires what is expired, finds again what stands, and adds one.
func (p *prepared) reuse(place storagetest.Place, stands vault.NewMapping) faultCase {
	fresh, again, added := place.Value("expired"), place.Value("stands"), place.Value("added")
	again.TTL = 10 * time.Hour // less than half of it is left: it is extended
	effect := place.Tokenize(fresh, again, added)
	effect.Touch = []vault.TouchRef{{TokenID: stands.Mapping.TokenID, Entity: "PERSON", TTL: time.Hour}}
	return faultCase{"tokenize again", "acme", effect, func(t *testing.T, s *sqlite.View) bool {
		n := len(readMappings(t, s, place, fresh.Mapping.TokenID, added.Mapping.TokenID))
		extended := readMappings(t, s, place, stands.Mapping.TokenID)[0].ExpiresAt.After(p.now.Add(time.Hour))
		if n == 1 || extended != (n == 2) {
			t.Errorf("a part of it is there: %d mappings, extended %v", n, extended)
		}
		return n == 2
	}}
}

func must(t testing.TB, n int, err error) int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func readMappings(t *testing.T, s *sqlite.View, p storagetest.Place, ids ...string) []vault.Mapping {
	t.Helper()
	rows, err := s.Mappings(t.Context(), p.Tenant, vault.MappingQuery{ScopeID: p.Scope.ID, TokenIDs: ids})
	must(t, 0, err)
	return rows
}

// copyTo writes the prepared database into a folder of its own.
func (p *prepared) copyTo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.db")
	if err := os.WriteFile(path, p.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

package storagetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var suppressionHistoryClauses = []clause{
	{"Invariant8/in random histories what is asked beforehand, the commit and a model agree", suppressionHistories},
}

// How many histories are tried, and how long each is.
const (
	historyRuns  = 3
	historyRunsL = 300 // with COUNTERFOIL_LONG=1
	historySteps = 20
)

// history is a tenant whose people come, are erased and come again.
type history struct {
	*world
	rng    *rand.Rand
	places []Place
	people map[string][]kept // by reference
	digest map[string]vault.Subject
	kept   map[vault.Digest]map[vault.Digest]time.Time // out: by look-up and name of a scope, zero for all
	n      int
}

// kept is a value of a person that lives.
type kept struct {
	in Place
	m  vault.NewMapping
}

func suppressionHistories(w *world) {
	runs := historyRuns
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		runs = historyRunsL
	}
	for seed := range runs {
		h := &history{
			world: w, rng: rand.New(rand.NewPCG(uint64(seed), 7)), //nolint:gosec // a history that can be had again
			people: make(map[string][]kept),
			digest: make(map[string]vault.Subject), kept: make(map[vault.Digest]map[vault.Digest]time.Time),
		}
		tenant := fmt.Sprint("history-", seed)
		w.tenant(tenant)
		h.places = []Place{w.scope(tenant, "a"), w.scope(tenant, "b")}
		for step := range historySteps {
			h.step(tenant)
			if w.Failed() {
				w.Fatalf("in history %d, step %d", seed, step)
			}
		}
	}
}

func (h *history) step(tenant string) {
	switch h.rng.IntN(8) {
	case 0, 1, 2, 3:
		h.tokenize()
	case 4, 5:
		refs := slices.Sorted(maps.Keys(h.people))
		if len(refs) > 0 {
			h.erase(tenant, refs[h.rng.IntN(len(refs))])
		}
	case 6:
		h.sweepUntilDone(tenant, 1+h.rng.IntN(5))
	default:
		h.clock.Advance([]time.Duration{time.Microsecond, time.Minute, time.Minute - time.Microsecond}[h.rng.IntN(3)])
	}
}

// tokenize brings a value of somebody new, under a key of their own.
func (h *history) tokenize() {
	h.Helper()
	p := h.places[h.rng.IntN(len(h.places))]
	v := h.rng.IntN(4)
	m := p.Value(fmt.Sprint("value ", v))
	if v%2 == 0 {
		m.Mapping.Entity = "EMAIL_ADDRESS"
	}
	m.TTL = maxAge
	h.n++
	s := person(fmt.Sprint("person ", h.n))
	key := keyOf(s)
	m.Mapping.KeyID, m.SubjectRefs = key.ID, []string{s.Ref}
	effect := about(p, []vault.SubjectUse{{Subject: s, New: true}}, m)
	effect.Keys = []vault.DataKey{key}
	if h.lives(p, m) {
		return // it would be found again, and be about two
	}
	want := h.now().Before(h.kept[m.Mapping.Lookup][vault.Digest{}]) || h.now().Before(h.kept[m.Mapping.Lookup][p.Scope.Digest])
	asked := len(h.keeps(p, m)) == 1
	_, err := h.try(p.Tenant, effect)
	if asked != want || want && err == nil || !want && err != nil {
		h.Errorf("to be kept out: %v; asked: %v; the commit: %v", want, asked, err)
	}
	if want {
		h.is(err, vault.ErrSuppressed)
		return
	}
	h.people[s.Ref], h.digest[s.Ref] = []kept{{p, m}}, s
}

func (h *history) lives(p Place, m vault.NewMapping) bool {
	for _, all := range h.people {
		for _, k := range all {
			if k.m.Mapping.Identity == m.Mapping.Identity && k.in.Scope.ID == p.Scope.ID {
				return true
			}
		}
	}
	return false
}

// erase erases somebody, and keeps out what the model says.
func (h *history) erase(tenant, ref string) {
	h.Helper()
	by := []vault.Suppression{{}, {For: time.Minute}, {For: 2 * time.Minute}, {Forever: true}}[h.rng.IntN(4)]
	if h.rng.IntN(2) == 0 {
		by.Common = []string{"PERSON"}
	}
	done := h.eraseKeepingOut(tenant, h.digest[ref], by)
	for _, k := range h.people[ref] {
		where := vault.Digest{}
		if slices.Contains(by.Common, k.m.Mapping.Entity) {
			where = k.in.Scope.Digest
		}
		out := h.kept[k.m.Mapping.Lookup]
		if out == nil {
			out = make(map[vault.Digest]time.Time)
			h.kept[k.m.Mapping.Lookup] = out
		}
		if done.SuppressUntil.After(out[where]) {
			out[where] = done.SuppressUntil
		}
	}
	delete(h.people, ref)
}

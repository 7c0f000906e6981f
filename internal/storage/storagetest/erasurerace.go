package storagetest

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var erasureRaceClauses = []clause{
	{"Invariant8/of an erasure and what races with it, what came before is gone and what came after is not", erasureRace},
}

// How often each side is tried: once an erasure is planned nearly every round
// has something of it in between.
const (
	raceRounds  = 100
	raceRoundsL = 2000 // with COUNTERFOIL_LONG=1
	raceTries   = 100
	raceUses    = 6
)

// racing is one round: a person with one value, who is erased while the value
// is restored and others of the person are tokenized.
type racing struct {
	*world
	Place
	ann vault.Subject // as the round begins
	old vault.NewMapping

	erased   vault.Committed
	restored []int64 // the entries of restorations
	kept     []keptValue
}

// keptValue is a value of the person, and the entry of its tokenize.
type keptValue struct {
	m     vault.NewMapping
	index int64
}

func erasureRace(w *world) {
	rounds := raceRounds
	if os.Getenv("COUNTERFOIL_LONG") == "1" {
		rounds = raceRoundsL
	}
	p := w.place("acme")
	before, after := 0, 0
	for i := range rounds {
		r := &racing{world: w, Place: p, ann: person(fmt.Sprint("ann ", i)), old: p.Value(fmt.Sprint("old ", i))}
		key := keyOf(r.ann)
		r.old.Mapping.KeyID, r.old.SubjectRefs = key.ID, []string{r.ann.Ref}
		effect := about(p, []vault.SubjectUse{{Subject: r.ann, New: true}}, r.old)
		effect.Keys = []vault.DataKey{key}
		w.commit("acme", effect)
		var group sync.WaitGroup
		group.Go(r.erase)
		group.Go(r.restore)
		group.Go(func() { r.tokenize(i) })
		group.Wait()
		b, a := r.check()
		before, after = before+b, after+a
		if w.Failed() {
			w.Fatalf("in round %d", i)
		}
	}
	w.Logf("%d uses came before the erasure of their round, %d after it", before, after)
	w.CheckLog("acme")
}

// erase plans and commits until nothing comes in between.
func (r *racing) erase() {
	for range raceTries {
		plan, err := r.Erasures.PlanErasure(r.ctx, "acme", r.ann.Ref, r.now().Add(life), vault.MaxReseals)
		if err != nil {
			r.Errorf("plan: %v", err)
			return
		}
		r.erased, err = r.try("acme", erasing(erasureOf(r.ann), plan))
		if err == nil {
			return
		}
		if !errors.Is(err, vault.ErrConflict) {
			r.Errorf("erase: %v", err)
			return
		}
	}
	r.Error("the erasure never came through")
}

func (r *racing) restore() {
	for range raceUses {
		c, err := r.try("acme", r.Restore(r.old))
		switch {
		case err == nil:
			r.restored = append(r.restored, c.First)
		case !errors.Is(err, vault.ErrConflict):
			r.Errorf("restore: %v", err)
		}
	}
}

// tokenize keeps values of the person, under the key that is there or a fresh
// one, as a request does that reads again after a conflict.
func (r *racing) tokenize(round int) {
	for n := range raceUses {
		for range raceTries {
			m := r.Value(fmt.Sprint("new ", round, " ", n))
			c, err := r.tokenizeOnce(&m)
			if err == nil {
				r.kept = append(r.kept, keptValue{m, c.First})
				break
			}
			if !errors.Is(err, vault.ErrConflict) && !errors.Is(err, vault.ErrKeyDestroyed) {
				r.Errorf("tokenize: %v", err)
				return
			}
		}
	}
	if len(r.kept) != raceUses {
		r.Errorf("%d values were kept, want %d", len(r.kept), raceUses)
	}
}

func (r *racing) tokenizeOnce(m *vault.NewMapping) (vault.Committed, error) {
	use := vault.SubjectUse{New: true, Subject: vault.Subject{Digest: r.ann.Digest, IndexVersion: 1, Ref: vault.NewID()}}
	known, err := r.Store.Subjects(r.ctx, "acme", []vault.Digest{r.ann.Digest})
	if err != nil {
		return vault.Committed{}, err
	}
	if len(known) > 0 {
		use = vault.SubjectUse{Subject: known[0]}
	}
	keys, err := r.Store.Keys(r.ctx, "acme", vault.KeyQuery{SubjectRef: use.Subject.Ref, Limit: 1})
	if err != nil {
		return vault.Committed{}, err
	}
	fresh := len(keys) == 0
	if fresh {
		keys = []vault.DataKey{keyOf(use.Subject)}
	}
	m.Mapping.KeyID, m.SubjectRefs = keys[0].ID, []string{use.Subject.Ref}
	effect := about(r.Place, []vault.SubjectUse{use}, *m)
	if fresh {
		effect.Keys = keys
	}
	return r.try("acme", effect)
}

// check compares what is restored now with the order in the log.
func (r *racing) check() (before, after int) {
	for _, index := range r.restored {
		before++
		if index > r.erased.First {
			r.Errorf("restored at %d, erased at %d", index, r.erased.First)
		}
	}
	r.restores(r.Place, r.old, false)
	for _, k := range r.kept {
		late := k.index > r.erased.First
		r.restores(r.Place, k.m, late)
		if late {
			after++
		} else {
			before++
		}
	}
	return before, after
}

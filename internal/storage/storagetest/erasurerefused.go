package storagetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var refusalClauses = []clause{
	{"Invariant8/an erasure is refused where the world has moved since its plan", erasureMoved},
	{"Invariant8/an erasure is refused where it is not exactly what has to go", erasureInexact},
	{"erasure/what stays is sealed under a fresh key of its own", erasureOwners},
	{"erasure/goes on only while it is deferred", erasureOver},
	{"erasure/what changes nothing of the plan does not stop it", erasureUnmoved},
}

// change is what happens between the plan and the commit of an erasure.
type change struct {
	name string
	// before happens before the plan, between after it.
	before, between func(e *estate)
	want            error
}

func nothing(*estate) {}

// uses is a tokenize of a value about people, under a key.
func (e *estate) uses(p Place, value string, key vault.DataKey, fresh bool, people ...vault.Subject) {
	e.Helper()
	m := p.Value(value)
	m.Mapping.KeyID = key.ID
	var uses []vault.SubjectUse
	for _, s := range people {
		uses = append(uses, vault.SubjectUse{Subject: s})
		m.SubjectRefs = append(m.SubjectRefs, s.Ref)
	}
	effect := about(p, uses, m)
	if fresh {
		effect.Keys = []vault.DataKey{key}
	}
	e.commit(e.tenant, effect)
}

func erasureMoved(w *world) {
	var hold string
	for i, c := range []change{
		{"a neighbour came", nothing, func(e *estate) { e.keep(e.p, e.p.Value("more")) }, vault.ErrConflict},
		{"a key of the person came", nothing, func(e *estate) { e.uses(e.p, "more", keyOf(e.ann), true, e.ann) }, vault.ErrConflict},
		{"a value of the person came under another key", nothing, func(e *estate) { e.uses(e.q, "more", e.q.Key, false, e.ann) }, vault.ErrConflict},
		{"a value of the person and of another came", nothing, func(e *estate) { e.uses(e.p, "more", e.own, false, e.ann, e.bob) }, vault.ErrConflict},
		{"a hold was placed", nothing, func(e *estate) { e.hold(e.tenant, onValue(e.hers)) }, vault.ErrConflict},
		{"a hold on the person was placed", nothing, func(e *estate) { e.hold(e.tenant, vault.HoldMatch{Subjects: []vault.Digest{e.ann.Digest}}) }, vault.ErrConflict},
		{"a hold was released", func(e *estate) { hold = e.hold(e.tenant, onValue(e.hers)) },
			func(e *estate) { e.release(e.tenant, hold) }, vault.ErrConflict},
		{"a neighbour was swept", nothing, func(e *estate) { e.clock.Advance(ttl); e.commit(e.tenant, e.p.Sweep(e.near)) }, vault.ErrConflict},
		{"a neighbour was tied to the person", nothing, func(e *estate) { e.link(e.tenant, e.ann, e.near) }, vault.ErrConflict},
		{"a value was tied to somebody else", nothing, func(e *estate) { e.link(e.tenant, e.bob, e.hers) }, vault.ErrConflict},
		{"the last value under a key was tied to somebody else", nothing, func(e *estate) { e.link(e.tenant, e.bob, e.tied) }, vault.ErrConflict},
		{"somebody else was erased", nothing, func(e *estate) { e.erase(e.tenant, erasureOf(e.bob)) }, vault.ErrConflict},
		{"the person was erased", nothing, func(e *estate) { e.erase(e.tenant, erasureOf(e.ann)) }, vault.ErrConflict},
		{"a key was destroyed", nothing, func(e *estate) { e.commit(e.tenant, vault.DestroyKeys{Keys: []string{e.own.ID}}) }, vault.ErrConflict},
		{"the key of the scope was destroyed", nothing, func(e *estate) {
			e.commit(e.tenant, vault.DestroyKeys{Keys: []string{e.p.Key.ID}})
		}, vault.ErrConflict},
		{"the minimum was raised", nothing, func(e *estate) { e.commit(e.tenant, vault.RaiseWrapMinimum{Version: 4}) }, vault.ErrWrapVersion},
	} {
		e := w.estate(fmt.Sprint("tenant-", i))
		c.before(e)
		effect := erasing(erasureOf(e.ann), w.plan(e.tenant, erasureOf(e.ann)))
		c.between(e)
		e.unchanged(c.name, c.want, effect)
	}
}

func erasureInexact(w *world) {
	e := w.estate("acme")
	plan := w.plan("acme", erasureOf(e.ann))
	value := func(erase *vault.Erase, m vault.NewMapping) *vault.Resealed {
		i := slices.IndexFunc(erase.Reseal, func(r vault.Resealed) bool { return r.TokenID == m.Mapping.TokenID })
		return &erase.Reseal[i]
	}
	goes := func(m vault.NewMapping, to string) vault.Resealed {
		return vault.Resealed{ScopeID: m.Mapping.ScopeID, TokenID: m.Mapping.TokenID, From: m.Mapping.KeyID, To: to, Sealed: []byte("x")}
	}
	for name, spoil := range map[string]func(*vault.Erase){
		"a key is missing":                   func(x *vault.Erase) { x.Keys = []string{e.own.ID} },
		"a key of the person is missing":     func(x *vault.Erase) { x.Keys = []string{e.p.Key.ID} },
		"a key of somebody else goes":        func(x *vault.Erase) { x.Keys = append(x.Keys, e.bobs.ID) },
		"a key of another scope goes":        func(x *vault.Erase) { x.Keys = append(x.Keys, e.q.Key.ID) },
		"a key is not there":                 func(x *vault.Erase) { x.Keys = append(x.Keys, "none") },
		"a key goes twice":                   func(x *vault.Erase) { x.Keys = append(x.Keys, e.own.ID) },
		"a neighbour is missing":             func(x *vault.Erase) { x.Reseal = x.Reseal[:1] },
		"all neighbours are missing":         func(x *vault.Erase) { x.Reseal = nil },
		"a neighbour comes twice":            func(x *vault.Erase) { x.Reseal = append(x.Reseal, x.Reseal[0]) },
		"a neighbour comes for another":      func(x *vault.Erase) { x.Reseal[1] = x.Reseal[0] },
		"what goes is kept":                  func(x *vault.Erase) { x.Reseal = append(x.Reseal, goes(e.tied, value(x, e.near).To)) },
		"what goes is kept for a neighbour":  func(x *vault.Erase) { *value(x, e.near) = goes(e.tied, value(x, e.near).To) },
		"a neighbour has another key":        func(x *vault.Erase) { x.Reseal[0].From = e.own.ID },
		"a neighbour has a key that is none": func(x *vault.Erase) { x.Reseal[0].From = "none" },
		"a neighbour is in another scope":    func(x *vault.Erase) { value(x, e.both).ScopeID = e.q.Scope.ID },
		"a neighbour is another token":       func(x *vault.Erase) { x.Reseal[0].TokenID = "none" },
		"what is not under a key is moved": func(x *vault.Erase) {
			x.Reseal = append(x.Reseal, goes(e.far, value(x, e.near).To))
		},
		"the name is missing":    func(x *vault.Erase) { x.Names = nil },
		"the name comes twice":   func(x *vault.Erase) { x.Names = append(x.Names, x.Names[0]) },
		"the name has another":   func(x *vault.Erase) { x.Names[0].From = e.own.ID },
		"the name is of another": func(x *vault.Erase) { x.Names[0].ScopeID = e.q.Scope.ID },
		"the person is another":  func(x *vault.Erase) { x.Erasure.SubjectRef = e.bob.Ref },
		"the person is none":     func(x *vault.Erase) { x.Erasure.SubjectRef = vault.NewID() },
		"the digest is another":  func(x *vault.Erase) { x.Erasure.Subject = e.bob.Digest },
		"the digest is none":     func(x *vault.Erase) { x.Erasure.Subject = Digest("none") },
		"it goes on, and is not": func(x *vault.Erase) { x.Erasure.ID = vault.NewID() },
	} {
		effect := erasing(erasureOf(e.ann), plan)
		spoil(&effect)
		e.unchanged(name, nil, effect)
	}
	w.commit("acme", erasing(erasureOf(e.ann), plan))
	w.CheckLog("acme")
}

func erasureOwners(w *world) {
	e := w.estate("acme")
	plan := w.plan("acme", erasureOf(e.ann))
	for name, spoil := range map[string]func(*vault.Erase){
		"a key that is not fresh":            func(x *vault.Erase) { x.Reseal[0].To = e.bobs.ID },
		"a key that is not there":            func(x *vault.Erase) { x.Reseal[0].To = "none" },
		"the key that goes":                  func(x *vault.Erase) { x.Reseal[0].To = x.Reseal[0].From },
		"a name under a key that is no key":  func(x *vault.Erase) { x.Names[0].To = "none" },
		"a name under a key of a person":     func(x *vault.Erase) { x.Names[0].To = x.Fresh[ofPerson(x.Fresh)].ID },
		"a key of another scope":             func(x *vault.Erase) { x.Fresh[ofScope(x.Fresh)].ScopeID = e.q.Scope.ID },
		"a key of a scope that is not there": func(x *vault.Erase) { x.Fresh[ofScope(x.Fresh)].ScopeID = "none" },
		"a key of nobody whom it is about":   func(x *vault.Erase) { x.Fresh[ofPerson(x.Fresh)].SubjectRef = vault.NewID() },
		"a key of the person who is erased":  func(x *vault.Erase) { x.Fresh[ofPerson(x.Fresh)].SubjectRef = e.ann.Ref },
		"a key of a person for a neighbour": func(x *vault.Erase) {
			for i := range x.Reseal {
				x.Reseal[i].To = x.Fresh[ofPerson(x.Fresh)].ID
			}
		},
		"a key of two": func(x *vault.Erase) { x.Fresh[ofPerson(x.Fresh)].ScopeID = e.p.Scope.ID },
		"a key twice":  func(x *vault.Erase) { x.Fresh = append(x.Fresh, x.Fresh[0]) },
		"a key that stands": func(x *vault.Erase) {
			to := ofScope(x.Fresh)
			for i := range x.Reseal {
				if x.Reseal[i].To == x.Fresh[to].ID {
					x.Reseal[i].To = e.q.Key.ID
				}
			}
			x.Names[0].To, x.Fresh[to].ID = e.q.Key.ID, e.q.Key.ID
		},
		"nothing sealed": func(x *vault.Erase) { x.Reseal[0].Sealed = nil },
	} {
		effect := erasing(erasureOf(e.ann), plan)
		spoil(&effect)
		e.unchanged(name, nil, effect)
	}
	// Two fresh keys of a scope where one would do are no contradiction.
	effect := erasing(erasureOf(e.ann), plan)
	second := e.p.FreshKey()
	effect.Fresh, effect.Names[0].To = append(effect.Fresh, second), second.ID
	w.commit("acme", effect)
	w.restores(e.p, e.near, true)
}

func ofScope(fresh []vault.DataKey) int {
	return slices.IndexFunc(fresh, func(k vault.DataKey) bool { return k.ScopeID != "" })
}

func ofPerson(fresh []vault.DataKey) int {
	return slices.IndexFunc(fresh, func(k vault.DataKey) bool { return k.SubjectRef != "" })
}

func erasureOver(w *world) {
	e := w.estate("acme")
	done, _ := w.erase("acme", erasureOf(e.bob))
	e.unchanged("a completed one", vault.ErrConflict, erasing(done, w.plan("acme", done)))
	w.hold("acme", onValue(e.hers))
	waits, _ := w.erase("acme", erasureOf(e.ann))
	other := waits
	other.SubjectRef, other.Subject = e.bob.Ref, e.bob.Digest
	e.unchanged("a deferred one of somebody else", vault.ErrConflict, erasing(other, w.plan("acme", other)))
	w.tenant("globex")
	w.refuse(vault.ErrConflict, "globex", vault.Erase{Erasure: waits})
}

func erasureUnmoved(w *world) {
	e := w.estate("acme")
	effect := erasing(erasureOf(e.ann), w.plan("acme", erasureOf(e.ann)))
	w.clock.Advance(ttl - time.Second)
	near := e.p.Value("near")
	w.keep(e.p, near) // found again, and extended
	w.hold("acme", onValue(e.far))
	e.uses(e.q, "of bob", e.bobs, false, e.bob)
	more := e.p.Value("more")
	more.Mapping.KeyID, more.SubjectRefs = e.own.ID, []string{e.ann.Ref}
	w.commit("acme", about(e.p, []vault.SubjectUse{{Subject: e.ann}}, more)) // under the key that goes, and hers alone
	extended := w.in(e.p, e.near).ExpiresAt
	c := w.commit("acme", effect)
	if c.Outcome.Erased.Erased != 4 || !w.in(e.p, e.near).ExpiresAt.Equal(extended) || !extended.Equal(w.now().Add(ttl)) {
		w.Errorf("%+v; what was extended expires at %v", c.Outcome.Erased, w.in(e.p, e.near).ExpiresAt)
	}
	w.restores(e.p, more, false)
	w.restores(e.p, e.near, true)
}

package postgres

import (
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// wanted is what a batch has to know, each thing once.
type wanted struct {
	changes   []string
	claims    [][]byte
	scopes    distinct[vault.Digest]
	newScopes distinct[string]
	subjects  distinct[vault.Digest]
	newRefs   distinct[string]
	keys      distinct[string]
	values    distinct[valuePlace]
	tokens    distinct[place]
	kept      distinct[place] // of which must be known whether a hold keeps them
	erasure   string          // that goes on
	opened    string          // a request that must be open
	lookups   distinct[lookupPlace]
	scopesBy  distinct[vault.NameRef] // names of scopes
	peopleBy  distinct[vault.NameRef] // names of people

	proceedings distinct[string]
	policy      bool // which one is in force
	suspensions bool
	reviewed    map[string]int64 // how many overdue reviews of an actor there may be
	budgets     distinct[vault.Digest]
	draws       distinct[string] // of grants, all that they gave beyond what they name
	uses        distinct[use]    // whether they are there
}

// distinct is a list of different things, in the order in which they came.
type distinct[K comparable] struct {
	seen  map[K]bool
	items []K
}

func (s *distinct[K]) add(k K) {
	if s.seen[k] {
		return
	}
	if s.seen == nil {
		s.seen = make(map[K]bool)
	}
	s.seen[k] = true
	s.items = append(s.items, k)
}

// want collects what a change has to know. Identifiers that cannot be stored
// are left out: the change that has them is refused without looking.
func (w *wanted) want(c vault.Change) {
	w.changes = append(w.changes, c.ID())
	if claim := c.Claim(); claim != nil {
		w.claims = append(w.claims, claim.Key[:])
	}
	if r := c.Redeems(); r != nil {
		w.proceeding(r.ID)
	}
	if p := c.Opens(vault.Outcome{}); p != nil {
		w.opening(p)
	}
	if g := c.Grant(); g != nil {
		w.spending(g.Spends)
	}
	switch e := c.Effect().(type) {
	case vault.OpenScope:
		w.scope(e.Scope, true)
		w.freshKeys(e.Keys)
	case vault.Tokenize:
		w.tokenize(&e)
	case vault.Restore:
		for _, ref := range e.Refs {
			w.row(ref.ScopeID, ref.TokenID)
			if ref.Expired && storable(ref.ScopeID, ref.TokenID) {
				w.kept.add(place{ref.ScopeID, ref.TokenID})
			}
		}
		for _, name := range e.Names {
			w.name(name)
		}
		w.entitling(&e)
	case vault.Erase:
		w.erase(&e)
	case vault.LinkSubject:
		w.subject(e.Subject)
		w.freshKeys(e.Keys)
	case vault.NoteRequest:
		w.request(e.Note.RequestID)
		w.freshKeys([]vault.DataKey{{ID: e.Note.KeyID}})
	case vault.Replay:
		w.replay(&e)
	case vault.Move:
		w.freshKeys(e.Fresh)
	case vault.OpenProceeding:
		w.opening(&e.Proceeding)
	case vault.ChangeProceedings:
		w.policy = true
		for _, p := range e.Proceedings {
			w.proceeding(p.ID)
		}
	}
}

// entitling asks for what a restoration is judged by beside its values.
func (w *wanted) entitling(r *vault.Restore) {
	w.suspensions = true
	for _, id := range r.Standing {
		w.proceeding(id)
	}
	w.spending(r.Spends)
	w.drawing(r.Draw)
	if r.MaxOverdue > 0 && storable(r.By.Actor) {
		if w.reviewed == nil {
			w.reviewed = make(map[string]int64)
		}
		w.reviewed[r.By.Actor] = max(w.reviewed[r.By.Actor], int64(r.MaxOverdue))
	}
}

func (w *wanted) spending(spends []vault.Spend) {
	for _, s := range spends {
		w.budgets.add(s.Key)
	}
}

func (w *wanted) proceeding(id string) {
	if storable(id) {
		w.proceedings.add(id)
	}
}

// opening asks whether a proceeding may be opened: the person is there, and no
// other policy stands.
func (w *wanted) opening(p *vault.Proceeding) {
	if p.SubjectRef != "" && storable(p.SubjectRef) {
		w.newRefs.add(p.SubjectRef)
	}
	w.policy = w.policy || p.Kind == vault.ProceedingPolicy
}

func (w *wanted) erase(e *vault.Erase) {
	w.freshKeys(e.Fresh)
	w.subject(vault.SubjectUse{
		Subject: vault.Subject{Digest: e.Erasure.Subject, Ref: e.Erasure.SubjectRef}, New: e.Erasure.SubjectRef != "",
	})
	if storable(e.Erasure.ID) {
		w.erasure = e.Erasure.ID
	}
}

// subject asks for whom a digest stands and, of one to be made, whether the
// reference is free.
func (w *wanted) subject(use vault.SubjectUse) {
	w.subjects.add(use.Subject.Digest)
	if use.New && storable(use.Subject.Ref) {
		w.newRefs.add(use.Subject.Ref)
	}
}

func (w *wanted) tokenize(e *vault.Tokenize) {
	w.scope(e.Scope, e.NewScope)
	w.freshKeys(e.Keys)
	for _, use := range e.Subjects {
		w.subject(use)
	}
	for i := range e.Mappings {
		m := &e.Mappings[i].Mapping
		w.row(e.Scope.ID, m.TokenID)
		if storable(e.Scope.ID) {
			w.values.add(valuePlace{e.Scope.ID, m.Identity})
		}
		w.lookups.add(lookupPlace{e.Scope.Digest, m.Lookup})
		if storable(m.KeyID) {
			w.keys.add(m.KeyID)
		}
	}
	for _, t := range e.Touch {
		w.row(e.Scope.ID, t.TokenID)
	}
}

// name asks whether a name is sealed as it was read. One that is of neither, or
// of both, is of nothing.
func (w *wanted) name(n vault.NameRef) {
	n = sealedName(n)
	switch {
	case !storable(n.ScopeID, n.SubjectRef, n.KeyID), (n.ScopeID == "") == (n.SubjectRef == ""):
	case n.ScopeID != "":
		w.scopesBy.add(n)
	default:
		w.peopleBy.add(n)
	}
}

// sealedName is a reference without what only suspensions ask for.
func sealedName(n vault.NameRef) vault.NameRef {
	return vault.NameRef{ScopeID: n.ScopeID, SubjectRef: n.SubjectRef, KeyID: n.KeyID}
}

func (w *wanted) scope(s vault.Scope, isNew bool) {
	w.scopes.add(s.Digest)
	if isNew && storable(s.ID) {
		w.newScopes.add(s.ID)
	}
}

func (w *wanted) freshKeys(keys []vault.DataKey) {
	for _, k := range keys {
		if storable(k.ID) {
			w.keys.add(k.ID)
		}
	}
}

func (w *wanted) row(scopeID, tokenID string) {
	if storable(scopeID, tokenID) {
		w.tokens.add(place{scopeID, tokenID})
	}
}

// oneScope is the scope of all values, where it is one.
func (w *wanted) oneScope() (string, bool) {
	items := w.values.items
	if len(items) == 0 {
		return "", false
	}
	other := func(v valuePlace) bool { return v.scopeID != items[0].scopeID }
	return items[0].scopeID, !slices.ContainsFunc(items, other)
}

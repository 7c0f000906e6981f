package storagetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var finalityClauses = []clause{
	{"versions/are retired once nothing stands below, and never come back", retired},
	{"Invariant15/no key is written under a version that was retired", retiredRefused},
	{"Invariant7/no version is retired while a hold keeps backups", retiredHeld},
	{"finality/is of exactly those versions that were retired", finalityExact},
	{"Invariant8/final is what was erased under those versions alone, and is completed", final},
	{"Invariant6/versions and finality are of one tenant", finalityForeign},
}

func (w *world) retiredBelow(tenant string, want int) {
	w.Helper()
	head, err := w.Ledger.Head(w.ctx, tenant)
	w.no(err)
	if head.RetiredBelow != want {
		w.Errorf("versions below %d are retired, want %d", head.RetiredBelow, want)
	}
}

// rewrap wraps all that stands below a version anew, but for some.
func (w *world) rewrap(tenant string, to int, but ...string) {
	w.Helper()
	keys, err := w.Registry.StaleKeys(w.ctx, tenant, to, 1000)
	w.no(err)
	var effect vault.Rewrap
	for _, k := range keys {
		if !slices.Contains(but, k.ID) {
			effect.Keys = append(effect.Keys, vault.RewrappedKey{ID: k.ID, From: k.Wrapped.Version, Wrapped: wrappedAt(to)})
		}
	}
	if len(effect.Keys) > 0 {
		w.commit(tenant, effect)
	}
}

// retire moves a tenant to a version of the wrapping key, and retires those
// before it.
func (w *world) retire(tenant string, below int) {
	w.Helper()
	w.commit(tenant, vault.RaiseWrapMinimum{Version: below})
	w.rewrap(tenant, below)
	w.commit(tenant, vault.RetireVersions{Below: below})
}

func retired(w *world) {
	p := w.place("acme")
	w.retiredBelow("acme", 1)
	for _, never := range []int{1, 0, -1, 2, 3} { // the last two only because they may still be written
		w.refuse(vault.ErrConflict, "acme", vault.RetireVersions{Below: never})
	}
	w.commit("acme", vault.RaiseWrapMinimum{Version: 3})
	w.commit("acme", vault.RetireVersions{Below: 2})
	w.commit("acme", vault.RetireVersions{Below: 3})
	w.retiredBelow("acme", 3)
	for _, never := range []int{3, 2, 1, 0, 4} {
		w.refuse(vault.ErrConflict, "acme", vault.RetireVersions{Below: never})
	}
	// Of each kind of key one that stands is one too many.
	ann := w.named("acme", "ann")
	r := w.open("acme", w.request(vault.RequestAccess, ann))
	notes := w.note("acme", r, "v")
	_, erases := w.someone(p, "gone", 3)
	keys, err := w.Registry.TenantKeys(w.ctx, "acme")
	w.no(err)
	w.commit("acme", erases()) // what is destroyed does not stand
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	stands := []string{p.Key.ID, ann.NameKeyID, notes.ID, keys[0].ID, keys[1].ID}
	for i, id := range stands {
		w.rewrap("acme", 4, stands[i:]...)
		w.refuse(vault.ErrConflict, "acme", vault.RetireVersions{Below: 4})
		if stale, err := w.Registry.StaleKeys(w.ctx, "acme", 4, 10); err != nil || len(stale) != len(stands)-i {
			w.Errorf("before %s %d keys are left, %v", id, len(stale), err)
		}
	}
	w.rewrap("acme", 4)
	c := w.commit("acme", vault.RetireVersions{Below: 4})
	entry, err := audit.ParseLeaf(w.leaf("acme", c.First))
	w.no(err)
	if entry.Kind != audit.KindKeyRetire {
		w.Errorf("an entry of kind %s", entry.Kind)
	}
	w.no(w.Close())
	w.Stores = w.Reopen()
	w.retiredBelow("acme", 4)
	w.CheckLog("acme")
}

// keyIDs are the keys of a person.
func (w *world) keyIDs(tenant, subjectRef string) (ids []string) {
	w.Helper()
	keys, err := w.Store.Keys(w.ctx, tenant, vault.KeyQuery{SubjectRef: subjectRef})
	w.no(err)
	for _, k := range keys {
		ids = append(ids, k.ID)
	}
	return ids
}

func retiredRefused(w *world) {
	e := w.estate("acme")
	r := w.open("acme", w.request(vault.RequestAccess, e.ann))
	w.retire("acme", 4)
	for _, effect := range w.inserts(e, r, func() vault.DataKey { return vault.DataKey{ID: vault.NewID(), Wrapped: wrappedAt(3)} }) {
		w.refuse(vault.ErrWrapVersion, "acme", effect)
	}
	w.refuse(vault.ErrWrapVersion, "acme", vault.Rewrap{Keys: []vault.RewrappedKey{{ID: e.q.Key.ID, From: 4, Wrapped: wrappedAt(3)}}})
}

// inserts are effects each of which inserts one key more: of a scope, of a
// person, of a request. All else of them may be committed.
func (w *world) inserts(e *estate, r vault.SubjectRequest, fresh func() vault.DataKey) map[string]vault.Effect {
	w.Helper()
	ofScope, ofPerson, ofRequest, ofName, ofSurvivor := fresh(), fresh(), fresh(), fresh(), fresh()
	scope := NewPlace(e.tenant, "one more", w.now())
	scope.Key.ID, scope.Key.Wrapped, scope.Scope.NameKeyID = ofScope.ID, ofScope.Wrapped, ofScope.ID
	ofPerson.SubjectRef = e.bob.Ref
	m := e.q.Value("one more")
	m.Mapping.KeyID, m.SubjectRefs = ofPerson.ID, []string{e.bob.Ref}
	tokenize := about(e.q, []vault.SubjectUse{{Subject: e.bob}}, m)
	tokenize.Keys = []vault.DataKey{ofPerson}
	note, _ := noteOf(r, "one more")
	note.Key.ID, note.Key.Wrapped, note.Note.KeyID = ofRequest.ID, ofRequest.Wrapped, ofRequest.ID
	eve, key := withName("eve")
	key.ID, key.Wrapped, eve.NameKeyID = ofName.ID, ofName.Wrapped, ofName.ID
	erase := erasing(erasureOf(e.ann), w.plan(e.tenant, erasureOf(e.ann)))
	for i, k := range erase.Fresh {
		erase.Fresh[i].Wrapped = wrappedAt(99)
		if k.ScopeID == "" {
			continue
		}
		for j := range erase.Reseal {
			if erase.Reseal[j].To == k.ID {
				erase.Reseal[j].To = ofSurvivor.ID
			}
		}
		for j := range erase.Names {
			if erase.Names[j].To == k.ID {
				erase.Names[j].To = ofSurvivor.ID
			}
		}
		erase.Fresh[i].ID, erase.Fresh[i].Wrapped = ofSurvivor.ID, ofSurvivor.Wrapped
	}
	return map[string]vault.Effect{
		"a scope": scope.Open(), "a value": tokenize, "a note": note, "what an erasure seals anew": erase,
		"a name": vault.LinkSubject{Subject: vault.SubjectUse{Subject: eve, New: true}, Keys: []vault.DataKey{key}},
	}
}

func retiredHeld(w *world) {
	w.tenant("acme")
	w.tenant("globex")
	w.commit("acme", vault.RaiseWrapMinimum{Version: 3})
	w.hold("acme", vault.HoldMatch{Entities: []string{"PERSON"}})
	onBackups := vault.Hold{Matter: "M-1", Reference: "R-1", Match: vault.HoldMatch{Entities: []string{"NO_SUCH"}}, Backups: true}
	w.placeHold("globex", onBackups)
	w.commit("acme", vault.RetireVersions{Below: 2}) // a hold on what there is keeps no backups
	first, second := w.placeHold("acme", onBackups), w.placeHold("acme", onBackups)
	w.refuse(vault.ErrHeld, "acme", vault.RetireVersions{Below: 3})
	w.release("acme", first)
	w.refuse(vault.ErrHeld, "acme", vault.RetireVersions{Below: 3})
	w.retiredBelow("acme", 2)
	w.release("acme", second)
	w.commit("acme", vault.RetireVersions{Below: 3})
	// In one window the first decides.
	w.retiredBelow("acme", 3)
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	w.rewrap("acme", 4)
	answers := w.window("acme", Change(w, "acme", vault.PlaceHold{Hold: onBackups}), Change(w, "acme", vault.RetireVersions{Below: 4}))
	w.no(answers[0].err)
	w.is(answers[1].err, vault.ErrHeld)
	// What was retired is said to be destroyed, whatever came after.
	w.commit("acme", vault.Finality{Below: 3})
}

func finalityExact(w *world) {
	w.tenant("acme")
	w.commit("acme", vault.RaiseWrapMinimum{Version: 3})
	w.refuse(vault.ErrConflict, "acme", vault.Finality{Below: 3})
	w.commit("acme", vault.RetireVersions{Below: 2})
	w.commit("acme", vault.RetireVersions{Below: 3})
	for _, below := range []int{-1, 0, 1, 2, 4} {
		w.refuse(vault.ErrConflict, "acme", vault.Finality{Below: below})
	}
	c := w.commit("acme", vault.Finality{Below: 3, Backups: time.Hour})
	entry, err := audit.ParseLeaf(w.leaf("acme", c.First))
	w.no(err)
	if diff := cmp.Diff(map[string]int{vault.CountRetiredBelow: 3, "erasures": 0}, entry.Counts); diff != "" || entry.Kind != audit.KindFinality {
		w.Errorf("an entry of kind %s: %s", entry.Kind, diff)
	}
	w.commit("acme", vault.Finality{Below: 3}) // said again it changes nothing
}

func finalityForeign(w *world) {
	p := w.place("acme")
	q := w.place("Acme")
	_, mine := w.someone(p, "ann", 3)
	_, theirs := w.someone(q, "ann", 3)
	w.commit("acme", mine())
	change := Change(w, "Acme", theirs())
	_, err := w.Store.Commit(w.ctx, "Acme", change)
	w.no(err)
	w.retire("acme", 4)
	w.retiredBelow("Acme", 1)
	w.refuse(vault.ErrConflict, "Acme", vault.Finality{Below: 4})
	if c := w.commit("acme", vault.Finality{Below: 4}); c.Outcome.Final != 1 {
		w.Errorf("%d are final, want 1", c.Outcome.Final)
	}
	if got := w.erasure("Acme", change.ID()); !got.FinalAt.IsZero() {
		w.Errorf("theirs is final: %+v", got)
	}
}

package storagetest

import "github.com/counterfoil/counterfoil/internal/vault"

var restoreClauses = []clause{
	{"restore/every mapping must be as it was read", restoreConditions},
}

func restoreConditions(w *world) {
	p := w.place("acme")
	a, b := p.Value("a"), p.Value("b")
	w.keep(p, a, b)
	tests := map[string]func(*vault.RestoreRef){
		"of another scope":  func(r *vault.RestoreRef) { r.ScopeID = vault.NewID() },
		"of another token":  func(r *vault.RestoreRef) { r.TokenID = "NOSUCHID" },
		"of another key":    func(r *vault.RestoreRef) { r.KeyID = vault.NewID() },
		"of another entity": func(r *vault.RestoreRef) { r.Entity = "EMAIL_ADDRESS" },
	}
	for name, spoil := range tests {
		effect := p.Restore(a, b)
		spoil(&effect.Refs[1])
		before := w.size("acme")
		if _, err := w.try("acme", effect); err == nil {
			w.Errorf("a mapping %s was restored", name)
		}
		if w.size("acme") != before {
			w.Errorf("a refused restoration of a mapping %s left an entry", name)
		}
		effect.Refs[1].Restricted, effect.Refs[1].Expired = true, true
		w.refuse(vault.ErrConflict, "acme", effect)
	}
	w.commit("acme", p.Restore(a, b, a))
	w.commit("acme", vault.Restore{})
}

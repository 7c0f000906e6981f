package storagetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var claimClauses = []clause{
	{"Invariant16/a claim stands for its first body", claimStands},
	{"Invariant16/a claim is written with its change or not at all", claimWithChange},
	{"Invariant16/one of many changes has a claim", claimOnce},
	{"Invariant16/a claim past its life stands for nothing", claimEnds},
	{"Invariant6/a claim of one tenant is nothing to another", claimForeign},
}

// claim commits an effect with an idempotency key and tells its change id.
func (w *world) claim(tenant, key, body string, effect vault.Effect) (string, error) {
	w.Helper()
	change := Change(w, tenant, effect).Claiming(Digest(key), Digest(body))
	_, err := w.Store.Commit(w.ctx, tenant, change)
	return change.ID(), err
}

// claimed checks what a key stands for; no id means that it is nothing.
func (w *world) claimed(tenant, key, id, body string) {
	w.Helper()
	got, err := w.Books.Claim(w.ctx, tenant, Digest(key))
	if id == "" {
		w.is(err, vault.ErrNotFound)
		return
	}
	w.no(err)
	if got.ChangeID != id || got.Key != Digest(key) || got.Body != Digest(body) || !got.At.Equal(w.now()) {
		w.Errorf("the claim is %+v", got)
	}
}

func claimStands(w *world) {
	p := w.place("acme")
	w.claimed("acme", "k", "", "")
	id, err := w.claim("acme", "k", "b", p.Tokenize(p.Value("v")))
	w.no(err)
	w.claimed("acme", "k", id, "b")
	before := w.size("acme")
	for _, body := range []string{"b", "another"} {
		if _, err := w.claim("acme", "k", body, vault.Record{}); !errors.Is(err, vault.ErrClaimed) {
			w.Errorf("the same key again: %v", err)
		}
	}
	if w.size("acme") != before {
		w.Error("a refused change left an entry")
	}
	w.claimed("acme", "k", id, "b")
	_, err = w.claim("acme", "K", "b", vault.Record{})
	w.no(err)
}

func claimWithChange(w *world) {
	p := w.place("acme")
	m := p.Value("never kept")
	if _, err := w.claim("acme", "k", "b", p.Restore(m)); !errors.Is(err, vault.ErrConflict) {
		w.Errorf("a restoration of nothing: %v", err)
	}
	w.claimed("acme", "k", "", "")
	if _, err := w.claim("globex", "k", "b", vault.Record{}); !errors.Is(err, vault.ErrUnknownTenant) {
		w.Errorf("of a tenant that nobody made: %v", err)
	}
	w.claimed("globex", "k", "", "")
}

func claimOnce(w *world) {
	p := w.place("acme")
	var changes []vault.Change
	for i := range 10 {
		changes = append(changes, Change(w, "acme", p.Tokenize(p.Value(fmt.Sprint(i)))).Claiming(Digest("k"), Digest("b")))
	}
	won := ""
	for i, a := range w.window("acme", changes...) {
		switch {
		case a.err == nil && won == "":
			won = changes[i].ID()
		case !errors.Is(a.err, vault.ErrClaimed):
			w.Errorf("change %d: %v", i, a.err)
		}
	}
	w.claimed("acme", "k", won, "b")
	w.CheckLog("acme")
}

func claimEnds(w *world) {
	p := w.place("acme")
	_, err := w.claim("acme", "k", "b", p.Tokenize(p.Value("v")))
	w.no(err)
	_, err = w.claim("acme", "l", "b", vault.Record{})
	w.no(err)
	w.clock.Advance(vault.ClaimLife - time.Microsecond)
	if n, err := w.Books.ForgetClaims(w.ctx, "acme", 10); n != 0 || err != nil {
		w.Errorf("forgot %d living claims, %v", n, err)
	}
	if _, err := w.claim("acme", "k", "c", vault.Record{}); !errors.Is(err, vault.ErrClaimed) {
		w.Errorf("just before its end: %v", err)
	}
	w.clock.Advance(time.Microsecond)
	w.claimed("acme", "k", "", "")
	id, err := w.claim("acme", "k", "c", vault.Record{})
	w.no(err)
	w.claimed("acme", "k", id, "c")
	for _, want := range []int{1, 0} {
		if n, err := w.Books.ForgetClaims(w.ctx, "acme", 10); n != want || err != nil {
			w.Errorf("forgot %d claims, %v, want %d", n, err, want)
		}
	}
	w.claimed("acme", "k", id, "c")
}

func claimForeign(w *world) {
	w.tenant("acme")
	w.tenant("Acme")
	_, err := w.claim("acme", "k", "b", vault.Record{})
	w.no(err)
	w.claimed("Acme", "k", "", "")
	_, err = w.claim("Acme", "k", "another", vault.Record{})
	w.no(err)
	w.clock.Advance(vault.ClaimLife)
	if n, err := w.Books.ForgetClaims(w.ctx, "Acme", 10); n != 1 || err != nil {
		w.Errorf("forgot %d claims, %v", n, err)
	}
	if n, err := w.Books.ForgetClaims(w.ctx, "acme", 10); n != 1 || err != nil {
		w.Errorf("forgot %d claims of the other, %v", n, err)
	}
}

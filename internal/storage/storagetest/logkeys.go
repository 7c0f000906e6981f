package storagetest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

var logKeyClauses = []clause{
	{"log keys/the next one follows the newest that stands", logKeyFollows},
	{"log keys/of two that follow the same one stands", logKeyRace},
	{"log keys/one that is malformed or wrapped too long ago is refused", logKeyRefused},
}

// nextLogKey is a log key of a version, vouched for.
func nextLogKey(version int) vault.TenantKey {
	return vault.TenantKey{
		ID: vault.NewID(), Purpose: vault.PurposeLog, Version: version, Wrapped: wrapped(fmt.Sprint("log ", version)),
		Public:   fmt.Sprint("log+key+", version),
		Handover: "counterfoil/handover\nlog.test/acme\n\n\u2014 log.test/acme AAAA+/=\n\u2014 log.test/acme BBBB\n",
	}
}

func logKeyFollows(w *world) {
	w.tenant("acme")
	w.tenant("globex")
	for _, version := range []int{-1, 0, 1, 3} {
		w.refuse(vault.ErrConflict, "acme", vault.RotateLogKey{Key: nextLogKey(version)})
	}
	second, third := nextLogKey(2), nextLogKey(3)
	third.Handover += strings.Repeat("x", 4000)
	w.commit("acme", vault.RotateLogKey{Key: second})
	second.CreatedAt = w.now()
	w.refuse(vault.ErrConflict, "acme", vault.RotateLogKey{Key: nextLogKey(2)})
	w.clock.Advance(ttl)
	w.commit("acme", vault.RotateLogKey{Key: third})
	third.CreatedAt = w.now()
	for range 2 {
		keys, err := w.Registry.TenantKeys(w.ctx, "acme")
		w.no(err)
		if len(keys) != 4 || keys[2].Handover != "" || keys[3].Handover != "" {
			w.Fatalf("%d keys, want four, of which the first two have no handover", len(keys))
		}
		if diff := cmp.Diff([]vault.TenantKey{third, second}, keys[:2]); diff != "" {
			w.Error(diff)
		}
		w.no(w.Close())
		w.Stores = w.Reopen()
	}
	if keys, err := w.Registry.TenantKeys(w.ctx, "globex"); err != nil || len(keys) != 2 {
		w.Errorf("another tenant has %d keys, %v; want 2", len(keys), err)
	}
	w.CheckLog("acme")
}

func logKeyRace(w *world) {
	w.tenant("acme")
	var both [2]vault.Change
	for i := range both {
		both[i] = Change(w, "acme", vault.RotateLogKey{Key: nextLogKey(2)})
	}
	errs := make([]error, len(both))
	var group sync.WaitGroup
	for i := range both {
		group.Go(func() { _, errs[i] = w.Store.Commit(w.ctx, "acme", both[i]) })
	}
	group.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		w.Errorf("of two second keys: %v and %v", errs[0], errs[1])
	}
	for _, err := range errs {
		if err != nil {
			w.is(err, vault.ErrConflict)
		}
	}
}

func logKeyRefused(w *world) {
	w.tenant("acme")
	size := w.size("acme")
	for name, spoil := range map[string]func(*vault.TenantKey){
		"another purpose": func(k *vault.TenantKey) { k.Purpose = vault.PurposeIndex },
		"nothing public":  func(k *vault.TenantKey) { k.Public = "" },
		"no handover":     func(k *vault.TenantKey) { k.Handover = "" },
		"no id":           func(k *vault.TenantKey) { k.ID = "" },
		"no wrapping":     func(k *vault.TenantKey) { k.Wrapped = envelope.Wrapped{Version: 3} },
		"NUL":             func(k *vault.TenantKey) { k.Handover += "\x00" },
		"too long":        func(k *vault.TenantKey) { k.Handover = strings.Repeat("x", 8193) },
	} {
		key := nextLogKey(2)
		spoil(&key)
		if _, err := w.try("acme", vault.RotateLogKey{Key: key}); err == nil {
			w.Errorf("%s: a key was inserted", name)
		}
	}
	w.commit("acme", vault.RaiseWrapMinimum{Version: 4})
	w.refuse(vault.ErrWrapVersion, "acme", vault.RotateLogKey{Key: nextLogKey(2)})
	if got := w.size("acme"); got != size+1 {
		w.Errorf("the log grew by %d entries, want 1", got-size)
	}
}

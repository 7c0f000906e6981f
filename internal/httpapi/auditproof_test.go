package httpapi_test

import (
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type consistency struct {
	From, To   int64
	FromRoot   audit.Hash `json:"from_root"`
	ToRoot     audit.Hash `json:"to_root"`
	Proof      []audit.Hash
	Checkpoint string
}

// newLog is a world whose log has at least so many entries, and its checkpoint
// covers all of them.
func newLog(t *testing.T, least int) (w *world, size int64) {
	t.Helper()
	v := vaulttest.New(t)
	w = newWorldOf(t, v.Service, httpapi.Limits{})
	for i := range least {
		_, err := v.Service.OpenScope(t.Context(), v.Gateway(), vault.OpenScopeRequest{Scope: fmt.Sprint("s-", i), Kind: vault.ScopeCase})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Worker.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	head, err := audit.OpenCheckpoint(w.As("auditor").Get("/v1/audit/checkpoint").Want(http.StatusOK).Body, w.logKey(t))
	if err != nil || head.Size < int64(least) {
		t.Fatalf("the log is %d entries long: %v", head.Size, err)
	}
	return w, head.Size
}

// logKey is the newest verifier key of the log.
func (w *world) logKey(t *testing.T) string {
	t.Helper()
	var keys struct {
		Keys []struct{ Key, Handover string }
	}
	w.As("auditor").Get("/v1/audit/keys").Want(http.StatusOK).Decode(&keys)
	return keys.Keys[0].Key
}

// TestInvariant11_EveryEntryIsProvedInEveryTree: whoever keeps a checkpoint, of
// whatever size, has a proof that leads to it.
func TestInvariant11_EveryEntryIsProvedInEveryTree(t *testing.T) {
	w, size := newLog(t, 6)
	key, auditor := w.logKey(t), w.As("auditor")
	for of := int64(1); of <= size; of++ {
		for index := range of {
			var proof audit.Receipt
			auditor.Get(fmt.Sprintf("/v1/audit/entries/%d/proof?size=%d", index, of)).Want(http.StatusOK).Decode(&proof)
			if err := proof.Verify(key); err != nil || proof.TreeSize != of || proof.Index != index {
				t.Errorf("entry %d in a tree of %d: %v", index, of, err)
			}
			// The twin: the proof is of this entry, and of no other tree.
			proof.LeafHash[0] ^= 1
			if proof.Verify(key) == nil {
				t.Errorf("another leaf was proved at %d in %d", index, of)
			}
		}
		auditor.Get(fmt.Sprintf("/v1/audit/entries/%d/proof?size=%d", of, of)).Want(http.StatusNotFound)
	}
	auditor.Get(fmt.Sprintf("/v1/audit/entries/0/proof?size=%d", size+1)).Want(http.StatusNotFound)
	w.Get("/v1/audit/entries/0/proof?size=1").Want(http.StatusForbidden)
}

// TestInvariant11_EveryTreeContinuesThoseBefore: between any two sizes of the log
// there is a proof, which the checkpoint of the later one signs.
func TestInvariant11_EveryTreeContinuesThoseBefore(t *testing.T) {
	w, size := newLog(t, 6)
	key, auditor := w.logKey(t), w.As("auditor")
	for to := int64(1); to <= size; to++ {
		for from := int64(1); from <= to; from++ {
			var c consistency
			auditor.Get(fmt.Sprintf("/v1/audit/consistency?from=%d&to=%d", from, to)).Want(http.StatusOK).Decode(&c)
			head, err := audit.OpenCheckpoint([]byte(c.Checkpoint), key)
			if err != nil || head.Size != to || head.Root != c.ToRoot || c.From != from || c.To != to {
				t.Errorf("from %d to %d: signed %v: %v", from, to, head, err)
			}
			if err := tlog.CheckTree(c.Proof, to, c.ToRoot, from, c.FromRoot); err != nil {
				t.Errorf("from %d to %d: %v", from, to, err)
			}
			c.FromRoot[0] ^= 1
			if tlog.CheckTree(c.Proof, to, c.ToRoot, from, c.FromRoot) == nil {
				t.Errorf("from %d to %d: another history was proved", from, to)
			}
		}
	}
	var now consistency
	auditor.Get("/v1/audit/consistency?from=1").Want(http.StatusOK).Decode(&now)
	if now.To != size {
		t.Errorf("as it stands now: %d, the log has %d", now.To, size)
	}
	auditor.Get(fmt.Sprintf("/v1/audit/consistency?from=1&to=%d", size+1)).Want(http.StatusNotFound)
	w.Get("/v1/audit/consistency?from=1").Want(http.StatusForbidden)
}

// A key that came after another has the note by which the older one vouches for
// it, so that whoever trusts the first key has a way to all of them.
func TestInvariant11_KeysAreHandedOver(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	first := w.logKey(t)
	if _, err := v.Service.RotateLogKey(t.Context(), v.Auditor(), "acme"); err != nil {
		t.Fatal(err)
	}
	var keys struct {
		Keys []struct{ Key, Handover string }
	}
	w.Get("/v1/audit/keys").Want(http.StatusOK).Decode(&keys)
	if len(keys.Keys) != 2 || keys.Keys[1].Key != first || keys.Keys[1].Handover != "" {
		t.Fatalf("keys: %+v", keys)
	}
	trusted, err := audit.FollowHandovers([]string{first}, []byte(keys.Keys[0].Handover))
	if err != nil || len(trusted) != 2 || trusted[1] != keys.Keys[0].Key {
		t.Errorf("from the first key to %v: %v", trusted, err)
	}
	var proof audit.Receipt
	w.As("auditor").Get("/v1/audit/entries/0/proof").Want(http.StatusOK).Decode(&proof)
	if err := proof.Verify(trusted[1]); err != nil || proof.Verify(first) == nil {
		t.Errorf("the newest key does not sign: %v", err)
	}
}

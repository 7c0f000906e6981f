package audit_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

// receiptFor issues a receipt for the last leaf of a log of n, as a commit does.
func receiptFor(t testing.TB, s *audit.Signer, n int) audit.Receipt {
	t.Helper()
	m := newMemory()
	var b *audit.Batch
	for i := range n {
		b = m.append(t, [][]byte{[]byte(strconv.Itoa(i))})
	}
	proof, err := b.Prove(int64(n - 1))
	if err != nil {
		t.Fatal(err)
	}
	return audit.Receipt{
		Log: s.Origin(), Index: int64(n - 1), LeafHash: b.Leaves[0], TreeSize: int64(n), RootHash: b.Root,
		Proof: proof, Checkpoint: sign(t, s, int64(n), b.Root),
	}
}

func TestReceiptVerifiesAfterJSON(t *testing.T) {
	s := newSigner(t, origin, 1)
	for n := 1; n < 20; n++ {
		r := receiptFor(t, s, n)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"log", "index", "leaf_hash", "tree_size", "root_hash", "proof", "checkpoint"} {
			if !strings.Contains(string(b), `"`+name+`":`) {
				t.Errorf("no %s in %s", name, b)
			}
		}
		var back audit.Receipt
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back); diff != "" {
			t.Error(diff)
		}
		if err := back.Verify(s.VerifierKey()); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestInvariant11_ChangedReceiptDoesNotVerify(t *testing.T) {
	s := newSigner(t, origin, 1)
	another := receiptFor(t, s, 12)
	for name, change := range map[string]func(*audit.Receipt){
		"log":                func(r *audit.Receipt) { r.Log = "counterfoil.local/log/globex" },
		"index":              func(r *audit.Receipt) { r.Index-- },
		"negative index":     func(r *audit.Receipt) { r.Index = -1 },
		"index past the end": func(r *audit.Receipt) { r.Index = r.TreeSize },
		"leaf":               func(r *audit.Receipt) { r.LeafHash[3] ^= 1 },
		"size":               func(r *audit.Receipt) { r.TreeSize++ },
		"huge size":          func(r *audit.Receipt) { r.TreeSize = 1<<63 - 1 },
		"root":               func(r *audit.Receipt) { r.RootHash[0] ^= 1 },
		"proof":              func(r *audit.Receipt) { r.Proof[1][9] ^= 1 },
		"proof cut":          func(r *audit.Receipt) { r.Proof = r.Proof[1:] },
		"proof longer":       func(r *audit.Receipt) { r.Proof = append(r.Proof, audit.Hash{}) },
		"no checkpoint":      func(r *audit.Receipt) { r.Checkpoint = "" },
		"other checkpoint":   func(r *audit.Receipt) { r.Checkpoint = another.Checkpoint },
		"other key":          func(r *audit.Receipt) { *r = receiptFor(t, newSigner(t, origin, 2), 11) },
	} {
		r := receiptFor(t, s, 11)
		if err := r.Verify(s.VerifierKey()); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Verify(s.VerifierKey()); !errors.Is(err, audit.ErrReceipt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The twin: a made-up log proves its own leaves perfectly; what refuses it is
// the signature alone.
func TestInvariant11_Twin_ProofWithoutSignatureProvesNothing(t *testing.T) {
	s := newSigner(t, origin, 1)
	forged := receiptFor(t, newSigner(t, origin, 9), 11)
	if err := tlog.CheckRecord(forged.Proof, forged.TreeSize, forged.RootHash, forged.Index, forged.LeafHash); err != nil {
		t.Fatal(err)
	}
	if err := forged.Verify(s.VerifierKey()); !errors.Is(err, audit.ErrSignature) {
		t.Error(err)
	}
}

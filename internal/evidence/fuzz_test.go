package evidence_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// FuzzOpenBundle shows that no file makes the reader panic, and that one which is
// found whole can be read to its end.
func FuzzOpenBundle(f *testing.F) {
	l := newLog(f)
	for range 3 {
		l.on(2, 0).add(audit.Entry{Kind: audit.KindRestore, Actor: "gw", Reason: "LLM_RESPONSE"})
	}
	l.entries[1].Leaf = nil // one was pruned
	signer, err := audit.NewSigner(origin, bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	e := l.built(evidence.Facts{Tenant: "acme", Origin: origin, Made: july.To})
	checkpoint, err := signer.Sign(audit.TreeHead{Origin: origin, Size: e.Size, Root: e.Root})
	if err != nil {
		f.Fatal(err)
	}
	e.Tables = e.Tables[:1] // small enough for the mutator
	b := evidence.Bundle{Evidence: e, Log: l.source(), Checkpoint: checkpoint, Keys: []string{signer.VerifierKey()}}
	var out bytes.Buffer
	if err := b.Write(f.Context(), &out, func(s audit.Statement) ([]byte, error) { return audit.SignStatement(s, signer) }); err != nil {
		f.Fatal(err)
	}
	whole := out.Bytes()
	if _, err := evidence.OpenBundle(saved(f, whole), b.Keys...); err != nil {
		f.Fatal(err)
	}
	seeds := [][]byte{whole, whole[:len(whole)-1500], packed(f, unpacked(f, whole)[:2]), nil}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bundle []byte) {
		path := filepath.Join(t.TempDir(), "evidence.tar")
		if err := os.WriteFile(path, bundle, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := evidence.OpenBundle(path, b.Keys...)
		if err != nil {
			return
		}
		if _, err := o.Evidence(); err != nil {
			t.Errorf("a bundle that is whole has no tables: %v", err)
		}
		if err := o.Source()(func(evidence.Entry) error { return nil }); err != nil {
			t.Errorf("a bundle that is whole has no log: %v", err)
		}
	})
}

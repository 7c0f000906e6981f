package evidence_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// FuzzOpenBundle shows that no file makes the reader panic, and that one which is
// found whole can be read to its end.
func FuzzOpenBundle(f *testing.F) {
	q := evidencetest.MadePruned(1, 500)
	b := bundleOf(f, q)
	b.Evidence.Tables = b.Evidence.Tables[:2] // small enough for the mutator
	whole := written(f, b, q)
	seeds := [][]byte{whole, whole[:len(whole)-1500], packed(f, unpacked(f, whole)[:2]), nil}
	for _, seed := range seeds {
		f.Add(seed)
	}
	if len(whole) == 0 {
		f.Fatal("the corpus is empty")
	}
	f.Fuzz(func(t *testing.T, bundle []byte) {
		path := filepath.Join(t.TempDir(), "evidence.tar")
		if err := os.WriteFile(path, bundle, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := evidence.OpenBundle(path, q.Keys...)
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

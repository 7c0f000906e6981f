package access_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/counterfoil/counterfoil/internal/access"
)

// filesIn are the names of the files of a bundle.
func filesIn(t testing.TB, b *access.Bundle) []string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"*.*", "decisions/*", "texts/*"} {
		names, err := fs.Glob(b.FS(), pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	return out
}

const seedBundles = "testdata/bundles"

// FuzzReadBundle gives it anything: it refuses or reads, never panics, and what
// it read is the same after it was packed.
func FuzzReadBundle(f *testing.F) {
	seeds, err := os.ReadDir(seedBundles)
	if err != nil || len(seeds) < 5 {
		f.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, seed := range seeds {
		packed, err := os.ReadFile(filepath.Join(seedBundles, seed.Name()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		b, err := access.ReadBundle(packed)
		if err != nil {
			if !errors.Is(err, access.ErrBundle) || b != nil {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if _, err := b.Load(); err != nil && !errors.Is(err, access.ErrBundle) {
			t.Fatalf("not loaded with %v", err)
		}
		again, err := access.ReadBundle(pack(t, b))
		if err != nil {
			t.Fatalf("what was read does not read again: %v", err)
		}
		if !bytes.Equal(pack(t, again), pack(t, b)) || again.Version() != b.Version() {
			t.Fatal("what was read is another bundle after it was packed")
		}
		if len(filesIn(t, b)) != len(filesIn(t, again)) || len(filesIn(t, b)) == 0 {
			t.Fatal("files came or went")
		}
	})
}

package access_test

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

// copyOfShipped is the shipped bundle in memory, for tests to change.
func copyOfShipped(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := authz.FS.ReadFile(path)
		out[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// edit replaces one text, which must be there exactly once. In "file#NAME" it is
// looked for in the paragraph that starts with NAME only.
func edit(t testing.TB, bundle fstest.MapFS, file, from, to string) {
	t.Helper()
	file, name, _ := strings.Cut(file, "#")
	before, text, after := "", string(bundle[file].Data), ""
	if name != "" {
		start := strings.Index(text, "\n  "+name+":\n")
		if start < 0 {
			t.Fatalf("%s has no %s", file, name)
		}
		before, text = text[:start+1], text[start+1:]
		if end := strings.Index(text, "\n\n"); end >= 0 {
			text, after = text[:end], text[end:]
		}
	}
	if n := strings.Count(text, from); n != 1 {
		t.Fatalf("%s has %d times %q, want once", file, n, from)
	}
	bundle[file] = &fstest.MapFile{Data: []byte(before + strings.Replace(text, from, to, 1) + after)}
}

func load(t testing.TB, bundle fs.FS) *access.Policy {
	t.Helper()
	p, err := access.Load(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shipped(t testing.TB) *access.Policy {
	t.Helper()
	p, err := loadShipped()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// loadShipped loads once: a policy never changes.
var loadShipped = sync.OnceValues(func() (*access.Policy, error) { return access.Load(authz.FS) })

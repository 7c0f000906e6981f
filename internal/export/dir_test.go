package export_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
)

func TestDirIsASink(t *testing.T) {
	dir, err := export.OpenDir(filepath.Join(t.TempDir(), "a", "b"))
	if err != nil {
		t.Fatal(err)
	}
	exporttest.TestSink(t, dir, "acme")
}

// The sink of the other tests is one, too.
func TestMemoryIsASink(t *testing.T) { exporttest.TestSink(t, &exporttest.Memory{}, "acme") }

func TestDirRefusesOtherPlaces(t *testing.T) {
	dir, err := export.OpenDir(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, name := range []string{"", "/etc/x", "../x", "a/../../x", "a//b", "a/", ".hidden/x", "a b", `a\b`} {
		if err := dir.Put(ctx, name, nil); !errors.Is(err, export.ErrSink) {
			t.Errorf("put %q: %v", name, err)
		}
		if _, err := dir.Get(ctx, name); !errors.Is(err, export.ErrSink) {
			t.Errorf("get %q: %v", name, err)
		}
	}
	if err := dir.Put(ctx, "a", make([]byte, export.MaxObject+1)); !errors.Is(err, export.ErrSink) {
		t.Errorf("too large: %v", err)
	}
}

func TestDirThatCannotBeOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := export.OpenDir(path); !errors.Is(err, export.ErrSink) {
		t.Errorf("%v", err)
	}
}

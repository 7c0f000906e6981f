package localkey_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/envelope/wraptest"
	"github.com/counterfoil/counterfoil/internal/localkey"
)

const tenant = "acme"

// conforming adds to a Key what the suite does beyond its contract.
type conforming struct{ *localkey.Key }

func (c conforming) Rotate(ctx context.Context, _ string) error { return c.Key.Rotate(ctx) }
func (c conforming) Destroy(ctx context.Context, _ string, below int) error {
	return c.Retire(ctx, below)
}
func (c conforming) Stop() { _ = c.Close() }

// TestInvariant20_Conformance holds the key file against the contract of every
// key wrapper.
func TestInvariant20_Conformance(t *testing.T) {
	wraptest.Run(t, func(t *testing.T) envelope.KeyWrapper { return conforming{newKey(t)} })
}

// newKey makes a key file and opens it.
func newKey(t *testing.T) *localkey.Key {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local.key")
	if err := localkey.Create(path); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func open(t *testing.T, path string) *localkey.Key {
	t.Helper()
	k, err := localkey.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func wrap(t *testing.T, k *localkey.Key, plain string) envelope.Wrapped {
	t.Helper()
	wrapped, err := k.Wrap(t.Context(), tenant, [][]byte{[]byte(plain)})
	if err != nil {
		t.Fatal(err)
	}
	return wrapped[0]
}

func unwrap(t *testing.T, k *localkey.Key, wrapped envelope.Wrapped) (string, error) {
	t.Helper()
	items, err := k.Unwrap(t.Context(), tenant, []envelope.Wrapped{wrapped})
	if err != nil {
		t.Fatal(err)
	}
	return string(items[0].Plain.Reveal()), items[0].Err
}

// vectorFile is testdata/vectors.json, computed by testdata/vectors.py.
type vectorFile struct {
	File    string
	Wrapped []struct {
		Version              int
		Tenant, Plain, Bytes string
	}
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors vectorFile
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Wrapped) == 0 || vectors.File == "" {
		t.Fatal("no vectors")
	}
	return vectors
}

// writeFile writes a key file as it should be kept.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "local.key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestVectors(t *testing.T) {
	vectors := readVectors(t)
	k := open(t, writeFile(t, vectors.File))
	for i, v := range vectors.Wrapped {
		wrapped, err := hex.DecodeString(v.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		items, err := k.Unwrap(t.Context(), v.Tenant, []envelope.Wrapped{{Version: v.Version, Bytes: wrapped}})
		if err != nil {
			t.Fatal(err)
		}
		if items[0].Err != nil {
			t.Errorf("vector %d: %v", i, items[0].Err)
		}
		if diff := cmp.Diff(v.Plain, hex.EncodeToString(items[0].Plain.Reveal())); diff != "" {
			t.Errorf("vector %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestReopen: what was wrapped before the end of a process opens after it.
func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.key")
	if err := localkey.Create(path); err != nil {
		t.Fatal(err)
	}
	first := open(t, path)
	old := wrap(t, first, "old")
	if err := first.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	current := wrap(t, first, "current")
	if old.Version != 1 || current.Version != 2 {
		t.Errorf("versions %d and %d, not 1 and 2", old.Version, current.Version)
	}
	again := open(t, path)
	for plain, wrapped := range map[string]envelope.Wrapped{"old": old, "current": current} {
		if got, err := unwrap(t, again, wrapped); err != nil || got != plain {
			t.Errorf("%s: %q, %v", plain, got, err)
		}
	}
}

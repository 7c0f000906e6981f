package vault_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// edited is the shipped bundle with a text of one file replaced by another.
func edited(t testing.TB, edits map[string][2]string) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, edit := range edits {
		text := string(bundle[path].Data)
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("%s has no %q", path, edit[0])
		}
		bundle[path].Data = []byte(strings.ReplaceAll(text, edit[0], edit[1]))
	}
	return bundle
}

// demanding is the shipped policy where every operation needs an approval.
func demanding(t testing.TB) fs.FS {
	bundle := edited(t, map[string][2]string{"operations.yaml": {"{approvals: 0}", "{approvals: 1}"}}).(fstest.MapFS)
	text := string(bundle["operations.yaml"].Data)
	if !strings.Contains(text, "over: 1000") {
		t.Fatal("the shipped policy has another number of values for an erasure")
	}
	bundle["operations.yaml"].Data = []byte(strings.ReplaceAll(text, "over: 1000", "over: 1"))
	return bundle
}

// notifying is a service of which somebody takes notices. Nothing delivers them but
// the test.
func notifying() vaulttest.Option {
	return vaulttest.With(func(o *assembly.Options) { o.Sender = &webhook.Sender{} })
}

package vault_test

import (
	"bytes"
	"context"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// warning is the policy of vaulttest with an action for EMAIL_ADDRESS on the way
// to internal/onprem.
func warning(t *testing.T, action access.EntityAction) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	for path, file := range vaulttest.Alone().(fstest.MapFS) {
		bundle[path] = file
	}
	const from = "        LOCATION: allow\n        ORGANIZATION"
	text := bundle["destinations.yaml"].Data
	changed := bytes.Replace(text, []byte(from), []byte("        EMAIL_ADDRESS: "+string(action)+"\n"+from), 1)
	if bytes.Equal(text, changed) {
		t.Fatal("the policy has no place for the action")
	}
	bundle["destinations.yaml"] = &fstest.MapFile{Data: changed}
	return bundle
}

// TestWarnedIsToldAndCounted: the value goes through, the answer says where it
// stands, and the entry counts it; a stricter destination beside it still wins.
func TestWarnedIsToldAndCounted(t *testing.T) {
	v := vaulttest.New(t, vaulttest.WithPolicy(warning(t, access.ActWarn)))
	text := "Ärger: jane@example.com"
	before := head(t, v)
	out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Text: &text, Destination: "internal/onprem",
	})
	out = must(t, out, err)
	start, end := 7, 23
	want := []vault.MaskInfo{{Entity: "EMAIL_ADDRESS", Action: "warn", Start: &start, End: &end}}
	if diff := cmp.Diff(want, out.Masked); diff != "" || *out.Text != text || len(out.Tokens) != 0 {
		t.Errorf("%q with %d tokens: %s", *out.Text, len(out.Tokens), diff)
	}
	entry := entriesFrom(t, v, before)[0]
	if diff := cmp.Diff(map[string]int{"warned": 1}, entry.Results); diff != "" || entry.InClear() != 1 {
		t.Errorf("the entry: %s", diff)
	}
	out, err = v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Text: &text, Destinations: []string{"internal/onprem", "openai/us"},
	})
	if out = must(t, out, err); len(out.Tokens) != 1 || len(out.Masked) != 0 {
		t.Errorf("with a destination that allows nothing: %+v", out)
	}
}

// TestWarnedTwinAnAllowIsNotWarned shows that it is the action that is counted.
func TestWarnedTwinAnAllowIsNotWarned(t *testing.T) {
	v := vaulttest.New(t, vaulttest.WithPolicy(warning(t, access.ActAllow)))
	text := "mail jane@example.com"
	before := head(t, v)
	out, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Text: &text, Destination: "internal/onprem",
	})
	if out = must(t, out, err); len(out.Masked) != 1 || out.Masked[0].Action != "allow" {
		t.Errorf("%+v", out.Masked)
	}
	if diff := cmp.Diff(map[string]int{"allowed": 1}, entriesFrom(t, v, before)[0].Results); diff != "" {
		t.Error(diff)
	}
}

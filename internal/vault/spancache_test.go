package vault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// longText is long enough to be remembered, and has a value after n fillers.
func longText(n int, value string) string {
	return strings.Repeat("Nothing to be found here. ", n) + value + strings.Repeat(" And nothing after.", 10)
}

// TestRememberedFindings: with the cache and without it every turn of a
// growing history has the same answer, token ids aside.
func TestRememberedFindings(t *testing.T) {
	cached, plain := vaulttest.New(t), vaulttest.New(t)
	plain.Service.SetFaults(vault.Faults{IgnoreSpanCache: true})
	turns := func(v *vaulttest.Vault) (out []vault.TokenizeResult) {
		var history []string
		for i := range 6 {
			history = append(history, fmt.Sprintf(`{"role":"user","content":%q}`, longText(20+i, fmt.Sprintf("jane%d@example.com", i))))
			body := `{"model":"m","messages":[` + strings.Join(history, ",") + `]}`
			got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Payload: []byte(body)})
			out = append(out, must(t, got, err))
		}
		return out
	}
	ignore := cmpopts.IgnoreFields(vault.TokenInfo{}, "Token", "ExpiresAt")
	searched, remembered := turns(plain), turns(cached)
	for i, want := range searched {
		if diff := cmp.Diff(want.Tokens, remembered[i].Tokens, ignore); diff != "" || len(want.Tokens) != i+1 {
			t.Errorf("turn %d, %d tokens: %s", i, len(want.Tokens), diff)
		}
	}
}

// TestInvariant18_FailuresAreNotRemembered: where detection could not run, it
// is asked again each time, and the request fails each time.
func TestInvariant18_FailuresAreNotRemembered(t *testing.T) {
	short, err := detect.New(detect.Options{MaxText: 1000})
	if err != nil {
		t.Fatal(err)
	}
	v := vaulttest.New(t, vaulttest.WithDetector(short))
	text := longText(60, "jane@example.com")
	for range 3 {
		_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Text: &text})
		if !errors.Is(err, detect.ErrTooLarge) {
			t.Fatalf("got %v, want that detection could not run", err)
		}
	}
}

// TestRememberedFindingsStayInTheirRanges: the same text, in which another
// token lives by now, is another one to remember.
func TestRememberedFindingsStayInTheirRanges(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	text := longText(20, "mail "+tok+"@example.com")
	before := tokenizeText(t, v, v.Gateway(), "other", text)
	for range 2 {
		after := tokenizeText(t, v, v.Gateway(), "chat", text)
		if len(after.Tokens) == 0 || after.Tokens[0].Origin != vault.OriginKept {
			t.Fatalf("the living token was not kept: %+v", after.Tokens)
		}
		if got := tokenizeText(t, v, v.Gateway(), "other", text); *got.Text != *before.Text {
			t.Fatalf("another scope: %q, before %q", *got.Text, *before.Text)
		}
	}
}

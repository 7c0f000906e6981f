package vault_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func tokenizeSource(t *testing.T, v *vaulttest.Vault, scope, ref, text string) vault.TokenizeResult {
	t.Helper()
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{Scope: scope, SourceRef: ref, Text: &text})
	return must(t, got, err)
}

func listSource(v *vaulttest.Vault, call vault.Call, scope, ref, cursor string, limit int) (vault.SourcePage, error) {
	return v.Service.SourceTokens(context.Background(), call, vault.SourceRequest{
		Scope: scope, SourceRef: ref, Cursor: cursor, Limit: limit,
	})
}

func writtenTokens(infos []vault.TokenInfo) []string {
	out := make([]string, len(infos))
	for i, info := range infos {
		out[i] = info.Token
	}
	slices.Sort(out)
	return out
}

func TestTokensOfASource(t *testing.T) {
	v := vaulttest.New(t)
	from := head(t, v)
	made := tokenizeSource(t, v, "docs", "a.md#1", "jane@example.com and john@example.com")
	if got := one(t, v, from).SourceDigest; len(got) != 64 {
		t.Fatalf("the entry's source digest is %q", got)
	}
	other := tokenizeSource(t, v, "docs", "a.md#2", "jane@example.com and mary@example.com")
	// A chunk that was tokenized before and comes again holds its tokens.
	tokenizeSource(t, v, "docs", "copy", *made.Text)
	for ref, want := range map[string][]string{
		"a.md#1": writtenTokens(made.Tokens), "a.md#2": writtenTokens(other.Tokens),
		"copy": writtenTokens(made.Tokens), "A.md#1": {},
	} {
		page := must2(listSource(v, v.Gateway(), "docs", ref, "", 0))(t)
		if got := writtenTokens(page.Tokens); !slices.Equal(got, want) || page.Next != "" {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
	first := must2(listSource(v, v.Gateway(), "docs", "a.md#1", "", 1))(t)
	second := must2(listSource(v, v.Gateway(), "docs", "a.md#1", first.Next, 1))(t)
	third := must2(listSource(v, v.Gateway(), "docs", "a.md#1", second.Next, 1))(t)
	if got := writtenTokens(append(first.Tokens, second.Tokens...)); !slices.Equal(got, writtenTokens(made.Tokens)) || len(third.Tokens) != 0 || third.Next != "" {
		t.Errorf("by pages: %q, then %d", got, len(third.Tokens))
	}
	v.Clock.Advance(25 * time.Hour)
	if page, err := listSource(v, v.Gateway(), "docs", "a.md#1", "", 0); err != nil || len(page.Tokens) != 0 {
		t.Errorf("expired: %d tokens, %v", len(page.Tokens), err)
	}
}

// TestInvariant6_SourcesOfOthers: a scope of somebody else is not told from
// one that does not exist; asking for it is an entry.
func TestInvariant6_SourcesOfOthers(t *testing.T) {
	v := vaulttest.New(t)
	tokenizeSource(t, v, "docs", "a", "jane@example.com")
	stranger := vaulttest.Call("gw-2", "gateway")
	from := head(t, v)
	_, known := listSource(v, stranger, "docs", "a", "", 0)
	_, unknown := listSource(v, stranger, "none", "a", "", 0)
	if vault.CodeOf(known) != vault.CodeNotFound || fmt.Sprint(known) != fmt.Sprint(unknown) {
		t.Errorf("%v, and of none: %v", known, unknown)
	}
	if e := one(t, v, from); e.Decision != "deny" || e.Actor != "gw-2" {
		t.Errorf("the entry is %+v", e)
	}
	if _, err := listSource(v, v.Auditor(), "docs", "a", "", 0); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("an auditor: %v", err)
	}
	v.Service.SetFaults(vault.Faults{IgnoreBinding: true})
	if page, err := listSource(v, stranger, "docs", "a", "", 0); err != nil || len(page.Tokens) != 1 {
		t.Errorf("twin: the guard was taken out and nothing was listed: %v", err)
	}
}

func TestSourceRequestsAreChecked(t *testing.T) {
	v := vaulttest.New(t)
	for field, req := range map[string]vault.SourceRequest{
		"/scope":      {SourceRef: "a"},
		"/source_ref": {Scope: "docs"},
		"/limit":      {Scope: "docs", SourceRef: "a", Limit: vault.PageTokens + 1},
		"/cursor":     {Scope: "docs", SourceRef: "a", Cursor: "a b"},
	} {
		_, err := v.Service.SourceTokens(context.Background(), v.Gateway(), req)
		wantField(t, err, field)
	}
	_, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "docs", SourceRef: "a\x00", Text: vaulttest.Ptr("x"),
	})
	wantField(t, err, "/source_ref")
}

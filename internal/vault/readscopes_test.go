package vault_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// corpus makes a scope of documents and a token in it, a month before now.
func corpus(t *testing.T, v *vaulttest.Vault, call vault.Call, name, value string) string {
	t.Helper()
	if _, err := v.Service.OpenScope(context.Background(), call, vault.OpenScopeRequest{Scope: name, Kind: vault.ScopeCorpus}); err != nil {
		t.Fatal(err)
	}
	got, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{
		Scope: name, Values: []vault.Value{{Entity: "LOCATION", Value: value}},
	})
	return must(t, got, err).Values[0]
}

// TestConversationWithACorpus: a prompt that mixes a conversation with chunks
// of documents that were tokenized a month ago. The chunk's tokens stay, the
// answer restores from both.
func TestConversationWithACorpus(t *testing.T) {
	v := vaulttest.New(t)
	place := corpus(t, v, v.Gateway(), "handbook", "12 Harbour Lane")
	v.Clock.Advance(30 * 24 * time.Hour)
	body := fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":"Where does jane@example.com work? %s"},`+
		`{"role":"tool","tool_call_id":"1","content":"The office is at %s."}]}`, place, place)
	got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", ReadScopes: []string{"handbook"}, Payload: []byte(body),
	})
	out := must(t, got, err)
	origins := make([]vault.Origin, len(out.Tokens))
	for i, tok := range out.Tokens {
		origins[i] = tok.Origin
	}
	// What the user wrote is data, even where it reads as a token of the corpus.
	if want := []vault.Origin{vault.OriginNew, vault.OriginWrapped, vault.OriginKept}; !slices.Equal(origins, want) {
		t.Fatalf("origins %v, want %v", origins, want)
	}
	answer := out.Tokens[0].Token + " works at " + place
	ask := func(call vault.Call, read ...string) vault.DetokenizeResult {
		got, err := v.Service.Detokenize(context.Background(), call, vault.DetokenizeRequest{
			Scope: "chat", ReadScopes: read, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: &answer,
		})
		return must(t, got, err)
	}
	if got := ask(v.Gateway(), "handbook"); *got.Text != "jane@example.com works at 12 Harbour Lane" {
		t.Fatalf("restored %q", *got.Text)
	}
	if got := ask(v.Gateway()); *got.Text != "jane@example.com works at "+place {
		t.Fatalf("without the read scope: %q", *got.Text)
	}
	if got := ask(vaulttest.Call("gw-2", "gateway"), "handbook"); *got.Text != answer {
		t.Fatalf("another client: %q", *got.Text)
	}
}

// TestInvariant6_ReadScopesAreDecidedAlone: a read scope of another client
// gives nothing, and its tokens are data, as if there were no such scope.
func TestInvariant6_ReadScopesAreDecidedAlone(t *testing.T) {
	v := vaulttest.New(t)
	theirs := corpus(t, v, vaulttest.Call("gw-2", "gateway"), "theirs", "secret place")
	text := fmt.Sprintf(`{"model":"m","messages":[{"role":"tool","tool_call_id":"1","content":"at %s"}]}`, theirs)
	for _, read := range []string{"theirs", "nothing"} {
		got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
			Scope: "chat-" + read, ReadScopes: []string{read}, Payload: []byte(text),
		})
		out := must(t, got, err)
		if len(out.Tokens) != 1 || out.Tokens[0].Origin != vault.OriginWrapped {
			t.Fatalf("%s: %+v", read, out.Tokens)
		}
		back, err := v.Service.Detokenize(context.Background(), v.Gateway(), vault.DetokenizeRequest{
			Scope: "chat", ReadScopes: []string{read}, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: &theirs,
		})
		if err != nil || *back.Text != theirs || back.Results[0].Status != vault.StatusUnknown {
			t.Fatalf("%s: %v %+v", read, err, back.Results)
		}
	}
	nine := strings.Split(strings.Repeat("s", 9), "")
	if _, err := v.Service.Detokenize(context.Background(), v.Gateway(), vault.DetokenizeRequest{
		Scope: "chat", ReadScopes: nine, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: &theirs,
	}); vault.CodeOf(err) != vault.CodeInvalid {
		t.Fatalf("nine read scopes: %v", err)
	}
}

// TestPreambleHoldsNoToken: what is told to a model must not read as a token.
func TestPreambleHoldsNoToken(t *testing.T) {
	v := vaulttest.New(t)
	out := tokenizeText(t, v, v.Gateway(), "chat", vault.Preamble)
	if len(out.Tokens) != 0 || *out.Text != vault.Preamble {
		t.Fatalf("found %+v in the preamble", out.Tokens)
	}
}

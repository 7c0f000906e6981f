package client_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/client"
)

// TestExplainIsAskedFor: the rule that found a value comes with the answer, where it was asked for.
func TestExplainIsAskedFor(t *testing.T) {
	w := newWorld(t)
	for _, explain := range []bool{true, false} {
		answer, err := w.gateway().Tokenize(t.Context(), client.TokenizeRequest{
			Scope: "chat", Content: client.Text("mail jane@example.com"), Explain: explain,
		})
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if explain {
			want = "email/address"
		}
		if len(answer.Tokens) != 1 || answer.Tokens[0].Rule != want || answer.Tokens[0].Score == nil || answer.Unanalyzed != 0 {
			t.Errorf("explain %t: %+v", explain, answer)
		}
	}
}

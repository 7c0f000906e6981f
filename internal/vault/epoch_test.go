package vault_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// turnEpoch rotates the wrapping key, raises the minimum and moves every key.
func turnEpoch(t *testing.T, v *vaulttest.Vault) (moved int) {
	t.Helper()
	call := vault.Call{Channel: "keys"}
	if err := v.RotateKeys(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, raised, err := v.Service.RaiseWrapMinimum(context.Background(), call, "acme"); err != nil || !raised {
		t.Fatalf("raised %v, %v", raised, err)
	}
	for more := true; more; {
		n, again, err := v.Service.Rewrap(context.Background(), call, "acme")
		if err != nil {
			t.Fatal(err)
		}
		moved, more = moved+n, again
	}
	return moved
}

func TestKeyEpoch(t *testing.T) {
	v := vaulttest.New(t)
	var tokens []string
	for i := range 3 {
		tokens = append(tokens, tokenizeValue(t, v, v.Gateway(), fmt.Sprint("chat-", i), "PERSON", fmt.Sprint("Jane ", i)))
	}
	from := head(t, v)
	// Three scopes have a key each; the tenant has an index and a log key.
	if moved := turnEpoch(t, v); moved != 5 {
		t.Errorf("%d keys were moved, want 5", moved)
	}
	made := entriesFrom(t, v, from)
	if len(made) != 2 || made[0].Kind != audit.KindKeyRotate || made[0].Counts[vault.CountMinWrapVersion] != 2 ||
		made[1].Kind != audit.KindKeyRewrap || len(made[1].KeyIDs) != 5 {
		t.Errorf("the entries are %+v", made)
	}
	status, err := v.Service.EpochStatus(context.Background(), "acme")
	if err != nil || status.Current != 2 || status.MinWrapVersion != 2 || status.Stale != 0 || status.More {
		t.Errorf("the status is %+v, %v", status, err)
	}
	if _, raised, err := v.Service.RaiseWrapMinimum(context.Background(), vault.Call{Channel: "keys"}, "acme"); err != nil || raised {
		t.Errorf("raised again: %v, %v", raised, err)
	}
	for i, tok := range tokens {
		if got := must2(llm(v, v.Gateway(), fmt.Sprint("chat-", i), tok))(t); *got.Text != fmt.Sprint("Jane ", i) {
			t.Errorf("after the epoch: %q", *got.Text)
		}
	}
}

// TestPooledKeysSurviveAnEpoch: the pool still holds keys that the old version
// wrapped. They are wrapped anew, no request fails, and none is written as old.
func TestPooledKeysSurviveAnEpoch(t *testing.T) {
	v := vaulttest.New(t)
	tokenizeValue(t, v, v.Gateway(), "first", "PERSON", "Jane Doe")
	turnEpoch(t, v)
	tok := tokenizeValue(t, v, v.Gateway(), "second", "PERSON", "Jane Doe")
	if got := must2(llm(v, v.Gateway(), "second", tok))(t); *got.Text != "Jane Doe" {
		t.Errorf("restored %q", *got.Text)
	}
	if _, err := v.Service.OpenScope(context.Background(), v.Gateway(), vault.OpenScopeRequest{Scope: "third", Kind: vault.ScopeCase}); err != nil {
		t.Error(err)
	}
	status, err := v.Service.EpochStatus(context.Background(), "acme")
	if err != nil || status.Stale != 0 {
		t.Errorf("%d keys were written under the old version, %v", status.Stale, err)
	}
}

// TestEpochsWhileServing: requests go on while epoch follows epoch, and every
// token restores in the end.
func TestEpochsWhileServing(t *testing.T) {
	v := vaulttest.New(t)
	stop := make(chan struct{})
	var group sync.WaitGroup
	tokens := make([]map[string]string, 4)
	for w := range tokens {
		tokens[w] = make(map[string]string)
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				scope, value := fmt.Sprint("chat-", w, "-", i%5), fmt.Sprint("Jane ", w, " ", i)
				got, err := v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
					Scope: scope, Values: []vault.Value{{Entity: "PERSON", Value: value}},
				})
				if err != nil {
					t.Errorf("while serving: %v", err)
					return
				}
				tokens[w][got.Values[0]] = scope + "|" + value
			}
		})
	}
	for range 5 {
		turnEpoch(t, v)
	}
	close(stop)
	group.Wait()
	for _, made := range tokens {
		for tok, want := range made {
			scope, value, _ := strings.Cut(want, "|")
			if got := must2(llm(v, v.Gateway(), scope, tok))(t); *got.Text != value {
				t.Fatalf("restored %q, want %q", *got.Text, value)
			}
		}
	}
}

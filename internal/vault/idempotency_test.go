package vault_test

import (
	"context"
	"crypto/sha256"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// keyed gives a call an idempotency key and a body.
func keyed(call vault.Call, key, body string) vault.Call {
	call.RequestID = vault.NewID()
	call.Idempotency = &vault.Idempotency{Key: key, Body: sha256.Sum256([]byte(body))}
	return call
}

func tokenizeKeyed(v *vaulttest.Vault, call vault.Call, text string) (vault.TokenizeResult, error) {
	return v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{Scope: "chat", Text: &text})
}

// one returns the only entry from an index on.
func one(t *testing.T, v *vaulttest.Vault, from int64) audit.Entry {
	t.Helper()
	made := entriesFrom(t, v, from)
	if len(made) != 1 {
		t.Fatalf("%d entries, want 1", len(made))
	}
	return made[0]
}

// TestInvariant16_RetryingIsSafe: the same key and body runs again under a new
// decision, has the same tokens, and its entry names the first; the same key
// with another body is a conflict.
func TestInvariant16_RetryingIsSafe(t *testing.T) {
	v := vaulttest.New(t)
	const text = "mail jane@example.com"
	from := head(t, v)
	first := must(t, must2(tokenizeKeyed(v, keyed(v.Gateway(), "k", "b"), text))(t), nil)
	original := one(t, v, from)
	if original.ReplayOf != "" {
		t.Fatalf("the first one is a replay of %q", original.ReplayOf)
	}
	for range 3 {
		from = head(t, v)
		again := must2(tokenizeKeyed(v, keyed(v.Gateway(), "k", "b"), text))(t)
		if *again.Text != *first.Text {
			t.Fatalf("again: %q, first: %q", *again.Text, *first.Text)
		}
		if got := one(t, v, from); got.ReplayOf != original.ChangeID {
			t.Fatalf("a replay of %q, want %q", got.ReplayOf, original.ChangeID)
		}
	}
	from = head(t, v)
	if _, err := tokenizeKeyed(v, keyed(v.Gateway(), "k", "another"), text); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatalf("another body: %v", err)
	}
	if head(t, v) != from {
		t.Fatal("a conflict wrote something")
	}
	// Somebody else's key of the same name is another key, and so is one on
	// behalf of another end user.
	theirs := vault.TokenizeRequest{Scope: "theirs", Text: vaulttest.Ptr("x")}
	must2(v.Service.Tokenize(context.Background(), keyed(vaulttest.Call("gw-2", "gateway"), "l", "b"), theirs))(t)
	must2(tokenizeKeyed(v, keyed(v.Gateway(), "l", "c"), text))(t)
	if _, err := tokenizeKeyed(v, keyed(vaulttest.OnBehalfOf(v.Gateway(), "erika"), "l", "c"), text); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatalf("on behalf of somebody else: %v", err)
	}
	v.Clock.Advance(vault.ClaimLife)
	must2(tokenizeKeyed(v, keyed(v.Gateway(), "k", "another"), text))(t)
}

// TestInvariant16_Twin: where a key stands for any body, the conflict is gone.
func TestInvariant16_Twin(t *testing.T) {
	v := vaulttest.New(t)
	v.Service.SetFaults(vault.Faults{IgnoreClaims: true})
	must2(tokenizeKeyed(v, keyed(v.Gateway(), "k", "b"), "x"))(t)
	if _, err := tokenizeKeyed(v, keyed(v.Gateway(), "k", "another"), "x"); err != nil {
		t.Fatalf("the guard was taken out and it is still a conflict: %v", err)
	}
}

// TestInvariant16_RestoringTwice: a repeated restoration is decided anew. What
// expired meanwhile is not given from a store of answers.
func TestInvariant16_RestoringTwice(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	call := keyed(v.Gateway(), "k", "b")
	if got := must2(llm(v, call, "chat", tok))(t); *got.Text != "Jane Doe" {
		t.Fatalf("restored %q", *got.Text)
	}
	v.Clock.Advance(vault.ClaimLife - time.Second)
	from := head(t, v)
	if got := must2(llm(v, keyed(v.Gateway(), "k", "b"), "chat", tok))(t); *got.Text != "Jane Doe" || one(t, v, from).ReplayOf == "" {
		t.Fatalf("restored %q", *got.Text)
	}
	v.Clock.Advance(time.Second)
	if got := must2(llm(v, keyed(v.Gateway(), "k", "b"), "chat", tok))(t); *got.Text != tok {
		t.Fatalf("an expired value was restored on a repetition: %q", *got.Text)
	}
}

// TestInvariant16_AtOnce: of many requests with one key one is the first, the
// others are its replays; with another body each, one succeeds.
func TestInvariant16_AtOnce(t *testing.T) {
	v := vaulttest.New(t)
	const n = 16
	run := func(key string, body func(i int) string) (failed int) {
		errs := make([]error, n)
		var group sync.WaitGroup
		for i := range n {
			group.Go(func() { _, errs[i] = tokenizeKeyed(v, keyed(v.Gateway(), key, body(i)), "mail jane@example.com") })
		}
		group.Wait()
		for _, err := range errs {
			switch {
			case err == nil:
			case vault.CodeOf(err) == vault.CodeConflict:
				failed++
			default:
				t.Fatal(err)
			}
		}
		return failed
	}
	from := head(t, v)
	if failed := run("k", func(int) string { return "b" }); failed != 0 {
		t.Fatalf("%d repetitions were conflicts", failed)
	}
	firsts := make(map[string]bool)
	replays := 0
	for _, e := range entriesFrom(t, v, from) {
		if e.ReplayOf == "" {
			firsts[e.ChangeID] = true
		} else {
			replays++
		}
	}
	if len(firsts) != 1 || replays != n-1 {
		t.Fatalf("%d firsts and %d replays", len(firsts), replays)
	}
	if failed := run("l", func(i int) string { return string(rune('a' + i)) }); failed != n-1 {
		t.Fatalf("%d conflicts, want %d", failed, n-1)
	}
}

// A refused request claims nothing: it may be put right and sent again.
func TestRefusedRequestsClaimNothing(t *testing.T) {
	v := vaulttest.New(t)
	ask := func(reason string) error {
		_, err := v.Service.Detokenize(context.Background(), keyed(v.Gateway(), "k", reason), vault.DetokenizeRequest{
			Scope: "chat", Reason: vault.ReasonGiven{Code: reason}, Text: vaulttest.Ptr("x"),
		})
		return err
	}
	if err := ask("CURIOSITY"); vault.CodeOf(err) != vault.CodeInvalid {
		t.Fatal(err)
	}
	if err := ask("LLM_RESPONSE"); err != nil {
		t.Fatal(err)
	}
}

func TestOpenScopeWithAKey(t *testing.T) {
	v := vaulttest.New(t)
	open := func(name, key, body string) (vault.OpenScopeResult, error) {
		return v.Service.OpenScope(context.Background(), keyed(v.Gateway(), key, body), vault.OpenScopeRequest{Scope: name, Kind: vault.ScopeCase})
	}
	if got := must2(open("a", "k", "b"))(t); !got.Created {
		t.Fatal("it was not made")
	}
	if got := must2(open("a", "k", "b"))(t); got.Created {
		t.Fatal("it was made twice")
	}
	if _, err := open("other", "k", "another"); vault.CodeOf(err) != vault.CodeConflict {
		t.Fatal(err)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	for key, ok := range map[string]bool{
		"8e03978e-40d5-43dd-bc93-6894a57f9324": true, "a": true, "A:b_c.d": true,
		"": false, "a b": false, `"a"`: false, "ä": false, string(make([]byte, 129)): false,
	} {
		if vault.IsIdempotencyKey(key) != ok {
			t.Errorf("%q: %v", key, !ok)
		}
	}
}

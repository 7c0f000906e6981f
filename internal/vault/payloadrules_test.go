package vault_test

import (
	"context"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// withPayloadRules is the shipped policy with rules for the bodies that go to
// internal/onprem.
func withPayloadRules(t *testing.T, rules string) *vaulttest.Vault {
	t.Helper()
	const line = "    vendor_retention_days: 0\n"
	bundle := shipped(t)
	before := string(bundle["destinations.yaml"].Data)
	after := strings.Replace(before, line, line+"    payload: {"+rules+"}\n", 1)
	if after == before {
		t.Fatal("the policy has no such line to change")
	}
	bundle["destinations.yaml"].Data = []byte(after)
	return vaulttest.New(t, vaulttest.WithPolicy(bundle))
}

func tokenizeFor(v *vaulttest.Vault, destination, body string) (vault.TokenizeResult, error) {
	return v.Service.Tokenize(context.Background(), v.Gateway(), vault.TokenizeRequest{
		Scope: "chat", Destination: destination, Payload: []byte(body),
	})
}

// TestPolicyMayTokenizeKeysAndNumbers: where the destination says so, what is
// blocked by default is tokenized, and comes back; other destinations stay as
// they are.
func TestPolicyMayTokenizeKeysAndNumbers(t *testing.T) {
	const key = `{"model":"m","messages":[],"metadata":{"jane.doe@example.com":"x"}}`
	const number = `{"model":"m","messages":[],"metadata":{"card":4111111111111111}}`
	v := withPayloadRules(t, "keys: tokenize")
	made := must2(tokenizeFor(v, "internal/onprem", key))(t)
	if len(made.Tokens) != 1 || strings.Contains(string(made.Payload), "jane") {
		t.Fatalf("tokenized: %s", made.Payload)
	}
	if back := restorePayload(t, v, made.Payload); back != key {
		t.Fatalf("what came back: %s", back)
	}
	for _, body := range []string{key, number} {
		if _, err := tokenizeFor(v, "default", body); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("another destination: %v", err)
		}
	}
	if _, err := tokenizeFor(v, "internal/onprem", number); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("a number, where only keys are allowed: %v", err)
	}
	v = withPayloadRules(t, "numbers: tokenize")
	made = must2(tokenizeFor(v, "internal/onprem", number))(t)
	// A number with a token in its place is a string from then on.
	if back := restorePayload(t, v, made.Payload); back != strings.Replace(number, "4111111111111111", `"4111111111111111"`, 1) {
		t.Fatalf("what came back: %s", back)
	}
	if _, err := tokenizeFor(v, "internal/onprem", key); vault.CodeOf(err) != vault.CodeInvalid {
		t.Errorf("a key, where only numbers are allowed: %v", err)
	}
}

func restorePayload(t *testing.T, v *vaulttest.Vault, body []byte) string {
	t.Helper()
	got, err := v.Service.Detokenize(context.Background(), vaulttest.Call("pia", "privacy_officer"), vault.DetokenizeRequest{
		Scope: "chat", Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-1"}, Payload: body,
	})
	return string(must(t, got, err).Payload)
}

// TestBodiesOfUnknownShape: every leaf by default; refused, or let through with
// a word in the coverage, where the destination says so.
func TestBodiesOfUnknownShape(t *testing.T) {
	const body = `{"anything":["jane.doe@example.com"]}`
	v := withPayloadRules(t, "unknown: refuse")
	if got := must2(tokenizeFor(v, "default", body))(t); len(got.Tokens) != 1 {
		t.Errorf("by default: %s", got.Payload)
	}
	_, err := tokenizeFor(v, "internal/onprem", body)
	wantField(t, err, "/payload")
	v = withPayloadRules(t, "unknown: skip")
	got := must2(tokenizeFor(v, "internal/onprem", body))(t)
	if string(got.Payload) != body || len(got.Coverage.Scanned) != 0 || len(got.Coverage.Skipped) != 1 || got.Coverage.Skipped[0].Why != "policy" {
		t.Errorf("skipped: %s, %+v", got.Payload, got.Coverage)
	}
}

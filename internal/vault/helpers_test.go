package vault_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// long tells whether the long variants are asked for.
func long() bool { return os.Getenv("COUNTERFOIL_LONG") != "" }

// check runs a property n times: rapid takes the number from its flag.
func check(t *testing.T, n int, property func(*rapid.T)) {
	t.Helper()
	if underRace {
		n /= 10
	}
	f := flag.Lookup("rapid.checks")
	before := f.Value.String()
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Value.Set(before) }()
	rapid.Check(t, property)
}

// must stops a test at an error; it serves *testing.T and *rapid.T.
func must[T any](t interface{ Fatalf(string, ...any) }, got T, err error) T {
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
	return got
}

func tokenizeText(t interface{ Fatalf(string, ...any) }, v *vaulttest.Vault, call vault.Call, scope, text string, spans ...vault.Span) vault.TokenizeResult {
	got, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{Scope: scope, Text: &text, Spans: spans})
	return must(t, got, err)
}

func tokenizeValue(t interface{ Fatalf(string, ...any) }, v *vaulttest.Vault, call vault.Call, scope, entity, value string) string {
	got, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{
		Scope: scope, Values: []vault.Value{{Entity: entity, Value: value}},
	})
	return must(t, got, err).Values[0]
}

// llm asks as a gateway does for a model's answer.
func llm(v *vaulttest.Vault, call vault.Call, scope, text string) (vault.DetokenizeResult, error) {
	return v.Service.Detokenize(context.Background(), call, vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Text: &text,
	})
}

// subjectAccess asks as a privacy officer, who may restore everything in full
// wherever it stands.
func subjectAccess(t interface{ Fatalf(string, ...any) }, v *vaulttest.Vault, scope, text string) vault.DetokenizeResult {
	got, err := v.Service.Detokenize(context.Background(), vaulttest.Call("pia", "privacy_officer"), vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: "SUBJECT_ACCESS", Reference: "DSAR-1"}, Text: &text,
	})
	return must(t, got, err)
}

func statuses(r vault.DetokenizeResult) []vault.Status {
	out := make([]vault.Status, len(r.Results))
	for i, one := range r.Results {
		out[i] = one.Status
	}
	return out
}

// head is where the log of acme stands.
func head(t interface{ Fatalf(string, ...any) }, v *vaulttest.Vault) int64 {
	got, err := v.Store.Head(context.Background(), "acme")
	return must(t, got, err).Frontier.Size
}

// wantViolation checks that a request was refused for one field.
func wantViolation(t *testing.T, err error, field string) {
	t.Helper()
	var public *vault.Error
	if !errors.As(err, &public) || public.Code != vault.CodeInvalid || len(public.Violations) != 1 || public.Violations[0].Field != field {
		t.Errorf("%s: %v", field, err)
	}
}

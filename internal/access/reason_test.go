package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
)

func TestCheckReason(t *testing.T) {
	p := shipped(t)
	code, reference := "/reason/code", "/reason/reference"
	for _, test := range []struct {
		code, reference string
		want            *access.ReasonError
	}{
		{"LLM_RESPONSE", "", nil},
		{"LLM_RESPONSE", "AB-1", nil},
		{"BREAK_GLASS", "", nil},
		{"CUSTOMER_SUPPORT", "TICKET-4711", nil},
		{"CUSTOMER_SUPPORT", "INC4711", nil},
		{"", "", &access.ReasonError{Field: code, Rule: "required"}},
		{"CURIOSITY", "TICKET-1", &access.ReasonError{Field: code, Rule: "unknown"}},
		{"customer_support", "TICKET-1", &access.ReasonError{Field: code, Rule: "unknown"}},
		{"CUSTOMER_SUPPORT", "", &access.ReasonError{Field: reference, Rule: "required"}},
		{"CUSTOMER_SUPPORT", "because I say so", &access.ReasonError{Field: reference, Rule: "pattern"}},
		{"CUSTOMER_SUPPORT", "TICKET-1\n", &access.ReasonError{Field: reference, Rule: "pattern"}},
		{"CUSTOMER_SUPPORT", "\nTICKET-1", &access.ReasonError{Field: reference, Rule: "pattern"}},
		{"CUSTOMER_SUPPORT", "TICKET-1 jane@example.com", &access.ReasonError{Field: reference, Rule: "pattern"}},
		{"CUSTOMER_SUPPORT", "T-1", &access.ReasonError{Field: reference, Rule: "pattern"}},
		{"CUSTOMER_SUPPORT", "TICKET-" + strings.Repeat("1", 58), &access.ReasonError{Field: reference, Rule: "max_length"}},
		{"LLM_RESPONSE", "free text", &access.ReasonError{Field: reference, Rule: "pattern"}},
	} {
		err := p.CheckReason(test.code, test.reference)
		var got *access.ReasonError
		if err != nil && !errors.As(err, &got) {
			t.Errorf("%s %q: got a %T", test.code, test.reference, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s %q: %s", test.code, test.reference, diff)
		}
	}
}

func TestInvariant12_ReasonErrorsHoldNoValue(t *testing.T) {
	const canary = "canary-7f3a"
	p := shipped(t)
	for _, err := range []error{
		p.CheckReason(canary, canary), p.CheckReason("CUSTOMER_SUPPORT", canary),
		p.CheckReason("CUSTOMER_SUPPORT", strings.Repeat(canary, 10)),
	} {
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v, want an error without the value", err)
		}
	}
}

// A pattern that is anchored in part only is matched as a whole all the same.
func TestReferencePatternMatchesTheWhole(t *testing.T) {
	bundle := copyOfShipped(t)
	text := string(bundle["reasons.yaml"].Data)
	bundle["reasons.yaml"].Data = []byte(strings.ReplaceAll(text, "'^[A-Z][A-Z0-9]+-?[0-9]+$'", "'^A|B$'"))
	p := load(t, bundle)
	for reference, good := range map[string]bool{"A": true, "B": true, "A jane@example.com": false, "x B": false} {
		if err := p.CheckReason("CUSTOMER_SUPPORT", reference); (err == nil) != good {
			t.Errorf("%q: got %v, want good %t", reference, err, good)
		}
	}
}

func TestShippedReasons(t *testing.T) {
	type short struct {
		Code                     string
		Required, MFA            bool
		MaxTokens                int
		Approvals                [4]int
		Held, Restricted, Notify bool
		Review                   time.Duration
		Consent                  string
		Budgets                  int
	}
	people := [4]int{2: 1, 3: 2}
	want := []short{
		{Code: "BREAK_GLASS", MFA: true, MaxTokens: 20, Notify: true, Review: 72 * time.Hour, Budgets: 2},
		{Code: "CUSTOMER_SUPPORT", Required: true, MaxTokens: 20, Approvals: people, Budgets: 3},
		{Code: "FRAUD_REVIEW", Required: true, MaxTokens: 200, Approvals: people, Budgets: 2},
		{Code: "INCIDENT_RESPONSE", Required: true, MaxTokens: 500, Approvals: people, Budgets: 2},
		{Code: "LEGAL_DISCOVERY", Required: true, MaxTokens: 10_000, Approvals: people, Held: true, Restricted: true, Budgets: 2},
		{Code: "LLM_RESPONSE", MaxTokens: 500},
		{Code: "MARKETING_CONTACT", Required: true, MaxTokens: 100, Consent: "marketing", Budgets: 2},
		{Code: "SUBJECT_ACCESS", Required: true, MaxTokens: 1000, Held: true, Restricted: true, Budgets: 2},
	}
	p := shipped(t)
	var got []short
	for _, r := range p.Reasons() {
		s := short{
			Code: r.Code, Required: r.Reference.Required, MFA: r.MFA, MaxTokens: r.MaxTokens,
			Held: r.ReachesHeld, Restricted: r.ReachesRestricted, Notify: r.Notify,
			Review: r.Review, Consent: r.Consent, Budgets: len(r.Budgets),
		}
		for i, class := range access.Classes() {
			s.Approvals[i] = r.Approvals(class)
		}
		got = append(got, s)
		if same, ok := p.Reason(r.Code); !ok || same.Description != r.Description || r.GDPR == "" || r.HIPAA == "" {
			t.Errorf("%s: got %+v", r.Code, same)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := p.Reason("CURIOSITY"); ok || p.CatalogueVersion() != 1 {
		t.Error("the catalogue is not the shipped one")
	}
	if r, _ := p.Reason("LLM_RESPONSE"); r.Approvals("secret") == 0 {
		t.Error("an unknown class needs no approval")
	}
}

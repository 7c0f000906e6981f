package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Whoever reads the page knows none of the codes.
func TestEveryLimitOfAReportIsASentence(t *testing.T) {
	for _, limit := range vault.ReportLimits() {
		if text := limitWords(limit); strings.Contains(text, "_") || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: %q", limit, text)
		}
	}
	if len(limitTexts) != len(vault.ReportLimits()) {
		t.Errorf("%d sentences for %d limits", len(limitTexts), len(vault.ReportLimits()))
	}
}

func TestWordsOfAPage(t *testing.T) {
	for name, want := range map[string]string{
		"EMAIL_ADDRESS": "Email address", "PERSON": "Person", "CUSTOM_ID": "Custom ID", "IP_ADDRESS": "IP address",
		"US_SSN": "US SSN", "IBAN_CODE": "IBAN code", "DE_TAX_ID": "DE tax ID", "API_KEY": "API key", "URL": "URL",
		"NRP": "Nationality, religion or political group", "TOKEN_LIKE": "Text that looks like a token",
		"ES_NIE": "ES NIE", "DATE_TIME": "Date time", "X": "X", "": "",
	} {
		if got := entityWords(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	const day = 24 * time.Hour
	for want, line := range map[string]vault.RetentionLine{
		"Confidential data: 90 days":                     {Class: "confidential", For: 90 * day},
		"Credit card: 1 day":                             {Entity: "CREDIT_CARD", For: day},
		"Sent to openai/us, in a conversation: 12 hours": {Destination: "openai/us", ScopeKind: vault.ScopeConversation, For: 12 * time.Hour},
		"Person, in a collection of documents: 1 hour":   {Entity: "PERSON", ScopeKind: vault.ScopeCorpus, For: time.Hour},
		"In a case: 36 hours":                            {ScopeKind: vault.ScopeCase, For: 36 * time.Hour},
		"In what is kept for one user: 2 days":           {ScopeKind: vault.ScopeUser, For: 2 * day},
		"Everything: 5 days":                             {For: 5 * day},
	} {
		if got := retentionWords(line); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := roleWords(nil); got != "not known any more" {
		t.Errorf("no roles: %q", got)
	}
	if got := roleWords([]string{"legal", "privacy_officer"}); got != "legal, privacy officer" {
		t.Errorf("roles: %q", got)
	}
	// A destination that the policy dropped: nothing is claimed of it.
	gone := vault.ReportDestination{Destination: "gone/eu"}
	if vendorDays(gone) != "not known" || vendorTraining(gone) != "not known" {
		t.Errorf("of a destination that is gone: %q, %q", vendorDays(gone), vendorTraining(gone))
	}
	known := vault.ReportDestination{Vendor: "V", VendorRetentionDays: 0, Training: true}
	if vendorDays(known) != "0 days" || vendorTraining(known) != "yes" {
		t.Errorf("of a destination: %q, %q", vendorDays(known), vendorTraining(known))
	}
}

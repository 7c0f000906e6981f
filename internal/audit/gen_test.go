package audit_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"pgregory.net/rapid"
)

// sample is a usual entry: a tokenize request of three values.
func sample() audit.Entry {
	return audit.Entry{
		Tenant: "acme", Kind: audit.KindTokenize, ChangeID: "01JD3V9Q7M8X2K4T6R5P0WNCYB",
		Channel: "api", Client: audit.Client{ClientID: "svc-1", JTIDigest: "1f0c3a5e7b9d2468ace02468ace13579"},
		Actor: "svc-1", Destination: "default", PolicyVersion: strings.Repeat("5a", 32),
		RuleIDs: []string{"p12"}, Decision: audit.Allow,
		Entities: map[string]int{"EMAIL_ADDRESS": 2, "PHONE_NUMBER": 1},
		Tokens:   []string{"7K3QX9M2", "0A1B2C3D", "ZZ9Y8X7W"}, Results: map[string]int{"new": 3},
		ScopeRefs: []string{"s_5JX0"}, RequestID: "r_9f8e7d6c", Replica: "cf-0",
	}
}

// at is a time that the clock of no test depends on.
var at = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)

// leafOf makes the single leaf of a small entry.
func leafOf(t testing.TB, e audit.Entry) []byte {
	t.Helper()
	parts, err := audit.Link(e)
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := audit.Finalise(parts, at)
	if err != nil {
		t.Fatal(err)
	}
	if len(leaves) != 1 {
		t.Fatalf("%d leaves, want 1", len(leaves))
	}
	return leaves[0]
}

const letters = `[A-Za-z0-9]`

func drawEntry(t *rapid.T, maxTokens int) audit.Entry {
	identifier := func(label string) string {
		return rapid.StringMatching(`([A-Za-z0-9._~:/@|+=%#,*-]{1,40})?`).Draw(t, label)
	}
	digest := func(label string) string { return rapid.StringMatching(`([a-f0-9]{32})?`).Draw(t, label) }
	list := func(label, pattern string, n int) []string {
		return rapid.SliceOfN(rapid.StringMatching(pattern), -1, n).Draw(t, label)
	}
	counts := func(label, pattern string) map[string]int {
		return rapid.MapOfN(rapid.StringMatching(pattern), rapid.IntRange(0, audit.MaxCount), -1, 20).Draw(t, label)
	}
	kinds := audit.Kinds()
	return audit.Entry{
		Tenant:           rapid.StringMatching(letters+`{1,20}`).Draw(t, "tenant"),
		Kind:             kinds[rapid.IntRange(0, len(kinds)-1).Draw(t, "kind")].Kind,
		ChangeID:         rapid.StringMatching(letters+`{26}`).Draw(t, "change"),
		Environment:      identifier("environment"),
		Channel:          identifier("channel"),
		Client:           audit.Client{ClientID: identifier("client"), JTIDigest: digest("jti"), CertFP: digest("cert")},
		Actor:            identifier("actor"),
		OnBehalfOf:       digest("on behalf of"),
		EndUserAssurance: identifier("assurance"),
		Agent:            identifier("agent"),
		Session:          identifier("session"),
		Model:            identifier("model"),
		Destination:      identifier("destination"),
		Recipient:        identifier("recipient"),
		Reason:           identifier("reason"),
		Reference:        identifier("reference"),
		NoteDigest:       digest("note"),
		PolicyVersion:    digest("policy"),
		RuleIDs:          list("rules", letters+`{1,8}`, 4),
		Decision:         rapid.SampledFrom([]audit.Decision{"", audit.Allow, audit.Deny, audit.Partial}).Draw(t, "decision"),
		Obligations:      list("obligations", letters+`{1,8}`, 4),
		Entities:         counts("entities", `[A-Z_]{1,20}`),
		Tokens:           list("tokens", `[0-9A-Z]{8}`, maxTokens),
		Results:          counts("results", `[a-z_]{1,12}`),
		ScopeRefs:        list("scopes", letters+`{12}`, 9),
		SubjectRefs:      list("subjects", letters+`{12}`, maxTokens/4),
		KeyIDs:           list("keys", letters+`{12}`, maxTokens/4),
		CoverageDigest:   digest("coverage"),
		RequestID:        identifier("request"),
		Replica:          identifier("replica"),
		Code:             identifier("code"),
		Counts:           counts("counts", `[a-z_]{1,12}`),
	}
}

func drawTime(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(0, 250e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

package access_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

// copyOfShipped is the shipped bundle in memory, for tests to change.
func copyOfShipped(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := authz.FS.ReadFile(path)
		out[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// edit replaces one text, which must be there exactly once. In "file#NAME" it is
// looked for in the paragraph that starts with NAME only.
func edit(t testing.TB, bundle fstest.MapFS, file, from, to string) {
	t.Helper()
	file, name, _ := strings.Cut(file, "#")
	before, text, after := "", string(bundle[file].Data), ""
	if name != "" {
		start := strings.Index(text, "\n  "+name+":\n")
		if start < 0 {
			t.Fatalf("%s has no %s", file, name)
		}
		before, text = text[:start+1], text[start+1:]
		if end := strings.Index(text, "\n\n"); end >= 0 {
			text, after = text[:end], text[end:]
		}
	}
	if n := strings.Count(text, from); n != 1 {
		t.Fatalf("%s has %d times %q, want once", file, n, from)
	}
	bundle[file] = &fstest.MapFile{Data: []byte(before + strings.Replace(text, from, to, 1) + after)}
}

func load(t testing.TB, bundle fs.FS) *access.Policy {
	t.Helper()
	p, err := access.Load(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func shipped(t testing.TB) *access.Policy {
	t.Helper()
	p, err := loadShipped()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// loadShipped loads once: a policy never changes.
var loadShipped = sync.OnceValues(func() (*access.Policy, error) { return access.Load(authz.FS) })

// reasonTemplate is one generated reason.
const reasonTemplate = `
  %s:
    description: Generated.
    legal_basis: {gdpr: none, hipaa: none}
    reference: {required: false, pattern: '^[A-Z]+-[0-9]+$'}
    classes: [public, internal, confidential, restricted]
    entities: %s
    places: %s
    tools: %s
    approvals: {public: 0, internal: 0, confidential: %d, restricted: %d}
    form: full
    mfa: %t
    acr: []
    networks: []
    environments: []
    max_tokens: 10
    budgets: []
    notify: false
    review_hours: 0
    consent: ""
    reaches: {held: %t, restricted: %t}
`

// generated is the shipped bundle with that many reasons, and that many rules
// about them, drawn from everything that a rule can say.
func generated(t testing.TB, rng *rand.Rand, reasons, rules int) fstest.MapFS {
	t.Helper()
	bundle := copyOfShipped(t)
	yaml := "version: 1\nreasons:\n"
	for i := range reasons {
		places, tools := "[prose, code]", "[]"
		if rng.IntN(3) == 0 {
			places, tools = "[prose, tool]", "[send_mail]"
		}
		entities := pick(rng, `["*"]`, `["*"]`, "[EMAIL_ADDRESS, US_SSN, TOKEN_LIKE]")
		yaml += fmt.Sprintf(reasonTemplate, code(i), entities, places, tools, rng.IntN(2), rng.IntN(2),
			rng.IntN(4) == 0, rng.IntN(2) == 0, rng.IntN(2) == 0)
	}
	csv := ""
	for i := range rules {
		effect, form := "allow", pick(rng, "full", "partial", "masked")
		if rng.IntN(6) == 0 {
			effect, form = "deny", "-"
		}
		csv += fmt.Sprintf("p, r%d, %s, %s, restore, %s, %s, %s, %s, %s\n", i, effect,
			pick(rng, access.Roles()...), code(i%reasons),
			pick(rng, "public|internal|confidential|restricted", "restricted", "public|confidential"),
			pick(rng, "*", "*", "EMAIL_ADDRESS", "US_SSN|EMAIL_ADDRESS"),
			pick(rng, "-", "same_client", "same_client&same_end_user", "end_user_absent", "mfa", "end_user_other",
				"same_client&attr:team=fraud", "attr:on_call=true&mfa", "env:production", "end_user_not_other"),
			form)
	}
	bundle["reasons.yaml"] = &fstest.MapFile{Data: []byte(yaml)}
	bundle["policy.csv"] = &fstest.MapFile{Data: []byte(csv)}
	for name := range bundle {
		if strings.HasPrefix(name, "decisions/") {
			delete(bundle, name)
		}
	}
	return bundle
}

func code(i int) string { return fmt.Sprintf("REASON_%d", i) }

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// hostile are values that a careless matcher could take for something else.
var hostile = []string{
	"", "*", "-", "|", "&", ",", "\n", "p", "public|internal", "restricted|", "gateway|restorer",
	"gateway,restorer", "restorer\n", " restorer", "RESTORER", "restorer\x00", "LLM_RESPONSE,CUSTOMER_SUPPORT",
	"CUSTOMER_SUPPORT ", "CUSTOMER_SUPPORT|FRAUD_REVIEW", "EMAIL_ADDRESS|US_SSN", "EMAIL_ADDRESS\n", "fraud&mfa",
	"true|false", "team=fraud", "full", "same_client", "\"restorer\"", "r.action", "2020-01-01",
}

// randomRequest draws a request, mostly of what exists, sometimes hostile.
func randomRequest(rng *rand.Rand, p *access.Policy) access.Request {
	reasons := []string{}
	for _, r := range p.Reasons() {
		reasons = append(reasons, r.Code)
	}
	word := func(from []string) string {
		if rng.IntN(25) == 0 {
			return pick(rng, hostile...)
		}
		return pick(rng, from...)
	}
	entity := word([]string{"EMAIL_ADDRESS", "US_SSN", "PERSON", "LOCATION", "CREDIT_CARD", access.EntityTokenLike})
	r := access.Request{
		Action: access.ActionRestore, Reason: word(reasons), Entity: entity,
		SameClient: rng.IntN(4) > 0, MFA: rng.IntN(2) == 0, SecondPerson: rng.IntN(2) == 0,
		EndUser:     access.EndUserMatch(word([]string{"unbound", "same", "same", "absent", "other"})),
		Place:       access.Place(word([]string{"prose", "prose", "prose", "code", "url", "tool"})),
		Tool:        word([]string{"", "send_mail", "other"}),
		Held:        rng.IntN(8) == 0,
		Restricted:  rng.IntN(8) == 0,
		Environment: word([]string{"", "production", "staging"}),
		Attributes:  map[string]string{},
	}
	for range 1 + rng.IntN(3) {
		r.Roles = append(r.Roles, word(access.Roles()))
	}
	if e, ok := p.Entity(entity); ok {
		r.Class = e.Class
	}
	if rng.IntN(5) == 0 {
		r.Class = access.Class(word([]string{"public", "internal", "confidential", "restricted"}))
	}
	if rng.IntN(2) == 0 {
		r.Attributes["team"] = word([]string{"fraud", "other"})
	}
	if rng.IntN(2) == 0 {
		r.Attributes["on_call"] = word([]string{"true", "false"})
	}
	if rng.IntN(4) == 0 {
		r.Action = access.Action(word([]string{
			"tokenize", "scope", "audit_read", "policy_read", "limits_read", "assert_end_user",
			"hold_place", "hold_release", "hold_read", "subject_search",
			"subject_link", "erase", "request_read", "request_manage", "request_report",
			"names_restore", "retention_read",
		}))
		if rng.IntN(4) > 0 {
			r.Reason, r.Entity, r.Class = "", "", ""
		}
	}
	return r
}

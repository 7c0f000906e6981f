package access_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/internal/access"
)

const guardedTable = `
action: restore
reason: SUBJECT_ACCESS
decisions:
  - who: privacy_officer
    hours: inside
    network: inside
    acr: true
    consent: true
    with: env:production
    data: [public, internal, confidential, restricted]
    place: [prose, code, url]
    gets: full
    after: 2
  - who: privacy_officer
    hours: inside
    network: inside
    acr: true
    consent: true
    with: env:production
    data: [public, internal, confidential, restricted]
    place: tool
    gets: nothing
    because: place
  - who: privacy_officer
    hours: inside
    network: inside
    acr: true
    consent: false
    with: env:production
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: consent
  - who: privacy_officer
    hours: inside
    network: inside
    acr: false
    with: env:production
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: mfa
  - who: privacy_officer
    hours: outside
    network: inside
    with: env:production
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: hours
  - who: privacy_officer
    network: outside
    with: env:production
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: network
  - who: privacy_officer
    without: env:production
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: attribute
  - who: [gateway, restorer, approver, legal, auditor, operator]
    data: [public, internal, confidential, restricted]
    gets: nothing
    because: no_rule
`

// guarded is the shipped bundle in which subject access demands everything that
// a reason can, with the tables of it.
func guarded(t testing.TB) fstest.MapFS {
	t.Helper()
	bundle := copyOfShipped(t)
	for _, change := range [][2]string{
		{"approvals: {public: 0, internal: 0, confidential: 0, restricted: 0}", "approvals: {public: 2, internal: 2, confidential: 2, restricted: 2}"},
		{"acr: []", "acr: [gold]\n    hours: {zone: Europe/Berlin, days: [fri], from: '22:00', to: '04:00'}"},
		{"networks: []", "networks: ['fd00::/8']"}, {"environments: []", "environments: [production]"},
		{`consent: ""`, "consent: access"}, {"Art. 6(1)(c)", "Art. 9(2)(a)"},
	} {
		edit(t, bundle, "reasons.yaml#SUBJECT_ACCESS", change[0], change[1])
	}
	bundle["decisions/subject_access.yaml"] = &fstest.MapFile{Data: []byte(guardedTable)}
	return bundle
}

func checkAccess(t *testing.T, bundle fstest.MapFS) access.Report {
	t.Helper()
	report, err := load(t, bundle).CheckOnly(t.Context(), access.ActionRestore, "SUBJECT_ACCESS")
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestTablesOfAllDemands(t *testing.T) {
	report := checkAccess(t, guarded(t))
	if err := report.Err(); err != nil || report.Decided != report.Combinations {
		t.Fatalf("%v\n%s", err, report)
	}
	const data = "public, internal, confidential and restricted data for SUBJECT_ACCESS"
	for _, sentence := range []string{
		"privacy_officer, strongly enough authenticated, with the consent of the person, inside its hours, inside its networks, " +
			"with env:production, may restore " + data + " in prose, code or a URL, in full, after 2 approvals",
		"privacy_officer, outside its hours, inside its networks, with env:production, may not restore " + data + " (hours)",
	} {
		if !slices.Contains(report.Sentences, sentence) {
			t.Errorf("there is no sentence %q in\n%s", sentence, report)
		}
	}
	support := checkShipped(t).Sentences
	for _, sentence := range []string{
		"restorer may restore confidential data, live, for CUSTOMER_SUPPORT in prose or code, in full, after one approval",
		"restorer, with the consent of the person, may restore public, internal and confidential data, live, for MARKETING_CONTACT in prose, in full",
		"restorer, without attr:on_call=true, may not restore public, internal, confidential and restricted data for BREAK_GLASS (attribute)",
	} {
		if !slices.Contains(support, sentence) {
			t.Errorf("there is no sentence %q in\n%s", sentence, strings.Join(support, "\n"))
		}
	}
}

// TestTablesTwinADroppedDemandIsNoticed: a reason that demands less, and a table
// that says too little, fail.
func TestTablesTwinADroppedDemandIsNoticed(t *testing.T) {
	const table, reason = "decisions/subject_access.yaml", "reasons.yaml#SUBJECT_ACCESS"
	for name, change := range map[string][3]string{
		"fewer approvals":      {reason, "restricted: 2}", "restricted: 1}"},
		"more approvals":       {reason, "restricted: 2}", "restricted: 3}"},
		"another environment":  {reason, "[production]", "[production, staging]"},
		"fewer in the table":   {table, "after: 2", "after: 1"},
		"none in the table":    {table, "    after: 2\n", ""},
		"half of the hours":    {table, "    hours: outside\n    network: inside\n", "    hours: outside\n    network: inside\n    acr: true\n"},
		"half of the consents": {table, "    consent: false\n", "    consent: false\n    end_user: same\n"},
	} {
		if underRace && name != "fewer approvals" {
			continue // each asks tens of thousands of combinations
		}
		bundle := only(guarded(t), "restore", "SUBJECT_ACCESS")
		edit(t, bundle, change[0], change[1], change[2])
		if report := checkAccess(t, bundle); !errors.Is(report.Err(), access.ErrTables) {
			t.Errorf("%s: passed the tables", name)
		}
	}
}

// A table cannot speak of what the reason does not demand: it would say nothing.
func TestTablesRefuseWordsAboutNothing(t *testing.T) {
	for name, change := range map[string][3]string{
		"consent":        {"decisions/tokenize.yaml", "gets: allowed", "consent: true\n    gets: allowed"},
		"hours":          {"decisions/subject_access.yaml", "gets: full", "hours: inside\n    gets: full"},
		"network":        {"decisions/subject_access.yaml", "gets: full", "network: outside\n    gets: full"},
		"acr":            {"decisions/subject_access.yaml", "gets: full", "acr: true\n    gets: full"},
		"no such hours":  {"decisions/subject_access.yaml", "gets: full", "hours: office\n    gets: full"},
		"needs_approval": {"decisions/subject_access.yaml", "because: place", "because: needs_approval"},
		"after nothing":  {"decisions/subject_access.yaml", "because: place", "because: place\n    after: 1"},
		"after none":     {"decisions/subject_access.yaml", "gets: full", "gets: full\n    after: 0"},
		"after many":     {"decisions/subject_access.yaml", "gets: full", "gets: full\n    after: 10"},
		"after, allowed": {"decisions/audit_read.yaml", "gets: allowed", "gets: allowed\n    after: 1"},
	} {
		bundle := copyOfShipped(t)
		edit(t, bundle, change[0], change[1], change[2])
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), change[0]) {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

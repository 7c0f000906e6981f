package access_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

const secondPersonTable = `
action: hold_release
decisions:
  - who: legal
    second_person: true
    mfa: true
    gets: allowed
  - who: legal
    second_person: true
    mfa: false
    gets: nothing
    because: mfa
  - who: legal
    second_person: false
    mfa: true
    gets: nothing
    because: second_person
  - who: legal
    second_person: false
    mfa: false
    gets: nothing
    because: mfa
  - who: [gateway, restorer, approver, privacy_officer, auditor, operator]
    gets: nothing
    because: no_rule
`

// twoPersons is the shipped bundle of somebody who wants another person, with a
// second factor, to release what one has placed.
func twoPersons(t testing.TB) fstest.MapFS {
	t.Helper()
	bundle := fstest.MapFS{}
	for _, dir := range []string{".", "decisions"} {
		names, err := fs.Glob(authz.FS, dir+"/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			name = strings.TrimPrefix(name, "./")
			if text, err := authz.FS.ReadFile(name); err == nil {
				bundle[name] = &fstest.MapFile{Data: text}
			}
		}
	}
	const rule = "p, hold-release,            allow, legal,           hold_release,   -, -, -, -, -"
	text := string(bundle["policy.csv"].Data)
	if strings.Count(text, rule) != 1 {
		t.Fatal("the shipped rule is another one")
	}
	bundle["policy.csv"].Data = []byte(strings.Replace(text, rule, strings.Replace(rule, "-, -, -, -, -", "-, -, -, second_person&mfa, -", 1), 1))
	bundle["decisions/hold_release.yaml"] = &fstest.MapFile{Data: []byte(secondPersonTable)}
	return bundle
}

func release(second, mfa bool) access.Request {
	return access.Request{
		Action: access.ActionHoldRelease, Roles: []string{"legal"}, SecondPerson: second, MFA: mfa,
		SameClient: true, EndUser: access.EndUserUnbound,
	}
}

func TestSecondPersonReleasesAHold(t *testing.T) {
	p := load(t, twoPersons(t))
	allowed := access.Decision{Allow: true, RuleIDs: []string{"hold-release"}}
	for name, test := range map[string]struct {
		request access.Request
		want    access.Decision
	}{
		"somebody else":             {release(true, true), allowed},
		"who placed it":             {release(false, true), deny("second_person")},
		"without a second factor":   {release(true, false), deny("mfa")},
		"neither":                   {release(false, false), deny("mfa")},
		"somebody else, not of law": {with(release(true, true), func(r *access.Request) { r.Roles = []string{"auditor"} }), deny("no_rule")},
	} {
		if diff := cmp.Diff(test.want, p.Decide(test.request)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	// Who else there is belongs to the context.
	if d := p.Best(release(false, true)); !d.Allow {
		t.Errorf("got %+v in the best case, want an allow", d)
	}
	if d := shipped(t).Decide(release(false, false)); !d.Allow {
		t.Errorf("got %+v by the shipped policy, want an allow", d)
	}
}

func TestSecondPersonTables(t *testing.T) {
	report, err := load(t, twoPersons(t)).CheckOnly(t.Context(), access.ActionHoldRelease, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Err(); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	for _, sentence := range []string{
		"legal, with a second factor, if somebody else placed it, may release a legal hold",
		"legal, with a second factor, who placed it, may not release a legal hold (second_person)",
	} {
		if !slices.Contains(report.Sentences, sentence) {
			t.Errorf("there is no sentence %q in\n%s", sentence, report)
		}
	}
}

// Whoever drops the condition, or leaves a half of it undecided, is told.
func TestSecondPersonTwinTheTablesNotice(t *testing.T) {
	for name, change := range map[string][3]string{
		"no second person": {"policy.csv", "second_person&mfa", "mfa"},
		"a missing half":   {"decisions/hold_release.yaml", "  - who: legal\n    second_person: true\n    mfa: false\n    gets: nothing\n    because: mfa\n", ""},
		"the shipped table": {
			"decisions/hold_release.yaml", secondPersonTable,
			"action: hold_release\ndecisions:\n  - {who: legal, gets: allowed}\n" +
				"  - {who: [gateway, restorer, approver, privacy_officer, auditor, operator], gets: nothing, because: no_rule}\n",
		},
	} {
		bundle := twoPersons(t)
		edit(t, bundle, change[0], change[1], change[2])
		report, err := load(t, bundle).CheckOnly(t.Context(), access.ActionHoldRelease, "")
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(report.Err(), access.ErrTables) {
			t.Errorf("%s: passed the tables", name)
		}
	}
}

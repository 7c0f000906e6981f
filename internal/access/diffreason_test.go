package access_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/internal/access"
)

// TestDiffDirections pins which way a change of a list or a limit goes, where
// having none of it is more than having some.
func TestDiffDirections(t *testing.T) {
	const hours = "hours: {zone: Europe/Berlin, days: [%], from: '08:00', to: '18:00'}\n    networks: []"
	with := func(from, to string) *access.Policy { return load(t, changeOf{"reasons.yaml", from, to}.of(t)) }
	nets := func(list string) *access.Policy { return with("networks: []", "networks: ["+list+"]") }
	days := func(list string) *access.Policy { return with("networks: []", strings.Replace(hours, "%", list, 1)) }
	consent := func(purpose string) *access.Policy { return with("consent: marketing", "consent: "+purpose) }
	separated := func(from, to string) *access.Policy { return load(t, changeOf{"separation.yaml", from, to}.of(t)) }
	// due is a policy whose agreement with a destination that requires it ends then.
	due := func(end string) *access.Policy {
		const agreement = "    dpa: {ref: DPA-EXAMPLE-2, valid_from: 2026-01-01, valid_to: 2028-01-01}\n"
		switch end {
		case "":
			return shipped(t)
		case "none":
			return load(t, changeOf{"destinations.yaml", agreement, ""}.of(t))
		}
		return load(t, changeOf{"destinations.yaml", agreement, strings.Replace(agreement, "2028-01-01", end, 1)}.of(t))
	}
	for name, c := range map[string]struct {
		old, new   *access.Policy
		area       string
		there, way access.Effect // from old to new, and back
	}{
		"a network inside of one":    {nets("10.0.0.0/8"), nets("10.1.0.0/16"), "reason", access.Narrowed, access.Widened},
		"a network beside one":       {nets("10.0.0.0/8"), nets("10.0.0.0/8, 192.0.2.0/24"), "reason", access.Widened, access.Narrowed},
		"another network":            {nets("10.0.0.0/8"), nets("192.0.2.0/24"), "reason", access.Widened, access.Widened},
		"fewer days":                 {days("mon, tue"), days("mon"), "reason", access.Narrowed, access.Widened},
		"other days":                 {days("mon"), days("tue"), "reason", access.Widened, access.Widened},
		"another purpose":            {consent("marketing"), consent("research"), "decision", access.Widened, access.Widened},
		"another role is separated":  {separated("role: operator", "role: restorer"), shipped(t), "separation", access.Widened, access.Widened},
		"a separation less":          {shipped(t), separated("id: operator-auditor", "id: operator-other"), "separation", access.Widened, access.Widened},
		"an agreement for longer":    {due(""), due("2029-01-01"), "destination", access.Widened, access.Narrowed},
		"an agreement that is there": {due("none"), due(""), "destination", access.Widened, access.Narrowed},
		"the words of a separation":  {shipped(t), separated("because: Whoever runs", "because: Who runs"), "separation", access.Changed, access.Changed},
		"the version of a catalogue": {shipped(t), with("version: 1\n", "version: 2\n"), "reason", access.Changed, access.Changed},
	} {
		if found := access.Diff(c.old, c.new); !tells(found, told{effect: c.there, area: c.area}) {
			t.Errorf("%s is not %s:\n%s", name, c.there, lines(found))
		}
		if found := access.Diff(c.new, c.old); !tells(found, told{effect: c.way, area: c.area}) {
			t.Errorf("%s, back, is not %s:\n%s", name, c.way, lines(found))
		}
	}
}

// TestDiffStricterMapping pins that a mapping is thought of whose class is
// stricter than the one that its entity has by now.
func TestDiffStricterMapping(t *testing.T) {
	with := func(classes string) *access.Policy {
		files := copyOfShipped(t)
		files["policy.csv"].Data = append(files["policy.csv"].Data,
			"p, mail, allow, auditor, restore, CUSTOMER_SUPPORT, "+classes+", EMAIL_ADDRESS, -, full\n"...)
		return load(t, files)
	}
	const want = "auditor may restore restricted data for CUSTOMER_SUPPORT in full after 2 approvals, before not at all"
	if found := access.Diff(with("confidential"), with("confidential|restricted")); !tells(found, told{access.Widened, "decision", want}) {
		t.Errorf("told:\n%s", lines(found))
	}
}

// TestDiffReasonGone takes a reason away, with its rules and tables: what it gave
// is given to nobody, and by the way back to those who had it.
func TestDiffReasonGone(t *testing.T) {
	files := copyOfShipped(t)
	text := string(files["reasons.yaml"].Data)
	from := strings.Index(text, "  SUBJECT_ACCESS:\n")
	to := from + strings.Index(text[from:], "\n\n")
	if from < 0 || to < from {
		t.Fatal("there is no SUBJECT_ACCESS")
	}
	files["reasons.yaml"] = &fstest.MapFile{Data: []byte(text[:from] + text[to+2:])}
	var rules []string
	for line := range strings.SplitSeq(string(files["policy.csv"].Data), "\n") {
		if !strings.Contains(line, " SUBJECT_ACCESS,") {
			rules = append(rules, line)
		}
	}
	files["policy.csv"] = &fstest.MapFile{Data: []byte(strings.Join(rules, "\n"))}
	delete(files, "decisions/subject_access.yaml")
	without := load(t, files)
	found := access.Diff(shipped(t), without)
	if tells(found, told{effect: access.Widened}) ||
		!tells(found, told{access.Narrowed, "decision", "privacy_officer may no longer restore restricted data for SUBJECT_ACCESS, before in full"}) ||
		!tells(found, told{access.Changed, "reason", "reason SUBJECT_ACCESS is gone: description The privacy team answers"}) ||
		!tells(found, told{access.Changed, "rule", "rule subject-access is gone: "}) {
		t.Errorf("told of a reason that is gone:\n%s", lines(found))
	}
	back := access.Diff(without, shipped(t))
	if !tells(back, told{access.Widened, "decision", "privacy_officer may restore restricted data for SUBJECT_ACCESS in full, before not at all"}) ||
		tells(back, told{effect: access.Narrowed}) {
		t.Errorf("told of a new reason:\n%s", lines(back))
	}
}

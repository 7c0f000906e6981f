package access_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/counterfoil/counterfoil/internal/access"
)

// naive is a second implementation of the decision, written from the text of
// the bundle without the package: no Casbin, no buckets, no parsing ahead.
type naive struct {
	rules    [][]string
	reasons  map[string]naiveReason
	overlays map[string]map[string]naiveReason
	entities map[string]string // class by name
	// sloppy makes it compare by substring, which is what a matcher over
	// joined strings would do. For twins only.
	sloppy bool
}

// naiveReason is a reason as it stands in the file, and what an overlay says of one.
type naiveReason struct {
	Enabled      *bool
	Form         string
	Classes      []string
	Entities     []string
	Places       []string
	Tools        []string
	Approvals    map[string]int
	MFA          bool
	ACR          []string
	Hours        *naiveHours
	Networks     []string
	Environments []string
	Budgets      []naiveBudget
	Notify       bool
	Review       int `yaml:"review_hours"`
	Consent      string
	Reaches      struct{ Held, Restricted bool }
}

type naiveHours struct {
	Zone, From, To string
	Days           []string
}

type naiveBudget struct {
	Per, Class string
	Tokens     int
}

// naiveAnswer is what the two must agree on.
type naiveAnswer struct {
	form      string // "allowed" for an action without a value, empty for a deny
	rules     []string
	wants     string // "consent" or "needs_approval" where nothing else is missing
	approvals int
	budgets   []naiveBudget
	purpose   string
	notify    bool
	review    int
}

func newNaive(t testing.TB, bundle fs.FS) *naive {
	t.Helper()
	read := func(name string) []byte {
		text, err := fs.ReadFile(bundle, name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	n := &naive{entities: map[string]string{}}
	for line := range strings.SplitSeq(string(read("policy.csv")), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, ",")
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		n.rules = append(n.rules, fields[1:])
	}
	var reasons struct{ Reasons map[string]naiveReason }
	var entities struct {
		Entities map[string]struct{ Class string }
	}
	var overlays struct {
		Tenants map[string]struct{ Reasons map[string]naiveReason }
	}
	for name, into := range map[string]any{"reasons.yaml": &reasons, "entities.yaml": &entities, "overlays.yaml": &overlays} {
		if err := yaml.Unmarshal(read(name), into); err != nil {
			t.Fatal(err)
		}
	}
	n.reasons, n.overlays = reasons.Reasons, map[string]map[string]naiveReason{}
	for tenant, overlay := range overlays.Tenants {
		n.overlays[tenant] = overlay.Reasons
	}
	for name, e := range entities.Entities {
		n.entities[name] = e.Class
	}
	return n
}

var order = []string{"", "masked", "partial", "full"}

// decide answers a request.
func (n *naive) decide(r access.Request) naiveAnswer {
	class := string(r.Class)
	var reason naiveReason
	if r.Action == access.ActionRestore {
		var ok bool
		if reason, ok = n.reasons[r.Reason]; !ok {
			return naiveAnswer{}
		}
		reason, ok = reason.under(n.overlays[r.Tenant][r.Reason])
		if !ok || !n.reached(r, reason) {
			return naiveAnswer{}
		}
		class = stricter(class, n.entities[r.Entity])
	} else if r.Reason != "" || r.Entity != "" || class != "" {
		return naiveAnswer{}
	}
	best, ids := "", []string{}
	for _, rule := range n.rules {
		if !n.matches(rule, r, class) {
			continue
		}
		if rule[1] == "deny" {
			return naiveAnswer{}
		}
		form := rule[8]
		if form == "-" {
			form = "allowed"
		}
		switch {
		case slices.Index(order, form) > slices.Index(order, best) || best == "":
			best, ids = form, []string{rule[0]}
		case form == best:
			ids = append(ids, rule[0])
		}
	}
	slices.Sort(ids)
	if best == "" || r.Action != access.ActionRestore {
		return naiveAnswer{form: best, rules: ids}
	}
	return reason.demand(naiveAnswer{form: best, rules: ids}, r, class)
}

func (n *naive) matches(rule []string, r access.Request, class string) bool {
	role := slices.ContainsFunc(r.Roles, func(have string) bool { return n.same(have, rule[2]) })
	reason := r.Reason
	if r.Action != access.ActionRestore {
		reason = "-"
	} else if !n.element(class, rule[5]) || rule[6] != "*" && !n.element(r.Entity, rule[6]) {
		return false
	}
	if !role || string(r.Action) != rule[3] || !n.same(reason, rule[4]) {
		return false
	}
	for condition := range strings.SplitSeq(rule[7], "&") {
		if !n.condition(condition, r) {
			return false
		}
	}
	return true
}

func (n *naive) same(have, want string) bool {
	return have == want || n.sloppy && have != "" && strings.Contains(have, want)
}

func (n *naive) element(value, column string) bool {
	if n.sloppy {
		return strings.Contains(column, value)
	}
	return slices.Contains(strings.Split(column, "|"), value)
}

func (n *naive) condition(name string, r access.Request) bool {
	if rest, ok := strings.CutPrefix(name, "attr:"); ok {
		parts := strings.Split(rest, "=")
		return n.same(r.Attributes[parts[0]], parts[1])
	}
	if env, ok := strings.CutPrefix(name, "env:"); ok {
		return r.Environment == env
	}
	switch name {
	case "-":
		return true
	case "same_client":
		return r.SameClient
	case "same_end_user":
		return r.EndUser == "same"
	case "end_user_unbound":
		return r.EndUser == "unbound"
	case "end_user_absent":
		return r.EndUser == "absent"
	case "end_user_other":
		return r.EndUser == "other"
	case "end_user_not_other":
		return slices.Contains([]access.EndUserMatch{"same", "unbound", "absent"}, r.EndUser)
	case "second_person":
		return r.SecondPerson
	case "mfa":
		return r.MFA
	}
	panic("naive: unknown condition " + name)
}

// reached is everything that the reason itself demands, but for approvals.
func (n *naive) reached(r access.Request, reason naiveReason) bool {
	own, ok := n.entities[r.Entity]
	all := len(reason.Entities) == 1 && reason.Entities[0] == "*"
	if !ok || !all && !slices.Contains(reason.Entities, r.Entity) {
		return false
	}
	if !slices.Contains(classOrder, string(r.Class)) || !slices.Contains(reason.Classes, stricter(string(r.Class), own)) {
		return false
	}
	if !slices.Contains([]access.EndUserMatch{"same", "unbound", "absent", "other"}, r.EndUser) {
		return false
	}
	if reason.MFA && !r.MFA || r.Held && !reason.Reaches.Held || r.Restricted && !reason.Reaches.Restricted {
		return false
	}
	if !reason.here(r) {
		return false
	}
	return slices.Contains(reason.Places, string(r.Place)) &&
		(r.Place != "tool" || slices.Contains(reason.Tools, r.Tool))
}

var classOrder = []string{"public", "internal", "confidential", "restricted"}

func stricter(a, b string) string {
	if slices.Index(classOrder, a) > slices.Index(classOrder, b) {
		return a
	}
	return b
}

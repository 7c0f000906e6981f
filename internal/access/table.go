package access

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"gopkg.in/yaml.v3"
)

// table is one file of decision tables: what must come out for one action and
// reason.
type table struct {
	file   string
	bucket bucket
	lines  []line
}

// line is one decision. A dimension that it leaves out means any value; roles
// and classes are always spelt out.
type line struct {
	roles    []string
	classes  []Class
	entities []string
	clients  []string
	endUsers []EndUserMatch
	mfa      *bool
	second   *bool
	acr      *bool // one that the reason takes
	consent  *bool
	hours    []string
	network  []string
	with     []condition // what the caller is
	without  []condition // what the caller is not
	places   []Place
	tools    []string
	stored   []string

	allow bool
	form  Form
	after int // so many approvals; with fewer the answer is WhyNeedsApproval
	why   Why
}

const (
	clientSame  = "same"
	clientOther = "other"

	storedLive           = "live"
	storedHeld           = "held"
	storedRestricted     = "restricted"
	storedHeldRestricted = "held_restricted"

	inside  = "inside"
	outside = "outside"

	getsAllowed = "allowed" // for actions without a value
	getsNothing = "nothing"
)

var (
	clientWords = []string{clientSame, clientOther}
	storedWords = []string{storedLive, storedHeld, storedRestricted, storedHeldRestricted}
	limitWords  = []string{inside, outside}
)

type tableDoc struct {
	Action    Action    `yaml:"action"`
	Reason    string    `yaml:"reason"`
	Decisions []lineDoc `yaml:"decisions"`
}

type lineDoc struct {
	Who      words  `yaml:"who"`
	Data     words  `yaml:"data"`
	Entities words  `yaml:"entities"`
	Client   words  `yaml:"client"`
	EndUser  words  `yaml:"end_user"`
	MFA      *bool  `yaml:"mfa"`
	Second   *bool  `yaml:"second_person"`
	ACR      *bool  `yaml:"acr"`
	Consent  *bool  `yaml:"consent"`
	Hours    words  `yaml:"hours"`
	Network  words  `yaml:"network"`
	With     words  `yaml:"with"`
	Without  words  `yaml:"without"`
	Place    words  `yaml:"place"`
	Tool     words  `yaml:"tool"`
	Stored   words  `yaml:"stored"`
	Gets     string `yaml:"gets"`
	After    *int   `yaml:"after"`
	Because  Why    `yaml:"because"`
}

// words is one word or a list of them.
type words []string

// UnmarshalYAML takes a scalar or a sequence.
func (w *words) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*w = words{node.Value}
		return nil
	}
	return node.Decode((*[]string)(w))
}

// readTables reads decisions/*.yaml. Without any the bundle still loads, and
// Check fails on every combination.
func (p *Policy) readTables(fsys fs.FS) ([]table, error) {
	names, err := fs.Glob(fsys, dirDecisions+"/*")
	if err != nil {
		return nil, err
	}
	if len(names) > maxTables {
		return nil, fmt.Errorf("%s: more than %d files", dirDecisions, maxTables)
	}
	slices.Sort(names)
	var out []table
	for _, name := range names {
		text, err := readFile(fsys, name)
		if err != nil {
			return nil, err
		}
		var doc tableDoc
		if path.Ext(name) != ".yaml" {
			return nil, fmt.Errorf("%s is not a decision table", name)
		}
		if err := decodeYAML(text, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		t, err := p.table(name, doc)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, t)
	}
	return out, nil
}

func (p *Policy) table(file string, doc tableDoc) (table, error) {
	t := table{file: file, bucket: bucket{doc.Action, doc.Reason}}
	if !slices.Contains(Actions(), doc.Action) {
		return t, fmt.Errorf("unknown action %q", doc.Action)
	}
	if doc.Action == ActionRestore {
		if _, ok := p.reasons[doc.Reason]; !ok {
			return t, fmt.Errorf("unknown reason %q", doc.Reason)
		}
	} else {
		if doc.Reason != "" {
			return t, fmt.Errorf("%s takes no reason", doc.Action)
		}
		t.bucket.reason = none
	}
	for i, d := range doc.Decisions {
		l, err := p.line(t.bucket, d)
		if err != nil {
			return t, fmt.Errorf("decision %d: %w", i+1, err)
		}
		t.lines = append(t.lines, l)
	}
	return t, nil
}

func (p *Policy) line(b bucket, d lineDoc) (line, error) {
	l := line{entities: d.Entities, mfa: d.MFA, second: d.Second, acr: d.ACR, consent: d.Consent, tools: d.Tool}
	err := errors.Join(
		among(&l.roles, "who", d.Who, Roles()),
		among(&l.classes, "data", d.Data, Classes()),
		among(&l.clients, "client", d.Client, clientWords),
		among(&l.endUsers, "end_user", d.EndUser, EndUserMatches()),
		among(&l.places, "place", d.Place, Places()),
		among(&l.stored, "stored", d.Stored, storedWords),
		among(&l.hours, "hours", d.Hours, limitWords),
		among(&l.network, "network", d.Network, limitWords),
		facts(&l.with, "with", d.With),
		facts(&l.without, "without", d.Without),
	)
	if err != nil {
		return l, err
	}
	for _, e := range l.entities {
		if _, ok := p.entities[e]; !ok {
			return l, fmt.Errorf("unknown entity %q", e)
		}
	}
	for _, tool := range l.tools {
		if !toolName.MatchString(tool) || tool == unnamedTool {
			return l, fmt.Errorf("tool: it must match %s", toolName)
		}
	}
	if err := l.fits(b.action, p.reasons[b.reason]); err != nil {
		return l, err
	}
	return l, l.outcome(b.action, d)
}

// fits refuses what the action or the reason does not have: a decision about it
// would cover nothing, or all.
func (l *line) fits(action Action, reason *Reason) error {
	if len(l.roles) == 0 || (action == ActionRestore) != (len(l.classes) > 0) {
		return errors.New("who is required, and data for restore and only there")
	}
	if action != ActionHoldRelease && l.second != nil {
		return fmt.Errorf("%s has no %s", action, secondPerson)
	}
	if action != ActionRestore {
		if len(l.entities)+len(l.places)+len(l.tools)+len(l.stored) > 0 {
			return fmt.Errorf("%s has no entities, place, tool or stored", action)
		}
		reason = &Reason{} // and no demands
	}
	for field, extra := range map[string]bool{
		"acr":     l.acr != nil && len(reason.ACR) == 0,
		"consent": l.consent != nil && reason.Consent == "",
		"hours":   len(l.hours) > 0 && reason.Hours == nil,
		"network": len(l.network) > 0 && len(reason.Networks) == 0,
	} {
		if extra {
			return fmt.Errorf("%s: nothing of it is demanded", field)
		}
	}
	return nil
}

// outcome reads what must come out.
func (l *line) outcome(action Action, d lineDoc) error {
	if d.Gets == getsNothing {
		switch {
		case d.After != nil:
			return errors.New("after goes with a form only")
		case d.Because == WhyNeedsApproval:
			return fmt.Errorf("because: instead of %q say what is given, and after how many approvals", d.Because)
		case !slices.Contains(Whys(), d.Because):
			return fmt.Errorf("because: unknown %q", d.Because)
		}
		l.why = d.Because
		return nil
	}
	if d.Because != WhyNone {
		return errors.New("because goes with nothing only")
	}
	l.allow = true
	if action != ActionRestore {
		if d.Gets != getsAllowed || d.After != nil {
			return fmt.Errorf("gets: %s gets %q or %q", action, getsAllowed, getsNothing)
		}
		return nil
	}
	if l.form = Form(d.Gets); l.form.rank() == 0 {
		return fmt.Errorf("gets: unknown %q", d.Gets)
	}
	if d.After != nil {
		if *d.After < 1 || *d.After > maxApprovals {
			return fmt.Errorf("after must be 1 to %d approvals", maxApprovals)
		}
		l.after = *d.After
	}
	return nil
}

// among checks words against a closed list.
func among[T ~string](into *[]T, field string, given words, known []T) error {
	for _, word := range given {
		if !slices.Contains(known, T(word)) || slices.Contains(*into, T(word)) {
			return fmt.Errorf("%s: unknown or repeated %q", field, word)
		}
		*into = append(*into, T(word))
	}
	return nil
}

// facts reads conditions on what a caller or the installation is.
func facts(into *[]condition, field string, given words) error {
	for _, name := range given {
		c, err := parseCondition(name)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		if c.fact == "" {
			return fmt.Errorf("%s: %q has a field of its own", field, name)
		}
		*into = append(*into, c)
	}
	return nil
}

// covers says whether the line decides this request. The reason is nil for what
// has none.
func (l *line) covers(r *Request, reason *Reason) bool {
	client := clientOther
	if r.SameClient {
		client = clientSame
	}
	for _, c := range l.with {
		if !c.holds(r) {
			return false
		}
	}
	for _, c := range l.without {
		if c.holds(r) {
			return false
		}
	}
	return slices.Contains(l.roles, r.Roles[0]) &&
		anyOr(l.classes, r.Class) && anyOr(l.entities, r.Entity) &&
		anyOr(l.clients, client) && anyOr(l.endUsers, r.EndUser) &&
		(l.mfa == nil || *l.mfa == r.MFA) && (l.second == nil || *l.second == r.SecondPerson) &&
		anyOr(l.places, r.Place) && anyOr(l.tools, r.Tool) && anyOr(l.stored, storedWord(r)) &&
		(reason == nil || l.demanded(r, reason))
}

// demanded is covers for what the reason demands.
func (l *line) demanded(r *Request, reason *Reason) bool {
	return (l.acr == nil || *l.acr == slices.Contains(reason.ACR, r.ACR)) &&
		(l.consent == nil || *l.consent == r.Consented) &&
		(len(l.hours) == 0 || slices.Contains(l.hours, insideIf(reason.Hours.Contain(r.At)))) &&
		(len(l.network) == 0 || slices.Contains(l.network, insideIf(reason.inNetwork(r.Address))))
}

func insideIf(yes bool) string {
	if yes {
		return inside
	}
	return outside
}

func anyOr[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func storedWord(r *Request) string {
	switch {
	case r.Held && r.Restricted:
		return storedHeldRestricted
	case r.Held:
		return storedHeld
	case r.Restricted:
		return storedRestricted
	}
	return storedLive
}

// agrees says whether the decision is the one that the line demands.
func (l *line) agrees(r *Request, d Decision) bool {
	if l.allow && r.Approved < l.after {
		return !d.Allow && d.Why == WhyNeedsApproval && d.Approvals == l.after
	}
	return d.Allow == l.allow && d.Form == l.form && d.Why == l.why && (!l.allow || d.Approvals == l.after)
}

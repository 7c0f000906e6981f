package detect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// Custom is what one customer looks for besides what the package knows, and what is never to be reported to it. It is
// data of the customer: no error quotes an expression or a phrase.
//
// Patterns and lists see the folded text, as every recogniser does, and run over all of it, so that they cost
// time in proportion to the text and to their number. See the limits.
type Custom struct {
	Patterns []Pattern
	Deny     []DenyList
	Allow    []AllowList
}

// Pattern finds what a regular expression matches. Its rule is custom/<Name>.
type Pattern struct {
	Name   string
	Entity string
	// Expression is RE2, as package regexp reads it. It matches at least one character and is not tied to the
	// begin or end of the text; (?m) ties it to lines. Where a group is named "value", that part is the finding.
	Expression string
	// Context are words of which one has to stand near a match; empty asks for none.
	Context []string
	// Score is above 0 and at most 1; 0 means 1.
	Score float64
}

// DenyList finds words and phrases wherever they stand as whole words, whatever else is found there. Its rule is
// deny/<Name>.
type DenyList struct {
	Name      string
	Entity    string
	Phrases   []string
	MatchCase bool // find them as they are written only
}

// AllowList are words and phrases that are not reported: a finding that lies wholly within one of them, where it stands
// as whole words. What a DenyList finds is reported all the same.
type AllowList struct {
	Phrases    []string
	Entities   []string // counts for these only; empty means all
	IgnoreCase bool     // allow them however they are written
	// EvenBlocked lets what it names through where it would have been blocked: see Found.Allowed.
	EvenBlocked bool
}

// The limits of a Custom: far above what one tenant was ever seen to need, and low enough that all of it
// together does not slow a text down beyond its deadline.
const (
	MaxPatterns      = 50
	MaxPatternBytes  = 1000 // of an expression
	MaxPatternSteps  = 1000 // of its program: what one byte of text may cost
	MaxPatternMatch  = 1024 // bytes of a match; the rest of a longer one may not be found
	MaxPhrases       = 10_000
	MaxPhraseBytes   = 256
	MaxPhraseWords   = 32
	MaxLists         = 100 // of each sort
	MaxPatternsWords = 50  // context words of one pattern
)

// Found is what Search found.
type Found struct {
	// Spans are sorted and do not overlap.
	Spans []Span
	// Denied are of deny lists. They may overlap one another and Spans: each of them counts.
	Denied []Span
	// Allowed were taken out of Spans by an allow list that does not say EvenBlocked: they count all the same
	// where they are blocked, which this package cannot know.
	Allowed []Span
}

// custom is a Custom, ready to run. The zero value finds nothing.
type custom struct {
	patterns []pattern
	phrases  phrases
	deny     []DenyList
	allow    []AllowList
	version  string
}

var (
	customName   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	customEntity = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,31}$`) // the grammar of the catalogue
)

const (
	rulePattern = "custom/"
	ruleDeny    = "deny/"
)

// CustomFault is a rule that a part of a Custom breaks. It quotes nothing of it.
type CustomFault struct{ Place, Rule string }

func (f CustomFault) Error() string { return ErrOptions.Error() + ": " + f.Place + ": " + f.Rule }

// Unwrap makes it an ErrOptions.
func (f CustomFault) Unwrap() error { return ErrOptions }

// DefaultEntities are those that a Detector looks for where nobody says otherwise.
func DefaultEntities() []string { return slices.Sorted(maps.Keys(defaults())) }

// Check returns every rule that a Custom breaks.
func (c Custom) Check() []CustomFault {
	_, faults := c.compile()
	return faults
}

// compile makes what runs, and collects what is wrong.
func (c Custom) compile() (custom, []CustomFault) {
	// The lists are copied: a Detector never changes.
	out := custom{deny: slices.Clone(c.Deny), allow: slices.Clone(c.Allow), phrases: phrases{root: &phraseNode{}}}
	var faults []CustomFault
	report := func(place string, n int, rule string) {
		faults = append(faults, CustomFault{fmt.Sprintf("%s[%d]", place, n), rule})
	}
	if len(c.Patterns) > MaxPatterns || len(c.Deny) > MaxLists || len(c.Allow) > MaxLists {
		return out, []CustomFault{{"patterns", fmt.Sprintf("must be %d at most, and lists of each sort %d", MaxPatterns, MaxLists)}}
	}
	names := map[string]bool{}
	named := func(place string, n int, name, entity string) {
		switch {
		case !customName.MatchString(name):
			report(place, n, "the name must match "+customName.String())
		case names[place+name]:
			report(place, n, "the name is given twice")
		case !customEntity.MatchString(entity):
			report(place, n, "the entity must be one of the catalogue")
		}
		names[place+name] = true
	}
	for n, p := range c.Patterns {
		named("patterns", n, p.Name, p.Entity)
		compiled, err := p.compile()
		if err != nil {
			report("patterns", n, err.Error())
		}
		out.patterns = append(out.patterns, compiled)
	}
	for n, l := range c.Deny {
		named("deny", n, l.Name, l.Entity)
		if err := out.phrases.add(l.Phrases, phraseList{number: n, exact: l.MatchCase}); err != nil {
			report("deny", n, err.Error())
		}
	}
	for n, l := range c.Allow {
		if slices.ContainsFunc(l.Entities, func(e string) bool { return !customEntity.MatchString(e) }) {
			report("allow", n, "the entities must be of the catalogue")
		}
		if err := out.phrases.add(l.Phrases, phraseList{number: n, allow: true, exact: !l.IgnoreCase}); err != nil {
			report("allow", n, err.Error())
		}
	}
	return out, faults
}

// Entities are those that a Custom names, each once.
func (c Custom) Entities() []string {
	var all []string
	for _, p := range c.Patterns {
		all = append(all, p.Entity)
	}
	for _, l := range c.Deny {
		all = append(all, l.Entity)
	}
	for _, l := range c.Allow {
		all = append(all, l.Entities...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (c Custom) empty() bool { return len(c.Patterns)+len(c.Deny)+len(c.Allow) == 0 }

// With is a Detector like d that has another Custom. The two share the rules of the package, so that many
// customers cost little.
func (d *Detector) With(c Custom) (*Detector, error) {
	out := *d
	out.thresholds = maps.Clone(d.thresholds)
	out.custom = custom{}
	if err := out.customise(c); err != nil {
		return nil, err
	}
	return &out, nil
}

// customise adds a Custom to a Detector that has its own rules already.
func (d *Detector) customise(c Custom) error {
	if c.empty() {
		return nil
	}
	compiled, faults := c.compile()
	if len(faults) > 0 {
		return faults[0]
	}
	for n, p := range compiled.patterns {
		if t, wanted := d.thresholds[p.entity]; wanted && p.score < t {
			return CustomFault{fmt.Sprintf("patterns[%d]", n), "the score is below the threshold of " + p.entity + ": it would find nothing"}
		}
	}
	for _, p := range c.Patterns {
		d.admit(p.Entity)
	}
	for _, l := range c.Deny {
		d.admit(l.Entity)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", c))
	compiled.version = "-" + hex.EncodeToString(sum[:8])
	d.custom = compiled
	return nil
}

// admit lets findings of an entity through that the Detector does not look for by itself.
func (d *Detector) admit(entity string) {
	if _, wanted := d.thresholds[entity]; !wanted {
		d.thresholds[entity] = 0
	}
}

// run looks for what is the customer's own, after the pass.
func (c *custom) run(ctx context.Context, s *scan) error {
	for i := range c.patterns {
		if err := s.runPattern(ctx, &c.patterns[i]); err != nil {
			return err
		}
	}
	return s.runPhrases(ctx, c)
}

// settle divides all that was found by what the lists say of it. more was found by somebody else, on the original text.
func (s *scan) settle(text string, holes [][2]int, spans, more []Span) (Found, error) {
	for _, sp := range more {
		if sp.Start < 0 || sp.End > len(text) || sp.Start >= sp.End || !(sp.Score > 0 && sp.Score <= 1) ||
			!onBoundary(text, sp.Start) || !onBoundary(text, sp.End) || touches(holes, sp.Start, sp.End) {
			return Found{}, fmt.Errorf("%w: an impossible span from outside", ErrFailed)
		}
	}
	if len(s.allowed) == 0 && len(more) == 0 && s.d.custom.deny == nil {
		return Found{Spans: Resolve(spans)}, nil
	}
	var found Found
	var kept []Span
	allowed := s.allowances()
	for _, sp := range slices.Concat(spans, more) {
		switch hit, evenBlocked := allowed.covers(sp); {
		case strings.HasPrefix(sp.Rule, ruleDeny):
			found.Denied = append(found.Denied, sp)
		case !hit:
			kept = append(kept, sp)
		case !evenBlocked:
			found.Allowed = append(found.Allowed, sp)
		}
	}
	slices.SortFunc(found.Denied, byPosition)
	found.Spans = Resolve(kept)
	return found, nil
}

// allowance is where the phrases of one allow list stand: by start, each with the furthest end up to there.
type allowance struct {
	list  *AllowList
	at    [][2]int
	reach []int
}

type allowances []allowance

// allowances sorts what the phrases of allow lists covered, in offsets of the original text.
func (s *scan) allowances() allowances {
	var out allowances
	for n := range s.allowed {
		at := s.allowed[n]
		if len(at) == 0 {
			continue
		}
		for i := range at {
			at[i][0], at[i][1] = s.view.origin(at[i][0], at[i][1])
		}
		slices.SortFunc(at, func(a, b [2]int) int { return a[0] - b[0] })
		a := allowance{list: &s.d.custom.allow[n], at: at}
		furthest := 0
		for _, r := range at {
			furthest = max(furthest, r[1])
			a.reach = append(a.reach, furthest)
		}
		out = append(out, a)
	}
	return out
}

// covers says whether a phrase covers all of a finding, and whether one does that counts for blocked ones too.
func (as allowances) covers(sp Span) (hit, evenBlocked bool) {
	for _, a := range as {
		if len(a.list.Entities) > 0 && !slices.Contains(a.list.Entities, sp.Entity) {
			continue
		}
		i := sort.Search(len(a.at), func(i int) bool { return a.at[i][0] > sp.Start })
		if i > 0 && a.reach[i-1] >= sp.End {
			hit, evenBlocked = true, evenBlocked || a.list.EvenBlocked
		}
	}
	return hit, evenBlocked
}

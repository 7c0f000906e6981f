package detect

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A secret rule is a sequence of parts, separated by spaces:
//
//	=ghp_      this literal. The first literal is what the keyword automaton looks for
//	~accountkey  a name that holds this literal in any case, then an assignment (see assigned); the value begins after it
//	~jira|confluence  the same for each of these names
//	alnum:36   36 characters of a set
//	alnum:36-255   36 to 255 of them: all there are, and no more may follow
//	alnum:36-      36 or more
//	uuid       32 hexadecimal digits in the groups of RFC 9562
//
// A set before the first literal is read backwards from it. Parts never overlap and nothing is tried twice. What is
// assigned without a literal of its own must hold a digit, where its set has digits, or be no word.
type secretRule struct {
	id      string // gitleaks' name of the rule where there is one
	spec    string
	entropy float64 // least Shannon entropy in bits per character, against placeholders; 0 is any
	holds   string  // a literal that the value must contain
	ends    string  // a literal that the value must end with
	weak    bool    // the prefix is short: what passes is less sure
	tangled bool    // the prefix is a word of programs: only what no person would write counts
}

// part is one compiled element: a literal, or min to max characters of a set.
type part struct {
	literal  string
	set      charset
	min, max int
}

const unbounded = math.MaxInt32

type compiledRule struct {
	secretRule
	keyword string
	assign  bool // the keyword is a name, the value follows an assignment
	digit   bool // the value must hold a digit or be no word
	plain   bool // the value has no literal of its own but hyphens
	behind  []part
	parts   []part
}

// charset is a union of byte classes.
type charset uint16

const (
	digitSet charset = 1 << iota
	lowerHexSet
	lowerRestSet
	upperHexSet
	upperRestSet
	underscoreSet
	dashSet
	dotSet
	plusSlashSet
	equalSet
	tildeSet
	percentSet
	symbolSet // the rest of printable ASCII, but no quotes, brackets of markup, or backslash
)

const (
	lowerSet  = lowerHexSet | lowerRestSet
	upperSet  = upperHexSet | upperRestSet
	alnumSet  = digitSet | lowerSet | upperSet
	wordSet   = alnumSet | underscoreSet
	urlSet    = wordSet | dashSet // base64url
	base64Set = alnumSet | plusSlashSet
)

var charsets = map[string]charset{
	"digit": digitSet, "lower": lowerSet, "upper": upperSet, "alpha": lowerSet | upperSet,
	"hex": digitSet | lowerHexSet, "anyhex": digitSet | lowerHexSet | upperHexSet,
	"lownum": digitSet | lowerSet, "upnum": digitSet | upperSet, "alnum": alnumSet, "word": wordSet,
	"dashed": alnumSet | dashSet, "url": urlSet, "urleq": urlSet | equalSet, "dotted": urlSet | equalSet | dotSet,
	"percent": alnumSet | percentSet, "visible": 1<<16 - 1,
	"base64": base64Set, "anybase64": base64Set | urlSet | equalSet, "azure": urlSet | dotSet | tildeSet,
}

var classOf = func() (class [256]charset) {
	for c := range class {
		b := byte(c)
		switch {
		case isDigit(b):
			class[c] = digitSet
		case b >= 'a' && b <= 'f':
			class[c] = lowerHexSet
		case isLower(b):
			class[c] = lowerRestSet
		case b >= 'A' && b <= 'F':
			class[c] = upperHexSet
		case isUpper(b):
			class[c] = upperRestSet
		}
	}
	class['_'], class['-'], class['.'] = underscoreSet, dashSet, dotSet
	class['+'], class['/'], class['='], class['~'] = plusSlashSet, plusSlashSet, equalSet, tildeSet
	class['%'] = percentSet
	for _, c := range []byte("!#$&()*,:;?@[]^{|}") {
		class[c] = symbolSet
	}
	return class
}()

// compiledSecrets is both tables, compiled once.
var compiledSecrets = func() []compiledRule {
	out := make([]compiledRule, 0, len(secretRules)+2*len(namedRules))
	for _, r := range slices.Concat(secretRules, namedRules) {
		name, rest, _ := strings.Cut(r.spec, " ")
		for n := range strings.SplitSeq(name, "|") {
			if !strings.HasPrefix(n, name[:1]) && name[0] == '~' {
				n = "~" + n
			}
			r.spec = strings.TrimSpace(n + " " + rest)
			out = append(out, compileSecret(r))
		}
	}
	return out
}()

// assignedEntropy is far below what a random value of any length in the table has, and above what a filler has.
const assignedEntropy = 2

const uuidSpec = "anyhex:8 =- anyhex:4 =- anyhex:4 =- anyhex:4 =- anyhex:12"

// compileSecret panics on a rule that does not parse: the table is part of the program.
func compileSecret(r secretRule) compiledRule {
	c := compiledRule{secretRule: r}
	for f := range strings.FieldsSeq(strings.ReplaceAll(r.spec, "uuid", uuidSpec)) {
		if f[0] == '=' || f[0] == '~' {
			if c.keyword == "" {
				c.keyword, c.assign = f[1:], f[0] == '~'
				c.behind, c.parts = c.parts, nil
				continue
			}
			c.parts = append(c.parts, part{literal: f[1:]})
			continue
		}
		c.parts = append(c.parts, compilePart(r.id, f))
	}
	if c.keyword == "" {
		panic("detect: no literal in secret rule " + r.id)
	}
	if c.assign && len(c.parts) == 1 {
		set := c.parts[0].set
		c.digit = set&digitSet != 0 && set&^digitSet != 0
	}
	c.plain = c.assign && !slices.ContainsFunc(c.parts, func(p part) bool { return p.literal != "" && p.literal != "-" })
	if c.assign && c.entropy == 0 {
		c.entropy = assignedEntropy
	}
	return c
}

func compilePart(id, spec string) part {
	name, count, _ := strings.Cut(spec, ":")
	lo, hi, ranged := strings.Cut(count, "-")
	p := part{set: charsets[name]}
	p.min, _ = strconv.Atoi(lo)
	p.max = p.min
	switch {
	case ranged && hi == "":
		p.max = unbounded
	case ranged:
		p.max, _ = strconv.Atoi(hi)
	}
	if p.set == 0 || p.min == 0 || p.max < p.min {
		panic("detect: bad part in secret rule " + id)
	}
	return p
}

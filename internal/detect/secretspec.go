package detect

import (
	"math"
	"strconv"
	"strings"
)

// A secret rule is a sequence of parts, separated by spaces:
//
//	=ghp_      this literal. The first literal is what the keyword automaton looks for
//	~accountkey  this literal in any case, then an assignment; the value begins after it
//	alnum:36   36 characters of a set
//	alnum:36-255   36 to 255 of them: all there are, and no more may follow
//	alnum:36-      36 or more
//
// A set before the first literal is read backwards from it. Parts never overlap and nothing is tried twice.
type secretRule struct {
	id      string // gitleaks' name of the rule where there is one
	spec    string
	entropy float64 // least Shannon entropy in bits per character, against placeholders; 0 is any
	holds   string  // a literal that the value must contain
	ends    string  // a literal that the value must end with
	weak    bool    // the prefix is short: what passes is less sure
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
	return class
}()

// compiledSecrets is the table, compiled once.
var compiledSecrets = func() []compiledRule {
	out := make([]compiledRule, 0, len(secretRules))
	for _, r := range secretRules {
		out = append(out, compileSecret(r))
	}
	return out
}()

// compileSecret panics on a rule that does not parse: the table is part of the program.
func compileSecret(r secretRule) compiledRule {
	c := compiledRule{secretRule: r}
	for f := range strings.FieldsSeq(r.spec) {
		if f[0] == '=' || f[0] == '~' {
			if c.keyword == "" {
				c.keyword, c.assign = f[1:], f[0] == '~'
				c.behind, c.parts = c.parts, nil
				continue
			}
			c.parts = append(c.parts, part{literal: f[1:]})
			continue
		}
		name, count, _ := strings.Cut(f, ":")
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
			panic("detect: bad part in secret rule " + r.id)
		}
		c.parts = append(c.parts, p)
	}
	if c.keyword == "" {
		panic("detect: no literal in secret rule " + r.id)
	}
	return c
}

package detect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// # Identifiers
//
// What states, banks and registers give out ("S1234567D", "AB 12 34 56 C", "51 824 753 556") is found by
// tables of idRule and one matcher. The pass stops at each word that holds a digit, once; an index over the length of
// that word, the kind of its first character and what stands beside it yields the few forms that can match there; a form
// is compared byte by byte, at fixed places, so that no form looks further than its own length.
//
// What fits a form must stand by itself (see apart), pass the check of its rule, and is then scored by the evidence:
//
//	bare   nothing but form and check speaks for it
//	lone   it is all there is in the text: a cell or a field, where nothing could speak for or against it
//	hint   a word of its surroundings stands near
//	named  a word that names it stands near, as in context.go: whole words only, the nearest decides
//
// A word that names something else ("order", "version") takes idAgainst off the bare score. The explanation of a
// finding is the name of its rule and the evidence: "ca-sin/named".
//
// The score of the evidence is chosen by how much chance it leaves. One in ten numbers of the right length passes a
// check digit, so that digits with a check digit (idChecked) are nothing by themselves; with separators in the
// scheme's own places (idGrouped) or letters and a check (idCertain) they are. What has no check (idNamed) needs
// its name.
type idRule struct {
	entity string
	name   string // of the rule, unique: "ca-sin"
	forms  []idForm
	check  func(value string) bool // of the letters and digits alone, in upper case; nil: the form is all there is
	words  words                   // beside those of idAgainstWords, which they override
	// exact means that check wants letters as they stand, anyCase that small ones are usual: they cost nothing then. With
	// capitals a value that has small ones is none.
	exact, anyCase, capitals bool
}

// idForm is how an identifier is written: '9' is a digit, '@' a letter, '*' either, '_' a separator of seps, the same
// at each place; every other character stands for itself, letters in either case. "{6-9}" repeats what is before it,
// '|' divides alternatives: "9{8}@|@@_99_99_99_@".
type idForm struct {
	shape  string
	seps   string // of " -./:"
	scores idScores
}

type idScores struct{ bare, lone, hint, noun float64 }

var (
	// idCertain: chance leaves less than one in a thousand words of that form.
	idCertain = idScores{bare: 0.85, lone: 0.9, hint: 0.9, noun: 0.95}
	// idGrouped: digits with a check digit and separators where the scheme has them, or a form like no other.
	idGrouped = idScores{bare: 0.55, lone: 0.6, hint: 0.75, noun: 0.95}
	// idSpaced is idGrouped with spaces, which divide numbers in tables and of phones just so.
	idSpaced = idScores{bare: 0.4, lone: 0.6, hint: 0.75, noun: 0.95}
	// idChecked: digits with a check digit, as one in ten numbers of that length.
	idChecked = idScores{bare: 0.2, lone: 0.52, hint: 0.6, noun: 0.9}
	// idHinted: no check, but a form that is rare enough for a hint.
	idHinted = idScores{bare: 0.15, lone: 0.3, hint: 0.55, noun: 0.85}
	// idNamed: no check, and a form that much else has.
	idNamed = idScores{bare: 0.05, lone: 0.1, hint: 0.3, noun: 0.75}
)

const (
	// idAgainst is what a word against costs: certain ones remain.
	idAgainst = 0.3
	// idSmall is the most that a value with small letters gets by itself: identifiers are written in capitals.
	idSmall = 0.4
	// maxCode is the longest word that is looked at: above the 90 characters of a bech32 address (BIP 173).
	maxCode = 96
	// maxForms bounds what repetitions in a shape expand to, against a mistyped table.
	maxForms = 64
)

// idAgainstWords name what has numbers that look like identifiers.
var idAgainstWords = words{
	"order": against, "orders": against, "invoice": against, "isbn": against, "issn": against, "ean": against, "gtin": against, "upc": against,
	"sku": against, "serial": against, "tracking": against, "ticket": against, "version": against, "commit": against, "build": against,
	"revision": against, "timestamp": against, "epoch": against, "unix": against, "bytes": against, "size": against, "total": against,
	"price": against, "amount": against, "port": against, "rfc": against, "doi": against, "hash": against, "uuid": against, "part": against,
	"model": against, "product": against, "phone": against, "telephone": against, "tel": against, "fax": against, "mobile": against,
	"error": against, "seed": against, "call": against, "calls": against, "dial": against, "answering": against, "whatsapp": against,
	"sms": against, "cell": against, "reach": against, "date": against, "dated": against, "created": against, "updated": against,
}

// identifiers makes a recogniser of each entity of a table.
func identifiers(rules []idRule) []recogniser {
	var out []recogniser
	for _, r := range rules {
		i := slices.IndexFunc(out, func(o recogniser) bool { return o.entity == r.entity })
		if i < 0 {
			i = len(out)
			out = append(out, recogniser{name: "identifier", entity: r.entity, on: onCode})
		}
		out[i].ids = append(out[i].ids, r)
	}
	return out
}

// idFacts is what a table says, for the version of a detector.
func idFacts(rules []idRule) any { return idTable(rules) }

// idTable prints the rules without the addresses of their checks, and only when somebody asks: families are built often,
// their facts are read once per detector.
type idTable []idRule

// GoString is what %#v prints.
func (t idTable) GoString() string {
	var b strings.Builder
	for _, r := range t {
		fmt.Fprintf(&b, "%s %s %v %t %t %t %t %v\n", r.entity, r.name, r.forms, r.check != nil, r.exact, r.anyCase, r.capitals, r.words)
	}
	fmt.Fprintln(&b, idAgainstWords)
	return b.String()
}

// idIndex is the forms of a Detector, by where they can match.
type idIndex struct {
	// by holds the forms whose anchor begins with a digit (0) or a letter (1), by its length.
	by [2][maxCode + 1]*idBucket
	// wordIDs numbers all context words of the rules, from 1 on.
	wordIDs map[string]int
}

// idKnown is a rule of the index.
type idKnown struct {
	entity   string
	check    func(string) bool
	exact    bool
	anyCase  bool
	capitals bool
	least    float64  // what scores less is not reported
	weights  []weight // by number of the word
	because  [4]string
}

// Evidence, the index of idKnown.because.
const (
	byBare = iota
	byLone
	byHint
	byNoun
)

func newIDIndex(all []recogniser, thresholds map[string]float64) *idIndex {
	x := &idIndex{wordIDs: map[string]int{}}
	var rules []idRule
	for _, r := range all {
		rules = append(rules, r.ids...)
	}
	if len(rules) == 0 {
		return nil
	}
	for _, r := range rules {
		x.number(r.words)
	}
	x.number(idAgainstWords)
	for _, r := range rules {
		x.add(r, thresholds[r.entity])
	}
	return x
}

func (x *idIndex) number(set words) {
	for _, w := range slices.Sorted(maps.Keys(set)) {
		if x.wordIDs[w] == 0 {
			x.wordIDs[w] = len(x.wordIDs) + 1
		}
	}
}

func (x *idIndex) add(r idRule, least float64) {
	k := &idKnown{entity: r.entity, check: r.check, exact: r.exact, anyCase: r.exact || r.anyCase, capitals: r.capitals,
		least: least, weights: make([]weight, len(x.wordIDs)+1)}
	for _, set := range []words{idAgainstWords, r.words} {
		for w, is := range set {
			k.weights[x.wordIDs[w]] = is
		}
	}
	for i, evidence := range []string{"bare", "lone", "hint", "named"} {
		k.because[i] = r.name + "/" + evidence
	}
	for _, f := range r.forms {
		if f.scores.noun < least && f.scores.lone < least && f.scores.bare < least {
			continue
		}
		for alternative := range strings.SplitSeq(f.shape, "|") {
			for _, shape := range expand(alternative) {
				x.file(newPattern(k, shape, f))
			}
		}
	}
}

// idBucket divides the forms with one kind of anchor by what stands beside it, so that a word of a sentence is compared
// with next to none.
type idBucket struct {
	whole  []idPattern                               // the anchor is all there is
	after  [separators][3][]idPattern                // by the separator after it, and what follows: see characterKind
	before [separators][maxNeighbour + 1][]idPattern // by the separator before it, and the length of the word before that
}

const (
	// separators are the five of separatorKind, and 0 for everything else.
	separators = 6
	// maxNeighbour is above every group of letters and digits that stands before an anchor.
	maxNeighbour = 8
)

// file puts a pattern where the pass will look for it.
func (x *idIndex) file(p idPattern) {
	first := p.shape[p.before]
	if isDigit(first) || first == '*' {
		x.bucket(0, p.anchor).file(p)
	}
	if !isDigit(first) {
		x.bucket(1, p.anchor).file(p)
	}
}

func (x *idIndex) bucket(kind, length int) *idBucket {
	if x.by[kind][length] == nil {
		x.by[kind][length] = &idBucket{}
	}
	return x.by[kind][length]
}

func (b *idBucket) file(p idPattern) {
	switch end := p.before + p.anchor; {
	case p.before > 0:
		n := 0
		for n < p.before-1 && inCode(p.shape[p.before-2-n]) {
			n++
		}
		for _, kind := range p.kinds(p.shape[p.before-1]) {
			b.before[kind][n] = append(b.before[kind][n], p)
		}
	case end < len(p.shape):
		for _, kind := range p.kinds(p.shape[end]) {
			for _, next := range p.following(end + 1) {
				b.after[kind][next] = append(b.after[kind][next], p)
			}
		}
	default:
		b.whole = append(b.whole, p)
	}
}

package token_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
)

// naive reads tokens by one regular expression for each label, tried at every
// position, and picks among all readings afterwards. It shares Parse with the
// package and nothing else.
type naive struct {
	shapes []naiveShape
}

type naiveShape struct {
	label  string
	closed *regexp.Regexp // with a bracket behind it
	open   *regexp.Regexp
}

const (
	naiveFiller = `[ \t\r\n_\\\x{00AD}\x{200B}-\x{200D}\x{2060}\x{FEFF}\x{2010}-\x{2013}\x{FF0D}\x{FF3F}\x{2028}\x{2029}\p{Zs}-]`
	naiveFront  = `(\\?(?:[\[［【〔⟦]|%5[Bb]))?(` + naiveFiller + `*)`
	naiveBack   = `(` + naiveFiller + `*)([\]］】〕⟧]|%5[Dd])`
	naiveSymbol = `[0-9A-TV-Za-tv-z]`
)

func newNaive(labels []string) (n naive) {
	for _, label := range append([]string{"tok"}, labels...) {
		var p strings.Builder
		for i, r := range label {
			switch {
			case r == '_':
				p.WriteString(naiveFiller) // and more, from what follows
			case i > 0:
				p.WriteString(naiveFiller + "*")
				fallthrough
			default:
				p.WriteString("[" + string(r) + string(unicode.ToLower(r)) + string(unicode.ToUpper(r)) + "]")
			}
		}
		symbols := 10
		if label == "tok" {
			symbols = 28
		}
		p.WriteString(naiveFiller + strings.Repeat(naiveFiller+"*"+naiveSymbol, symbols))
		n.shapes = append(n.shapes, naiveShape{
			label:  label,
			closed: regexp.MustCompile(`^` + naiveFront + `(` + p.String() + `)` + naiveBack),
			open:   regexp.MustCompile(`^` + naiveFront + `(` + p.String() + `)`),
		})
	}
	return n
}

// scan finds all readings and picks: strict ones, then the leftmost, then the
// longest, none over another.
func (n naive) scan(text string) []found {
	type reading struct {
		found
		start, end int
	}
	var all []reading
	for start := range text {
		for _, s := range n.shapes {
			for _, re := range []*regexp.Regexp{s.closed, s.open} {
				at := re.FindStringSubmatchIndex(text[start:])
				if at == nil {
					continue
				}
				if f, ok := s.judge(text, start, at); ok {
					all = append(all, reading{f, start, start + at[1]})
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b reading) int {
		switch {
		case a.Strict != b.Strict:
			return map[bool]int{true: -1, false: 1}[a.Strict]
		case a.start != b.start:
			return a.start - b.start
		}
		return b.end - a.end
	})
	var chosen []reading
	for _, r := range all {
		if !slices.ContainsFunc(chosen, func(c reading) bool { return r.start < c.end && c.start < r.end }) {
			chosen = append(chosen, r)
		}
	}
	slices.SortFunc(chosen, func(a, b reading) int { return a.start - b.start })
	var out []found
	for _, r := range chosen {
		out = append(out, r.found)
	}
	return out
}

// judge applies the rules that the expression does not hold.
func (s naiveShape) judge(text string, start int, at []int) (found, bool) {
	part := func(i int) string {
		if 2*i+1 >= len(at) || at[2*i] < 0 {
			return ""
		}
		return text[start+at[2*i] : start+at[2*i+1]]
	}
	front, indent, body, trail, back := part(1), part(2), part(3), part(4), part(5)
	whole := part(0)
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[start+len(whole):])
	word := func(r rune) bool {
		return r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N) &&
			!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
				unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
	}
	switch {
	case front == "" && (indent != "" || trail != "" || start > 0 && word(before)),
		back == "" && (indent != "" || start+len(whole) < len(text) && word(after)),
		s.label == "tok" && (front != "" || back != ""):
		return found{}, false
	}
	letters := strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf && r != '_' && word(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, body)
	id := strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(letters[len(strings.ReplaceAll(s.label, "_", "")):])
	canonical := "[" + s.label + "_" + id + "]"
	if s.label == "tok" {
		canonical = "tok_" + strings.ToLower(id)
	}
	written := len(canonical)
	if s.label != "tok" {
		written -= map[bool]int{true: 1}[front == ""] + map[bool]int{true: 1}[back == ""]
	}
	units := utf8.RuneCountInString(regexp.MustCompile(`^(\\?)%..|%..$`).ReplaceAllString(whole, "$1#"))
	tok, err := token.Parse(canonical)
	if err != nil || units > written+8 {
		return found{}, false
	}
	strict := canonical == whole
	if !strict && (!strings.ContainsAny(id, "23456789") || !strings.ContainsAny(id, "ABCDEFGHJKMNPQRSTVWXYZ")) {
		return found{}, false
	}
	return found{whole, tok.String(), strict}, true
}

// TestScanIsWhatItSays compares the automaton with the naive reading on texts
// full of whole, spoilt and broken tokens.
func TestScanIsWhatItSays(t *testing.T) {
	labels := []string{"A", "US", "US_SSN", "PHONE_NUMBER", "PHONE_NUMBER_123", "TOK", "EMAIL_ADDRESS"}
	v, n := vocabulary(t, labels...), newNaive(labels)
	m := newMinter(t, labels)
	texts, hits := 4000, 0
	if long() {
		texts *= 50
	}
	for range texts {
		text := strings.ToValidUTF8(m.sentence(4), "\uFFFD")
		want := n.scan(text)
		hits += len(want)
		if diff := cmp.Diff(want, scan(v, text)); diff != "" {
			t.Fatalf("%q\n%s", text, diff)
		}
	}
	if hits < texts {
		t.Errorf("only %d candidates in %d texts", hits, texts)
	}
}

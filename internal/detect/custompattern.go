package detect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is a Pattern, ready to run.
type pattern struct {
	rule, entity string
	re           *regexp.Regexp
	group        int    // of the match that is the finding; 0 is all of it
	literal      string // without which nothing matches; "" where there is none
	context      words
	score        float64
}

// valueGroup is the name of the group that is the finding, where an expression has one.
const valueGroup = "value"

// compile says what is wrong with a pattern without quoting it.
func (p Pattern) compile() (pattern, error) {
	out := pattern{rule: rulePattern + p.Name, entity: p.Entity, score: p.Score}
	if out.score == 0 {
		out.score = 1
	}
	if !(out.score > 0 && out.score <= 1) {
		return out, errors.New("the score must be above 0 and at most 1")
	}
	if len(p.Expression) == 0 || len(p.Expression) > MaxPatternBytes {
		return out, fmt.Errorf("the expression must have from 1 to %d bytes", MaxPatternBytes)
	}
	parsed, err := syntax.Parse(p.Expression, syntax.Perl)
	if err != nil {
		var bad *syntax.Error
		if errors.As(err, &bad) {
			return out, fmt.Errorf("the expression is not RE2: %s", bad.Code)
		}
		return out, errors.New("the expression is not RE2")
	}
	switch {
	case shortest(parsed) == 0:
		return out, errors.New("the expression must not match nothing")
	case holdsOp(parsed, syntax.OpBeginText, syntax.OpEndText):
		return out, errors.New("the expression must not be tied to the begin or end of the text: (?m) ties ^ and $ to lines")
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > MaxPatternSteps {
		return out, fmt.Errorf("the expression must compile to at most %d steps", MaxPatternSteps)
	}
	if out.re, err = regexp.Compile(p.Expression); err != nil {
		return out, errors.New("the expression is not RE2")
	}
	if out.group = max(out.re.SubexpIndex(valueGroup), 0); out.group > 0 && emptyGroup(parsed, out.group) {
		return out, errors.New("the group named value must not match nothing")
	}
	out.literal = required(parsed)
	out.context, err = contextWords(p.Context)
	return out, err
}

// contextWords makes a set of the words; any of them names what stands beside it.
func contextWords(list []string) (words, error) {
	if len(list) > MaxPatternsWords {
		return nil, fmt.Errorf("there must be at most %d context words", MaxPatternsWords)
	}
	if len(list) == 0 {
		return nil, nil
	}
	set := make(words, len(list))
	for _, w := range list {
		w = strings.ToLower(fold(w, nil).text)
		if w == "" || len(w) > maxContextWord || strings.ContainsFunc(w, func(r rune) bool { return r < utf8.RuneSelf && !unicode.IsLetter(r) }) {
			return nil, fmt.Errorf("a context word must be one word of letters, of at most %d bytes", maxContextWord)
		}
		set[w] = noun
	}
	return set, nil
}

// shortest is how many characters an expression matches at least. What it cannot tell it takes for one.
func shortest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpStar, syntax.OpQuest:
		return 0
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * shortest(re.Sub[0])
	case syntax.OpConcat:
		total := 0
		for _, sub := range re.Sub {
			total += shortest(sub)
		}
		return total
	case syntax.OpAlternate:
		least := shortest(re.Sub[0])
		for _, sub := range re.Sub[1:] {
			least = min(least, shortest(sub))
		}
		return least
	default:
		return 1
	}
}

func holdsOp(re *syntax.Regexp, ops ...syntax.Op) bool {
	for _, op := range ops {
		if re.Op == op {
			return true
		}
	}
	for _, sub := range re.Sub {
		if holdsOp(sub, ops...) {
			return true
		}
	}
	return false
}

func emptyGroup(re *syntax.Regexp, group int) bool {
	if re.Op == syntax.OpCapture && re.Cap == group {
		return shortest(re.Sub[0]) == 0
	}
	for _, sub := range re.Sub {
		if emptyGroup(sub, group) {
			return true
		}
	}
	return false
}

// required is the longest text that every match holds, as far as the expression says it plainly.
func required(re *syntax.Regexp) string {
	switch {
	case re.Op == syntax.OpLiteral && re.Flags&syntax.FoldCase == 0:
		return string(re.Rune)
	case re.Op == syntax.OpCapture, re.Op == syntax.OpPlus, re.Op == syntax.OpRepeat && re.Min > 0:
		return required(re.Sub[0])
	case re.Op == syntax.OpConcat:
		longest := ""
		for _, sub := range re.Sub {
			if s := required(sub); len(s) > len(longest) {
				longest = s
			}
		}
		return longest
	default:
		return ""
	}
}

// patternWindow is how much text an expression sees at a time, besides MaxPatternMatch behind it. All matches of an
// expression in n bytes can cost n times n steps, so that n is small; between windows the clock is looked at.
const patternWindow = 8 << 10

// runPattern runs an expression over the text, window by window: each match belongs to the window that it begins in.
func (s *scan) runPattern(ctx context.Context, p *pattern) error {
	s.active = p.rule
	for from := 0; from < len(s.text); {
		if err := contextError(ctx); err != nil {
			return err
		}
		to := windowEnd(s.text, from)
		s.matches(p, from, to)
		from = to
	}
	return nil
}

// windowEnd ends a window where no word goes on, if there is such a place near its full size.
func windowEnd(text string, from int) int {
	end := from + patternWindow
	if end >= len(text) {
		return len(text)
	}
	for i := end; i > end-MaxPatternMatch; i-- {
		if text[i-1] == '\n' {
			return i
		}
	}
	for i := end; i > end-MaxPatternMatch; i-- {
		if text[i-1] == ' ' {
			return i
		}
	}
	return runeStart(text, end)
}

// runeStart is the begin of the character at i, so that no window cuts one.
func runeStart(text string, i int) int {
	for back := i; back > i-utf8.UTFMax && back > 0; back-- {
		if onBoundary(text, back) {
			return back
		}
	}
	return i
}

func (s *scan) matches(p *pattern, from, to int) {
	end := len(s.text)
	if to+MaxPatternMatch < end {
		end = runeStart(s.text, to+MaxPatternMatch)
	}
	window := s.text[from:end]
	if !strings.Contains(window, p.literal) {
		return
	}
	for _, m := range p.re.FindAllStringSubmatchIndex(window, -1) {
		if from+m[0] >= to {
			return
		}
		if m[2*p.group] >= 0 {
			m = m[2*p.group:]
		}
		if start, stop := from+m[0], from+m[1]; p.context == nil || s.context(p.context, start, stop) >= hint {
			s.pieces(p, start, stop)
		}
	}
}

// pieces reports a match, or what it has on both sides of a reserved range.
func (s *scan) pieces(p *pattern, start, end int) {
	if strings.IndexByte(s.text[start:end], hole) < 0 {
		s.report(p.entity, p.rule, start, end, p.score)
		return
	}
	for start < end {
		stop := end
		if i := strings.IndexByte(s.text[start:end], hole); i >= 0 {
			stop = start + i
		}
		piece := s.text[start:stop]
		from := start + len(piece) - len(strings.TrimLeft(piece, " \t\r\n"))
		if trimmed := strings.TrimSpace(piece); trimmed != "" {
			s.report(p.entity, p.rule, from, from+len(strings.TrimRight(s.text[from:stop], " \t\r\n")), p.score)
		}
		start = stop + 1
	}
}

package token_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
)

// population is a scope full of tokens.
type population struct {
	*minter
	words *token.Vocabulary
	all   []token.Token
	live  map[token.Token]bool
}

// populate mints as many tokens as a busy scope has.
func populate(t testing.TB, words *token.Vocabulary) *population {
	p := &population{minter: newMinter(t, words.Labels()), words: words, live: map[token.Token]bool{}}
	for len(p.all) < 10_000 {
		tok := p.label()
		if p.IntN(8) == 0 {
			tok = p.opaque()
		}
		if !p.live[tok] {
			p.live[tok] = true
			p.all = append(p.all, tok)
		}
	}
	return p
}

// edit changes one thing: a character, two neighbours, the label, or the end
// against that of another token.
func (p *population) edit(s string) string {
	const typed = "0123456789ABCDEFGHJKMNPQRSTVWXYZ0123456789abcdefghjkmnpqrstvwxyzOILUoilu _-\\[]\n."
	b := typed[p.IntN(len(typed))]
	if len(s) < 2 {
		return s + string(b)
	}
	i := p.IntN(len(s))
	switch p.IntN(8) {
	case 0, 1, 2:
		return s[:i] + string(b) + s[i+1:]
	case 3:
		return s[:i] + string(b) + s[i:]
	case 4:
		return s[:i] + s[i+1:]
	case 5:
		i = max(i, 1)
		return s[:i-1] + s[i:i+1] + s[i-1:i] + s[i+1:]
	case 6:
		other := p.all[p.IntN(len(p.all))].String()
		n := min(1+p.IntN(9), len(s)) // of its ten last symbols or fewer
		return s[:len(s)-n] + other[len(other)-n:]
	default:
		if cut := strings.LastIndexByte(s, '_'); cut > 0 && s[0] == '[' {
			return "[" + pick(p.minter, p.labels...) + s[cut:]
		}
		return s
	}
}

// outcome counts what came of edits.
type outcome struct {
	edits, same, none, other int
	wrong                    []string // few errors, and yet another token
	live                     []string // another token, which lives
}

// try edits tokens once or twice and scans them.
func (p *population) try(edits int) (o outcome) {
	for ; o.edits < edits; o.edits++ {
		tok := p.all[p.IntN(len(p.all))]
		s := p.edit(tok.String())
		if p.IntN(2) == 0 {
			s = p.edit(s)
		}
		hits := p.words.Scan("of " + s + " and")
		if len(hits) == 0 {
			o.none++
		}
		for _, c := range hits {
			if c.Token == tok {
				o.same++
				continue
			}
			o.other++
			if p.live[c.Token] {
				o.live = append(o.live, s)
			}
			if distance(tok, c, ("of " + s)[c.Start:]) < 3 {
				o.wrong = append(o.wrong, s)
			}
		}
	}
	return o
}

// distance counts the symbols that were changed from a token to what a candidate
// was read from. A changed label alone is no excuse; with any other error it is
// as good as three, since it may undo two check characters.
func distance(was token.Token, c token.Candidate, text string) (n int) {
	if was.Format != c.Token.Format {
		return 3
	}
	symbols := func(s string) string {
		return strings.Map(func(r rune) rune {
			switch {
			case r == 'O':
				return '0'
			case r == 'I', r == 'L':
				return '1'
			case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
				return r
			}
			return -1
		}, strings.ToUpper(s))
	}
	x, y := symbols(was.String()), symbols(text[:c.End-c.Start])
	for i := 1; i <= len(was.ID)+2; i++ {
		if x[len(x)-i] != y[len(y)-i] {
			n++
		}
	}
	if was.Entity != c.Token.Entity && n > 0 {
		n = 3
	}
	return n
}

// TestInvariant4_AnEditGivesTheRightTokenOrNone: one edit or two on a token give
// that token or none. More effective errors than the code can see (an insertion
// and a deletion shift everything between them) pass once in a thousand times,
// and what they give does not live.
func TestInvariant4_AnEditGivesTheRightTokenOrNone(t *testing.T) {
	edits := 1_000_000
	if long() {
		edits *= 20
	}
	o := populate(t, vocabulary(t)).try(edits)
	t.Logf("%d edits: %d the same token, %d none, %d another", o.edits, o.same, o.none, o.other)
	if len(o.wrong) > 0 || len(o.live) > 0 {
		t.Errorf("%d wrong, as %.5q; %d live, as %.5q", len(o.wrong), o.wrong, len(o.live), o.live)
	}
	if o.same == 0 || o.none == 0 {
		t.Error("the edits test nothing")
	}
	if o.other > o.edits/1000 {
		t.Errorf("%d others are too many", o.other)
	}
}

// TestInvariant4_Twin: without the check the same edits give wrong tokens.
func TestInvariant4_Twin(t *testing.T) {
	o := populate(t, vocabulary(t).Unchecked()).try(20_000)
	if len(o.wrong) < 1000 {
		t.Errorf("only %d wrong", len(o.wrong))
	}
}

// TestInvariant4_EveryOtherLabelIsCaught: no label of the vocabulary can stand
// for another.
func TestInvariant4_EveryOtherLabelIsCaught(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	for _, label := range v.Labels() {
		tail := strings.TrimPrefix(m.label(label).String(), "["+label)
		for _, other := range v.Labels() {
			got := v.Scan("[" + other + tail)
			if (len(got) != 0) != (other == label) {
				t.Errorf("%s changed to %s: %v", label, other, got)
			}
		}
	}
}

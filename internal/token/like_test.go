package token_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
)

// covers says whether the ranges are in order, inside the text, apart, and cover
// all candidates.
func covers(ranges []token.Range, text string, all []token.Candidate) bool {
	end := 0
	for _, r := range ranges {
		if r.Start < end || r.End <= r.Start || r.End > len(text) {
			return false
		}
		end = r.End
	}
	for _, c := range all {
		inside := false
		for _, r := range ranges {
			inside = inside || r.Start <= c.Start && c.End <= r.End
		}
		if !inside {
			return false
		}
	}
	return true
}

// replaced puts a new token in place of every range, keeps some strict ones, and
// replaces also some of what lies between, as detection does. It returns the
// text and the strict tokens that are now in it, in order.
func (m *minter) replaced(v *token.Vocabulary, text string, ranges []token.Range) (string, []string) {
	var b strings.Builder
	var tokens []string
	write := func(s string) {
		b.WriteString(s)
		tokens = append(tokens, s)
	}
	between := func(s string) {
		if len(s) < 2 || m.IntN(3) != 0 {
			b.WriteString(s)
			return
		}
		i := m.IntN(len(s))
		j := i + 1 + m.IntN(len(s)-i)
		b.WriteString(s[:i])
		write(m.label().String())
		b.WriteString(s[j:])
	}
	at := 0
	for _, r := range ranges {
		between(text[at:r.Start])
		tok, err := token.Parse(text[r.Start:r.End])
		if keep := err == nil && v.Has(tok.Entity) && m.IntN(2) == 0; keep {
			write(tok.String())
		} else {
			write(m.label().String())
		}
		at = r.End
	}
	between(text[at:])
	return b.String(), tokens
}

// stable counts texts in which, after replacement of the ranges, a scan finds
// what was put in and kept, and nothing else.
func stable(t *testing.T, like func(*token.Vocabulary, string) []token.Range, texts int) (good int, bad []string) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	for range texts {
		text := m.sentence(6)
		after, want := m.replaced(v, text, like(v, text))
		var got []string
		for _, f := range scan(v, after) {
			got = append(got, f.Text)
		}
		if cmp.Equal(want, got) {
			good++
		} else {
			bad = append(bad, text+"\n"+after+"\n"+cmp.Diff(want, got))
		}
	}
	return good, bad
}

// TestInvariant3_NoTokenComesUpByReplacement: whoever replaces what TokenLike
// finds gets a text that holds the new tokens only, whatever touches them.
func TestInvariant3_NoTokenComesUpByReplacement(t *testing.T) {
	texts := 10_000
	if long() {
		texts *= 50
	}
	like := func(v *token.Vocabulary, text string) []token.Range { return v.TokenLike(text) }
	if good, bad := stable(t, like, texts); good != texts {
		t.Errorf("%d of %d, first\n%s", len(bad), texts, bad[0])
	}
}

// TestInvariant3_Twin: the ranges of Scan are not enough, since what touched a
// word touches a bracket afterwards.
func TestInvariant3_Twin(t *testing.T) {
	like := func(v *token.Vocabulary, text string) (out []token.Range) {
		for _, c := range v.Scan(text) {
			out = append(out, token.Range{Start: c.Start, End: c.End})
		}
		return out
	}
	if _, bad := stable(t, like, 2000); len(bad) == 0 {
		t.Error("nothing came up")
	}
}

func TestTokenLikeCoversScan(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	for range 5000 {
		text := m.sentence(8)
		if ranges, all := v.TokenLike(text), v.Scan(text); !covers(ranges, text, all) {
			t.Fatalf("%q: %v do not cover %v", text, ranges, all)
		}
	}
	if covers(nil, "x", []token.Candidate{{End: 1}}) || covers([]token.Range{{0, 2}, {1, 3}}, "xyz", nil) {
		t.Error("the twin: a gap and an overlap are not seen")
	}
}

// TestTokenLikeKeepsStrictBounds: a strict token has its own range also where a
// reading that begins before it reaches into it.
func TestTokenLikeKeepsStrictBounds(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	reached := 0
	for range 20_000 {
		opaque := m.opaque().String()
		text := "a person " + opaque + "."
		at := strings.Index(text, opaque)
		want := []token.Range{{Start: at, End: at + len(opaque)}}
		if len(v.Scan(text[:at+len("tok_")+7])) == 1 { // "T0K" and seven symbols are an id
			reached++
			want = append([]token.Range{{Start: 2, End: at}}, want...)
		}
		if diff := cmp.Diff(want, v.TokenLike(text)); diff != "" {
			t.Fatalf("%s\n%s", text, diff)
		}
	}
	if reached == 0 {
		t.Error("none reached into another")
	}
}

// TestTokenLikeShapes: what only has the shape is found although its check
// characters are wrong; prose with the same words is not. ‹ and › as in
// TestScanForms.
func TestTokenLikeShapes(t *testing.T) {
	v := vocabulary(t)
	for _, form := range []string{
		"‹[PERSON_AAAA222299]›", "see ‹PERSON_AAAA222299›.", "‹[person_aaaa222299]›", `‹[PERSON\_AAAA222299]›`, "‹［PERSON_AAAA222299］›",
		"[‹[PERSON_AAAAAAAAAA]›]", "‹tok_22222222aaaaaaaa22222222aaaa›",
		"person who walks in", "location b2c3d4e5f6", "Phone number 555 123 4567", "phone_number_5551234567", "person_identifier",
		"my_person_aaaa222299", "person_aaaa222299x", "PERSON_AAAA 222299", "[PERSON]", "[PERSON_1]", "PERSON_AAAA2222991", "[PERSON_AAAA22229]",
		"[LEOPARD_AAAA222299]", "tok_22222222aaaaaaaa22222222aaa",
	} {
		text := strings.NewReplacer("‹", "", "›", "").Replace(form)
		if got := v.Scan(text); len(got) != 0 {
			t.Fatalf("%s happens to be a token: change the test", form)
		}
		var want, got []string
		for _, part := range strings.Split(form, "‹")[1:] {
			want = append(want, part[:strings.Index(part, "›")])
		}
		for _, r := range v.TokenLike(text) {
			got = append(got, text[r.Start:r.End])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", form, diff)
		}
	}
}

package token_test

import (
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
)

// found is what a scan found, as text.
type found struct {
	Text   string
	Token  string
	Strict bool
}

func scan(v *token.Vocabulary, text string) (out []found) {
	for _, c := range v.Scan(text) {
		out = append(out, found{text[c.Start:c.End], c.Token.String(), c.Strict})
	}
	return out
}

// TestScanForms: T stands for a token, B for it without brackets, t and b for
// the same in lower case, O for an opaque one. What is between ‹ and › is found.
func TestScanForms(t *testing.T) {
	m := newMinter(t, []string{"EMAIL_ADDRESS"})
	v := vocabulary(t)
	tok, opaque := m.label(), m.opaque()
	s := tok.String()
	middle := len(s) - 6
	forms := strings.NewReplacer(
		"T", s, "B", bare(s), "t", strings.ToLower(s), "b", strings.ToLower(bare(s)),
		"E", strings.ReplaceAll(bare(s), "_", `\_`), "S", strings.ReplaceAll(bare(s), "_", " "),
		"H", strings.ReplaceAll(bare(s), "_", "-"), "G", strings.ReplaceAll(bare(s), "_", ""), "J", strings.Replace(bare(s), "_", "", 1),
		"N", bare(s[:middle]+"\n"+s[middle:]), "Z", bare(s[:middle]+"\u200b\u200b"+s[middle:]),
		"8", bare(s[:middle]+strings.Repeat(" ", 8)+s[middle:]), "9", bare(s[:middle]+strings.Repeat(" ", 9)+s[middle:]),
		"≺", "%5B", "≻", "%5D", "%5b", "%5b", "X", strings.ToUpper(opaque.String()), "Q", "tok "+opaque.String()[4:14]+" "+opaque.String()[14:], "O", opaque.String())
	for _, form := range []string{
		// Strict, whatever surrounds it.
		"‹T›", "‹T›‹T›", "aé‹T›z", "[‹T›]", "[[‹T›]]", "\\‹T›", "％‹T›", "‹T›(", "\xff‹T›\xff", "‹T›]", "_‹T›_", "(‹O›)", "[‹O›]", "‹O›, ‹O›.", "名‹O›名",
		// Tolerant.
		"‹t›", "[‹t›]", "‹B›", "‹b›", "‹[B›", "‹B]›", "‹b]›", "‹［B］›", "‹【b】›", "‹⟦B⟧›", "‹〔B〕›", "‹≺B≻›", "‹%5bB%5d›", "‹[B≻›",
		"‹[E]›", `‹\[E\]›`, `\‹[B]›`, "‹[S]›", "‹S›", "‹[H]›", "‹[N]›", "‹N›", "‹[Z]›", "‹[8]›", "‹[ B ]›", "‹[\nB\n]›", "**‹B›**", "<‹B›>", "名‹B›名", "a-‹B›-c",
		"(‹b›),", "［‹［B］›］", "‹X›", "‹Q›", "x≻‹[B›.",
		// The user's brackets stay: the inner one that does not touch is not ours.
		"[ ‹B›", "‹B› ]", "[[ ‹B›", "‹B› ]]", "[[‹[b›",
		// Not a token.
		"xB", "Bx", "B_", "_B", "éB", "Bé", "7B", "xb]", "[Bx", "[Bx]", "G", "[G]", "J", "[J]", "[9]", "xO", "Ox", "O_", "_O", "éO", "Oé", "O7", "B7", "[B7]", "[7B]", "{7B}",
	} {
		text := forms.Replace(strings.NewReplacer("‹", "", "›", "").Replace(form))
		var want []string
		for _, part := range strings.Split(form, "‹")[1:] {
			want = append(want, forms.Replace(part[:strings.Index(part, "›")]))
		}
		var got []string
		for _, f := range scan(v, text) {
			got = append(got, f.Text)
			if f.Strict != (f.Text == f.Token) {
				t.Errorf("%s: strict is %v for %q", form, f.Strict, f.Text)
			}
			if f.Token != s && f.Token != opaque.String() {
				t.Errorf("%s: %q read as %s", form, f.Text, f.Token)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %q\n%s", form, text, diff)
		}
	}
}

// TestScanLabelsWithinLabels: where a label begins like another, the id decides.
func TestScanLabelsWithinLabels(t *testing.T) {
	v := vocabulary(t, "A", "US", "US_SSN", "PHONE_NUMBER", "PHONE_NUMBER_123", "USER", "TOK", "TOKEN_LIKE")
	m := newMinter(t, v.Labels())
	for range 2000 {
		tok := m.label()
		for _, text := range []string{tok.String(), m.spoil(tok)} {
			want := []found{{text, tok.String(), text == tok.String()}}
			if diff := cmp.Diff(want, scan(v, text)); diff != "" {
				t.Errorf("%q\n%s", text, diff)
			}
		}
	}
}

// TestScanRepairs: every spoilt token reads as itself.
func TestScanRepairs(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	for range 20_000 {
		tok := m.label()
		if m.IntN(5) == 0 {
			tok = m.opaque()
		}
		text := m.spoil(tok)
		if got := scan(v, text); len(got) != 1 || got[0].Token != tok.String() {
			t.Errorf("%q of %v: %v", text, tok, got)
		}
	}
}

// TestScanOpaqueHas128Bits: 130 bits with the right check characters are no
// token in any form.
func TestScanOpaqueHas128Bits(t *testing.T) {
	v := vocabulary(t)
	for bit := range uint(130) {
		text := naiveToken("", new(big.Int).Lsh(big.NewInt(0x9A), bit))
		_, err := token.Parse(text)
		want := text[4] <= '7'
		if got := len(v.Scan(text)) + len(v.Scan(strings.ToUpper(text))); (err == nil) != want || (got > 0) != want {
			t.Errorf("bit %d: %v, %d found, want %v", bit, err, got, want)
		}
	}
}

// TestScanLongestCandidate: the longest label with all that may be inserted is
// read, and with one more it is not.
func TestScanLongestCandidate(t *testing.T) {
	label := strings.Repeat("LONG_", 6) + "XY"
	if len(label) != token.MaxLabel {
		t.Fatalf("%d characters", len(label))
	}
	v := vocabulary(t, label)
	tok := newMinter(t, v.Labels()).label()
	s := bare(tok.String())
	for extra, want := range map[int]int{token.MaxInserted: 1, token.MaxInserted + 1: 0} {
		text := "%5B" + s[:len(s)-1] + strings.Repeat("\u200b", extra) + s[len(s)-1:] + "%5D"
		if got := v.Scan(text); len(got) != want || want == 1 && got[0].End != len(text) {
			t.Errorf("%d inserted: %v", extra, got)
		}
		if n := utf8.RuneCountInString(text); n > token.MaxCandidate {
			t.Errorf("%d code points", n)
		}
		stream(t, v, text, len(text)-1)
	}
}

// TestScanClosedSet: a label outside the vocabulary is no candidate, though it
// parses.
func TestScanClosedSet(t *testing.T) {
	m := newMinter(t, []string{"PERSON"})
	tok := m.label().String()
	if got := vocabulary(t, "LOCATION").Scan(tok + " " + bare(tok)); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	if got := vocabulary(t, "LOCATION").TokenLike(tok); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// TestScanUntelling: an id of letters only, which Mint never makes, is found in
// its strict form alone, so that prose is never repaired into a token.
func TestScanUntelling(t *testing.T) {
	v := vocabulary(t)
	const alphabet = "ABCDEFGHJKMNPQRSTVWXYZ"
	m := newMinter(t, nil)
	tried := 0
	for range 200 {
		id := make([]byte, 8)
		for i := range id {
			id[i] = alphabet[m.IntN(len(alphabet))]
		}
		tok, err := token.FromID(token.FormatLabel, "PERSON", string(id))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(tok.String(), "23456789") {
			continue
		}
		tried++
		want := []found{{tok.String(), tok.String(), true}}
		if diff := cmp.Diff(want, scan(v, tok.String()+" "+strings.ToLower(tok.String()))); diff != "" {
			t.Error(diff)
		}
	}
	if tried < 50 {
		t.Fatalf("%d tried", tried)
	}
}

// TestSourcesHoldNoToken: documentation is copied into prompts, so no example in
// it may read as a token.
func TestSourcesHoldNoToken(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d sources: %v", len(files), err)
	}
	v, placeholder := vocabulary(t), vocabulary(t, "LABEL")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, c := range append(v.Scan(string(text)), placeholder.Scan(string(text))...) {
			t.Errorf("%s holds %s", file, text[c.Start:c.End])
		}
	}
	planted := "// for example " + newMinter(t, []string{"PERSON"}).label().String()
	if len(v.Scan(planted)) != 1 {
		t.Error("the twin: a token in a comment is not found")
	}
}

// TestStands: an opaque token is found exactly between the neighbours that
// Stands says.
func TestStands(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	opaque, label := m.opaque(), m.label()
	sides := []string{"", " ", "x", "7", "_", "é", "名", "-", "[", "]", "\xff", "\u0301", opaque.String(), label.String()}
	for _, before := range sides {
		for _, after := range sides {
			for _, tok := range []token.Token{opaque, label} {
				found := false
				for _, c := range v.Scan(before + tok.String() + after) {
					found = found || c.Strict && c.Start == len(before) && c.Token == tok
				}
				if found != tok.Format.Stands(before, after) {
					t.Errorf("%q between %q and %q: found is %v", tok, before, after, found)
				}
			}
		}
	}
}

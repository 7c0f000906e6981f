package vault_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// piece is a part of a text.
type piece struct{ text string }

// world is a scope with living tokens, and another whose tokens are foreign.
type world struct {
	v       *vaulttest.Vault
	scope   string
	living  map[string]string // token → value
	order   []string
	foreign []string
}

func newWorld(t *testing.T, v *vaulttest.Vault) *world {
	w := &world{v: v, scope: "chat-" + vault.NewID(), living: make(map[string]string)}
	for i := range 6 {
		entity := []string{"PERSON", "EMAIL_ADDRESS", "CREDIT_CARD"}[i%3]
		value := fmt.Sprintf("value %d of %s", i, entity)
		tok := tokenizeValue(t, v, v.Gateway(), w.scope, entity, value)
		w.living[tok] = value
		w.order = append(w.order, tok)
		w.foreign = append(w.foreign, tokenizeValue(t, v, v.Gateway(), w.scope+"-other", entity, value))
	}
	return w
}

// pieces draws what a prompt may be made of: text of any script, values that
// detection finds, living tokens, tokens of elsewhere, and living tokens as a
// model might have changed them, which are data here.
func (w *world) pieces() *rapid.Generator[piece] {
	same := func(s string) piece { return piece{s} }
	return rapid.Custom(func(t *rapid.T) piece {
		switch rapid.IntRange(0, 8).Draw(t, "kind") {
		case 0:
			return same(rapid.StringN(0, 12, 40).Draw(t, "any"))
		case 1:
			return same(rapid.SampledFrom([]string{" ", "", "\n", "[", "]", "[[", "_", "\\_", "tok_", "https://x.example/?q=", "`", "```\n", "](", "<a href=\"", "%5B", "［"}).Draw(t, "glue"))
		case 2, 3:
			return same(rapid.SampledFrom([]string{
				"jane.doe@example.com", "4111 1111 1111 1111", "+44 20 7946 0958", "DE89 3704 0044 0532 0130 00",
				"078-05-1120", "192.168.10.4", "müller@bücher.example", "a@b.co",
			}).Draw(t, "value"))
		case 4:
			return same(rapid.SampledFrom(w.order).Draw(t, "living"))
		case 5:
			return same(rapid.SampledFrom(w.foreign).Draw(t, "foreign"))
		case 6:
			tok := rapid.SampledFrom(w.order).Draw(t, "changed")
			return same(rapid.SampledFrom([]string{
				strings.ToLower(tok), strings.Trim(tok, "[]"), strings.ReplaceAll(tok, "_", "\\_"),
				tok[:len(tok)-3], strings.Replace(tok, "[", "［", 1), tok[:8] + " " + tok[8:],
			}).Draw(t, "change"))
		default:
			return same(rapid.SampledFrom([]string{"Dear ", " and ", "PERSON_", " person ", "EMAIL", "x"}).Draw(t, "word"))
		}
	})
}

// text joins pieces. Two that are data may join into a living token of the
// scope; then it is one, and its value is what must come back.
func (w *world) text(t *rapid.T) (text, restored string) {
	for _, p := range rapid.SliceOfN(w.pieces(), 0, 8).Draw(t, "pieces") {
		text += p.text
	}
	restored = text
	for tok, value := range w.living {
		restored = strings.ReplaceAll(restored, tok, value)
	}
	return text, restored
}

// spans draws spans of the caller that leave living tokens alone.
func (w *world) spans(t *rapid.T, text string) []vault.Span {
	n := utf8.RuneCountInString(text)
	for tok := range w.living {
		if strings.Contains(text, tok) {
			return nil
		}
	}
	if n == 0 || !rapid.Bool().Draw(t, "spans?") {
		return nil
	}
	var spans []vault.Span
	for range rapid.IntRange(1, 4).Draw(t, "how many") {
		start := rapid.IntRange(0, n-1).Draw(t, "start")
		end := rapid.IntRange(start+1, n).Draw(t, "end")
		entity := rapid.SampledFrom([]string{"PERSON", "LOCATION", "US_SSN"}).Draw(t, "entity")
		spans = append(spans, vault.Span{Start: start, End: end, Entity: entity})
	}
	return spans
}

// TestInvariant3_RoundTrip: for every text, detokenize(tokenize(x)) is x byte
// for byte, with the living tokens of the scope replaced by their values.
func TestInvariant3_RoundTrip(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorld(t, v)
	cases := 10_000
	if long() {
		cases = 100_000
	}
	check(t, cases, func(t *rapid.T) { w.roundTrip(t) })
}

func (w *world) roundTrip(t *rapid.T) {
	text, want := w.text(t)
	format := rapid.SampledFrom([]string{"label", "label", "opaque"}).Draw(t, "format")
	got, err := w.v.Service.Tokenize(t.Context(), w.v.Gateway(), vault.TokenizeRequest{
		Scope: w.scope, Text: &text, Spans: w.spans(t, text), Format: format,
	})
	if vault.CodeOf(err) == vault.CodeInvalid {
		t.Skip("a blocked value was drawn")
	}
	out := must(t, got, err)
	back := subjectAccess(t, w.v, w.scope, *out.Text)
	if *back.Text != want {
		t.Fatalf("came back as something else:\n text %q\ntoken %q\n back %q\n want %q", text, *out.Text, *back.Text, want)
	}
	if len(back.Results) != len(out.Tokens) {
		t.Fatalf("%d tokens were put in, %d were read", len(out.Tokens), len(back.Results))
	}
}

// TestInvariant3_Twin: two guards see to it that a text comes back. What looks
// like a token becomes data before, and the rendered text is scanned after.
// Either is enough for this text; without both it comes back as another.
func TestInvariant3_Twin(t *testing.T) {
	v := vaulttest.New(t)
	tok := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane")
	// Glued to a word the bare token is no candidate; once the word is
	// replaced by a token it is one.
	text := strings.Trim(tok, "[]") + "jane"
	span := vault.Span{Start: len(text) - 4, End: len(text), Entity: "LOCATION"}
	for _, c := range []struct {
		out  vault.Faults
		back bool
	}{
		{vault.Faults{}, true},
		{vault.Faults{IgnoreTokenLike: true}, true},
		{vault.Faults{LeaveGaps: true}, true},
		{vault.Faults{IgnoreTokenLike: true, LeaveGaps: true}, false},
	} {
		v.Service.SetFaults(c.out)
		out := tokenizeText(t, v, v.Gateway(), "chat", text, span)
		if back := subjectAccess(t, v, "chat", *out.Text); (*back.Text == text) != c.back {
			t.Errorf("without %+v: came back as %q", c.out, *back.Text)
		}
	}
}

// TestInvariant4_SameValueSameToken: two values never share a token, and one
// value has one token in its scope.
func TestInvariant4_SameValueSameToken(t *testing.T) {
	v := vaulttest.New(t)
	type named struct{ entity, value, scope, format string }
	tokens := make(map[named]string)
	owners := make(map[[2]string]named)
	check(t, 10_000, func(t *rapid.T) {
		n := named{
			entity: rapid.SampledFrom([]string{"PERSON", "EMAIL_ADDRESS", "US_SSN"}).Draw(t, "entity"),
			value:  rapid.StringN(1, 3, 8).Draw(t, "value"),
			scope:  rapid.SampledFrom([]string{"a", "b", "A"}).Draw(t, "scope"),
			format: rapid.SampledFrom([]string{"label", "opaque"}).Draw(t, "format"),
		}
		got, err := v.Service.Tokenize(t.Context(), v.Gateway(), vault.TokenizeRequest{
			Scope: n.scope, Format: n.format, Values: []vault.Value{{Entity: n.entity, Value: n.value}},
		})
		tok := must(t, got, err).Values[0]
		if before, seen := tokens[n]; seen && before != tok {
			t.Fatalf("one value has two tokens in its scope")
		}
		tokens[n] = tok
		if owner, taken := owners[[2]string{n.scope, tok}]; taken && owner != n {
			t.Fatalf("two values share a token")
		}
		owners[[2]string{n.scope, tok}] = n
	})
}

// TestInvariant3_TwentyTurns: chats whose whole history is sent again each
// turn, with values that were said before and new ones, tokens of elsewhere
// and glue between. Nothing nests, nothing grows, every turn comes back: 500
// conversations of 20 turns.
func TestInvariant3_TwentyTurns(t *testing.T) {
	v := vaulttest.New(t)
	foreign := tokenizeValue(t, v, v.Gateway(), "elsewhere", "PERSON", "somebody")
	check(t, 500, func(t *rapid.T) {
		scope := "chat-" + vault.NewID()
		history, plain := "", ""
		values := make(map[string]bool)
		tokens := make(map[string]bool)
		for turn := range 20 {
			said := fmt.Sprintf("%d: ", turn)
			for range rapid.IntRange(0, 3).Draw(t, "values") {
				value := fmt.Sprintf("user%d@example.org", rapid.IntRange(0, 9).Draw(t, "user"))
				values[value] = true
				said += value + rapid.SampledFrom([]string{" ", "\n", ", [", "] (", " > "}).Draw(t, "glue")
			}
			if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
				said += foreign + " "
				values[foreign] = true
			}
			plain += said + "\n"
			out := tokenizeText(t, v, v.Gateway(), scope, history+said+"\n")
			history = *out.Text
			for _, tok := range out.Tokens {
				tokens[tok.Token] = true
			}
			if len(tokens) != len(values) {
				t.Fatalf("turn %d: %d different tokens for %d different values", turn, len(tokens), len(values))
			}
		}
		if back := subjectAccess(t, v, scope, history); *back.Text != plain {
			t.Fatalf("came back as\n%q, want\n%q", *back.Text, plain)
		}
	})
}

package token_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
)

// run is what a stream gave.
type run struct {
	Text string
	All  []token.Candidate
}

// collect adds pieces; the text of a candidate must be where it says.
func (r *run) collect(t testing.TB, pieces []token.Piece) {
	t.Helper()
	for _, p := range pieces {
		if p.Found {
			if p.Candidate.Start != len(r.Text) || p.Candidate.End != len(r.Text)+len(p.Text) {
				t.Errorf("%q stands at %d, not %d to %d", p.Text, len(r.Text), p.Candidate.Start, p.Candidate.End)
			}
			r.All = append(r.All, p.Candidate)
		}
		r.Text += p.Text
	}
}

// stream pushes a text cut at the given places.
func stream(t testing.TB, v *token.Vocabulary, text string, cuts ...int) (r run) {
	t.Helper()
	s := v.Stream()
	at, valid := 0, utf8.ValidString(text)
	for _, cut := range append(cuts, len(text)) {
		r.collect(t, s.Push([]byte(text[at:cut])))
		at = cut
		if valid && !utf8.ValidString(r.Text) {
			t.Errorf("%q cut at %v: a character is cut in two", text, cuts)
		}
		if held := s.Held(); utf8.RuneCountInString(held) > token.MaxCandidate || r.Text+held != text[:at] {
			t.Errorf("%q cut at %v: %q given, %q held back", text, cuts, r.Text, held)
		}
	}
	r.collect(t, s.Flush())
	return r
}

func whole(v *token.Vocabulary, text string) run { return run{text, v.Scan(text)} }

// fixtures are texts of every kind of token, place and nuisance.
func fixtures(m *minter) []string {
	tok, opaque := m.label().String(), m.opaque().String()
	out := []string{
		"", tok, opaque, tok + opaque, "Dear " + tok + ",\nsee https://a.example/?q=" + tok + " and `" + tok + "`.",
		"```go\n" + tok + "\n```\n" + tok, "[a](https://a.example/" + tok + " \"t\") " + tok,
		`<img src="https://a.example/?q=` + tok + ` ` + tok + `"> ` + tok, "\xf0\x9f" + tok + "\xf0\x9f\x98\x80\xe3\x80",
		"[[" + tok, "\\[" + bare(tok) + "\\]", "[x]: " + tok + "\n" + tok, "x" + bare(tok) + " y" + opaque + " tok_",
		tok[:len(tok)-1] + strings.Repeat(" ", 9) + "]", tok[:len(tok)-1] + " ", "%5B" + bare(tok) + "%5", strings.Repeat("\u200b", 40) + tok,
		"E" + strings.Repeat("-", 200) + tok, bare(tok) + "\u0301", bare(tok) + "\xcc",
	}
	for range 12 {
		out = append(out, "a "+m.spoil(m.label())+" "+m.spoil(m.opaque()), m.sentence(5))
	}
	return out
}

// TestInvariant19_StreamIsScan: every cut of every fixture, and many cuts of
// random texts, give what the whole text gives, places too.
func TestInvariant19_StreamIsScan(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	check := func(text string, cuts ...int) {
		t.Helper()
		if diff := cmp.Diff(whole(v, text), stream(t, v, text, cuts...)); diff != "" {
			t.Fatalf("%q cut at %v\n%s", text, cuts, diff)
		}
	}
	for _, text := range fixtures(m) {
		every := make([]int, len(text))
		for i := range text {
			check(text, i)
		}
		for i := range every {
			every[i] = i
		}
		check(text, every...)
	}
	texts := 10_000
	if long() {
		texts *= 20
	}
	places := map[token.Place]int{}
	for range texts {
		text := m.sentence(5)
		var cuts []int
		for at := m.IntN(12); at < len(text); at += m.IntN(24) {
			cuts = append(cuts, at)
		}
		check(text, cuts...)
		for _, c := range v.Scan(text) {
			places[c.Place]++
		}
	}
	for _, p := range []token.Place{token.PlaceProse, token.PlaceCode, token.PlaceURL} {
		if places[p] < 100 {
			t.Errorf("only %d candidates in %s", places[p], p)
		}
	}
}

// TestInvariant19_Twin: a stream that decides every chunk on its own differs.
func TestInvariant19_Twin(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	text := "see https://a.example/" + m.label().String()
	differs := 0
	for cut := range text {
		var r run
		s := v.Stream()
		for _, part := range []string{text[:cut], text[cut:]} {
			for _, p := range append(s.Push([]byte(part)), s.Flush()...) {
				if p.Found {
					r.All = append(r.All, p.Candidate)
				}
				r.Text += p.Text
			}
		}
		if !cmp.Equal(whole(v, text), r) {
			differs++
		}
	}
	if differs == 0 {
		t.Error("cutting makes no difference")
	}
}

// TestStreamGivesAtOnce: what is decided is not held back.
func TestStreamGivesAtOnce(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	s := v.Stream()
	for _, c := range []struct{ push, held string }{
		{"Hello, I am ", ""}, {"P", "P"}, {"eter, ", ""}, {"[", "["}, {"1]", ""}, {m.label().String(), ""}, {" caf\xc3", "\xc3"}, {"\xa9", ""},
	} {
		s.Push([]byte(c.push))
		if s.Held() != c.held {
			t.Errorf("after %q: %q held back, want %q", c.push, s.Held(), c.held)
		}
	}
}

// TestStreamEndsVerbatim: nothing is lost where the stream stops inside a token,
// and the next stream knows nothing of it.
func TestStreamEndsVerbatim(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	tok := m.label().String()
	s := v.Stream()
	var r run
	r.collect(t, s.Push([]byte("https://a.example/"+tok[:len(tok)-4])))
	r.collect(t, s.Flush())
	if r.Text != "https://a.example/"+tok[:len(tok)-4] || r.All != nil {
		t.Errorf("%+v", r)
	}
	r = run{}
	r.collect(t, s.Push([]byte(tok)))
	r.collect(t, s.Flush())
	if len(r.All) != 1 || r.All[0].Place != token.PlaceProse {
		t.Errorf("%+v", r)
	}
}

// TestStreamOfLongChunks: a chunk that is too long to be kept for the sake of its
// tail leaves behind what decides about glue.
func TestStreamOfLongChunks(t *testing.T) {
	v := vocabulary(t)
	m := newMinter(t, v.Labels())
	tok := m.label().String()
	for _, before := range []string{"", " ", "x", "é", "漢", "\U0001f600", "_", "x\u0301"} {
		for _, text := range []string{tok, bare(tok) + " " + tok} {
			text = strings.Repeat("12, ", 400) + before + text
			for cut := len(text) - 70; cut < len(text); cut++ {
				if diff := cmp.Diff(whole(v, text), stream(t, v, text, cut)); diff != "" {
					t.Fatalf("behind %q cut at %d: %s", before, cut, diff)
				}
			}
		}
	}
}

// TestStreamNeedsNoMemory: while nothing is held back, chunks are not copied.
func TestStreamNeedsNoMemory(t *testing.T) {
	s := vocabulary(t).Stream()
	var room []token.Piece
	if n := testing.AllocsPerRun(100, func() { room = s.Append(room[:0], "and so on, bit by bit, ") }); n > 0 {
		t.Errorf("%v allocations for a chunk", n)
	}
}

func FuzzScan(f *testing.F) {
	v := vocabulary(f)
	m := newMinter(f, v.Labels())
	seeds := fixtures(m)
	if len(seeds) < 40 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s, len(s)/2)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		want := whole(v, text)
		if cut = max(0, min(cut, len(text))); !cmp.Equal(want, stream(t, v, text, cut)) {
			t.Errorf("cut at %d differs", cut)
		}
		if !covers(v.TokenLike(text), text, want.All) {
			t.Error("TokenLike does not cover Scan")
		}
		for _, c := range want.All {
			if again, err := token.Parse(c.Token.String()); err != nil || again != c.Token {
				t.Errorf("%+v does not parse", c)
			}
			if c.Strict != (text[c.Start:c.End] == c.Token.String()) {
				t.Errorf("%+v: strict or not", c)
			}
		}
	})
}

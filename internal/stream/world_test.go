package stream_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/stream"
	"github.com/counterfoil/counterfoil/internal/token"
)

// long says whether property runs may take minutes.
func long() bool { return os.Getenv("COUNTERFOIL_LONG") == "1" }

func vocabulary(t testing.TB, more ...string) *token.Vocabulary {
	t.Helper()
	b, err := os.ReadFile("../token/testdata/labels.txt")
	if err != nil {
		t.Fatal(err)
	}
	labels := strings.Fields(string(b))
	for _, label := range more {
		if !strings.Contains("\n"+string(b), "\n"+label+"\n") {
			labels = append(labels, label)
		}
	}
	v, err := token.NewVocabulary(labels)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// values are what the tokens of the fixtures stand for. They are chosen to break
// whatever they are not escaped for.
var values = map[string]string{
	"[PERSON_5JQ7BRW43B]":              "Ann \"Q\" O'Neil\n<b>&amp;</b> \\",
	"[EMAIL_ADDRESS_3SZCTBH51T]":       "ann@example.com",
	"[PHONE_NUMBER_BAR1R1B729]":        "+44 20 7946 0000\t\U0001f4de",
	"[IBAN_CODE_6Q5A1V10WS]":           "GB33BUKB20201555555555",
	"[LOCATION_WPY0FY442B]":            "Köln\u2028[PERSON_5JQ7BRW43B]",
	"[PERSON_SP4C53X04W]":              "{\"a\":\"b\"}",
	"tok_3hnk2n3facdystxvqr8h10b77jfy": "\u0001opaque\u007f",
}

// answer is what the domain would say: values everywhere but in URLs, and none
// for what it does not know.
func answer(c stream.Candidate) *string {
	if c.Place == stream.PlaceURL {
		return nil
	}
	v, ok := values[c.Token.String()]
	if !ok {
		return nil
	}
	return &v
}

// result is what a stream gave.
type result struct {
	Out   string
	Asked []stream.Candidate
}

// restore runs a stream over an input that is cut at the given places.
func restore(t testing.TB, s *stream.Stream, input string, cuts ...int) (r result) {
	t.Helper()
	return run(t, s, answer, input, cuts...)
}

// nothing is what a domain says that restores nothing.
func nothing(stream.Candidate) *string { return nil }

func run(t testing.TB, s *stream.Stream, answer func(stream.Candidate) *string, input string, cuts ...int) (r result) {
	t.Helper()
	var out []byte
	drain := func() {
		var answers []*string
		for _, c := range s.Pending() {
			r.Asked = append(r.Asked, c)
			answers = append(answers, answer(c))
		}
		out = s.Drain(out, answers)
	}
	at := 0
	for _, cut := range append(cuts, len(input)) {
		if err := s.Push([]byte(input[at:cut])); err != nil {
			t.Fatal(err)
		}
		at = cut
		drain()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	drain()
	if len(s.Pending()) > 0 || s.Held() > 0 {
		t.Fatalf("%d candidates and %d bytes are left", len(s.Pending()), s.Held())
	}
	r.Out = string(out)
	return r
}

func begin(t testing.TB, v *token.Vocabulary, f stream.Format) *stream.Stream {
	t.Helper()
	s, err := stream.New(stream.Options{Words: v, Format: f})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fixture is a stream as a provider sends it.
type fixture struct {
	name   string
	format stream.Format
	input  string
}

// formats are those that a caller would name; the others are told by their marks.
var formats = map[string]stream.Format{
	"chat.sse": stream.FormatChat, "responses.sse": stream.FormatResponses, "anthropic.sse": stream.FormatAnthropic,
	"plain.txt": stream.FormatText, "ollama.ndjson": stream.FormatNDJSON, "generate.ndjson": stream.FormatNDJSON,
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	var out []fixture
	for _, pattern := range []string{"*.sse", "*.ndjson", "*.txt"} {
		paths, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(path)
			out = append(out, fixture{name, formats[name], string(b)})
		}
	}
	if len(out) < 10 {
		t.Fatalf("only %d fixtures", len(out))
	}
	return out
}

// seed makes a test's randomness: the same in every run.
func seed(name string) *rand.ChaCha8 {
	var s [32]byte
	copy(s[:], name)
	return rand.NewChaCha8(s)
}

func random(name string) *rand.Rand { return rand.New(seed(name)) }

// someCuts cuts a text of that length at random places, often close together.
func someCuts(r *rand.Rand, length int) (cuts []int) {
	step := 1 + r.IntN(200)
	for at := r.IntN(step + 1); at < length; at += 1 + r.IntN(step) {
		cuts = append(cuts, at)
	}
	return cuts
}

package token_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseTakesOneFormOnly(t *testing.T) {
	m := newMinter(t, []string{"EMAIL_ADDRESS"})
	label, opaque := m.label().String(), m.opaque().String()
	last := label[len(label)-2]
	for name, s := range map[string]string{
		"empty":              "",
		"brackets":           "[]",
		"no brackets":        bare(label),
		"lower case":         strings.ToLower(label),
		"upper opaque":       strings.ToUpper(opaque),
		"escaped underscore": strings.Replace(label, "_", `\_`, 1),
		"space before":       " " + label,
		"newline behind":     label + "\n",
		"doubled":            "[" + label + "]",
		"no label":           "[_" + label[len(label)-11:],
		"no underscore":      strings.Replace(label, "ADDRESS_", "ADDRESS", 1),
		"alias O":            "[EMAIL_ADDRESS_OOOOOOOO00]",
		"letter U":           label[:len(label)-2] + "U]",
		"other check":        label[:len(label)-2] + map[bool]string{true: "B]", false: "A]"}[last == 'A'],
		"bad label":          "[EMAIL__ADDRESS" + label[len(label)-12:],
		"label too long":     "[" + strings.Repeat("A", token.MaxLabel+1) + label[len(label)-12:],
		"opaque short":       opaque[:len(opaque)-1],
		"opaque long":        opaque + "0",
		"opaque 130 bits":    "tok_z" + opaque[5:],
		"opaque space":       opaque[:10] + " " + opaque[11:],
		"not UTF-8":          "[EMAIL_ADDRESS_\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff]",
	} {
		if got, err := token.Parse(s); err == nil {
			t.Errorf("%s: read as %v", name, got)
		} else if strings.Contains(err.Error(), "ADDRESS") || got != (token.Token{}) {
			t.Errorf("%s: refusal says too much: %v, %v", name, err, got)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	labels := shippedLabels(t)
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]token.Format{token.FormatLabel, token.FormatOpaque}).Draw(t, "format")
		label := rapid.SampledFrom(labels).Draw(t, "label")
		source := bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 2048, 2048).Draw(t, "source"))
		tok, err := token.Mint(format, label, source)
		if errors.Is(err, token.ErrRandom) {
			t.Skip("the drawn source repeats itself")
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := token.Parse(tok.String())
		if err != nil || got != tok {
			t.Fatalf("%v: read as %v, %v", tok, got, err)
		}
		again, err := token.FromID(format, label, tok.ID)
		if err != nil || again != tok {
			t.Fatalf("%v: from its id %v, %v", tok, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	m := newMinter(f, []string{"PERSON", "EMAIL_ADDRESS"})
	seeds := []string{"", "[", "tok_", "[A_0000000000]"}
	for range 8 {
		seeds = append(seeds, m.label().String(), m.opaque().String(), m.spoil(m.label()))
	}
	if len(seeds) < 20 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if tok, err := token.Parse(s); err == nil && tok.String() != s {
			t.Errorf("%q is written %q", s, tok)
		}
	})
}

func TestValidLabel(t *testing.T) {
	for s, want := range map[string]bool{
		"A": true, "PERSON": true, "US_SSN": true, "PHONE_NUMBER_123": true, "A1": true, "A_1_B": true,
		strings.Repeat("A", token.MaxLabel): true,
		"":                                  false, "1A": false, "_A": false, "A_": false, "A__B": false, "a": false, "A-B": false, "Ä": false,
		"A B": false, "[A": false, strings.Repeat("A", token.MaxLabel+1): false,
	} {
		if got := token.ValidLabel(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func TestMintRefuses(t *testing.T) {
	zeros := bytes.NewReader(make([]byte, 4096))
	for _, c := range []struct {
		name   string
		format token.Format
		label  string
		rand   io.Reader
		want   error
	}{
		{"a source that repeats itself", token.FormatLabel, "PERSON", zeros, token.ErrRandom},
		{"a source that ends", token.FormatOpaque, "", bytes.NewReader(make([]byte, 15)), token.ErrRandom},
		{"an unknown format", "imitation", "PERSON", seed("a"), token.ErrFormat},
		{"a bad label", token.FormatLabel, "person", seed("a"), token.ErrLabel},
		{"no label", token.FormatLabel, "", seed("a"), token.ErrLabel},
	} {
		if tok, err := token.Mint(c.format, c.label, c.rand); !errors.Is(err, c.want) || tok != (token.Token{}) {
			t.Errorf("%s: %v, %v", c.name, tok, err)
		}
	}
}

func TestOpaqueHidesItsEntity(t *testing.T) {
	tok, err := token.Mint(token.FormatOpaque, "PERSON", seed(t.Name()))
	if err != nil || tok.Entity != "" {
		t.Fatalf("%v, %v", tok, err)
	}
}

func TestFromIDRefuses(t *testing.T) {
	for _, c := range []struct {
		format token.Format
		label  string
		id     string
		want   error
	}{
		{token.FormatLabel, "PERSON", "1234567", token.ErrID},
		{token.FormatLabel, "PERSON", "123456789", token.ErrID},
		{token.FormatLabel, "PERSON", "abcdefgh", token.ErrID},
		{token.FormatLabel, "PERSON", "OOOOOOOO", token.ErrID},
		{token.FormatOpaque, "", strings.Repeat("A", 26), token.ErrID},
		{token.FormatOpaque, "", "8" + strings.Repeat("0", 25), token.ErrID},
		{token.FormatLabel, "A__B", "12345678", token.ErrLabel},
		{"", "A", "12345678", token.ErrFormat},
	} {
		if tok, err := token.FromID(c.format, c.label, c.id); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, %v", c, tok, err)
		}
	}
}

// TestStringOfNoToken: a Token that was put together by hand is never written
// as something that reads as one.
func TestStringOfNoToken(t *testing.T) {
	for _, tok := range []token.Token{
		{}, {Format: token.FormatLabel, Entity: "PERSON"}, {Format: token.FormatOpaque, Entity: "A", ID: strings.Repeat("0", 26)},
		{Format: token.FormatLabel, Entity: "x]", ID: "12345678"},
	} {
		if _, err := token.Parse(tok.String()); err == nil {
			t.Errorf("%#v is written %s", tok, tok)
		}
	}
}

// TestCheckCatchesTwoWrong goes through every change of one and of two
// characters behind the label.
func TestCheckCatchesTwoWrong(t *testing.T) {
	m := newMinter(t, []string{"US_SSN"})
	const capitals = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	for _, c := range []struct {
		tok         token.Token
		first, last int
		alphabet    string
	}{
		{m.label(), len("[US_SSN_"), len("[US_SSN_") + 10, capitals},
		{m.opaque(), len("tok_"), len("tok_") + 28, strings.ToLower(capitals)},
	} {
		s := []byte(c.tok.String())
		tried := 0
		substitute := func(at int, then func()) {
			was := s[at]
			for _, b := range []byte(c.alphabet) {
				if s[at] = b; b != was {
					then()
				}
			}
			s[at] = was
		}
		refused := func() {
			tried++
			if _, err := token.Parse(string(s)); err == nil {
				t.Fatalf("%s reads as a token, changed from %s", s, c.tok)
			}
		}
		for i := c.first; i < c.last; i++ {
			substitute(i, refused)
			for j := i + 1; j < c.last; j++ {
				substitute(i, func() { substitute(j, refused) })
			}
		}
		n := c.last - c.first
		if want := n*31 + n*(n-1)/2*31*31; tried != want {
			t.Errorf("%d changes tried of %d", tried, want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	labels := shippedLabels(t)
	v := vocabulary(t)
	if diff := cmp.Diff(labels, v.Labels()); diff != "" {
		t.Error(diff)
	}
	if !v.Has("PERSON") || v.Has("PERSO") || v.Has("") {
		t.Error("Has does not tell labels apart")
	}
	if _, err := token.NewVocabulary([]string{"PERSON", "PERSON"}); err != nil {
		t.Errorf("a label given twice: %v", err)
	}
	if _, err := token.NewVocabulary([]string{"PERSON", "person"}); !errors.Is(err, token.ErrLabel) {
		t.Errorf("a bad label: %v", err)
	}
	if _, err := token.NewVocabulary(make([]string, token.MaxLabels+1)); !errors.Is(err, token.ErrLabel) {
		t.Errorf("too many labels: %v", err)
	}
}

// TestVocabularyTwin: among enough labels two must collide, and the vocabulary
// says which.
func TestVocabularyTwin(t *testing.T) {
	var labels []string
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			labels = append(labels, string([]rune{a, b}))
		}
	}
	_, err := token.NewVocabulary(labels)
	if !errors.Is(err, token.ErrCollision) {
		t.Fatal(err)
	}
	pair := strings.Split(err.Error()[strings.LastIndex(err.Error(), ": ")+2:], " and ")
	id := "12345678"
	a, errA := token.FromID(token.FormatLabel, pair[0], id)
	b, errB := token.FromID(token.FormatLabel, pair[1], id)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	changed := strings.Replace(a.String(), pair[0], pair[1], 1)
	if changed != b.String() {
		t.Errorf("%v and %v were told apart after all", a, b)
	}
}

func TestChecksumIsCRC32(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.String().Draw(t, "label")
		if got, want := token.Checksum(label), crc32.ChecksumIEEE([]byte(label)); got != want {
			t.Errorf("%q: %08x, want %08x", label, got, want)
		}
	})
}

// TestFoldMultiplier: the constant is what its comment says.
func TestFoldMultiplier(t *testing.T) {
	labels := append(shippedLabels(t), token.OpaqueMix)
	if len(labels) < 180 || !token.FoldSeparates(labels, token.FoldMultiplier) {
		t.Fatalf("%d labels are not told apart", len(labels))
	}
	first := uint32(token.FoldMultiplier - 20_000)
	if long() {
		first = 1
	}
	for m := first | 1; m < token.FoldMultiplier; m += 2 {
		if token.FoldSeparates(labels, m) {
			t.Fatalf("%#x is smaller", m)
		}
	}
}

package token_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/token"
)

// seed makes a test's randomness: the same in every run.
func seed(name string) *rand.ChaCha8 {
	var s [32]byte
	copy(s[:], name)
	return rand.NewChaCha8(s)
}

// long says whether property runs may take minutes.
func long() bool { return os.Getenv("COUNTERFOIL_LONG") == "1" }

func shippedLabels(t testing.TB) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/labels.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(b))
}

func vocabulary(t testing.TB, labels ...string) *token.Vocabulary {
	t.Helper()
	if len(labels) == 0 {
		labels = shippedLabels(t)
	}
	v, err := token.NewVocabulary(labels)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// minter draws tokens and numbers from one source.
type minter struct {
	t      testing.TB
	source *rand.ChaCha8
	*rand.Rand
	labels []string
}

func newMinter(t testing.TB, labels []string) *minter {
	source := seed(t.Name())
	return &minter{t: t, source: source, Rand: rand.New(source), labels: labels}
}

// label mints a label token; without a name, of any label.
func (m *minter) label(names ...string) token.Token {
	m.t.Helper()
	if len(names) == 0 {
		names = m.labels
	}
	return m.mint(token.FormatLabel, names[m.IntN(len(names))])
}

func (m *minter) opaque() token.Token {
	m.t.Helper()
	return m.mint(token.FormatOpaque, "")
}

func (m *minter) mint(f token.Format, label string) token.Token {
	m.t.Helper()
	t, err := token.Mint(f, label, m.source)
	if err != nil {
		m.t.Fatal(err)
	}
	return t
}

// pick chooses one.
func pick[T any](m *minter, of ...T) T { return of[m.IntN(len(of))] }

// bare is a label token without its brackets.
func bare(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, "["), "]") }

// insert puts what at a random place inside s, not at its ends.
func (m *minter) insert(s, what string) string {
	at := 1 + m.IntN(len(s)-1)
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + what + s[at:]
}

// spoil changes a token in ways that tolerant reading undoes.
func (m *minter) spoil(t token.Token) string {
	s := bare(t.String())
	if id := strings.LastIndex(s, "_") + 1; m.IntN(3) == 0 {
		s = s[:id] + strings.NewReplacer("0", "O", "1", pick(m, "l", "I")).Replace(s[id:])
	}
	spare := token.MaxInserted - 3 // for what the brackets may get
	for range 1 + m.IntN(3) {
		switch m.IntN(4) {
		case 0:
			s = strings.ToLower(s)
		case 1:
			if n := strings.Count(s, "_"); n <= spare {
				s = strings.ReplaceAll(s, "_", "\\_")
				spare -= n
			}
		case 2:
			if spare > 0 {
				s = m.insert(s, pick(m, " ", "-", "\n", "\u200b", "\u00a0", "_", "\u2011", "\ufeff"))
				spare--
			}
		default:
			s = strings.ReplaceAll(s, "_", pick(m, " ", "-", "_"))
		}
	}
	if t.Format == token.FormatOpaque {
		return s
	}
	open := pick(m, "", "[", "［", "【", "%5B", "%5b", "\\[")
	end := pick(m, "", "]", "］", "】", "%5D", "%5d")
	if open != "" && end != "" && m.IntN(4) == 0 {
		open, end = open+" ", " "+end
	}
	return open + s + end
}

// sentence mixes tokens, spoilt ones, halves of them and what may confuse the
// reader or the place.
func (m *minter) sentence(words int) string {
	var b strings.Builder
	for range words {
		t := m.label()
		if m.IntN(4) == 0 {
			t = m.opaque()
		}
		s := t.String()
		switch m.IntN(9) {
		case 0, 1:
			b.WriteString(s)
		case 2, 3:
			b.WriteString(m.spoil(t))
		case 4:
			b.WriteString(s[:m.IntN(len(s))])
		case 5:
			b.WriteString(s[m.IntN(len(s)):])
		case 6:
			b.WriteString(pick(m, "[", "]", "\\", "\\[", "%5B", "%5D", "%", "tok_", "［", "\xe3\x80", "\xff", "é", "名", "x", "7", "_"))
		case 7:
			b.WriteString(pick(m, "https://a.example/?q=", "www.", "](", "](<", ")", ">", "<img src=\"", "\"", "`", "```\n", "\n\n",
				"[x]: ", "mailto:", "//", "a.example/", "'", "\n~~~\n", "<b", "(", "\\"))
		default:
			b.WriteString(pick(m, m.labels...))
		}
		b.WriteString(pick(m, "", "", "", " ", " ", "\n", "-", ", "))
	}
	return b.String()
}

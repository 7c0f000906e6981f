package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"
)

func signedStatement(t testing.TB, s audit.Statement, signers ...*audit.Signer) []byte {
	t.Helper()
	signed, err := audit.SignStatement(s, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Any C2SP signed-note reader opens a statement, and it says what was signed.
func TestStatementRoundTrip(t *testing.T) {
	s := newSigner(t, origin, 1)
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[ -~äß€—]{0,80}`), 1, 20).Draw(t, "lines")
		want := audit.Statement{
			Title:  rapid.SampledFrom([]string{audit.TitleHandover, audit.TitleManifest, audit.TitleEvidence}).Draw(t, "title"),
			Origin: origin, Body: strings.Join(lines, "\n") + "\n",
		}
		signed, err := audit.SignStatement(want, s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := audit.OpenStatement(signed, want.Title, s.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		v, err := note.NewVerifier(s.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		n, err := note.Open(signed, note.VerifierList(v))
		if err != nil || n.Text != want.Title+"\n"+origin+"\n"+want.Body {
			t.Fatalf("%+v, %v", n, err)
		}
	})
}

// A signature under the one is never one under the other, since the first line of a
// checkpoint holds no space and that of a statement does.
func TestStatementIsNoCheckpoint(t *testing.T) {
	s := newSigner(t, origin, 1)
	statement := signedStatement(t, audit.Statement{Title: audit.TitleHandover, Origin: origin, Body: "4\n"}, s)
	if _, err := audit.OpenCheckpoint(statement, s.VerifierKey()); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("a statement as a checkpoint: %v", err)
	}
	checkpoint := []byte(sign(t, s, 4, audit.LeafHash(nil)))
	for _, title := range []string{origin, audit.TitleHandover, ""} {
		if _, err := audit.OpenStatement(checkpoint, title, s.VerifierKey()); !errors.Is(err, audit.ErrStatement) {
			t.Errorf("a checkpoint as %q: %v", title, err)
		}
	}
}

func TestStatementsThatAreNotSigned(t *testing.T) {
	s := newSigner(t, origin, 1)
	good := audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: "a line\n"}
	for name, change := range map[string]func(s *audit.Statement){
		"title without a space": func(s *audit.Statement) { s.Title = "evidence" },
		"title of two lines":    func(s *audit.Statement) { s.Title = "evidence v1\nmore" },
		"title with a return":   func(s *audit.Statement) { s.Title = "evidence\r v1" },
		"no title":              func(s *audit.Statement) { s.Title = "" },
		"origin with a space":   func(s *audit.Statement) { s.Origin = "a log/acme" },
		"no origin":             func(s *audit.Statement) { s.Origin = "" },
		"no body":               func(s *audit.Statement) { s.Body = "" },
		"no line break":         func(s *audit.Statement) { s.Body = "a line" },
		"control character":     func(s *audit.Statement) { s.Body = "a\x07line\n" },
		"tab":                   func(s *audit.Statement) { s.Body = "a\tline\n" },
		"not UTF-8":             func(s *audit.Statement) { s.Body = "a\xffline\n" },
		"too long":              func(s *audit.Statement) { s.Body = strings.Repeat("a line\n", audit.MaxStatement/7+1) },
	} {
		bad := good
		change(&bad)
		if _, err := audit.SignStatement(bad, s); !errors.Is(err, audit.ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := audit.SignStatement(good); !errors.Is(err, audit.ErrKey) {
		t.Errorf("nobody: %v", err)
	}
	if _, err := audit.SignStatement(good, newSigner(t, "counterfoil.local/log/globex", 1)); !errors.Is(err, audit.ErrKey) {
		t.Errorf("the key of another log: %v", err)
	}
	// The largest that is signed is opened.
	good.Body = strings.Repeat("0123456789abcde\n", audit.MaxStatement/16)
	if _, err := audit.OpenStatement(signedStatement(t, good, s), good.Title, s.VerifierKey()); err != nil {
		t.Errorf("the largest: %v", err)
	}
}

func TestStatementsThatAreNotOpened(t *testing.T) {
	s, other := newSigner(t, origin, 1), newSigner(t, origin, 2)
	signed := signedStatement(t, audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: "a line\n"}, s)
	crossed, err := audit.SignText(newSigner(t, "counterfoil.local/log/globex", 1), audit.TitleEvidence+"\n"+origin+"\na line\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		signed []byte
		title  string
		keys   []string
		want   error
	}{
		"another title":             {signed, audit.TitleManifest, []string{s.VerifierKey()}, audit.ErrStatement},
		"another key":               {signed, audit.TitleEvidence, []string{other.VerifierKey()}, audit.ErrSignature},
		"no key":                    {signed, audit.TitleEvidence, nil, audit.ErrKey},
		"not a note":                {[]byte("x"), audit.TitleEvidence, []string{s.VerifierKey()}, audit.ErrStatement},
		"too long":                  {make([]byte, audit.MaxStatement+audit.MaxCheckpoint+1), audit.TitleEvidence, []string{s.VerifierKey()}, audit.ErrStatement},
		"the key of another origin": {crossed, audit.TitleEvidence, []string{newSigner(t, "counterfoil.local/log/globex", 1).VerifierKey()}, audit.ErrSignature},
	} {
		if _, err := audit.OpenStatement(c.signed, c.title, c.keys...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := range signed {
		changed := append([]byte{}, signed...)
		changed[at] ^= 1 << (at % 8)
		if _, err := audit.OpenStatement(changed, audit.TitleEvidence, s.VerifierKey()); err == nil {
			t.Errorf("byte %d changed, and it is opened", at)
		}
	}
}

// Twin: the note alone is good under a key whose name the statement does not bear.
func TestStatement_Twin_TheNoteAloneWouldPass(t *testing.T) {
	globex := newSigner(t, "counterfoil.local/log/globex", 1)
	signed, err := audit.SignText(globex, audit.TitleEvidence+"\n"+origin+"\na line\n")
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(globex.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
		t.Errorf("the note is broken, and the case shows nothing: %v", err)
	}
}

func FuzzStatement(f *testing.F) {
	s := newSigner(f, origin, 1)
	f.Add(signedStatement(f, audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: "a line\n"}, s))
	f.Add([]byte("evidence v1\n" + origin + "\na line\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, signed []byte) {
		got, err := audit.OpenStatement(signed, audit.TitleEvidence, s.VerifierKey())
		if err == nil && (got.Origin != origin || got.Body != "a line\n") {
			t.Errorf("what was never signed is opened: %+v", got)
		}
	})
}

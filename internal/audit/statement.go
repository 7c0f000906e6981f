package audit

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// A Statement is what the key of a log signs beside checkpoints: a C2SP
// signed-note whose first line is the title, whose second the origin of the log,
// and whose rest is Body, lines that end with a line feed.
//
// No signature of the one is ever good for the other: the first line of a
// checkpoint is an origin, which holds no space, and a title holds one.
type Statement struct {
	Title  string
	Origin string
	Body   string
}

// The titles of statements.
const (
	TitleHandover = "counterfoil log-key handover v1"
	TitleManifest = "counterfoil export manifest v1"
	TitleEvidence = "counterfoil evidence manifest v1"
)

// MaxStatement is the size in bytes of the largest statement that is read: the
// manifest of a bundle with a hundred files, ten times over.
const MaxStatement = 256 << 10

// ErrStatement says that a statement is none, or not the one that it should be.
var ErrStatement = errors.New("audit: statement is malformed")

func (s Statement) text() string { return s.Title + "\n" + s.Origin + "\n" + s.Body }

func (s Statement) check() error {
	switch {
	case !strings.Contains(s.Title, " ") || strings.ContainsAny(s.Title, "\r\n"):
		return fmt.Errorf("%w: a title is one line with a space in it", ErrStatement)
	case !validOrigin(s.Origin):
		return fmt.Errorf("%w: the origin is not a log of ours", ErrStatement)
	case s.Body == "" || !strings.HasSuffix(s.Body, "\n") || len(s.Body) > MaxStatement:
		return fmt.Errorf("%w: a body is lines of at most %d bytes in all", ErrStatement, MaxStatement)
	case !printable(s.Title) || !printable(s.Body):
		return fmt.Errorf("%w: it is not text", ErrStatement)
	}
	return nil
}

// printable is what a signed note may hold: what is signed can be opened.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' })
}

// SignStatement signs a statement of the log of all signers, which are several
// keys of one log.
func SignStatement(s Statement, signers ...*Signer) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	keys := make([]note.Signer, len(signers))
	for i, signer := range signers {
		if signer.Origin() != s.Origin {
			return nil, fmt.Errorf("%w: the statement is of another log", ErrKey)
		}
		keys[i] = signer.key
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: nobody signs", ErrKey)
	}
	return note.Sign(&note.Note{Text: s.text()}, keys...)
}

// OpenStatement checks that one of the keys signed the statement, and that it is
// of the title and of the log of that key.
func OpenStatement(signed []byte, title string, vkeys ...string) (Statement, error) {
	if len(signed) > MaxStatement+MaxCheckpoint {
		return Statement{}, fmt.Errorf("%w: longer than allowed", ErrStatement)
	}
	n, err := openNote(signed, vkeys, ErrStatement)
	if err != nil {
		return Statement{}, err
	}
	first, rest, _ := strings.Cut(n.Text, "\n")
	origin, body, _ := strings.Cut(rest, "\n")
	s := Statement{Title: first, Origin: origin, Body: body}
	if err := s.check(); err != nil {
		return Statement{}, err
	}
	if s.Title != title {
		return Statement{}, fmt.Errorf("%w: it has another title", ErrStatement)
	}
	if !signedBy(n, s.Origin) {
		return Statement{}, fmt.Errorf("%w: for this origin", ErrSignature)
	}
	return s, nil
}

package audit

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxCheckpoint is the size in bytes of the largest checkpoint that is read.
// C2SP asks for room for 16 signatures of nearly 5 kB each, beside the body.
const MaxCheckpoint = 128 << 10

// A TreeHead is what a checkpoint states: the log named Origin has Size
// entries and this root. Its text is the body of a C2SP tlog-checkpoint
// without extension lines.
type TreeHead struct {
	Origin string
	Size   int64
	Root   Hash
}

func (h TreeHead) text() string {
	return h.Origin + "\n" + strconv.FormatInt(h.Size, 10) + "\n" + h.Root.String() + "\n"
}

// parseTreeHead reads exactly what text writes. Extension lines, which C2SP
// allows and advises against, are refused: we never sign any, so nobody has to
// guess what they mean.
func parseTreeHead(text string) (TreeHead, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return TreeHead{}, fmt.Errorf("%w: the body must be three lines", ErrCheckpoint)
	}
	size, err := parseSize(lines[1])
	if err != nil {
		return TreeHead{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return TreeHead{}, fmt.Errorf("%w: root: %w", ErrCheckpoint, err)
	}
	h := TreeHead{Origin: lines[0], Size: size, Root: root}
	if !validOrigin(h.Origin) {
		return TreeHead{}, fmt.Errorf("%w: the origin is not a log of ours", ErrCheckpoint)
	}
	return h, nil
}

var (
	errSize = errors.New("a size is a decimal number without leading zeros")
	errHash = errors.New("a hash is 32 bytes in standard base64")
)

func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > MaxSize || strconv.FormatInt(n, 10) != s {
		return 0, errSize
	}
	return n, nil
}

// parseHash is strict where tlog.ParseHash takes line breaks and loose last bits.
func parseHash(s string) (Hash, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != tlog.HashSize || strings.ContainsAny(s, "\r\n") {
		return Hash{}, errHash
	}
	return Hash(b), nil
}

// OpenCheckpoint checks the signed note against the verifier keys of one log
// and returns what it states. At least one of the keys must have signed, and
// its name must be the origin in the text: the key of one log cannot speak for
// another. Signatures of others (witnesses) are left alone.
func OpenCheckpoint(checkpoint []byte, vkeys ...string) (TreeHead, error) {
	if len(checkpoint) > MaxCheckpoint {
		return TreeHead{}, fmt.Errorf("%w: longer than %d bytes", ErrCheckpoint, MaxCheckpoint)
	}
	n, err := openNote(checkpoint, vkeys, ErrCheckpoint)
	if err != nil {
		return TreeHead{}, err
	}
	h, err := parseTreeHead(n.Text)
	if err != nil {
		return TreeHead{}, err
	}
	if !signedBy(n, h.Origin) {
		return TreeHead{}, fmt.Errorf("%w: for this origin", ErrSignature)
	}
	return h, nil
}

// openNote checks a signed note against the keys; one that is none is malformed.
func openNote(signed []byte, vkeys []string, malformed error) (*note.Note, error) {
	verifiers, err := verifierList(vkeys)
	if err != nil {
		return nil, err
	}
	n, err := note.Open(signed, verifiers)
	if err != nil {
		var unverified *note.UnverifiedNoteError
		var invalid *note.InvalidSignatureError
		if errors.As(err, &unverified) || errors.As(err, &invalid) {
			return nil, ErrSignature
		}
		return nil, fmt.Errorf("%w: not a signed note", malformed)
	}
	return n, nil
}

// signedBy tells whether a key of that name is among those that signed.
func signedBy(n *note.Note, origin string) bool {
	return slices.ContainsFunc(n.Sigs, func(s note.Signature) bool {
		// A signature has one text: note.Open ignores the last bits of its base64.
		_, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		return err == nil && s.Name == origin
	})
}

func verifierList(vkeys []string) (note.Verifiers, error) {
	if len(vkeys) == 0 {
		return nil, fmt.Errorf("%w: no verifier key was given", ErrKey)
	}
	sorted := slices.Clone(vkeys)
	slices.Sort(sorted)
	var list []note.Verifier
	// The same key twice would be ambiguous to the note package.
	for _, vkey := range slices.Compact(sorted) {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		list = append(list, v)
	}
	return note.VerifierList(list...), nil
}

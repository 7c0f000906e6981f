package audit

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// maxOrigin bounds the name of a log: prefix, slash, tenant.
const maxOrigin = MaxIdentifier + 1 + MaxName

// originSigns beside letters and digits: what a host name and a path need. A
// signed-note name may hold neither spaces nor a plus.
var originChars = chars(alphanumeric + "-._~:/")

// Origin names the log of a tenant: prefix and tenant with a slash between.
// A tenant holds no slash, so two tenants of one prefix never share a name.
// NewSigner refuses an origin that a note cannot carry.
func Origin(prefix, tenant string) string { return prefix + "/" + tenant }

// TenantOf returns the tenant that an origin made by Origin names.
func TenantOf(origin string) (string, error) {
	i := strings.LastIndexByte(origin, '/')
	if !validOrigin(origin) || i < 1 || !IsName(origin[i+1:]) {
		return "", fmt.Errorf("%w: the origin names no tenant", ErrKey)
	}
	return origin[i+1:], nil
}

// OriginOf returns the name of the log whose verifier key this is.
func OriginOf(vkey string) (string, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	return v.Name(), nil
}

func validOrigin(s string) bool {
	if s == "" || len(s) > maxOrigin {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !originChars[s[i]] {
			return false
		}
	}
	return true
}

// A Signer signs the heads of one log. It may be used by several goroutines.
type Signer struct {
	key  noteSigner
	vkey string
}

// NewSigner makes the signer of a log from the 32 bytes of an Ed25519 seed.
// The seed is not kept; the caller may wipe it.
func NewSigner(origin string, seed []byte) (*Signer, error) {
	if !validOrigin(origin) {
		return nil, fmt.Errorf("%w: an origin is 1 to %d letters, digits or any of -._~:/", ErrKey, maxOrigin)
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%w: a seed has %d bytes", ErrKey, ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	vkey, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &Signer{key: noteSigner{name: origin, hash: verifier.KeyHash(), private: private}, vkey: vkey}, nil
}

// VerifierKey is the public key in the text form of C2SP signed-note:
// origin, key hash and key, joined by plus signs.
func (s *Signer) VerifierKey() string { return s.vkey }

// Origin is the name of the log that s signs for.
func (s *Signer) Origin() string { return s.key.name }

// Sign returns the checkpoint of a head. It refuses a head of another log, and
// must be called only for a head whose commit was acknowledged: what is signed
// cannot be taken back.
func (s *Signer) Sign(h TreeHead) (checkpoint []byte, err error) {
	if h.Origin != s.key.name {
		return nil, fmt.Errorf("%w: the head is of another log", ErrKey)
	}
	if err := checkSize(h.Size); err != nil {
		return nil, err
	}
	// What note.Sign writes, without a second look at text and name: both were
	// checked when they were made.
	b := append(make([]byte, 0, 2*len(h.Origin)+noteRoom), h.text()...)
	var signature [keyHashSize + ed25519.SignatureSize]byte
	binary.BigEndian.PutUint32(signature[:], s.key.hash)
	copy(signature[keyHashSize:], ed25519.Sign(s.key.private, b))
	b = append(append(b, "\n\u2014 "...), h.Origin...)
	b = base64.StdEncoding.AppendEncode(append(b, ' '), signature[:])
	return append(b, '\n'), nil
}

const (
	// keyHashSize is that of the key hash before a signature, in C2SP signed-note.
	keyHashSize = 4
	// noteRoom is more than size, root, signature and what stands between them
	// take, so that a checkpoint is written in one piece.
	noteRoom = 192
)

// Format keeps the key out of anything that is printed.
func (s *Signer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.vkey) }

// LogValue keeps the key out of the operational log.
func (s *Signer) LogValue() slog.Value { return slog.StringValue(s.vkey) }

// noteSigner is a note.Signer that needs no text form of the private key.
type noteSigner struct {
	name    string
	hash    uint32
	private ed25519.PrivateKey
}

func (s noteSigner) Name() string    { return s.name }
func (s noteSigner) KeyHash() uint32 { return s.hash }

// Sign never fails: Ed25519 is deterministic and takes any message.
func (s noteSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

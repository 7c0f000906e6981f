package access

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

var (
	// ErrUnsigned is returned for a bundle without a signature.
	ErrUnsigned = errors.New("access: the policy bundle is not signed")
	// ErrBadSignature is returned for a bundle whose signature is of another key
	// or of other files, or is none.
	ErrBadSignature = errors.New("access: the signature of the policy bundle does not hold")
	// ErrBadKey is returned for a verifier key that is none.
	ErrBadKey = errors.New("access: not a verifier key")
)

// signedFormat separates what is signed here from everything else that the same
// key may sign, and one version of it from the next.
const signedFormat = "counterfoil-policy/v1"

// signedText is what a signature says: the version, which entries of the log
// name, and the digest of every file, which binds the tests and where the
// bundle comes from too.
func (b *Bundle) signedText() string {
	return signedFormat + "\n" + b.Version() + "\n" + b.filesDigest() + "\n"
}

// Sign puts a signature into bundle.sig, in place of the one that is there: a
// C2SP signed note, which an Ed25519 key of golang.org/x/mod/sumdb/note makes.
func (b *Bundle) Sign(signer note.Signer) error {
	signed, err := note.Sign(&note.Note{Text: b.signedText()}, signer)
	if err != nil {
		return fmt.Errorf("access: sign the policy bundle: %w", err)
	}
	b.files[fileSignature] = signed
	return nil
}

// VerifySignature says whether the holder of the key signed these very files:
// nil, ErrUnsigned or ErrBadSignature, or ErrBadKey. Whether the files are a
// policy is for Policy; both are asked before a bundle is taken.
func (b *Bundle) VerifySignature(verifierKey string) error {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadKey, err)
	}
	signed, ok := b.files[fileSignature]
	if !ok {
		return ErrUnsigned
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSignature, err)
	}
	// The signature may be a true one, of another bundle.
	if n.Text != b.signedText() {
		return fmt.Errorf("%w: it is of other files", ErrBadSignature)
	}
	return nil
}

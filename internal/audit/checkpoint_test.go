package audit_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"golang.org/x/mod/sumdb/note"
)

const origin = "counterfoil.local/log/acme"

func newSigner(t testing.TB, origin string, seed byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(origin, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sign(t testing.TB, s *audit.Signer, size int64, root audit.Hash) string {
	t.Helper()
	b, err := s.Sign(audit.TreeHead{Origin: s.Origin(), Size: size, Root: root})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSignedNoteVectors(t *testing.T) {
	var v struct{ Name, Private, VKey, Note string }
	readJSON(t, "testdata/signed_note.json", &v)
	// PRIVATE+KEY+name+hash+base64(algorithm || seed)
	raw, err := base64.StdEncoding.DecodeString(v.Private[strings.LastIndexByte(v.Private[:len("PRIVATE+KEY+PeterNeumann+c74f20a3+")], '+')+1:])
	if err != nil || len(raw) != 33 {
		t.Fatal("the vector is malformed", err)
	}
	s, err := audit.NewSigner(v.Name, raw[1:])
	if err != nil {
		t.Fatal(err)
	}
	if s.VerifierKey() != v.VKey {
		t.Errorf("verifier key %s, want %s", s.VerifierKey(), v.VKey)
	}
	text, _, _ := strings.Cut(v.Note, "\n\n")
	got, err := audit.SignText(s, text+"\n")
	if err != nil || string(got) != v.Note {
		t.Errorf("note %q, %v; want %q", got, err, v.Note)
	}
	// The reference signer and ours write the same checkpoint.
	theirs, err := note.NewSigner(v.Private)
	if err != nil {
		t.Fatal(err)
	}
	ours := sign(t, s, 3, audit.LeafHash(nil))
	body, _, _ := strings.Cut(ours, "\n\n")
	want, err := note.Sign(&note.Note{Text: body + "\n"}, theirs)
	if err != nil || ours != string(want) {
		t.Errorf("checkpoint %q, want %q, %v", ours, want, err)
	}
}

func TestC2SPCheckpointVector(t *testing.T) {
	b, err := os.ReadFile("testdata/c2sp_checkpoint.txt")
	if err != nil {
		t.Fatal(err)
	}
	body, _, _ := strings.Cut(string(b), "\n\n")
	h, err := audit.ParseTreeHead(body + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if h.Origin != "example.com/behind-the-sofa" || h.Size != 20852163 || h.Root.String() != "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=" {
		t.Errorf("%+v", h)
	}
	if _, err := audit.OpenCheckpoint(b, newSigner(t, origin, 1).VerifierKey()); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("with a key that did not sign: %v", err)
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	s := newSigner(t, origin, 1)
	other := newSigner(t, origin, 2)
	root := audit.LeafHash([]byte("x"))
	for _, size := range []int64{0, 1, 20852163, audit.MaxSize} {
		h, err := audit.OpenCheckpoint([]byte(sign(t, s, size, root)), other.VerifierKey(), s.VerifierKey(), s.VerifierKey())
		if err != nil || h != (audit.TreeHead{Origin: origin, Size: size, Root: root}) {
			t.Errorf("%+v, %v", h, err)
		}
	}
	// A second signature, of a witness, does not disturb.
	n, err := note.Open([]byte(sign(t, s, 5, root)), verifiers(t, s))
	if err != nil {
		t.Fatal(err)
	}
	skey, _, err := note.GenerateKey(nil, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenCheckpoint(cosigned, s.VerifierKey()); err != nil {
		t.Error(err)
	}
}

func verifiers(t testing.TB, s *audit.Signer) note.Verifiers {
	t.Helper()
	v, err := note.NewVerifier(s.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	return note.VerifierList(v)
}

func TestInvariant11_ForgedCheckpointIsRefused(t *testing.T) {
	s := newSigner(t, origin, 1)
	root := audit.LeafHash([]byte("x"))
	good := sign(t, s, 17, root)
	for i := range len(good) {
		for bit := range 8 {
			b := []byte(good)
			b[i] ^= 1 << bit
			if _, err := audit.OpenCheckpoint(b, s.VerifierKey()); err == nil {
				t.Errorf("bit %d of byte %d may be flipped", bit, i)
			}
		}
	}
	text := func(lines ...string) []byte {
		b, err := audit.SignText(s, strings.Join(lines, "\n")+"\n")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, forged := range map[string][]byte{
		"another key":       []byte(sign(t, newSigner(t, origin, 2), 17, root)),
		"nothing":           nil,
		"no signature":      []byte(good[:strings.Index(good, "\n\n")+2]),
		"leading zero":      text(origin, "017", root.String()),
		"sign":              text(origin, "+17", root.String()),
		"negative":          text(origin, "-1", root.String()),
		"beyond any log":    text(origin, "9223372036854775807", root.String()),
		"short root":        text(origin, "17", root.String()[:40]),
		"loose last bits":   text(origin, "17", strings.Replace(root.String(), lastTwo(root.String()), loosened(root.String()), 1)),
		"extension line":    text(origin, "17", root.String(), "x"),
		"empty origin":      text("", "17", root.String()),
		"two words":         text("a b", "17", root.String()),
		"origin of another": text("counterfoil.local/log/globex", "17", root.String()),
		"too long":          bytes.Repeat([]byte("a"), audit.MaxCheckpoint+1),
	} {
		if _, err := audit.OpenCheckpoint(forged, s.VerifierKey()); !errors.Is(err, audit.ErrCheckpoint) && !errors.Is(err, audit.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// lastTwo and loosened change the two bits of base64 that carry nothing.
func lastTwo(b64 string) string { return b64[len(b64)-2:] }

func loosened(b64 string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	i := strings.IndexByte(alphabet, b64[len(b64)-2])
	return string(alphabet[i^1]) + "="
}

// The twins: what our checks add to those of the note package. Without them
// the key of one log would speak for another, and a checkpoint would have
// several texts.
func TestInvariant11_Twin_TheNoteAloneWouldPass(t *testing.T) {
	s := newSigner(t, origin, 1)
	root := audit.LeafHash([]byte("x"))
	foreign, err := audit.SignText(s, "counterfoil.local/log/globex\n17\n"+root.String()+"\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(foreign, verifiers(t, s)); err != nil {
		t.Errorf("another origin: the note package refuses it too: %v", err)
	}
	good := strings.TrimSuffix(sign(t, s, 17, root), "\n")
	loose := strings.TrimSuffix(good, lastTwo(good)) + loosened(good) + "\n"
	if _, err := note.Open([]byte(loose), verifiers(t, s)); err != nil {
		t.Errorf("loose base64: the note package refuses it too: %v", err)
	}
	if _, err := audit.OpenCheckpoint([]byte(loose), s.VerifierKey()); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("loose base64: %v", err)
	}
}

func TestSignerRefuses(t *testing.T) {
	seed := make([]byte, 32)
	for name, err := range map[string]error{
		"short seed":        second(audit.NewSigner(origin, seed[:31])),
		"empty origin":      second(audit.NewSigner("", seed)),
		"origin with space": second(audit.NewSigner("a b", seed)),
		"origin with plus":  second(audit.NewSigner("a+b", seed)),
		"origin with break": second(audit.NewSigner("a\nb", seed)),
		"origin too long":   second(audit.NewSigner(strings.Repeat("a", 400), seed)),
		"another log":       second(newSigner(t, origin, 1).Sign(audit.TreeHead{Origin: "x"})),
		"no key":            second(audit.OpenCheckpoint([]byte(sign(t, newSigner(t, origin, 1), 1, audit.Hash{})))),
		"malformed key":     second(audit.OpenCheckpoint(nil, "x+y+z")),
		"not a key":         second(audit.OriginOf("x")),
		"no tenant":         second(audit.TenantOf("acme")),
		"empty tenant":      second(audit.TenantOf("a/")),
		"only tenant":       second(audit.TenantOf("/acme")),
	} {
		if !errors.Is(err, audit.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newSigner(t, origin, 1).Sign(audit.TreeHead{Origin: origin, Size: -1}); !errors.Is(err, audit.ErrTree) {
		t.Errorf("negative size: %v", err)
	}
}

func TestOriginNamesTenant(t *testing.T) {
	o := audit.Origin("counterfoil.local/log", "acme")
	if tenant, err := audit.TenantOf(o); err != nil || tenant != "acme" || o != origin {
		t.Error(o, tenant, err)
	}
	if got, err := audit.OriginOf(newSigner(t, o, 1).VerifierKey()); err != nil || got != o {
		t.Error(got, err)
	}
}

// printed is everything that the usual verbs make of v.
func printed(v any) (out string) {
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		out += fmt.Sprintf(format, v) + "\n"
	}
	return out
}

func leaksSeed(out string) bool {
	for _, leak := range []string{"SSSS", "83 83", "5353", "0x53, 0x53"} {
		if strings.Contains(out, leak) {
			return true
		}
	}
	return false
}

func TestInvariant12_SignerPrintsNoKey(t *testing.T) {
	s := newSigner(t, origin, 'S')
	for _, v := range []any{s, struct{ S *audit.Signer }{s}, s.LogValue()} {
		if out := printed(v); leaksSeed(out) {
			t.Errorf("the seed is printed: %s", out)
		}
	}
}

func TestInvariant12_Twin_WithoutFormatTheKeyIsPrinted(t *testing.T) {
	type bare audit.Signer // the same fields, none of the methods
	if out := printed((*bare)(newSigner(t, origin, 'S'))); !leaksSeed(out) {
		t.Errorf("nothing to guard against: %s", out)
	}
}

package access_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"

	"github.com/counterfoil/counterfoil/internal/access"
)

// keyOf makes a key pair.
func keyOf(t testing.TB, name string) (note.Signer, string) {
	t.Helper()
	private, verifierKey, err := note.GenerateKey(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifierKey
}

// repacked is the bundle after a journey, with one file changed.
func repacked(t testing.TB, b *access.Bundle, change func(fstest.MapFS)) *access.Bundle {
	t.Helper()
	again, err := access.ReadBundle(pack(t, b))
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range filesIn(t, again) {
		text, err := again.FS().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := text.Stat()
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, info.Size())
		if _, err := text.Read(data); err != nil && info.Size() > 0 {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	change(files)
	return bundleOf(t, files)
}

// TestSignature signs a bundle, and pins what a signature is worth: these files
// and this key, and nothing else.
func TestSignature(t *testing.T) {
	signer, key := keyOf(t, "policy.example")
	_, stranger := keyOf(t, "policy.example")
	b := bundleOf(t, copyOfShipped(t))
	if err := b.VerifySignature(key); !errors.Is(err, access.ErrUnsigned) {
		t.Errorf("unsigned: %v", err)
	}
	version, tests := b.Version(), b.TestsDigest()
	for range 2 { // the second takes the place of the first
		if err := b.Sign(signer); err != nil {
			t.Fatal(err)
		}
	}
	if b.Version() != version || b.TestsDigest() != tests {
		t.Error("a signature is no part of the policy")
	}
	untouched := repacked(t, b, func(fstest.MapFS) {})
	if err := untouched.VerifySignature(key); err != nil {
		t.Errorf("after a journey: %v", err)
	}
	if _, err := untouched.Load(); err != nil {
		t.Errorf("a signed bundle does not load: %v", err)
	}
	if err := b.VerifySignature(stranger); !errors.Is(err, access.ErrBadSignature) {
		t.Errorf("another key of the same name: %v", err)
	}
	for _, bad := range []string{"", "policy.example", strings.Replace(key, "+", "-", 1), key + "x"} {
		if err := b.VerifySignature(bad); !errors.Is(err, access.ErrBadKey) {
			t.Errorf("a key that is none: %v", err)
		}
	}
}

// TestTwinSignature changes one file at a time of a signed bundle: each change
// must be noticed.
func TestTwinSignature(t *testing.T) {
	signer, key := keyOf(t, "policy.example")
	files := copyOfShipped(t)
	files["change.yaml"] = &fstest.MapFile{Data: []byte("notes: a\n")}
	b := bundleOf(t, files)
	if err := b.Sign(signer); err != nil {
		t.Fatal(err)
	}
	for _, name := range filesIn(t, b) {
		changed := repacked(t, b, func(files fstest.MapFS) {
			text := append([]byte("# later\n"), files[name].Data...)
			files[name] = &fstest.MapFile{Data: text}
		})
		if err := changed.VerifySignature(key); !errors.Is(err, access.ErrBadSignature) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
	for what, change := range map[string]func(fstest.MapFS){
		"a table less": func(f fstest.MapFS) { delete(f, "decisions/llm_response.yaml") },
		"a text more":  func(f fstest.MapFS) { f["texts/more.yaml"] = &fstest.MapFile{Data: []byte("cases: []\n")} },
		"a table moved": func(f fstest.MapFS) {
			f["texts/erase.yaml"] = f["decisions/erase.yaml"]
			delete(f, "decisions/erase.yaml")
		},
		"an older note":  func(f fstest.MapFS) { f["bundle.sig"] = &fstest.MapFile{Data: signatureOf(t, signer)} },
		"half a note":    func(f fstest.MapFS) { f["bundle.sig"].Data = f["bundle.sig"].Data[:60] },
		"another format": func(f fstest.MapFS) { f["bundle.sig"].Data = otherFormat(t, signer, string(f["bundle.sig"].Data)) },
	} {
		if err := repacked(t, b, change).VerifySignature(key); !errors.Is(err, access.ErrBadSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// signatureOf is a true signature of another bundle.
func signatureOf(t testing.TB, signer note.Signer) []byte {
	t.Helper()
	b := bundleOf(t, copyOfShipped(t))
	if err := b.Sign(signer); err != nil {
		t.Fatal(err)
	}
	var out []byte
	repacked(t, b, func(files fstest.MapFS) { out = files["bundle.sig"].Data })
	return out
}

// otherFormat signs the same text as that of another version of the format.
func otherFormat(t testing.TB, signer note.Signer, signed string) []byte {
	t.Helper()
	text, _, _ := strings.Cut(signed, "\n\n")
	text = strings.Replace(text, "counterfoil-policy/v1", "counterfoil-policy/v2", 1) + "\n"
	out, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

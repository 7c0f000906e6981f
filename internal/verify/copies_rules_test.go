package verify_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// A copyCase breaks exactly one rule of a copy.
type copyCase struct {
	rule    string
	bundle  func(m *made) []byte // or
	tiles   func(m *made) files
	without []string // empty: the rule
}

// resealed is a bundle whose files were changed before it was signed.
func resealed(change func(m *made, f files)) func(m *made) []byte {
	return func(m *made) []byte {
		f := bundleFiles(m)
		change(m, f)
		return packed(sealed(m.t, f, m.signer))
	}
}

// spoiled is a bundle whose files were changed after it was signed.
func spoiled(change func(m *made, f files)) func(m *made) []byte {
	return func(m *made) []byte {
		f := bundleOf(m)
		change(m, f)
		return packed(f)
	}
}

// appended is a bundle with one header and body more before its end.
func appended(h tar.Header, body string) func(m *made) []byte {
	return func(m *made) []byte {
		f := bundleFiles(m)
		if h.Name != "" {
			f[h.Name] = []byte(body)
		}
		signed := sealed(m.t, f, m.signer)
		delete(signed, h.Name)
		b := packed(signed)
		var b2 bytes.Buffer
		b2.Write(b[:len(b)-1024])
		w := tar.NewWriter(&b2)
		pack(w, h, []byte(body))
		if err := w.Close(); err != nil {
			m.t.Fatal(err)
		}
		return b2.Bytes()
	}
}

var copyCases = map[string]copyCase{
	"bit in the padding": {rule: verify.RuleBundle, bundle: func(m *made) []byte {
		b := packed(bundleOf(m))
		b[512+len("index,actor\n3,svc-1\n")+100] ^= 4 // after the first file, which sorts first
		return b
	}},
	"something after the end": {rule: verify.RuleBundle, bundle: func(m *made) []byte {
		return append(packed(bundleOf(m)), 0)
	}},
	"file of somebody": {rule: verify.RuleBundle, bundle: appended(tar.Header{Name: "evidence/more.csv", Typeflag: tar.TypeReg, Uname: "root"}, "x")},
	"name in an extension": {rule: verify.RuleBundle, bundle: appended(
		tar.Header{Name: "evidence/more.csv", Typeflag: tar.TypeReg, PAXRecords: map[string]string{"COUNTERFOIL.x": "y"}}, "x")},
	"file twice": {rule: verify.RuleBundle, bundle: func(m *made) []byte {
		b := packed(bundleOf(m))
		var twice bytes.Buffer
		w := tar.NewWriter(&twice)
		pack(w, tar.Header{Name: "report.html", Typeflag: tar.TypeReg}, []byte("<!doctype html>another\n"))
		if err := w.Flush(); err != nil {
			m.t.Fatal(err)
		}
		return append(twice.Bytes(), b...)
	}},
	"link": {rule: verify.RuleBundle, bundle: appended(tar.Header{Name: "evidence/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "")},
	"path to elsewhere": {
		rule: verify.RuleBundle, bundle: appended(tar.Header{Name: "../elsewhere", Typeflag: tar.TypeReg}, "x"),
		without: []string{verify.RuleBundle, verify.RuleManifest},
	},
	"absolute path": {
		rule: verify.RuleBundle, bundle: appended(tar.Header{Name: "/elsewhere", Typeflag: tar.TypeReg}, "x"),
		without: []string{verify.RuleBundle, verify.RuleManifest},
	},
	"path with a step back": {
		rule: verify.RuleBundle, bundle: appended(tar.Header{Name: "evidence/../elsewhere", Typeflag: tar.TypeReg}, "x"),
		without: []string{verify.RuleBundle, verify.RuleManifest},
	},
	"changed evidence": {rule: verify.RuleManifest, bundle: spoiled(func(_ *made, f files) {
		f["evidence/restorations.csv"] = []byte("index,actor\n3,svc-2\n")
	})},
	"dropped evidence": {rule: verify.RuleManifest, bundle: spoiled(func(_ *made, f files) { delete(f, "report.html") })},
	"added evidence":   {rule: verify.RuleManifest, bundle: spoiled(func(_ *made, f files) { f["evidence/more.csv"] = []byte("x") })},
	"manifest of another's key": {rule: verify.RuleSignature, bundle: func(m *made) []byte {
		return packed(sealed(m.t, bundleFiles(m), newSigner(m.t, 66)))
	}},
	"manifest with another title": {rule: verify.RuleSignature, bundle: func(m *made) []byte {
		f := bundleFiles(m)
		signed, err := audit.SignStatement(audit.Statement{Title: audit.TitleManifest, Origin: origin, Body: manifestOf(f)}, m.signer)
		if err != nil {
			m.t.Fatal(err)
		}
		f["manifest"] = signed
		return packed(f)
	}},
	"manifest out of order": {rule: verify.RuleManifest, bundle: func(m *made) []byte {
		f := bundleFiles(m)
		lines := strings.SplitAfter(strings.TrimSuffix(manifestOf(f), "\n"), "\n")
		lines[0], lines[1] = lines[1], lines[0]
		signed, err := audit.SignStatement(audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: strings.Join(lines, "") + "\n"}, m.signer)
		if err != nil {
			m.t.Fatal(err)
		}
		f["manifest"] = signed
		return packed(f)
	}},
	"changed leaf, signed": {rule: verify.RuleRoot, bundle: resealed(func(_ *made, f files) {
		f["log/entries/000000.jsonl"] = bytes.Replace(f["log/entries/000000.jsonl"], []byte(`"actor":"svc-`), []byte(`"actor":"bob-`), 1)
	})},
	"entries dropped, signed": {rule: verify.RuleBehind, bundle: resealed(func(_ *made, f files) {
		for name := range f {
			if strings.HasPrefix(name, "log/entries/") {
				delete(f, name)
			}
		}
	})},
	"hash of a tile": {rule: verify.RuleTile, tiles: func(m *made) files {
		f := tilesOf(m)
		b := f[audit.Tile{Width: len(m.entries)}.Path()]
		b[len(b)/2] ^= 1
		return f
	}},
	"tile cut": {rule: verify.RuleTile, tiles: func(m *made) files {
		f := tilesOf(m)
		name := audit.Tile{Width: len(m.entries)}.Path()
		f[name] = f[name][:len(f[name])-32]
		return f
	}},
	"tile missing": {rule: verify.RuleTile, tiles: func(m *made) files {
		f := tilesOf(m)
		delete(f, audit.Tile{Width: len(m.entries)}.Path())
		return f
	}},
}

func (c copyCase) verify(t *testing.T, rules ...string) error {
	t.Helper()
	m := newLog(t, 21).grow(12)
	var err error
	if c.tiles != nil {
		_, err = verify.TilesWithout(t.Context(), folder(c.tiles(m)), kept(m), rules...)
	} else {
		_, err = verify.BundleWithout(t.Context(), bytes.NewReader(c.bundle(m)), kept(m), rules...)
	}
	return err
}

func TestInvariant11_EveryRuleOfACopyFindsItsFault(t *testing.T) {
	for name, c := range copyCases {
		var fault *verify.Fault
		if err := c.verify(t); !errors.As(err, &fault) || fault.Rule != c.rule {
			t.Errorf("%s: got %v, want a fault of rule %s", name, err, c.rule)
		}
	}
}

func TestInvariant11_Twin_WithoutTheRuleOfACopyTheFaultPasses(t *testing.T) {
	for name, c := range copyCases {
		without := c.without
		if without == nil {
			without = []string{c.rule}
		}
		if err := c.verify(t, without...); err != nil {
			t.Errorf("%s: without %v it is still found: %v", name, without, err)
		}
	}
}

// Where it cannot be told what a bundle is, that is said, and no more.
func TestBundleThatCannotBeRead(t *testing.T) {
	m := newLog(t, 21).grow(12)
	broken := errors.New("the disk is gone")
	var fault *verify.Fault
	if _, err := verify.Bundle(t.Context(), failing{bytes.NewReader(packed(bundleOf(m))), broken}, kept(m)); !errors.Is(err, broken) || errors.As(err, &fault) {
		t.Error(err)
	}
	for name, archive := range map[string][]byte{
		"empty": nil, "no tar": []byte(strings.Repeat("no tar ", 500)), "no files": packed(files{}),
		"no manifest": packed(bundleFiles(m)), "a manifest alone": packed(files{"manifest": bundleOf(m)["manifest"]}),
	} {
		if _, err := verify.Bundle(t.Context(), bytes.NewReader(archive), kept(m)); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verify.Bundle(ctx, bytes.NewReader(packed(bundleOf(m))), kept(m)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// failing is a file whose disk fails after the first block.
type failing struct {
	io.ReadSeeker
	err error
}

func (f failing) Read(b []byte) (int, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || at >= 512 {
		return 0, f.err
	}
	return f.ReadSeeker.Read(b[:min(len(b), 512)])
}

// FuzzBundle: whatever it is, it is read without a panic, and nothing that differs
// from the bundle by a byte is sound.
func FuzzBundle(f *testing.F) {
	m := newLog(f, 21).grow(3)
	whole := packed(bundleOf(m))
	f.Add(whole)
	f.Add(whole[:len(whole)-512])
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, archive []byte) {
		if _, err := verify.Bundle(t.Context(), bytes.NewReader(archive), kept(m)); err == nil && !bytes.Equal(archive, whole) {
			// A header may say another time of the same files: that is a bundle, too.
			if len(archive) != len(whole) {
				t.Error("another archive is sound")
			}
		}
	})
}

package access_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
)

// entry is a file of an archive that a test packs by hand.
type entry struct {
	name, text string
	kind       byte // plain where zero
	link       string
}

// entriesOf are the files of a directory.
func entriesOf(t testing.TB, files fstest.MapFS) []entry {
	t.Helper()
	var out []entry
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, entry{name: name, text: string(files[name].Data)})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: 0o600, ModTime: time.Unix(1, 0)}
		if e.kind == 0 {
			header.Typeflag, header.Size = tar.TypeReg, int64(len(e.text))
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func bundleOf(t testing.TB, fsys fs.FS) *access.Bundle {
	t.Helper()
	b, err := access.BundleOf(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pack(t testing.TB, b *access.Bundle) []byte {
	t.Helper()
	packed, err := b.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

// TestBundleIsTheSameHoweverItComes reads one policy from memory, a directory, a
// tar and a tar.gz.
func TestBundleIsTheSameHoweverItComes(t *testing.T) {
	files := copyOfShipped(t)
	want := bundleOf(t, authz.FS)
	dir := t.TempDir()
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	// What is not data may lie beside a policy.
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	archive := tarOf(t, append([]entry{{name: "./", kind: tar.TypeDir}, {name: "./decisions/", kind: tar.TypeDir}}, entriesOf(t, files)...)...)
	named := tarOf(t, func() (out []entry) {
		for _, e := range entriesOf(t, files) {
			out = append(out, entry{name: "./" + e.name, text: e.text})
		}
		return out
	}()...)
	ways := map[string]string{"directory": dir}
	for name, packed := range map[string][]byte{"a.tar": archive, "a.tar.gz": gzipped(t, archive), "dot.tar": named, "packed": pack(t, want)} {
		ways[name] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(ways[name], packed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, path := range ways {
		got, err := access.OpenBundle(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(pack(t, got), pack(t, want)) || got.Version() != want.Version() || got.TestsDigest() != want.TestsDigest() {
			t.Errorf("%s: another bundle than the one in memory", name)
		}
		p, err := got.Load()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p.Version() != got.Version() {
			t.Errorf("%s: the policy says version %s, the bundle %s", name, p.Version(), got.Version())
		}
	}
}

// TestBundleFiles pins that the files of a bundle read as they were.
func TestBundleFiles(t *testing.T) {
	files := copyOfShipped(t)
	b := bundleOf(t, files)
	for _, e := range entriesOf(t, files) {
		text, err := fs.ReadFile(b.FS(), e.name)
		if err != nil || string(text) != e.text {
			t.Errorf("%s: %v, or another text", e.name, err)
		}
	}
	if _, err := b.FS().Open("absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := fs.ReadDir(b.FS(), "absent"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

// TestBundleTakenWhole pins that one failing table refuses the bundle, and that
// the error names the file and the sentence.
func TestBundleTakenWhole(t *testing.T) {
	b := bundleOf(t, copyOfShipped(t))
	p, err := b.Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p.Version() != b.Version() {
		t.Error("the policy has another version than its bundle")
	}

	files := copyOfShipped(t)
	edit(t, files, "policy.csv", "p, gateway-end-user,        allow, gateway, assert_end_user,", "p, gateway-end-user,        allow, auditor, assert_end_user,")
	p, err = bundleOf(t, files).Policy(t.Context())
	if p != nil || !errors.Is(err, access.ErrBundle) || !errors.Is(err, access.ErrTables) {
		t.Fatalf("a bundle whose tables fail: %v", err)
	}
	for _, want := range []string{"decisions/assert_end_user.yaml", "gateway × assert_end_user"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %q: %v", want, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Policy(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, access.ErrBundle) {
		t.Errorf("a check that was given up is no verdict on the bundle: %v", err)
	}
}

// TestTwinBundleTakenWhole shows that it is the tables that refuse: the same
// bundle loads.
func TestTwinBundleTakenWhole(t *testing.T) {
	files := copyOfShipped(t)
	edit(t, files, "policy.csv", "p, gateway-end-user,        allow, gateway, assert_end_user,", "p, gateway-end-user,        allow, auditor, assert_end_user,")
	if _, err := bundleOf(t, files).Load(); err != nil {
		t.Fatal(err)
	}
}

// TestBundleRefused has what a bundle may not be.
func TestBundleRefused(t *testing.T) {
	shipped := entriesOf(t, copyOfShipped(t))
	with := func(more ...entry) []byte { return tarOf(t, append(shipped[:len(shipped):len(shipped)], more...)...) }
	good := with()
	if _, err := access.ReadBundle(good); err != nil {
		t.Fatal(err)
	}
	flipped := gzipped(t, good)
	flipped[len(flipped)-6] ^= 1
	many := []entry{}
	for i := range 1100 {
		many = append(many, entry{name: fmt.Sprintf("texts/t%d.yaml", i), text: "cases: []"})
	}
	directories := []entry{}
	for range 1200 {
		directories = append(directories, entry{name: "texts/", kind: tar.TypeDir})
	}
	for name, packed := range map[string][]byte{
		"nothing":                 nil,
		"no archive":              []byte("p, a, allow"),
		"half a tar":              good[:700],
		"no end of a gzip":        gzipped(t, good)[:900],
		"a wrong sum":             flipped,
		"two archives":            append(bytes.Clone(good), good...),
		"two gzip members":        append(gzipped(t, good), gzipped(t, []byte("more"))...),
		"a name twice":            with(entry{name: "policy.csv", text: "p"}),
		"a name twice, otherwise": with(entry{name: "./policy.csv", text: "p"}),
		"out of it":               with(entry{name: "../policy.csv"}),
		"absolute":                with(entry{name: "/etc/policy.csv"}),
		"to be cleaned":           with(entry{name: "decisions/../decisions/x.yaml"}),
		"a deeper folder":         with(entry{name: "decisions/a/x.yaml"}),
		"another folder":          with(entry{name: "secrets/", kind: tar.TypeDir}),
		"a hidden file":           with(entry{name: "decisions/.x.yaml"}),
		"a symbolic link":         with(entry{name: "decisions/x.yaml", kind: tar.TypeSymlink, link: "/etc/passwd"}),
		"a hard link":             with(entry{name: "decisions/x.yaml", kind: tar.TypeLink, link: "policy.csv"}),
		"a device":                with(entry{name: "decisions/x.yaml", kind: tar.TypeChar}),
		"a file of another name":  with(entry{name: "rules.yaml"}),
		"a large file":            with(entry{name: "texts/x.yaml", text: strings.Repeat("#", 1<<20+1)}),
		"many files":              with(many...),
		"many directories":        with(directories...),
		"a bomb":                  gzipped(t, make([]byte, 20<<20)),
		"a large package":         make([]byte, 16<<20+1),
	} {
		b, err := access.ReadBundle(packed)
		if b != nil || !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDirectoryRefused has what a directory may not hold.
func TestDirectoryRefused(t *testing.T) {
	for name, more := range map[string]string{
		"another data file":        "overlay.yml",
		"a table of another kind":  "decisions/x.csv",
		"no file of texts":         "texts/x.txt",
		"a signature by its looks": "policy.sig",
	} {
		files := copyOfShipped(t)
		files[more] = &fstest.MapFile{Data: []byte("x")}
		if _, err := access.BundleOf(files); !errors.Is(err, access.ErrBundle) || !strings.Contains(err.Error(), more) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"absent", os.DevNull} {
		if _, err := access.OpenBundle(name); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDirectoryLinks pins that links of a directory stay in it: Kubernetes
// mounts files as links, and a link to elsewhere is no file of the bundle.
func TestDirectoryLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "..data"), copyOfShipped(t)); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Join(dir, "..data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Symlink(filepath.Join("..data", name.Name()), filepath.Join(dir, name.Name())); err != nil {
			t.Fatal(err)
		}
	}
	got, err := access.OpenBundle(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Version() != bundleOf(t, authz.FS).Version() || got.TestsDigest() != bundleOf(t, authz.FS).TestsDigest() {
		t.Error("another bundle through links")
	}
	if err := os.WriteFile(filepath.Join(elsewhere, "change.yaml"), []byte("notes: x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "change.yaml"), filepath.Join(dir, "change.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := access.OpenBundle(dir); !errors.Is(err, access.ErrBundle) {
		t.Errorf("a link out of the directory: %v", err)
	}
}

// replaced is a directory that is replaced by another while it is read.
type replaced struct {
	before, after fs.FS
	reads         *int
}

func (r replaced) Open(name string) (fs.File, error) {
	*r.reads++
	if *r.reads > 5 {
		return r.after.Open(name)
	}
	return r.before.Open(name)
}

// TestDirectoryReplacedWhileRead pins that no mixture of two bundles is read.
func TestDirectoryReplacedWhileRead(t *testing.T) {
	after := copyOfShipped(t)
	for name := range after {
		after[name] = &fstest.MapFile{Data: append([]byte("# later\n"), after[name].Data...)}
	}
	reads := 0
	if _, err := access.BundleOf(replaced{copyOfShipped(t), after, &reads}); !errors.Is(err, access.ErrBundle) {
		t.Errorf("a mixture of two bundles: %v", err)
	}
	if reads <= 5 {
		t.Fatal("it was not replaced while it was read")
	}
}

// TestChange reads where a bundle comes from, and refuses what is not that.
func TestChange(t *testing.T) {
	digest := bundleOf(t, authz.FS).TestsDigest()
	read := func(text string) (access.Change, error) {
		files := copyOfShipped(t)
		files["change.yaml"] = &fstest.MapFile{Data: []byte(text)}
		b, err := access.BundleOf(files)
		if err != nil {
			return access.Change{}, err
		}
		if _, err := b.Load(); err != nil {
			t.Errorf("a bundle with a change does not load: %v", err)
		}
		if b.TestsDigest() != digest || b.Version() != bundleOf(t, authz.FS).Version() {
			t.Error("where a bundle comes from is no part of its version or tests")
		}
		return b.Change(), nil
	}
	want := access.Change{PR: "https://git.example.com/policy/pull/7", Commit: "0a1b2c3", TestsDigest: digest, Notes: "Fraud gets less."}
	got, err := read("pr: https://git.example.com/policy/pull/7\ncommit: 0a1b2c3\nnotes: Fraud gets less.\ntests_digest: " + digest + "\n")
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := read("notes: tried out\n"); err != nil || got != (access.Change{Notes: "tried out"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"empty":           "",
		"an unknown key":  "author: me\n",
		"other tests":     "tests_digest: " + strings.Repeat("0", 64) + "\n",
		"no commit":       "commit: main\n",
		"no reference":    "pr: two words\n",
		"notes too long":  "notes: " + strings.Repeat("x", 5000) + "\n",
		"a second change": "notes: a\n---\nnotes: b\n",
	} {
		if _, err := read(text); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPackIsDeterministic pins that the same files are the same bytes, and that
// what was packed reads as it was.
func TestPackIsDeterministic(t *testing.T) {
	first := pack(t, bundleOf(t, authz.FS))
	again, err := access.ReadBundle(first)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, pack(t, again)) || !bytes.Equal(first, pack(t, bundleOf(t, copyOfShipped(t)))) {
		t.Error("the same files are packed in two ways")
	}
	z, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	archive := tar.NewReader(z)
	for header, err := archive.Next(); err == nil; header, err = archive.Next() {
		got = append(got, header.Name)
		if !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s has a time", header.Name)
		}
	}
	for _, e := range entriesOf(t, copyOfShipped(t)) {
		want = append(want, e.name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packed files (-want +got):\n%s", diff)
	}
}

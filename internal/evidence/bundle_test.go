package evidence_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/evidencetest"
)

// bundleOf is a quarter as a bundle that is ready to be written.
func bundleOf(t testing.TB, q *evidencetest.Quarter) *evidence.Bundle {
	t.Helper()
	e, err := evidence.Build(context.Background(), q.Source(), q.Facts, q.Period)
	if err != nil {
		t.Fatal(err)
	}
	return &evidence.Bundle{
		Evidence: e, Log: q.Source(), Policies: q.Facts.Policies, Checkpoint: q.Checkpoint, Keys: q.Keys, Handovers: q.Handovers,
		Extra: []evidence.File{{Path: "report.html", Body: []byte("<!doctype html>")}},
	}
}

func written(t testing.TB, b *evidence.Bundle, q *evidencetest.Quarter) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(context.Background(), &out, q.Sign); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func saved(t testing.TB, bundle []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "evidence.tar")
	if err := os.WriteFile(path, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// member is a file of a tar.
type member struct {
	header tar.Header
	body   []byte
}

func unpacked(t testing.TB, bundle []byte) (members []member) {
	t.Helper()
	in := tar.NewReader(bytes.NewReader(bundle))
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return members
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, member{*header, body})
	}
}

func packed(t testing.TB, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, m := range members {
		m.header.Size = int64(len(m.body))
		if err := out.WriteHeader(&m.header); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBundleRoundTrip(t *testing.T) {
	for name, q := range map[string]*evidencetest.Quarter{
		"whole": evidencetest.MadeQuarter(3, 800), "pruned": evidencetest.MadePruned(3, 800),
	} {
		t.Run(name, func(t *testing.T) {
			b := bundleOf(t, q)
			bundle := written(t, b, q)
			for _, trusted := range [][]string{q.Keys, {q.Signer.VerifierKey()}, nil} {
				o, err := evidence.OpenBundle(saved(t, bundle), trusted...)
				if err != nil {
					t.Fatal(err)
				}
				if o.Head != q.Head() {
					t.Errorf("the head is %+v", o.Head)
				}
				e, err := o.Evidence()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(emptied(b.Evidence), emptied(e)); diff != "" {
					t.Errorf("the tables changed on the way: %s", diff)
				}
				again, err := evidence.Build(context.Background(), o.Source(), q.Facts, q.Period)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(b.Evidence, again); diff != "" {
					t.Errorf("from the log of the bundle other evidence is drawn: %s", diff)
				}
			}
		})
	}
}

// emptied has no nil lists: JSON does not tell them from empty ones.
func emptied(e *evidence.Evidence) evidence.Evidence {
	out := *e
	out.Tables = slices.Clone(e.Tables)
	for i := range out.Tables {
		if out.Tables[i].Rows == nil {
			out.Tables[i].Rows = [][]string{}
		}
		if out.Tables[i].Notes == nil {
			out.Tables[i].Notes = []string{}
		}
	}
	return out
}

func TestBundleIsTheSame(t *testing.T) {
	q, again := evidencetest.MadeQuarter(3, 800), evidencetest.MadeQuarter(3, 800)
	if !bytes.Equal(written(t, bundleOf(t, q), q), written(t, bundleOf(t, again), again)) {
		t.Error("the same evidence makes another bundle")
	}
}

func TestBundleLayout(t *testing.T) {
	q := evidencetest.MadeQuarter(3, 10_100)
	bundle := written(t, bundleOf(t, q), q)
	var paths []string
	for _, m := range unpacked(t, bundle) {
		paths = append(paths, m.header.Name)
		h := m.header
		if h.Mode != 0o644 || !h.ModTime.Equal(q.Facts.Made) || h.Uid != 0 || h.Uname != "" || h.Typeflag != tar.TypeReg {
			t.Errorf("%s: header %+v", h.Name, h)
		}
	}
	last := len(paths) - 1
	if paths[last] != "manifest" || !slices.IsSorted(paths[:last]) {
		t.Errorf("the files are not sorted with the manifest as the last: %v", paths)
	}
	for _, want := range []string{
		"evidence/index.json", "evidence/restorations.csv", "evidence/restorations.json", "log/checkpoint", "log/keys",
		"log/entries/000000.jsonl", "log/entries/000001.jsonl", "log/handovers/001", "report.html", "policies/" + q.Facts.Current + ".tar",
	} {
		if !slices.Contains(paths, want) {
			t.Errorf("there is no %s", want)
		}
	}
}

// TestInvariant11_BundleTwin shows that a bundle that was changed in any way is not
// found whole: with the untouched one beside it, which is.
func TestInvariant11_BundleTwin(t *testing.T) {
	q := evidencetest.MadeQuarter(5, 600)
	clean := unpacked(t, written(t, bundleOf(t, q), q))
	find := func(m []member, name string) int {
		return slices.IndexFunc(m, func(one member) bool { return one.header.Name == name })
	}
	entries := "log/entries/000000.jsonl"
	edit := func(name string, change func([]byte) []byte) func([]member) []member {
		return func(m []member) []member {
			at := find(m, name)
			m[at].body = change(bytes.Clone(m[at].body))
			return m
		}
	}
	swap := func(b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		lines[3], lines[4] = lines[4], lines[3]
		return bytes.Join(lines, nil)
	}
	other := evidencetest.MadeQuarter(6, 600)
	for name, change := range map[string]func([]member) []member{
		"nothing":        func(m []member) []member { return m },
		"a cell":         edit("evidence/denials.csv", func(b []byte) []byte { return bytes.Replace(b, []byte("restore"), []byte("restope"), 1) }),
		"a title":        edit("evidence/denials.json", func(b []byte) []byte { return bytes.Replace(b, []byte("Denials"), []byte("Denialz"), 1) }),
		"two entries":    edit(entries, swap),
		"a lost tail":    edit(entries, func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] }),
		"a policy":       edit("policies/"+q.Facts.Current+".tar", func(b []byte) []byte { b[3] ^= 1; return b }),
		"the report":     edit("report.html", func(b []byte) []byte { return append(b, ' ') }),
		"the checkpoint": edit("log/checkpoint", func([]byte) []byte { return other.Checkpoint }),
		"a manifest line": edit("manifest", func(b []byte) []byte {
			return bytes.Replace(b, []byte("  report.html\n"), []byte("  report.htmk\n"), 1)
		}),
		"a file gone": func(m []member) []member {
			return slices.Delete(m, find(m, "evidence/keys.csv"), find(m, "evidence/keys.csv")+1)
		},
		"manifest gone": func(m []member) []member { return m[:len(m)-1] },
		"one more file": func(m []member) []member {
			extra := m[0]
			extra.header.Name = "evidence/more.csv"
			return append([]member{extra}, m...)
		},
		"a file twice": func(m []member) []member { return append(m, m[0]) },
		"a way out": func(m []member) []member {
			m[0].header.Name = "evidence/../../index.json"
			return m
		},
		"a sparse file": func(m []member) []member {
			m[0].header.Format = tar.FormatPAX
			m[0].header.PAXRecords = map[string]string{"COMMENT.x": "not as bundles are written"}
			return m
		},
		"a link": func(m []member) []member {
			m[0].header.Typeflag, m[0].header.Linkname, m[0].body = tar.TypeSymlink, "/etc/passwd", nil
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evidence.OpenBundle(saved(t, packed(t, change(slices.Clone(clean)))), q.Keys...)
			switch {
			case name == "nothing" && err != nil:
				t.Errorf("the untouched bundle: %v", err)
			case name != "nothing" && !errors.Is(err, evidence.ErrBundle):
				t.Errorf("the change was not found: %v", err)
			}
		})
	}
}

func TestBundleBitsTwin(t *testing.T) {
	q := evidencetest.MadeQuarter(5, 500)
	bundle := written(t, bundleOf(t, q), q)
	path := saved(t, bundle)
	if _, err := evidence.OpenBundle(path, q.Keys...); err != nil {
		t.Fatal(err)
	}
	members := unpacked(t, bundle)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		m := slices.Clone(members)
		at := rng.IntN(len(m))
		m[at].body = bytes.Clone(m[at].body)
		bit := rng.IntN(len(m[at].body) * 8)
		m[at].body[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, packed(t, m), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := evidence.OpenBundle(path, q.Keys...); err == nil {
			t.Fatalf("bit %d of %s was turned, and nobody noticed", bit, m[at].header.Name)
		}
	}
}

func TestBundleGzip(t *testing.T) {
	q := evidencetest.MadeQuarter(5, 500)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(written(t, bundleOf(t, q), q)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if _, err := evidence.OpenBundle(saved(t, b.Bytes()), q.Keys...); err != nil {
		t.Error(err)
	}
	if _, err := evidence.OpenBundle(saved(t, b.Bytes()[:b.Len()-40]), q.Keys...); err == nil {
		t.Error("one that was cut off is whole")
	}
}

// TestBundleRefused shows what is not written, since it would not verify.
func TestBundleRefused(t *testing.T) {
	q, other := evidencetest.MadeQuarter(5, 500), evidencetest.MadeQuarter(6, 500)
	key, err := audit.NewSigner(evidencetest.Origin, bytes.Repeat([]byte{9}, 32))
	if err != nil {
		t.Fatal(err)
	}
	sign := q.Sign
	for name, change := range map[string]func(b *evidence.Bundle){
		"checkpoint of another log": func(b *evidence.Bundle) { b.Checkpoint = other.Checkpoint },
		"other entries":             func(b *evidence.Bundle) { b.Log = other.Source() },
		"fewer entries": func(b *evidence.Bundle) {
			b.Log = func(yield func(evidence.Entry) error) error {
				return q.Source()(func(one evidence.Entry) error {
					if one.Index == q.Head().Size-1 {
						return nil
					}
					return yield(one)
				})
			}
		},
		"a leaf that is not its hash": func(b *evidence.Bundle) {
			b.Log = func(yield func(evidence.Entry) error) error {
				return q.Source()(func(one evidence.Entry) error {
					one.Leaf = append(bytes.Clone(one.Leaf), ' ')
					return yield(one)
				})
			}
		},
		"no handover":            func(b *evidence.Bundle) { b.Handovers = nil },
		"a path out":             func(b *evidence.Bundle) { b.Extra[0].Path = "../report.html" },
		"an absolute path":       func(b *evidence.Bundle) { b.Extra[0].Path = "/report.html" },
		"a path of the log":      func(b *evidence.Bundle) { b.Extra[0].Path = "log/entries/000000.jsonl" },
		"the path of a table":    func(b *evidence.Bundle) { b.Extra[0].Path = "evidence/keys.csv" },
		"the manifest as a file": func(b *evidence.Bundle) { b.Extra[0].Path = "manifest" },
		"a row with no cells":    func(b *evidence.Bundle) { b.Evidence.Tables[0].Rows[0] = nil },
		"signed by another key": func(*evidence.Bundle) {
			sign = func(s audit.Statement) ([]byte, error) { return audit.SignStatement(s, key) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { sign = q.Sign }()
			b := bundleOf(t, q)
			change(b)
			if err := b.Write(context.Background(), io.Discard, sign); err == nil {
				t.Error("it was written")
			}
		})
	}
}

func TestTableJSON(t *testing.T) {
	q := evidencetest.MadeQuarter(3, 500)
	for _, m := range unpacked(t, written(t, bundleOf(t, q), q)) {
		if m.header.Name != "evidence/keys.json" {
			continue
		}
		for _, want := range []string{`"query":"Entries of the kinds`, `"tool_version":"counterfoil test"`, `"size":`, `"root":"`, `"sha256":"`, `"from":"2026-07-01T00:00:00Z"`} {
			if !strings.Contains(string(m.body), want) {
				t.Errorf("the JSON of a table has no %s", want)
			}
		}
	}
}

package verify_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// files are a copy of a log, by path.
type files map[string][]byte

// A copied log is verified from its files.
type copying struct {
	name   string
	make   func(m *made) files
	verify func(ctx context.Context, f files, opts verify.Options) (verify.Result, error)
}

var copies = []copying{
	{"export", exportOf, verifyExport},
	{"tiles", tilesOf, verifyTiles},
	{"bundle", bundleOf, verifyBundle},
}

// lineOf is the line of an entry in an export.
func lineOf(e verify.Entry) []byte {
	if e.Leaf == nil {
		return []byte("pruned " + audit.Hash(e.LeafHash).String() + "\n")
	}
	return append(bytes.Clone(e.Leaf), '\n')
}

func exportOf(m *made) files {
	var lines []byte
	for _, e := range m.entries {
		lines = append(lines, lineOf(e)...)
	}
	return files{"log": lines, "checkpoint": m.newest()}
}

func verifyExport(ctx context.Context, f files, opts verify.Options) (verify.Result, error) {
	opts.Checkpoints = append(slices.Clone(opts.Checkpoints), f["checkpoint"])
	return verify.Log(ctx, verify.Lines(bytes.NewReader(f["log"])), opts)
}

func (m *made) newest() []byte { return m.checkpoints[len(m.checkpoints)-1] }

// nodes reads complete subtrees as a store would give them.
func (m *made) nodes() func(level int, n int64) (audit.Hash, error) {
	levels := [][]audit.Hash{nil}
	for _, e := range m.entries {
		levels[0] = append(levels[0], audit.Hash(e.LeafHash))
	}
	for l := 0; len(levels[l]) > 1; l++ {
		var up []audit.Hash
		for i := 0; i+1 < len(levels[l]); i += 2 {
			up = append(up, nodeOf(levels[l][i], levels[l][i+1]))
		}
		levels = append(levels, up)
	}
	return func(level int, n int64) (audit.Hash, error) {
		if level >= len(levels) || n >= int64(len(levels[level])) {
			return audit.Hash{}, errors.New("no such node")
		}
		return levels[level][n], nil
	}
}

// nodeOf is RFC 6962: SHA-256(0x01 || left || right).
func nodeOf(left, right audit.Hash) audit.Hash {
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

func tilesOf(m *made) files {
	f := files{"checkpoint": m.newest()}
	read := m.nodes()
	for _, tile := range audit.Tiles(0, int64(len(m.entries))) {
		var b []byte
		if tile.Entries {
			var leaves [][]byte
			for _, e := range m.entries[tile.First() : tile.First()+int64(tile.Width)] {
				leaves = append(leaves, e.Leaf)
			}
			var err error
			if b, err = audit.EntryBundle(leaves); err != nil {
				continue // a leaf of it was taken out
			}
		} else {
			for i := range int64(tile.Width) {
				h, err := read(tile.Height(), tile.First()+i)
				if err != nil {
					m.t.Fatal(err)
				}
				b = append(b, h[:]...)
			}
		}
		f[tile.Path()] = b
	}
	return f
}

func verifyTiles(ctx context.Context, f files, opts verify.Options) (verify.Result, error) {
	return verify.Tiles(ctx, folder(f), opts)
}

func folder(f files) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, b := range f {
		fsys[name] = &fstest.MapFile{Data: b}
	}
	return fsys
}

// entriesPerFile is small, so that bundles have several files of entries.
const entriesPerFile = 30

// bundleFiles are the files of a bundle but for its manifest.
func bundleFiles(m *made) files {
	f := files{
		"log/checkpoint": m.newest(), "log/keys": []byte(m.signer.VerifierKey() + "\n"),
		"evidence/restorations.csv": []byte("index,actor\n3,svc-1\n"), "evidence/restorations.json": []byte("{}\n"),
		"report.html": []byte("<!doctype html>\n"), "policies/5a5a.tar": []byte("a policy"),
	}
	for i, signed := range m.handovers {
		f[fmt.Sprintf("log/handovers/%03d", i)] = signed
	}
	for i := 0; i*entriesPerFile < len(m.entries); i++ {
		var lines []byte
		for _, e := range m.entries[i*entriesPerFile : min((i+1)*entriesPerFile, len(m.entries))] {
			lines = append(lines, lineOf(e)...)
		}
		f[fmt.Sprintf("log/entries/%06d.jsonl", i)] = lines
	}
	return f
}

func manifestOf(f files) string {
	var body strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if name != "manifest" {
			sum := sha256.Sum256(f[name])
			fmt.Fprintf(&body, "%s  %d  %s\n", hex.EncodeToString(sum[:]), len(f[name]), name)
		}
	}
	return body.String()
}

// sealed adds the manifest of the files, signed.
func sealed(t testing.TB, f files, signer *audit.Signer) files {
	t.Helper()
	signed, err := audit.SignStatement(audit.Statement{Title: audit.TitleEvidence, Origin: origin, Body: manifestOf(f)}, signer)
	if err != nil {
		t.Fatal(err)
	}
	f["manifest"] = signed
	return f
}

func bundleOf(m *made) files { return sealed(m.t, bundleFiles(m), m.signer) }

func packed(f files) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		pack(w, tar.Header{Name: name, Typeflag: tar.TypeReg}, f[name])
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pack(w *tar.Writer, h tar.Header, body []byte) {
	h.Size, h.Mode, h.ModTime = int64(len(body)), 0o644, time.Unix(1_790_000_000, 0)
	if err := w.WriteHeader(&h); err != nil {
		panic(err)
	}
	if _, err := w.Write(body); err != nil {
		panic(err)
	}
}

func verifyBundle(ctx context.Context, f files, opts verify.Options) (verify.Result, error) {
	archive, raw := f["archive"]
	if !raw {
		archive = packed(f)
	}
	return verify.Bundle(ctx, bytes.NewReader(archive), opts)
}

// large is a log of more than two tiles of leaves, with a change of its key.
func large(t testing.TB, seed uint64) *made {
	m := newLog(t, seed).grow(30)
	next := newSigner(t, 200)
	m.handovers = append(m.handovers, handover(t, m.head(len(m.anchors)-1), m.signer, next))
	m.signer = next
	for len(m.entries) < 2*audit.TileWidth+100 {
		m.grow(1)
	}
	return m
}

// outset is what an auditor of a large log holds: the first key.
func outset(m *made) verify.Options {
	return verify.Options{VKeys: []string{newSigner(m.t, 1).VerifierKey()}, Checkpoints: m.checkpoints[3:4], Handovers: m.handovers}
}

func TestInvariant11_CleanCopiesPass(t *testing.T) {
	for seed := range uint64(long(50)) {
		m := newLog(t, seed).grow(1 + int(seed%20))
		if seed%4 == 0 {
			m.prune(0, int64(len(m.entries)))
		}
		for _, c := range copies {
			if seed%4 == 0 && c.name == "tiles" {
				continue // a bundle of which some leaves are gone has no form
			}
			got, err := c.verify(t.Context(), c.make(m), m.known())
			if n := int64(len(m.entries)); err != nil || got.Entries != n || got.Signed != n {
				t.Fatalf("%s of log %d of %d: %+v, %v", c.name, seed, n, got, err)
			}
		}
	}
	m := large(t, 7)
	for _, c := range copies {
		if got, err := c.verify(t.Context(), c.make(m), outset(m)); err != nil || got.Entries != int64(len(m.entries)) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	// A bundle brings the handovers itself, and is good for whoever has any key.
	for _, signer := range []*audit.Signer{newSigner(t, 1), m.signer} {
		opts := verify.Options{VKeys: []string{signer.VerifierKey()}}
		if got, err := verifyBundle(t.Context(), bundleOf(m), opts); err != nil || got.Files != len(bundleFiles(m)) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestBundleMayBeCompressed(t *testing.T) {
	m := newLog(t, 1).grow(9)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(packed(bundleOf(m)))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := verifyBundle(t.Context(), files{"archive": b.Bytes()}, m.known()); err != nil {
		t.Error(err)
	}
	for _, cut := range []int{3, 40, b.Len() / 2, b.Len() - 1} {
		var fault *verify.Fault
		if _, err := verifyBundle(t.Context(), files{"archive": b.Bytes()[:cut]}, m.known()); !errors.As(err, &fault) {
			t.Errorf("cut after %d bytes: %v", cut, err)
		}
	}
}

// Leaves of a whole bundle may be gone from a folder of tiles: its hashes stay.
func TestTilesOfWhichLeavesAreGone(t *testing.T) {
	m := large(t, 8)
	f := tilesOf(m)
	delete(f, audit.Tile{Width: audit.TileWidth, Entries: true}.Path())
	var fault *verify.Fault
	if _, err := verifyTiles(t.Context(), f, outset(m)); !errors.As(err, &fault) || fault.Rule != verify.RulePruned {
		t.Errorf("nobody said so: %v", err)
	}
	e := m.entry(audit.KindPrune, "")
	e.Counts = map[string]int{"from": 0, "to": audit.TileWidth}
	m.commit(m.finish([]audit.Entry{e}))
	f = tilesOf(m)
	delete(f, audit.Tile{Width: audit.TileWidth, Entries: true}.Path())
	got, err := verifyTiles(t.Context(), f, outset(m))
	if err != nil || got.Pruned != audit.TileWidth {
		t.Errorf("%+v, %v", got, err)
	}
}

// A folder that has grown past its checkpoint has full tiles in place of partial
// ones.
func TestTilesOfALogThatGrew(t *testing.T) {
	m := newLog(t, 9).grow(20)
	checkpoint := m.newest()
	for len(m.entries) < audit.TileWidth {
		m.grow(1)
	}
	f := tilesOf(m)
	f["checkpoint"] = checkpoint
	opts := m.known()
	opts.Checkpoints, opts.Anchors, opts.Receipts = nil, nil, nil
	if _, err := verifyTiles(t.Context(), f, opts); err != nil {
		t.Error(err)
	}
}

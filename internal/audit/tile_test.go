package audit_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// pathVectors are those of https://c2sp.org/tlog-tiles, and the ends of the ranges.
var pathVectors = map[string]audit.Tile{
	"tile/0/000":                               {Width: 256},
	"tile/0/x001/x234/067":                     {N: 1234067, Width: 256},
	"tile/0/273.p/112":                         {N: 273, Width: 112},
	"tile/1/001.p/17":                          {Level: 1, N: 1, Width: 17},
	"tile/2/000.p/1":                           {Level: 2, Width: 1},
	"tile/entries/000":                         {Width: 256, Entries: true},
	"tile/entries/x001/x234/067":               {N: 1234067, Width: 256, Entries: true},
	"tile/entries/273.p/112":                   {N: 273, Width: 112, Entries: true},
	"tile/0/999":                               {N: 999, Width: 256},
	"tile/0/x001/000":                          {N: 1000, Width: 256},
	"tile/5/000.p/255":                         {Level: 5, Width: 255},
	"tile/entries/x281/x474/x976/x710/656.p/1": {N: 1 << 48, Width: 1, Entries: true},
}

func TestTilePathVectors(t *testing.T) {
	for path, tile := range pathVectors {
		if got := tile.Path(); got != path {
			t.Errorf("%+v has the path %s, want %s", tile, got, path)
		}
		if got, err := audit.ParseTile(path); err != nil || got != tile {
			t.Errorf("%s reads as %+v, %v", path, got, err)
		}
	}
}

// notPaths each differ from a path in one way.
var notPaths = []string{
	"", "tile", "tile/", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000", "tile/0/x000/001", "tile/00/000", "tile/+0/000",
	"tile/-1/000", "tile/6/000", "tile/64/000", "tile/0/-01", "tile/0/x001/67", "tile/0/001/067", "tile/0/x001x234/067", "tile/0/000/", "/tile/0/000",
	"tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/", "tile/0/000.p", "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/000.p/1/", "tile/0/000.p/1.p/1",
	"tile/8/0/000", "tile/data/000", "tile/Entries/000", "tile/entries", "tile/entries/x001", "tile/0/000 ", "tile/0/../0/000", "checkpoint",
	"tile/0/x281/x474/x976/x710/657", "tile/0/x999/x999/x999/x999/x999/x999/999",
}

func TestOtherTilePathsAreRefused(t *testing.T) {
	for _, path := range notPaths {
		if got, err := audit.ParseTile(path); !errors.Is(err, audit.ErrTree) {
			t.Errorf("%q reads as %+v, %v", path, got, err)
		}
	}
}

// golang.org/x/mod names the same tiles, with the height of a tile before them and
// the name data for entries.
func TestTilePathsAreThoseOfTlog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tile := audit.Tile{
			Level: rapid.IntRange(0, 5).Draw(t, "level"), N: rapid.Int64Range(0, 1<<40).Draw(t, "n"), Width: rapid.IntRange(1, 256).Draw(t, "width"),
		}
		if rapid.Bool().Draw(t, "small") {
			tile.N %= 2000
		}
		other := tlog.Tile{H: audit.TileHeight, L: tile.Level, N: tile.N, W: tile.Width}
		if tile.Entries = tile.Level == 0 && rapid.Bool().Draw(t, "entries"); tile.Entries {
			other.L = -1
		}
		want := strings.Replace(strings.Replace(other.Path(), "tile/8/", "tile/", 1), "tile/data/", "tile/entries/", 1)
		if got := tile.Path(); got != want {
			t.Fatalf("%+v is %s, to tlog %s", tile, got, want)
		}
		if got, err := audit.ParseTile(want); err != nil || got != tile {
			t.Fatalf("%s reads as %+v, %v", want, got, err)
		}
	})
}

func FuzzTilePath(f *testing.F) {
	for path := range pathVectors {
		f.Add(path)
	}
	for _, path := range notPaths {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := audit.ParseTile(path)
		if err == nil && tile.Path() != path {
			t.Errorf("%q reads as %+v, which is %q", path, tile, tile.Path())
		}
	})
}

// The example of C2SP: a log of 70,000 entries.
func TestTilesOfTheExample(t *testing.T) {
	count := map[string]int{}
	var partial []string
	for _, tile := range audit.Tiles(0, 70_000) {
		name := fmt.Sprintf("%d %v", tile.Level, tile.Entries)
		if tile.Width == audit.TileWidth {
			count[name]++
		} else {
			partial = append(partial, tile.Path())
		}
	}
	if diff := cmp.Diff(map[string]int{"0 false": 273, "0 true": 273, "1 false": 1}, count); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"}, partial); diff != "" {
		t.Error(diff)
	}
}

// What is listed for each step of a log that grows is, in all, what tlog lists for
// the whole; each is in the log then, and partial ones stand at its edge.
func TestTilesOfALogThatGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := map[string]bool{}
		size := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			next := size + rapid.Int64Range(0, 70_000).Draw(t, "more")
			for _, tile := range audit.Tiles(size, next) {
				if !tile.In(next) || tile.In(size) {
					t.Fatalf("from %d to %d: %+v", size, next, tile)
				}
				if tile.Width < audit.TileWidth && tile.First()+int64(tile.Width) != next>>tile.Height() {
					t.Fatalf("from %d to %d: %+v is not at the edge", size, next, tile)
				}
				written[tile.Path()] = true
			}
			size = next
		}
		for _, tile := range tlog.NewTiles(audit.TileHeight, 0, size) {
			path := audit.Tile{Level: tile.L, N: tile.N, Width: tile.W}.Path()
			if !written[path] {
				t.Fatalf("a log of %d lacks %s", size, path)
			}
		}
	})
}

func TestTileIsInALog(t *testing.T) {
	for _, c := range []struct {
		tile audit.Tile
		size int64
		in   bool
	}{
		{audit.Tile{Width: 256}, 256, true}, {audit.Tile{Width: 256}, 255, false}, {audit.Tile{Width: 255}, 256, true}, {audit.Tile{Width: 1}, 0, false},
		{audit.Tile{N: 1, Width: 1}, 257, true}, {audit.Tile{N: 1, Width: 1}, 256, false}, {audit.Tile{Level: 1, Width: 1}, 256, true},
		{audit.Tile{Level: 1, Width: 1}, 255, false}, {audit.Tile{Level: 1, Width: 2}, 511, false}, {audit.Tile{Level: 6, Width: 1}, 1 << 48, false},
		{audit.Tile{Width: 0}, 9, false}, {audit.Tile{N: -1, Width: 1}, 9, false}, {audit.Tile{Width: 257}, 999, false},
	} {
		if got := c.tile.In(c.size); got != c.in {
			t.Errorf("%+v in a log of %d: %v", c.tile, c.size, got)
		}
	}
}

func TestEntryBundleVector(t *testing.T) {
	b, err := audit.EntryBundle([][]byte{[]byte("a"), []byte(strings.Repeat("b", 258))})
	if err != nil {
		t.Fatal(err)
	}
	want := "0001" + "61" + "0102" + strings.Repeat("62", 258)
	if got := hex.EncodeToString(b); got != want {
		t.Errorf("%s", got)
	}
}

func TestEntryBundleRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 300), 0, audit.TileWidth).Draw(t, "leaves")
		b, err := audit.EntryBundle(leaves)
		if err != nil {
			t.Fatal(err)
		}
		back, err := audit.ParseEntryBundle(b)
		if err != nil || len(back) != len(leaves) {
			t.Fatalf("%d of %d leaves, %v", len(back), len(leaves), err)
		}
		for i := range back {
			if !bytes.Equal(back[i], leaves[i]) || cap(back[i]) != len(back[i]) {
				t.Fatalf("leaf %d of %d", i, len(leaves))
			}
		}
	})
}

func TestEntryBundleLimits(t *testing.T) {
	longest := bytes.Repeat([]byte("a"), audit.MaxLeaf)
	full := make([][]byte, audit.TileWidth)
	for i := range full {
		full[i] = longest
	}
	b, err := audit.EntryBundle(full)
	if err != nil || len(b) != audit.MaxBundle {
		t.Errorf("the largest bundle: %d bytes, %v", len(b), err)
	}
	if leaves, err := audit.ParseEntryBundle(b); err != nil || len(leaves) != audit.TileWidth {
		t.Errorf("the largest bundle: %d leaves, %v", len(leaves), err)
	}
	for name, leaves := range map[string][][]byte{
		"too many": append(full, longest), "too long": {append(longest, 'a')}, "empty": {[]byte("a"), nil},
	} {
		if _, err := audit.EntryBundle(leaves); !errors.Is(err, audit.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"half a length": {0}, "no entry": {0, 0}, "cut": {0, 2, 'a'}, "too long": append([]byte{0x80, 1}, make([]byte, audit.MaxLeaf+1)...),
		"one more": append(bytes.Clone(b), 0, 1, 'a'), "rest": {0, 1, 'a', 0},
	} {
		if _, err := audit.ParseEntryBundle(b); !errors.Is(err, audit.ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzEntryBundle(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 'a', 0, 2, 'b', 'c'})
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		leaves, err := audit.ParseEntryBundle(b)
		if err != nil {
			return
		}
		if again, err := audit.EntryBundle(leaves); err != nil || !bytes.Equal(again, b) {
			t.Errorf("it reads, and is written as something else: %v", err)
		}
	})
}

// served are the tiles of a log as a client of golang.org/x/mod asks for them.
type served struct {
	m    *memory
	lies map[tlog.Tile]bool
}

func (s served) Height() int                         { return audit.TileHeight }
func (s served) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (s served) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, want := range tiles {
		tile, err := audit.ParseTile(audit.Tile{Level: want.L, N: want.N, Width: want.W}.Path())
		if err != nil {
			return nil, err
		}
		var b []byte
		for i := range int64(tile.Width) {
			h, err := s.m.read(tile.Height(), tile.First()+i)
			if err != nil {
				return nil, err
			}
			b = append(b, h[:]...)
		}
		if s.lies[want] {
			b[len(b)-1] ^= 1
		}
		data = append(data, b)
	}
	return data, nil
}

// A client that knows only golang.org/x/mod takes our tiles: it proves every entry
// and every earlier size from them, and notices a tile that lies.
func TestInvariant11_TlogReadsOurTiles(t *testing.T) {
	m := newMemory()
	var leaves [][]byte
	for i := range 70_000 {
		leaves = append(leaves, []byte(fmt.Sprint("leaf ", i)))
	}
	m.append(t, leaves)
	root, err := m.frontier.Root()
	if err != nil {
		t.Fatal(err)
	}
	head := tlog.Tree{N: m.frontier.Size, Hash: root}
	hashes := tlog.TileHashReader(head, served{m: m})
	for _, i := range []int64{0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999} {
		proof, err := tlog.ProveRecord(head.N, i, hashes)
		if err != nil || tlog.CheckRecord(proof, head.N, head.Hash, i, audit.LeafHash(leaves[i])) != nil {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	for _, n := range []int64{1, 255, 256, 257, 4096, 65_536, 69_999, 70_000} {
		old, err := audit.RootAt(n, m.read)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := tlog.ProveTree(head.N, n, hashes)
		if err != nil || tlog.CheckTree(proof, head.N, head.Hash, n, old) != nil {
			t.Errorf("size %d: %v", n, err)
		}
	}
	// The twin: each tile that lies is noticed by who needs it.
	for _, lie := range []tlog.Tile{{H: 8, L: 0, N: 273, W: 112}, {H: 8, L: 1, N: 1, W: 17}, {H: 8, L: 2, N: 0, W: 1}} {
		lying := tlog.TileHashReader(head, served{m: m, lies: map[tlog.Tile]bool{lie: true}})
		if _, err := tlog.ProveRecord(head.N, 69_999, lying); err == nil {
			t.Errorf("tile %+v lies, and nobody notices", lie)
		}
	}
}

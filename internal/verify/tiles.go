package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/counterfoil/counterfoil/internal/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// checkpointFile is the name of the checkpoint of a folder of tiles.
const checkpointFile = "checkpoint"

// Tiles verifies a log that is kept as C2SP tlog-tiles: checkpoint, tile/<L>/<N> and
// tile/entries/<N>, partial ones of the size of the checkpoint or full ones in their
// place. The checkpoint of the folder is one of those that the log is held to, and
// says how far it is read.
//
// Every hash of every tile is held against the leaves: those of level 0 against
// their hashes, those above against what the level below gives. Where an entry
// bundle is not there, its leaves count as taken out, and the tile of level 0 gives
// their hashes.
func Tiles(ctx context.Context, folder fs.FS, opts Options) (Result, error) {
	return newVerifier(opts).tiles(ctx, folder)
}

func (v *verifier) tiles(ctx context.Context, folder fs.FS) (Result, error) {
	newest, err := readTile(folder, checkpointFile, audit.MaxCheckpoint)
	if errors.Is(err, errNoTile) {
		return Result{}, &Fault{NoIndex, RuleTile, "the folder has no checkpoint"}
	}
	if err != nil {
		return Result{}, err
	}
	head, err := v.newest(newest, "the checkpoint of the folder")
	if err != nil {
		return Result{}, err
	}
	t := &tileReader{v: v, folder: folder, size: head.Size}
	return v.run(ctx, t.source)
}

// errNoTile says that a file of the folder is not there.
var errNoTile = errors.New("verify: no such tile")

// readTile reads a file of at most limit bytes. One that is longer is not what it
// should be, and is cut where that is seen.
func readTile(folder fs.FS, name string, limit int64) ([]byte, error) {
	f, err := folder.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", errNoTile, name)
	}
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("verify: %s: %w", name, err)
	}
	return b, nil
}

// A tileReader gives the entries of a folder and compares the tiles on the way.
type tileReader struct {
	v      *verifier
	folder fs.FS
	size   int64
	levels []*tileLevel
}

// A tileLevel gathers the hashes of the tile of a level that comes next.
type tileLevel struct {
	n      int64
	hashes []audit.Hash
}

func (t *tileReader) source(yield func(Entry) error) error {
	for n := int64(0); n*audit.TileWidth < t.size; n++ {
		width := int(min(audit.TileWidth, t.size-n*audit.TileWidth))
		entries, err := t.bundle(n, width)
		if err != nil {
			return err
		}
		for i := range entries {
			var hash audit.Hash
			if entries[i].Leaf == nil {
				hash = audit.Hash(entries[i].LeafHash)
			} else {
				hash = audit.LeafHash(entries[i].Leaf)
			}
			if err := yield(entries[i]); err != nil {
				return err
			}
			if err := t.push(0, hash); err != nil {
				return err
			}
		}
	}
	return t.edge()
}

// bundle gives the entries of a tile of level 0: leaves, or where there is no
// bundle, the hashes of the tile.
func (t *tileReader) bundle(n int64, width int) ([]Entry, error) {
	first := n * audit.TileWidth
	b, stored, err := t.read(audit.Tile{N: n, Width: width, Entries: true}, audit.MaxBundle)
	switch {
	case errors.Is(err, errNoTile):
		return t.hashed(n, width)
	case err != nil:
		return nil, err
	}
	leaves, err := audit.ParseEntryBundle(b)
	if err != nil || len(leaves) != stored {
		return nil, &Fault{first, RuleTile, fmt.Sprintf("the entry bundle is not one of %d entries", stored)}
	}
	entries := make([]Entry, width)
	for i := range entries {
		entries[i] = Entry{Index: first + int64(i), Leaf: leaves[i]}
	}
	return entries, nil
}

// hashed gives the entries of a tile whose leaves were taken out.
func (t *tileReader) hashed(n int64, width int) ([]Entry, error) {
	hashes, err := t.hashes(audit.Tile{N: n, Width: width})
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, width)
	for i := range entries {
		entries[i] = Entry{Index: n*audit.TileWidth + int64(i), LeafHash: hashes[i][:]}
	}
	return entries, nil
}

// hashes reads a hash tile.
func (t *tileReader) hashes(tile audit.Tile) ([]audit.Hash, error) {
	first := tile.First() << tile.Height()
	b, stored, err := t.read(tile, audit.TileWidth*tlog.HashSize)
	if errors.Is(err, errNoTile) {
		return nil, &Fault{first, RuleTile, fmt.Sprintf("tile %d of level %d is missing", tile.N, tile.Level)}
	}
	if err != nil {
		return nil, err
	}
	if len(b) != stored*tlog.HashSize {
		return nil, &Fault{first, RuleTile, fmt.Sprintf("tile %d of level %d does not have %d hashes", tile.N, tile.Level, stored)}
	}
	hashes := make([]audit.Hash, tile.Width)
	for i := range hashes {
		hashes[i] = audit.Hash(b[i*tlog.HashSize : (i+1)*tlog.HashSize])
	}
	return hashes, nil
}

// read reads a tile, or the full one in place of a partial one, and tells how wide
// the one is that it read.
func (t *tileReader) read(tile audit.Tile, limit int64) ([]byte, int, error) {
	b, err := readTile(t.folder, tile.Path(), limit)
	if errors.Is(err, errNoTile) && tile.Width < audit.TileWidth {
		tile.Width = audit.TileWidth
		b, err = readTile(t.folder, tile.Path(), limit)
	}
	return b, tile.Width, err
}

// push adds a hash to a level, and compares the tile that it completes.
func (t *tileReader) push(level int, hash audit.Hash) error {
	if level == len(t.levels) {
		t.levels = append(t.levels, &tileLevel{})
	}
	l := t.levels[level]
	if l.hashes = append(l.hashes, hash); len(l.hashes) < audit.TileWidth {
		return nil
	}
	if err := t.compare(level); err != nil {
		return err
	}
	var top tree
	for _, h := range l.hashes {
		top.push(h)
	}
	l.n, l.hashes = l.n+1, l.hashes[:0]
	return t.push(level+1, top.root())
}

// edge compares the partial tiles at the right edge.
func (t *tileReader) edge() error {
	for level, l := range t.levels {
		if len(l.hashes) == 0 {
			continue
		}
		if err := t.compare(level); err != nil {
			return err
		}
	}
	return nil
}

// compare holds the tile of a level against the hashes that its leaves give.
func (t *tileReader) compare(level int) error {
	l := t.levels[level]
	tile := audit.Tile{Level: level, N: l.n, Width: len(l.hashes)}
	stored, err := t.hashes(tile)
	if err != nil {
		var fault *Fault
		if errors.As(err, &fault) {
			return t.v.report(fault.Index, fault.Rule, fault.Detail)
		}
		return err
	}
	for i, hash := range l.hashes {
		if stored[i] != hash {
			first := (tile.First() + int64(i)) << tile.Height()
			return t.v.report(first, RuleTile, fmt.Sprintf("hash %d of tile %d of level %d is not what the leaves give", i, l.n, level))
		}
	}
	return nil
}

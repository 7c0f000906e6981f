package tilelog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/durable"
)

const (
	checkpointName = "checkpoint"
	lockName       = ".lock"
	tileFolder     = "tile"
	// maxFile is the size of the largest file that is read.
	maxFile = audit.MaxBundle
)

// Writer writes the folder of one log. One Advance at a time; other processes that
// write the same folder are kept out while it runs. Keep it: a new one looks through
// the whole folder before it writes for the first time.
type Writer struct {
	files durable.Folder
	// partials are the partial tiles that may be in the folder; looked for once.
	looked   bool
	partials map[audit.Tile]bool
}

// NewWriter uses a folder, which is made where it is missing.
func NewWriter(dir string) *Writer {
	return &Writer{files: durable.Folder{Root: dir}, partials: make(map[audit.Tile]bool)}
}

// Progress says how far a folder is.
type Progress struct {
	From, To int64 // the sizes that the checkpoint stated before and states now
	// LeftOut is how many bundles were not written, since leaves of them were pruned
	// before they came here.
	LeftOut int
}

// Advance brings the folder to the published head. After an error the folder is at
// the old head or at the new one.
func (w *Writer) Advance(ctx context.Context, log Log) (_ Progress, err error) {
	unlock, err := w.lock()
	if err != nil {
		return Progress{}, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	keys, err := log.Keys(ctx)
	if err != nil {
		return Progress{}, fmt.Errorf("tilelog: keys: %w", err)
	}
	from, err := w.standing(ctx, log, keys)
	if err != nil {
		return Progress{}, err
	}
	checkpoint, err := log.Checkpoint(ctx)
	if err != nil {
		return Progress{From: from.Size, To: from.Size}, fmt.Errorf("tilelog: checkpoint: %w", err)
	}
	if checkpoint == nil && from.Size == 0 {
		return Progress{}, nil // nothing was signed yet
	}
	to, err := log.head(ctx, keys, checkpoint)
	if err == nil && to == from {
		return Progress{From: from.Size, To: to.Size}, nil
	}
	leftOut := 0
	if err == nil {
		leftOut, err = w.advance(ctx, log, from, to, checkpoint)
	}
	if err != nil {
		return Progress{From: from.Size, To: from.Size}, fmt.Errorf("tilelog: from %d to %d: %w", from.Size, to.Size, err)
	}
	return Progress{From: from.Size, To: to.Size, LeftOut: leftOut}, nil
}

// lock keeps other processes out, until the process ends at the latest.
func (w *Writer) lock() (unlock func() error, err error) {
	if err := os.MkdirAll(w.files.Root, 0o750); err != nil {
		return nil, fmt.Errorf("tilelog: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(w.files.Root, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("tilelog: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(ErrBusy, file.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tilelog: lock: %w", err), file.Close())
	}
	return file.Close, nil
}

// look finds what earlier processes have left: files that were not finished, and
// partial tiles of which nobody knows any more whether they are needed.
func (w *Writer) look() error {
	if w.looked {
		return nil
	}
	if err := w.files.Clear(); err != nil {
		return fmt.Errorf("tilelog: %w", err)
	}
	root := filepath.Join(w.files.Root, tileFolder)
	err := filepath.WalkDir(root, func(place string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && place == root {
			return fs.SkipAll
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(filepath.Dir(place), ".p") {
			return err
		}
		name, err := filepath.Rel(w.files.Root, place)
		if err != nil {
			return err
		}
		if tile, err := audit.ParseTile(filepath.ToSlash(name)); err == nil {
			w.partials[tile] = true
		}
		return nil // what is no tile is not ours
	})
	if err != nil {
		return fmt.Errorf("tilelog: %w", err)
	}
	w.looked = true
	return nil
}

// standing is where the folder is: size 0 where it has no checkpoint.
func (w *Writer) standing(ctx context.Context, log Log, keys []string) (audit.TreeHead, error) {
	text, err := w.files.Read(checkpointName, audit.MaxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		root, err := audit.Frontier{}.Root()
		return audit.TreeHead{Origin: log.Origin, Root: root}, err
	}
	if err != nil {
		return audit.TreeHead{}, err
	}
	head, err := log.head(ctx, keys, text)
	if err != nil {
		return audit.TreeHead{}, fmt.Errorf("%w: its checkpoint: %w", ErrFolder, err)
	}
	return head, nil
}

// advance tells how many bundles it left out.
func (w *Writer) advance(ctx context.Context, log Log, from, to audit.TreeHead, checkpoint []byte) (leftOut int, err error) {
	switch {
	case to.Size < from.Size:
		return 0, ErrBehind
	case to.Size == from.Size:
		return 0, fmt.Errorf("%w: two roots are signed for size %d", ErrFork, to.Size)
	}
	for _, head := range []audit.TreeHead{from, to} {
		if err := log.holds(ctx, head); err != nil {
			return 0, err
		}
	}
	if err := w.look(); err != nil {
		return 0, err
	}
	names, leftOut, err := w.place(ctx, log, from.Size, to.Size)
	if err != nil {
		return 0, err
	}
	if err := w.readBack(ctx, from.Size, to); err != nil {
		return 0, err
	}
	if err := w.files.Settle(names...); err != nil {
		return 0, err
	}
	// Every file that the new head leads to is durable, and the old head stands.
	if err := w.files.Replace(checkpointName, checkpoint); err != nil {
		return 0, err
	}
	// The new head stands. What follows may be left undone: the next advance finds it.
	return leftOut, w.tidy(from.Size, to.Size)
}

// place writes what a log of size to has and one of size from has not.
func (w *Writer) place(ctx context.Context, log Log, from, to int64) (names []string, leftOut int, err error) {
	for _, tile := range audit.Tiles(from, to) {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		body, err := w.body(ctx, log, tile, from)
		if errors.Is(err, errPruned) {
			leftOut++
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		name := tile.Path()
		names = append(names, name)
		if tile.Width < audit.TileWidth {
			w.partials[tile] = true
		}
		if there, err := w.files.Read(name, maxFile); err == nil && bytes.Equal(there, body) {
			continue // from an advance that was cut off
		}
		if err := w.files.Place(name, body); err != nil {
			return nil, 0, err
		}
	}
	return names, leftOut, nil
}

// errPruned says that a bundle cannot be whole.
var errPruned = errors.New("tilelog: a leaf was pruned before it was written")

// body is what a tile or a bundle holds.
func (w *Writer) body(ctx context.Context, log Log, tile audit.Tile, from int64) ([]byte, error) {
	nodes, err := log.nodes(ctx, tile.Height(), tile.First(), tile.Width)
	if err != nil {
		return nil, err
	}
	if !tile.Entries {
		body := make([]byte, 0, len(nodes)*len(audit.Hash{}))
		for _, node := range nodes {
			body = append(body, node[:]...)
		}
		return body, nil
	}
	leaves, err := log.Leaves(ctx, tile.First(), tile.Width)
	if err != nil {
		return nil, fmt.Errorf("tilelog: leaves from %d: %w", tile.First(), err)
	}
	if len(leaves) != tile.Width {
		return nil, fmt.Errorf("%w: %d leaves from %d, asked for %d", ErrFork, len(leaves), tile.First(), tile.Width)
	}
	kept, err := w.kept(tile, from)
	if err != nil {
		return nil, err
	}
	leaves = slices.Clone(leaves)
	for i, leaf := range leaves {
		if leaf == nil && i < len(kept) {
			leaves[i] = kept[i]
		}
		switch at := tile.First() + int64(i); {
		case leaves[i] == nil:
			return nil, errPruned
		case audit.LeafHash(leaves[i]) != nodes[i]:
			return nil, fmt.Errorf("%w: entry %d does not have its hash", ErrFork, at)
		}
	}
	return audit.EntryBundle(leaves)
}

// kept are the leaves of a bundle that the folder has at its old size: a quiet log
// may have been pruned up to there since.
func (w *Writer) kept(tile audit.Tile, from int64) ([][]byte, error) {
	tile.Width = int(min(max(from-tile.First(), 0), audit.TileWidth))
	if tile.Width == 0 {
		return nil, nil
	}
	body, err := w.files.Read(tile.Path(), maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // it was left out
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	leaves, err := audit.ParseEntryBundle(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFolder, tile.Path(), err)
	}
	return leaves, nil
}

// tidy takes away the partial tiles that neither head leads to.
func (w *Writer) tidy(from, to int64) error {
	keep := append(edge(from), edge(to)...)
	for tile := range w.partials {
		if slices.Contains(keep, tile) {
			continue
		}
		if err := w.files.Remove(tile.Path()); err != nil {
			return err
		}
		delete(w.partials, tile)
	}
	return nil
}

// edge lists the partial tiles of a log of a size.
func edge(size int64) []audit.Tile {
	var tiles []audit.Tile
	for level := 0; size>>(level*audit.TileHeight) > 0; level++ {
		subtrees := size >> (level * audit.TileHeight)
		tile := audit.Tile{Level: level, N: subtrees / audit.TileWidth, Width: int(subtrees % audit.TileWidth)}
		if tile.Width == 0 {
			continue
		}
		tiles = append(tiles, tile)
		if level == 0 {
			tile.Entries = true
			tiles = append(tiles, tile)
		}
	}
	return tiles
}

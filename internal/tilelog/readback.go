package tilelog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// readBack reads the hashes of all new leaves out of the folder, as a client does:
// through the tiles, each of which is held to the one above it, up to the root.
func (w *Writer) readBack(ctx context.Context, from int64, head audit.TreeHead) error {
	reader := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, folderTiles{w})
	for at := from; at < head.Size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min((at/audit.TileWidth+1)*audit.TileWidth, head.Size)
		indexes := make([]int64, 0, end-at)
		for ; at < end; at++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, at))
		}
		_, err := reader.ReadHashes(indexes)
		if errors.Is(err, ErrFolder) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w: tiles up to entry %d: %w", ErrFork, end, err)
		}
	}
	return nil
}

// folderTiles is the folder as x/mod reads it.
type folderTiles struct{ w *Writer }

func (folderTiles) Height() int { return audit.TileHeight }

func (t folderTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	bodies := make([][]byte, len(tiles))
	for i, tile := range tiles {
		body, err := t.w.files.Read(audit.Tile{Level: tile.L, N: tile.N, Width: tile.W}.Path(), maxFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFolder, err)
		}
		bodies[i] = body
	}
	return bodies, nil
}

// SaveTiles has nothing to do: they are where they were read.
func (folderTiles) SaveTiles([]tlog.Tile, [][]byte) {}

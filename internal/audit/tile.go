package audit

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Tiles as in https://c2sp.org/tlog-tiles: tile (level, n) holds the hashes of up
// to TileWidth subtrees of 256^level leaves each; an entry bundle holds the leaves
// of a tile of level 0.
const (
	// TileHeight is the number of tree levels in a tile.
	TileHeight = 8
	// TileWidth is the number of hashes in a full tile.
	TileWidth = 1 << TileHeight
	// maxTileLevel is the level of the one tile that a log of MaxSize leaves has at
	// the top.
	maxTileLevel = 48/TileHeight - 1
	// lengthBytes stand before each entry of a bundle, big-endian.
	lengthBytes = 2
	// MaxBundle is the size in bytes of the largest entry bundle.
	MaxBundle = TileWidth * (lengthBytes + MaxLeaf)
)

// A Tile names a tile or an entry bundle.
type Tile struct {
	Level   int // of a tile; 0 of a bundle
	N       int64
	Width   int  // 1 to TileWidth; less than TileWidth is a partial one
	Entries bool // a bundle
}

// Path is the path of the tile below that of its log.
func (t Tile) Path() string {
	var b strings.Builder
	b.WriteString("tile/")
	if t.Entries {
		b.WriteString("entries")
	} else {
		b.WriteString(strconv.Itoa(t.Level))
	}
	digits := strconv.FormatInt(t.N, 10)
	digits = strings.Repeat("0", (3-len(digits)%3)%3) + digits
	for ; len(digits) > 3; digits = digits[3:] {
		b.WriteString("/x" + digits[:3])
	}
	b.WriteString("/" + digits)
	if t.Width < TileWidth {
		b.WriteString(".p/" + strconv.Itoa(t.Width))
	}
	return b.String()
}

// ParseTile reads exactly what Path writes.
func ParseTile(path string) (Tile, error) {
	bad := fmt.Errorf("%w: not the path of a tile", ErrTree)
	rest, ok := strings.CutPrefix(path, "tile/")
	level, rest, more := strings.Cut(rest, "/")
	if !ok || !more || len(path) > 64 {
		return Tile{}, bad
	}
	t := Tile{Width: TileWidth, Entries: level == "entries"}
	var err error
	if !t.Entries {
		if t.Level, err = strconv.Atoi(level); err != nil {
			return Tile{}, bad
		}
	}
	number, width, partial := strings.Cut(rest, ".p/")
	if partial {
		if t.Width, err = strconv.Atoi(width); err != nil {
			return Tile{}, bad
		}
	}
	if t.N, err = strconv.ParseInt(strings.NewReplacer("x", "", "/", "").Replace(number), 10, 64); err != nil {
		return Tile{}, bad
	}
	if t.check() != nil || t.Path() != path {
		return Tile{}, bad
	}
	return t, nil
}

func (t Tile) check() error {
	if t.Level < 0 || t.Level > maxTileLevel || t.N < 0 || t.N > MaxSize || t.Width < 1 || t.Width > TileWidth {
		return fmt.Errorf("%w: no log has such a tile", ErrTree)
	}
	return nil
}

// First is the number of the first subtree of the tile on its level, which is
// level Height of the tree.
func (t Tile) First() int64 { return t.N * TileWidth }

// Height is the level of the tree whose subtrees the tile holds.
func (t Tile) Height() int { return t.Level * TileHeight }

// In tells whether a log of the size has all that the tile holds.
func (t Tile) In(size int64) bool {
	return t.check() == nil && t.First()+int64(t.Width) <= size>>t.Height()
}

// Tiles lists the tiles that a log of size to has and one of size from has not,
// level by level, entry bundles with those of level 0: full ones, and the partial
// ones at its right edge.
func Tiles(from, to int64) []Tile {
	var tiles []Tile
	for level := 0; level <= maxTileLevel && to>>(level*TileHeight) > 0; level++ {
		before, after := from>>(level*TileHeight), to>>(level*TileHeight)
		if before == after {
			continue
		}
		for n := before / TileWidth; n*TileWidth < after; n++ {
			t := Tile{Level: level, N: n, Width: int(min(TileWidth, after-n*TileWidth))}
			tiles = append(tiles, t)
			if level == 0 {
				t.Entries = true
				tiles = append(tiles, t)
			}
		}
	}
	return tiles
}

// EntryBundle writes leaves as a bundle: the length of each, 16 bits big-endian,
// and its bytes.
func EntryBundle(leaves [][]byte) ([]byte, error) {
	if len(leaves) > TileWidth {
		return nil, fmt.Errorf("%w: a bundle of %d entries", ErrTooLarge, len(leaves))
	}
	var b []byte
	for _, leaf := range leaves {
		if len(leaf) == 0 || len(leaf) > MaxLeaf {
			return nil, fmt.Errorf("%w: an entry of %d bytes in a bundle", ErrTooLarge, len(leaf))
		}
		b = binary.BigEndian.AppendUint16(b, uint16(len(leaf))) //nolint:gosec // MaxLeaf is below 2^16
		b = append(b, leaf...)
	}
	return b, nil
}

// ParseEntryBundle reads exactly what EntryBundle writes. The leaves share memory
// with b.
func ParseEntryBundle(b []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(b) > 0 {
		if len(b) < lengthBytes {
			return nil, fmt.Errorf("%w: a bundle ends within a length", ErrSyntax)
		}
		n := int(binary.BigEndian.Uint16(b))
		if b = b[lengthBytes:]; n == 0 || n > MaxLeaf || n > len(b) || len(leaves) == TileWidth {
			return nil, fmt.Errorf("%w: not a bundle of entries", ErrSyntax)
		}
		leaves = append(leaves, b[:n:n])
		b = b[n:]
	}
	return leaves, nil
}

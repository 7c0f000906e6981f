package tilelog_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/durable"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/tilelog"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// ask is a log as a folder asks it.
func ask(l *exporttest.Log) tilelog.Log {
	return tilelog.Log{
		Origin: l.Origin, Nodes: l.Nodes, Leaves: l.Leaves,
		Keys: func(context.Context) ([]string, error) { return l.VerifierKeys(), nil },
		Checkpoint: func(ctx context.Context) ([]byte, error) {
			head, err := l.Head(ctx)
			return head.Checkpoint, err
		},
	}
}

func grow(l *exporttest.Log, n int) {
	l.Append(start, slices.Repeat([]audit.Kind{audit.KindTokenize}, n)...)
}

func mustAdvance(t testing.TB, w *tilelog.Writer, log tilelog.Log) tilelog.Progress {
	t.Helper()
	p, err := w.Advance(context.Background(), log)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tiles reads a folder as x/mod does, which knows the same layout by other names.
type tiles struct{ dir string }

func (tiles) Height() int                        { return 8 }
func (tiles) SaveTiles([]tlog.Tile, [][]byte)    {}
func (c tiles) file(name string) ([]byte, error) { return os.ReadFile(filepath.Join(c.dir, name)) }

func (c tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var bodies [][]byte
	for _, tile := range wanted {
		body, err := c.file(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return bodies, nil
}

// read is what somebody finds who has the folder and a key: every entry, each held
// to its hash, and each hash to the root. A folder without a checkpoint is of size 0.
func read(dir string, vkeys ...string) (lines string, size int64, err error) {
	c := tiles{dir}
	checkpoint, err := c.file("checkpoint")
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	head, err := audit.OpenCheckpoint(checkpoint, vkeys...)
	if err != nil {
		return "", 0, err
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, c)
	var b strings.Builder
	for at := int64(0); at < head.Size; {
		width := min(audit.TileWidth, head.Size-at)
		bundle, err := c.file(audit.Tile{N: at / audit.TileWidth, Width: int(width), Entries: true}.Path())
		if err != nil {
			return "", 0, err
		}
		leaves, err := audit.ParseEntryBundle(bundle)
		if err != nil || int64(len(leaves)) != width {
			return "", 0, fmt.Errorf("bundle of %d: %d leaves, %w", at, len(leaves), err)
		}
		var indexes []int64
		for i := range width {
			indexes = append(indexes, tlog.StoredHashIndex(0, at+i))
		}
		stored, err := hashes.ReadHashes(indexes)
		if err != nil {
			return "", 0, err
		}
		for i, leaf := range leaves {
			if audit.LeafHash(leaf) != stored[i] {
				return "", 0, fmt.Errorf("entry %d does not have its hash", at+int64(i))
			}
			b.Write(leaf)
			b.WriteByte('\n')
		}
		at += width
	}
	return b.String(), head.Size, nil
}

// whole checks that a folder is the log up to its checkpoint, and returns the size.
func whole(t testing.TB, dir string, l *exporttest.Log) int64 {
	t.Helper()
	lines, size, err := read(dir, l.VerifierKeys()...)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(l.Lines(), lines) {
		t.Fatalf("the folder of %d entries is not the log", size)
	}
	return size
}

// files lists what is in a folder.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != ".lock" && !strings.HasPrefix(entry.Name(), durable.TemporaryPrefix) {
			name, _ := filepath.Rel(dir, path)
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

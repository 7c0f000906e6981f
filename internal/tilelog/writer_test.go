package tilelog_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/durable"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/tilelog"
)

func TestLayout(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	w := tilelog.NewWriter(dir)
	grow(l, 258)
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{To: 258}) {
		t.Errorf("%+v", p)
	}
	want := []string{
		"checkpoint", "tile/0/000", "tile/0/001.p/2", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/2",
	}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	whole(t, dir, l)

	grow(l, 300)
	l.Rotate()
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{From: 258, To: 558}) {
		t.Errorf("%+v", p)
	}
	// The partial tiles of the head before are still there, for who reads them now.
	want = []string{
		"checkpoint", "tile/0/000", "tile/0/001", "tile/0/001.p/2", "tile/0/002.p/46", "tile/1/000.p/1", "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/001", "tile/entries/001.p/2", "tile/entries/002.p/46",
	}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	grow(l, 1)
	mustAdvance(t, w, ask(l))
	want = []string{
		"checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/46", "tile/0/002.p/47", "tile/1/000.p/2",
		"tile/entries/000", "tile/entries/001", "tile/entries/002.p/46", "tile/entries/002.p/47",
	}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	whole(t, dir, l)
}

// However a log grows, and however often the process begins anew, the folder is the
// log, and holds nothing that neither of the last two heads leads to.
func TestFolderFollowsTheLog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, dir := exporttest.NewLog("acme"), filepath.Join(t.TempDir(), rapid.StringMatching("[a-z]{12}").Draw(rt, "folder"))
		w, before := tilelog.NewWriter(dir), int64(0)
		for range rapid.IntRange(1, 4).Draw(rt, "advances") {
			grow(l, rapid.SampledFrom([]int{1, 2, 5, 254, 255, 256, 257, 600}).Draw(rt, "entries"))
			if rapid.Bool().Draw(rt, "begins anew") {
				w = tilelog.NewWriter(dir)
			}
			if p := mustAdvance(t, w, ask(l)); p.From != before || p.To != l.Size() {
				rt.Fatalf("%+v after %d", p, before)
			}
			if whole(t, dir, l) != l.Size() {
				rt.Fatal("the folder is behind")
			}
			for _, name := range files(t, dir) {
				tile, err := audit.ParseTile(name)
				if name == "checkpoint" || err == nil && tile.Width == audit.TileWidth {
					continue
				}
				if err != nil || !slices.Contains(audit.Tiles(0, before), tile) && !slices.Contains(audit.Tiles(0, l.Size()), tile) {
					rt.Fatalf("%s is left at %d", name, l.Size())
				}
			}
			before = l.Size()
		}
	})
}

func TestNothingToDo(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	w := tilelog.NewWriter(dir)
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{}) {
		t.Errorf("a log without entries: %+v", p)
	}
	unsigned := ask(l)
	unsigned.Checkpoint = func(context.Context) ([]byte, error) { return nil, nil }
	if p := mustAdvance(t, w, unsigned); p != (tilelog.Progress{}) {
		t.Errorf("a log of which nothing is signed: %+v", p)
	}
	grow(l, 3)
	mustAdvance(t, w, ask(l))
	tilelog.Break(w, func(string) error { return errors.New("it changes the disk") })
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{From: 3, To: 3}) {
		t.Errorf("no new entry: %+v", p)
	}
}

// Invariant 11: what is not the log that the folder has does not change it.
func TestInvariant11_AnotherHistoryIsRefused(t *testing.T) {
	const size = 300
	for name, tt := range map[string]struct {
		change func(l *exporttest.Log, log *tilelog.Log)
		want   error
	}{
		"a log that lost entries": {func(_ *exporttest.Log, log *tilelog.Log) {
			older := exporttest.NewLog("acme")
			grow(older, size-1)
			*log = ask(older)
		}, tilelog.ErrBehind},
		"another log of the same size": {func(_ *exporttest.Log, log *tilelog.Log) {
			*log = ask(forked(size))
		}, tilelog.ErrFork},
		"another log that is longer": {func(_ *exporttest.Log, log *tilelog.Log) {
			*log = ask(forked(2 * size))
		}, tilelog.ErrFork},
		"a leaf hash that was changed": {func(l *exporttest.Log, _ *tilelog.Log) { l.Change(size + 5) }, tilelog.ErrFork},
		"a leaf that was changed": {func(l *exporttest.Log, log *tilelog.Log) {
			log.Leaves = func(ctx context.Context, from int64, count int) ([][]byte, error) {
				leaves, err := l.Leaves(ctx, from, count)
				if i := size + 5 - from; i >= 0 && i < int64(count) {
					leaves[i] = leaves[i-1]
				}
				return leaves, err
			}
		}, tilelog.ErrFork},
		"fewer leaves": {func(l *exporttest.Log, log *tilelog.Log) {
			log.Leaves = func(ctx context.Context, from int64, count int) ([][]byte, error) {
				return l.Leaves(ctx, from, count-1)
			}
		}, tilelog.ErrFork},
		"fewer nodes": {func(l *exporttest.Log, log *tilelog.Log) {
			log.Nodes = func(ctx context.Context, level int, from int64, count int) ([]audit.Hash, error) {
				return l.Nodes(ctx, level, from, count-1)
			}
		}, tilelog.ErrFork},
		"a checkpoint of nobody": {func(_ *exporttest.Log, log *tilelog.Log) {
			log.Checkpoint = func(context.Context) ([]byte, error) { return []byte("x\n1\ny\n"), nil }
		}, audit.ErrCheckpoint},
		"a log of another name": {func(_ *exporttest.Log, log *tilelog.Log) { log.Origin = "log.example/globex" }, tilelog.ErrFork},
	} {
		l, dir := exporttest.NewLog("acme"), t.TempDir()
		w := tilelog.NewWriter(dir)
		grow(l, size)
		mustAdvance(t, w, ask(l))
		grow(l, size)
		log := ask(l)
		tt.change(l, &log)
		if _, err := w.Advance(context.Background(), log); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, at, err := read(dir, l.VerifierKeys()...); err != nil || at != size {
			t.Errorf("%s: the folder is at %d, %v", name, at, err)
		}
	}
}

// forked is a log with an entry that is another.
func forked(size int) *exporttest.Log {
	l := exporttest.NewLog("acme")
	l.Append(start, audit.KindRestore)
	grow(l, size-1)
	return l
}

// Twin: whoever reads a folder sees any change to any file of it.
func TestTwinOfReading(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	grow(l, 258)
	mustAdvance(t, tilelog.NewWriter(dir), ask(l))
	for _, name := range files(t, dir) {
		path := filepath.Join(dir, name)
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, len(body) / 2, len(body) - 1} {
			changed := slices.Clone(body)
			changed[at] ^= 1
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, err := read(dir, l.VerifierKeys()...); err == nil {
				t.Errorf("%s: a change at %d is not seen", name, at)
			}
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	whole(t, dir, l)
}

// A folder that was changed is not built on: what is written next must lead to the
// root through it.
func TestAFolderThatWasChanged(t *testing.T) {
	for _, name := range []string{"checkpoint", "tile/1/000.p/1", "tile/entries/001.p/2"} {
		l, dir := exporttest.NewLog("acme"), t.TempDir()
		grow(l, 258)
		mustAdvance(t, tilelog.NewWriter(dir), ask(l))
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		grow(l, 1)
		if _, err := tilelog.NewWriter(dir).Advance(context.Background(), ask(l)); err == nil {
			t.Errorf("%s was changed, and nobody says so", name)
		}
	}
}

// What was pruned since it came to the folder is taken from the folder, where the
// bundle that it is in grows.
func TestAPrunedLeafThatIsInTheFolder(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	w := tilelog.NewWriter(dir)
	grow(l, 300)
	mustAdvance(t, w, ask(l))
	for _, index := range []int64{0, 256, 299} {
		l.Prune(index)
	}
	grow(l, 1)
	mustAdvance(t, w, ask(l))
	if size := whole(t, dir, l); size != 301 {
		t.Errorf("at %d", size)
	}
}

// A folder that is begun after leaves were pruned has every tile, and every bundle
// that can be whole; and it stays one as the log grows.
func TestAPrunedLeafThatNeverWasInTheFolder(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	grow(l, 600)
	l.Prune(3)
	l.Prune(599)
	w := tilelog.NewWriter(dir)
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{To: 600, LeftOut: 2}) {
		t.Errorf("%+v", p)
	}
	grow(l, 400)
	if p := mustAdvance(t, w, ask(l)); p != (tilelog.Progress{From: 600, To: 1000, LeftOut: 1}) {
		t.Errorf("%+v", p)
	}
	got := strings.Join(slices.DeleteFunc(files(t, dir), func(name string) bool { return !strings.Contains(name, "entries") }), " ")
	if got != "tile/entries/001 tile/entries/003.p/232" {
		t.Errorf("bundles: %s", got)
	}
	// The hashes of all are there: with the bundles that are missing it is whole.
	for _, n := range []int64{0, 2} {
		leaves, err := unpruned(l).Leaves(context.Background(), n*audit.TileWidth, audit.TileWidth)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := audit.EntryBundle(leaves)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, audit.Tile{N: n, Width: audit.TileWidth, Entries: true}.Path()), bundle, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if size := whole(t, dir, l); size != 1000 {
		t.Errorf("at %d", size)
	}
}

// unpruned is the same log before anything was pruned.
func unpruned(l *exporttest.Log) *exporttest.Log {
	same := exporttest.NewLog("acme")
	grow(same, int(l.Size()))
	return same
}

func TestOneProcessAtATime(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	grow(l, 3)
	log := ask(l)
	keys := log.Keys
	log.Keys = func(ctx context.Context) ([]string, error) { // while the first one works
		if _, err := tilelog.NewWriter(dir).Advance(ctx, ask(l)); !errors.Is(err, tilelog.ErrBusy) {
			t.Errorf("the second one: %v", err)
		}
		return keys(ctx)
	}
	mustAdvance(t, tilelog.NewWriter(dir), log)
	mustAdvance(t, tilelog.NewWriter(dir), ask(l)) // the lock is let go
}

// A process that begins takes away what another left unfinished.
func TestLeftoversGo(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	grow(l, 3)
	mustAdvance(t, tilelog.NewWriter(dir), ask(l))
	for _, name := range []string{"tile/0/000.p/200", "tile/entries/000.p/200", "tile/0/" + durable.TemporaryPrefix + "7"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	grow(l, 1)
	mustAdvance(t, tilelog.NewWriter(dir), ask(l))
	if got := strings.Join(files(t, dir), " "); strings.Contains(got, "200") || strings.Contains(got, durable.TemporaryPrefix) {
		t.Errorf("left: %s", got)
	}
}

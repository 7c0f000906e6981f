package tilelog_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/tilelog"
)

var errFault = errors.New("the fault that was put in")

// broken lets the n-th call of a log or step of the disk fail.
func broken(w *tilelog.Writer, log tilelog.Log, n int) tilelog.Log {
	calls := 0
	fails := func() error {
		if calls++; calls > n { // and all that follow: the process is as good as dead
			return errFault
		}
		return nil
	}
	tilelog.Break(w, func(string) error { return fails() })
	keys, checkpoint, nodes, leaves := log.Keys, log.Checkpoint, log.Nodes, log.Leaves
	log.Keys = func(ctx context.Context) ([]string, error) {
		k, err := keys(ctx)
		return k, errors.Join(err, fails())
	}
	log.Checkpoint = func(ctx context.Context) ([]byte, error) {
		c, err := checkpoint(ctx)
		return c, errors.Join(err, fails())
	}
	log.Nodes = func(ctx context.Context, level int, from int64, count int) ([]audit.Hash, error) {
		h, err := nodes(ctx, level, from, count)
		return h, errors.Join(err, fails())
	}
	log.Leaves = func(ctx context.Context, from int64, count int) ([][]byte, error) {
		b, err := leaves(ctx, from, count)
		return b, errors.Join(err, fails())
	}
	return log
}

// sizes of the heads before the fault and after it, and of the one that comes then.
const (
	oldSize = 250
	newSize = 515
)

// stride is how many steps are left out between two that are tried.
func stride() int {
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		return 1
	}
	return 2
}

// Wherever an advance ends, the folder is a whole log of the old head or of the new
// one; and the next one ends well, in the same process or in another, whether or not
// the log has grown.
func TestFaultTable(t *testing.T) {
	for n := 0; ; n += stride() {
		l, dir := exporttest.NewLog("acme"), filepath.Join(t.TempDir(), "log")
		w := tilelog.NewWriter(dir)
		grow(l, oldSize)
		mustAdvance(t, w, ask(l))
		grow(l, newSize-oldSize)
		_, err := w.Advance(context.Background(), broken(w, ask(l), n))
		if err != nil && !errors.Is(err, errFault) {
			t.Fatalf("at %d: %v", n, err)
		}
		if size := whole(t, dir, l); size != oldSize && size != newSize || err == nil && size != newSize {
			t.Errorf("at %d: the folder has size %d", n, size)
		}
		if n%4 < 2 {
			w = tilelog.NewWriter(dir)
		}
		if n%3 == 0 {
			grow(l, 10)
		}
		tilelog.Break(w, nil)
		mustAdvance(t, w, ask(l))
		if size := whole(t, dir, l); size != l.Size() {
			t.Errorf("after %d: the folder has size %d of %d", n, size, l.Size())
		}
		if err == nil {
			if n < 40 {
				t.Errorf("an advance has %d steps", n)
			}
			return
		}
	}
}

const (
	killFolder = "COUNTERFOIL_TEST_TILES_FOLDER"
	killStep   = "COUNTERFOIL_TEST_TILES_KILL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killFolder); dir != "" {
		step, err := strconv.Atoi(os.Getenv(killStep))
		if err == nil {
			err = writeTiles(dir, step)
		}
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); os.Getenv("COUNTERFOIL_LONG") == "" && f.Value.String() == f.DefValue {
		if err := f.Value.Set("15"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// writeTiles advances twice, and dies before a step of the disk.
func writeTiles(dir string, kill int) error {
	n := 0
	w := tilelog.NewWriter(dir)
	tilelog.Break(w, func(string) error {
		if n++; n > kill {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	})
	l := exporttest.NewLog("acme")
	for _, size := range []int{oldSize, newSize - oldSize} {
		grow(l, size)
		_, err := w.Advance(context.Background(), ask(l))
		if err != nil && !errors.Is(err, tilelog.ErrBehind) { // the process before was further
			return err
		}
	}
	return nil
}

// A process is killed at each step of the disk, and started again.
func TestKilledAtEveryStep(t *testing.T) {
	all := exporttest.NewLog("acme")
	grow(all, newSize)
	for kill := 0; ; kill += 2 * stride() {
		dir := t.TempDir()
		lived := run(t, dir, kill)
		if size := whole(t, dir, all); size != 0 && size != oldSize && size != newSize {
			t.Errorf("killed at %d: size %d", kill, size)
		}
		if lived {
			if kill < 30 {
				t.Errorf("two advances have %d steps", kill)
			}
			return
		}
		if !run(t, dir, 1<<30) {
			t.Fatal("the second process died")
		}
		if size := whole(t, dir, all); size != newSize {
			t.Errorf("after %d: size %d", kill, size)
		}
	}
}

func run(t *testing.T, dir string, kill int) bool {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), killFolder+"="+dir, killStep+"="+strconv.Itoa(kill))
	out, err := process.CombinedOutput()
	if err == nil {
		return true
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Fatalf("killed at %d: %v\n%s", kill, err, out)
	}
	return false
}

// Twin: were the checkpoint to come before the tiles, a fault would leave a folder
// that is no log.
func TestTwinOfTheOrder(t *testing.T) {
	l, dir := exporttest.NewLog("acme"), t.TempDir()
	w := tilelog.NewWriter(dir)
	grow(l, oldSize)
	mustAdvance(t, w, ask(l))
	grow(l, newSize-oldSize)
	if _, err := w.Advance(context.Background(), broken(w, ask(l), 12)); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	whole(t, dir, l)
	head, err := l.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "checkpoint"), head.Checkpoint, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, size, err := read(dir, l.VerifierKeys()...); err == nil {
		t.Errorf("a log of %d entries", size)
	}
}

package export_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/durable"
	"github.com/counterfoil/counterfoil/internal/export"
)

// The environment of a process that is to be killed: the folder, and the step of
// the disk before which it kills itself.
const (
	killFolder = "COUNTERFOIL_TEST_EXPORT_FOLDER"
	killStep   = "COUNTERFOIL_TEST_EXPORT_KILL"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killFolder); dir != "" {
		step, err := strconv.Atoi(os.Getenv(killStep))
		if err == nil {
			err = exportTo(dir, step)
		}
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// exportedLog is the log of the process; one that was started again has more.
func exportedLog(more int) *world {
	w := newWorld()
	w.Append(start, audit.KindTenantCreate, audit.KindTokenize)
	w.Append(start.Add(time.Hour), audit.KindRestore)
	for range more {
		w.Append(start.Add(2*time.Hour), audit.KindTokenize)
	}
	w.Quiet(start.Add(48 * time.Hour))
	return w
}

// exportTo exports the log with a cursor in a file, as a process does, and dies
// before a step. Later processes find a log that has grown.
func exportTo(dir string, kill int) error {
	n := 0
	before := func(string) error {
		if n++; n > kill {
			return syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}
	more := 0
	if _, err := os.Stat(filepath.Join(dir, "cursor")); err == nil {
		more = 1
	}
	w := exportedLog(more)
	kept := durable.Folder{Root: dir, Before: before}
	log := w.Log.Log()
	log.Cursor = func(context.Context) (export.Cursor, error) {
		var c export.Cursor
		body, err := kept.Read("cursor", 2*export.MaxCursor)
		if errors.Is(err, fs.ErrNotExist) {
			return c, nil
		}
		return c, errors.Join(err, json.Unmarshal(body, &c))
	}
	log.SetCursor = func(_ context.Context, c export.Cursor) error {
		body, err := json.Marshal(c)
		return errors.Join(err, kept.Replace("cursor", body))
	}
	sink, err := export.OpenDir(filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	export.BreakDir(sink, before)
	w.Sink = sink
	_, err = w.steps(log)
	return err
}

// run runs the test's own program as that process, and tells whether it lived.
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

// A process is killed at each step of the disk, of objects and of the cursor, and
// started again: no gap, no entry twice, and the days whole.
func TestKilledAtEveryStep(t *testing.T) {
	stride := 5
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		stride = 1
	}
	died := 0
	for kill := 0; ; kill += stride {
		dir := t.TempDir()
		lived := run(t, dir, kill)
		if !lived {
			died++
			if !run(t, dir, 1<<30) {
				t.Fatal("the second process died")
			}
		}
		w := exportedLog(0)
		w.dir = filepath.Join(dir, "out")
		found, err := w.objects(t).Check(w.VerifierKeys()[0])
		if err != nil || found.Entries < 3 || len(found.Days) != 2 || found.Repeated > 0 {
			t.Errorf("killed at %d: %d entries, %d days, %d twice, %v", kill, found.Entries, len(found.Days), found.Repeated, err)
		}
		if lived {
			break
		}
	}
	if died < 50/stride {
		t.Errorf("died at %d steps only", died)
	}
}

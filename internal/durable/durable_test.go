package durable_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/durable"
)

func TestCreateNeverReplaces(t *testing.T) {
	f := durable.Folder{Root: filepath.Join(t.TempDir(), "new")}
	if err := f.Create("a/b/c", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := f.Create("a/b/c", []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	if got, err := f.Read("a/b/c", 3); err != nil || string(got) != "one" {
		t.Errorf("%q, %v", got, err)
	}
}

// What a link refuses a rename takes: Replace is the twin of Create.
func TestReplaceReplaces(t *testing.T) {
	f := durable.Folder{Root: t.TempDir()}
	for _, text := range []string{"one", "two"} {
		if err := f.Replace("checkpoint", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Read("checkpoint", 3); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := f.Read("checkpoint", 2); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("longer than allowed: %v", err)
	}
	if _, err := f.Read("other", 2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestNamesStayBelowTheFolder(t *testing.T) {
	f := durable.Folder{Root: t.TempDir()}
	for _, name := range []string{"", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", `a\b`, "a\x00", ".new-1", "a/.new-1/b"} {
		if err := f.Create(name, nil); !errors.Is(err, durable.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestRemove(t *testing.T) {
	f := durable.Folder{Root: t.TempDir()}
	for _, name := range []string{"d/a", "d/b"} {
		if err := f.Place(name, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Settle("d/a", "d/b"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d/a", "d/a", "d/b", "d/b"} { // again is as well
		if err := f.Remove(name); err != nil {
			t.Error(err)
		}
		if _, err := f.Read(name, 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if names, err := os.ReadDir(f.Root); err != nil || len(names) != 0 {
		t.Errorf("left: %v, %v", names, err)
	}
}

var errStop = errors.New("stopped")

// At whichever step a write ends, the place has the whole old file or the whole
// new one, and doing it again ends well.
func TestEveryStepLeavesTheOldOrTheNew(t *testing.T) {
	steps := 0
	for stop := 0; ; stop++ {
		n := 0
		f := durable.Folder{Root: filepath.Join(t.TempDir(), "x")}
		if stop%2 == 1 { // also where something is in the place
			if err := f.Replace("d/place", []byte("old")); err != nil {
				t.Fatal(err)
			}
		}
		broken := f
		broken.Before = func(string) error {
			if n++; n > stop/2 {
				return errStop
			}
			return nil
		}
		err := broken.Replace("d/place", []byte("whole"))
		if err == nil && stop%2 == 0 {
			steps = n
			break
		}
		if err != nil && !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		switch got, err := f.Read("d/place", 99); {
		case err == nil && (string(got) == "whole" || string(got) == "old" && stop%2 == 1):
		case errors.Is(err, fs.ErrNotExist) && stop%2 == 0:
		default:
			t.Errorf("stopped at %d: %q, %v", stop, got, err)
		}
		if err := f.Replace("d/place", []byte("whole")); err != nil {
			t.Errorf("again after %d: %v", stop, err)
		}
		if err := f.Clear(); err != nil {
			t.Error(err)
		}
		if left := temporary(t, f.Root); len(left) > 0 {
			t.Errorf("left after %d: %q", stop, left)
		}
	}
	if steps < 5 {
		t.Errorf("a write has %d steps", steps)
	}
}

// temporary lists what was cut off.
func temporary(t *testing.T, root string) (left []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), durable.TemporaryPrefix) {
			left = append(left, e.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// Twin: without Clear something would be left.
func TestTwinOfClear(t *testing.T) {
	f := durable.Folder{Root: t.TempDir()}
	f.Before = func(step string) error {
		if step == "place" {
			return errStop
		}
		return nil
	}
	if err := f.Create("a", []byte("x")); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	if left := temporary(t, f.Root); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
	if err := f.Clear(); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(f.Root); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
	if err := (durable.Folder{Root: filepath.Join(f.Root, "none")}).Clear(); err != nil {
		t.Error(err)
	}
}

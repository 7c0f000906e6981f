package localkey_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/localkey"
)

var errInjected = errors.New("injected fault")

// crash runs f and ends it before the named step as a kill would: nothing that
// f meant to do afterwards happens, tidying up included.
func crash(before string, f func(before func(string) error) error) (err error) {
	type kill struct{}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(kill); !ok {
				panic(p)
			}
			err = errInjected
		}
	}()
	return f(func(step string) error {
		if step == before {
			panic(kill{})
		}
		return nil
	})
}

// fail runs f with an error before the named step.
func fail(before string, f func(before func(string) error) error) error {
	return f(func(step string) error {
		if step == before {
			return errInjected
		}
		return nil
	})
}

// TestInvariant15_CrashInRotation ends a rotation before each step, by an error
// and by a kill. Afterwards the file is the old one or the new one, whole, and
// every key that was ever wrapped opens.
func TestInvariant15_CrashInRotation(t *testing.T) {
	for _, how := range []struct {
		name string
		run  func(string, func(func(string) error) error) error
	}{{"error", fail}, {"kill", crash}} {
		for _, step := range localkey.Steps {
			t.Run(how.name+" before "+step, func(t *testing.T) {
				k := newKey(t)
				path := pathOf(k)
				old, wrapped := read(t, path), wrap(t, k, "key")
				err := how.run(step, func(before func(string) error) error { return k.RotateWith(t.Context(), before) })
				if !errors.Is(err, errInjected) {
					t.Fatalf("the fault had no effect: %v", err)
				}
				if renamed := step == "sync the folder"; (read(t, path) == old) == renamed {
					t.Errorf("the file changed before its rename, or not at all after it")
				}
				if how.name == "error" {
					onlyFile(t, path)
				}
				// The process that lives on still wraps under what is durable.
				again := wrap(t, k, "key")
				if again.Version != 1 {
					t.Errorf("wraps under version %d, which may not be durable", again.Version)
				}
				opens(t, path, wrapped, again)
				if err := k.Rotate(t.Context()); err != nil {
					t.Fatalf("rotating again: %v", err)
				}
				opens(t, path, wrapped, again, wrap(t, k, "key"))
			})
		}
	}
}

// TestInvariant15_CrashInCreate ends the creation of a file before each step.
func TestInvariant15_CrashInCreate(t *testing.T) {
	for _, step := range localkey.Steps {
		t.Run("kill before "+step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "local.key")
			err := crash(step, func(before func(string) error) error { return localkey.CreateWith(path, before) })
			if !errors.Is(err, errInjected) {
				t.Fatalf("the fault had no effect: %v", err)
			}
			if _, err := os.Stat(path); err != nil { // nothing there yet: it can be made
				if err := localkey.Create(path); err != nil {
					t.Fatal(err)
				}
			}
			open(t, path)
		})
	}
}

// TestInvariant15_TwinWritingInPlaceIsNoticed runs the same check over a
// rotation that writes over the old file.
func TestInvariant15_TwinWritingInPlaceIsNoticed(t *testing.T) {
	k := newKey(t)
	err := crash("write the rest", func(before func(string) error) error {
		return k.RotateInPlace(before, func(path string, text []byte) error { return os.WriteFile(path, text, 0o600) })
	})
	if !errors.Is(err, errInjected) {
		t.Fatalf("the fault had no effect: %v", err)
	}
	if err := opensErr(pathOf(k)); err == nil {
		t.Error("a half-written file was taken for a whole one")
	}
}

// TestInvariant15_RotationsAtOnce: of rotations by several processes none is
// lost, nor what was wrapped after it.
func TestInvariant15_RotationsAtOnce(t *testing.T) {
	const processes, rotations = 4, 5
	path := pathOf(newKey(t))
	var mu sync.Mutex
	var wrapped []envelope.Wrapped
	var group sync.WaitGroup
	for range processes {
		k := open(t, path)
		group.Go(func() {
			for range rotations {
				if err := k.Rotate(t.Context()); err != nil {
					t.Error(err)
					return
				}
				items, err := k.Wrap(t.Context(), tenant, [][]byte{[]byte("key")})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				wrapped = append(wrapped, items...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	opens(t, path, wrapped...)
	version, err := open(t, path).Version(t.Context(), tenant)
	if err != nil || version != 1+processes*rotations {
		t.Errorf("version %d after %d rotations: %v", version, processes*rotations, err)
	}
}

// TestInvariant15_TwinRotationWithoutLockLoses does what the lock forbids.
func TestInvariant15_TwinRotationWithoutLockLoses(t *testing.T) {
	first := newKey(t)
	second := open(t, pathOf(first))
	var wrapped envelope.Wrapped
	err := first.RotateUnlocked(func(step string) error {
		if step != "create the temporary file" {
			return nil
		}
		if err := second.RotateUnlocked(func(string) error { return nil }); err != nil {
			return err
		}
		wrapped = wrap(t, second, "key")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := opensErr(pathOf(first), wrapped); !errors.Is(err, envelope.ErrAuthentication) {
		t.Errorf("a lost version was not noticed: %v", err)
	}
}

func pathOf(k *localkey.Key) string {
	return strings.TrimSuffix(strings.TrimPrefix(k.String(), "localkey("), ")")
}

// opens opens the file anew and unwraps everything with it.
func opens(t *testing.T, path string, wrapped ...envelope.Wrapped) {
	t.Helper()
	if err := opensErr(path, wrapped...); err != nil {
		t.Error(err)
	}
}

func opensErr(path string, wrapped ...envelope.Wrapped) error {
	k, err := localkey.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = k.Close() }()
	items, err := k.Unwrap(context.Background(), tenant, wrapped)
	if err != nil {
		return err
	}
	for i, item := range items {
		if item.Err != nil {
			return fmt.Errorf("item %d of version %d: %w", i, wrapped[i].Version, item.Err)
		}
		if string(item.Plain.Reveal()) != "key" {
			return fmt.Errorf("item %d of version %d opens as another key", i, wrapped[i].Version)
		}
	}
	return nil
}

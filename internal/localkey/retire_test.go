package localkey_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/localkey"
)

// aged is a key with three versions, and what each of them wrapped.
func aged(t *testing.T) (k *localkey.Key, wrapped []envelope.Wrapped) {
	t.Helper()
	k = newKey(t)
	for range 3 {
		wrapped = append(wrapped, wrap(t, k, "key"))
		if err := k.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return k, wrapped
}

// gone fails unless none of the keys opens, whoever has the file.
func gone(t *testing.T, k *localkey.Key, wrapped ...envelope.Wrapped) {
	t.Helper()
	for who, key := range map[string]*localkey.Key{"the process that retired": k, "another": open(t, pathOf(k))} {
		items, err := key.Unwrap(t.Context(), tenant, wrapped)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			if !errors.Is(item.Err, envelope.ErrVersionGone) {
				t.Errorf("%s: %v", who, item.Err)
			}
		}
	}
}

// TestInvariant8_RetiredVersionsAreGone from the file and from memory, and all
// others are as they were.
func TestInvariant8_RetiredVersionsAreGone(t *testing.T) {
	k, wrapped := aged(t)
	before := read(t, pathOf(k))
	for _, below := range []int{1, 3, 3, 2} {
		if err := k.Retire(t.Context(), below); err != nil {
			t.Fatalf("below %d: %v", below, err)
		}
	}
	gone(t, k, wrapped[0], wrapped[1])
	opens(t, pathOf(k), wrapped[2], wrap(t, k, "key"))
	for _, line := range strings.Split(before, "\n") {
		if key := strings.TrimSpace(line); strings.HasPrefix(key, `"key"`) && strings.Index(before, key) < strings.Index(before, `"version": 3`) &&
			strings.Contains(read(t, pathOf(k)), key) {
			t.Error("a retired key is in the file")
		}
	}
	if err := k.Retire(t.Context(), 5); err == nil {
		t.Error("the current version was retired")
	}
	if err := k.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	opens(t, pathOf(k), wrapped[2], wrap(t, k, "key"))
	// The twin: the old file, put back, opens all of it. Copies count.
	if err := os.WriteFile(pathOf(k), []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	opens(t, pathOf(k), wrapped...)
}

// TestInvariant15_CrashInRetirement: the file is the old one or the new one, and
// doing it again ends with the new one.
func TestInvariant15_CrashInRetirement(t *testing.T) {
	for _, how := range []struct {
		name string
		run  func(string, func(func(string) error) error) error
	}{{"error", fail}, {"kill", crash}} {
		for _, step := range localkey.Steps {
			t.Run(how.name+" before "+step, func(t *testing.T) {
				k, wrapped := aged(t)
				old := read(t, pathOf(k))
				err := how.run(step, func(before func(string) error) error { return k.RetireWith(t.Context(), 3, before) })
				if !errors.Is(err, errInjected) {
					t.Fatalf("the fault had no effect: %v", err)
				}
				if renamed := step == "sync the folder"; (read(t, pathOf(k)) == old) == renamed {
					t.Error("the file changed before its rename, or not at all after it")
				}
				opens(t, pathOf(k), wrapped[2], wrap(t, k, "key"))
				if err := k.Retire(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				gone(t, k, wrapped[0], wrapped[1])
				opens(t, pathOf(k), wrapped[2], wrap(t, k, "key"))
			})
		}
	}
}

package system_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/bench/system"
)

func TestHost(t *testing.T) {
	h := system.NewHost(t.Context(), t.TempDir())
	after := false
	err := h.Do(func() {
		h.Error("one")
		h.Fatalf("two %d", 2)
		after = true
	})
	if err == nil || err.Error() != "one\ntwo 2" || after {
		t.Errorf("%v, went on: %t", err, after)
	}
	if err := h.Do(func() {}); err != nil {
		t.Errorf("failed by what failed before: %v", err)
	}
	if dir := h.TempDir(); filepath.Base(dir)[:7] != "server-" {
		t.Errorf("%s", dir)
	} else if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

// All cleanups run, the last first, whatever one of them does.
func TestHost_Close(t *testing.T) {
	h := system.NewHost(t.Context(), t.TempDir())
	var ran []string
	for _, name := range []string{"first", "second", "third"} {
		h.Cleanup(func() {
			ran = append(ran, name)
			h.Fatal(name)
		})
	}
	err := h.Close()
	if diff := cmp.Diff([]string{"third", "second", "first"}, ran); diff != "" {
		t.Error(diff)
	}
	if err == nil || err.Error() != "third\nsecond\nfirst" {
		t.Error(err)
	}
	if err := h.Close(); err != nil || len(ran) != 3 {
		t.Errorf("%v, %d ran", err, len(ran))
	}
}

// A panic of somebody else is nobody's failed test.
func TestHost_Panic(t *testing.T) {
	h := system.NewHost(t.Context(), t.TempDir())
	defer func() {
		if r := recover(); r != "other" {
			t.Errorf("recovered %v", r)
		}
	}()
	err := h.Do(func() { panic("other") })
	t.Errorf("returned %v", err)
}

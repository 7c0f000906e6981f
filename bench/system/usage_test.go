package system_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/bench/system"
)

// Marks are counted wherever the reads cut them.
func TestRequests(t *testing.T) {
	const line = `{"time":"x","type":"request","auth":{}}` + "\n" + `{"time":"x","type":"response","request":{}}` + "\n"
	// The file is longer than a read, and its lines do not divide the length of one.
	const lines = 40_000
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(strings.Repeat(line, lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ from, to, want int64 }{
		{0, int64(lines * len(line)), lines},
		{0, 0, 0},
		{int64(len(line)), int64(10 * len(line)), 9},
		{int64((lines - 2) * len(line)), int64(lines * len(line)), 2},
	} {
		if got, err := system.Requests(path, tt.from, tt.to); err != nil || got != tt.want {
			t.Errorf("from %d to %d: %d, %v, want %d", tt.from, tt.to, got, err, tt.want)
		}
	}
	// One byte after the other, so that every place of a cut is tried.
	for shift := range len(line) {
		text := strings.Repeat(" ", 1<<20-shift) + line
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := system.Requests(path, 0, int64(len(text))); err != nil || got != 1 {
			t.Fatalf("cut at %d: %d, %v", shift, got, err)
		}
	}
}

func TestParseStat(t *testing.T) {
	const line = "4711 (a (b) c) S 17 1 1 0 -1 4194304 9 9 9 9 100 20 3 4 20 0 1 0 5 6 7"
	pid, parent, cpu, err := system.ParseStat(line)
	if pid != 4711 || parent != 17 || cpu != 1270*time.Millisecond || err != nil {
		t.Errorf("%d of %d used %s, %v", pid, parent, cpu, err)
	}
	for _, bad := range []string{"", "x", "1 (a) S 17", "1 (a) S x 1 1 0 -1 4 9 9 9 9 1 2 3 4", "1 (a) S 1 1 1 0 -1 4 9 9 9 9 1 x 3 4"} {
		if _, _, _, err := system.ParseStat(bad); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
}

func TestParseFigures(t *testing.T) {
	const text = "# HELP go_goroutines n\ngo_goroutines 12\ngo_memstats_alloc_bytes_total 1.5e+06\n" +
		"go_memstats_mallocs_total 1234\nother{a=\"b\"} 1\ngo_memstats_heap_inuse_bytes 4096\n"
	if f, err := system.ParseFigures([]byte(text)); err != nil || f != system.Figures(1234, 1_500_000, 12, 4096) {
		t.Errorf("%+v, %v", f, err)
	}
	for name, bad := range map[string]string{
		"none":     "",
		"one less": strings.Replace(text, "go_goroutines 12\n", "", 1),
	} {
		if _, err := system.ParseFigures([]byte(bad)); !errors.Is(err, system.ErrFigures) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := system.ParseFigures([]byte(strings.Replace(text, "1234", "x", 1))); err == nil {
		t.Error("taken: no number")
	}
}

// Rules are added until there are enough, and no more.
func TestFill(t *testing.T) {
	text := []byte("# comment\np, a, allow, x\n\np, b, allow, y\n")
	for _, tt := range []struct{ enough, want int }{{0, 2}, {2, 2}, {5, 5}} {
		got, count := system.Fill(text, tt.enough)
		if rules := strings.Count("\n"+string(got), "\np, "); count != tt.want || rules != tt.want {
			t.Errorf("up to %d: %d said, %d there", tt.enough, count, rules)
		}
		if !strings.HasPrefix(string(got), string(text)) {
			t.Error("what was there was changed")
		}
	}
}

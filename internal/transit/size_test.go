package transit_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// TestCallsAreBounded: many items and large ones are divided into calls that a
// server takes.
func TestCallsAreBounded(t *testing.T) {
	sizes := func(n, size int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = size
		}
		return out
	}
	largest := envelope.MaxWrapPlain
	for name, test := range map[string]struct {
		sizes []int
		calls []int
	}{
		"none":            {nil, nil},
		"one":             {sizes(1, 100), []int{1}},
		"as many as go":   {sizes(transit.MaxBatch, 100), []int{transit.MaxBatch}},
		"one more":        {sizes(transit.MaxBatch+1, 100), []int{transit.MaxBatch, 1}},
		"as large as go":  {sizes(64, largest), []int{64}},
		"one more of it":  {sizes(65, largest), []int{64, 1}},
		"larger than all": {sizes(2, transit.MaxBatchBytes+1), []int{1, 1}},
	} {
		if diff := cmp.Diff(test.calls, transit.Divide(test.sizes)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCallersShareWithinBounds: those who wait share a call as far as they fit.
func TestCallersShareWithinBounds(t *testing.T) {
	half := transit.MaxBatchBytes / 2
	for name, test := range map[string]struct {
		waiting [][]int
		taken   int
	}{
		"small ones":          {[][]int{{1}, {1, 1}, {1}}, 3},
		"too large together":  {[][]int{{half}, {half}, {1}}, 2},
		"the first too large": {[][]int{{2 * half, 2 * half}, {1}}, 1},
		"too many together":   {[][]int{make([]int, transit.MaxBatch-1), {0}, {0}}, 2},
	} {
		if got := transit.Taken(test.waiting); got != test.taken {
			t.Errorf("%s: %d share, want %d", name, got, test.taken)
		}
	}
}

// TestLargeKeysOnTheServer: keys of the largest size, more than one call takes,
// go through a real server.
func TestLargeKeysOnTheServer(t *testing.T) {
	p := newPair(t)
	plain := make([][]byte, 100)
	for i := range plain {
		plain[i] = bytes.Repeat([]byte{byte(i)}, envelope.MaxWrapPlain)
	}
	wrapped, err := p.w.Wrap(t.Context(), "acme", plain)
	if err != nil {
		t.Fatal(err)
	}
	items, err := p.w.Unwrap(t.Context(), "acme", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	for i := range plain {
		if items[i].Err != nil || !bytes.Equal(items[i].Plain.Reveal(), plain[i]) {
			t.Fatalf("item %d: %v", i, items[i].Err)
		}
	}
	// What is wrapped goes as base64, which is longer.
	if calls := p.w.Stats().Calls; calls != 2+3 {
		t.Errorf("%d calls, want 2 to wrap and 3 to unwrap", calls)
	}
}

// TestPlainKeysAreWiped: the copies that were sent are cleared when the call is
// over, and those of callers that came to nothing too.
func TestPlainKeysAreWiped(t *testing.T) {
	if left := transit.LeftOfSent(t.Context(), []byte("plain key")); bytes.Contains(left, []byte("plain")) {
		t.Errorf("after the call there is %q", left)
	}
}

// TestTwinKeysAreThereWhileSent: the same look sees them before the call is over.
func TestTwinKeysAreThereWhileSent(t *testing.T) {
	if seen := transit.SeenWhileSent(t.Context(), []byte("plain key")); !bytes.Contains(seen, []byte("plain")) {
		t.Errorf("during the call there is %q", seen)
	}
}

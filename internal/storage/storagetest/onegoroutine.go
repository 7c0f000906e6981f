package storagetest

import "testing"

// InOneGoroutine leaves a test in which one goroutine works to the run without the
// race detector, which finds nothing in it; see `make test`.
func InOneGoroutine(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("one goroutine works: it runs without the race detector")
	}
}

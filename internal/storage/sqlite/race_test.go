//go:build race

package sqlite_test

import "testing"

// underRace tells that the race detector watches. It makes the engine, which is
// Go, ten times slower, and where one goroutine works it finds nothing.
const underRace = true

// inOneGoroutine leaves a test to the run without the race detector, see `make
// test`.
func inOneGoroutine(t *testing.T) {
	t.Helper()
	t.Skip("one goroutine works: it runs without the race detector")
}

//go:build race

package sqlite_test

// underRace tells that the race detector watches. It makes the engine, which is
// Go, ten times slower, and where one goroutine works it finds nothing.
const underRace = true

//go:build race

package verify_test

// underRace tells that the race detector watches. It makes changes one after the
// other ten times slower and finds nothing in them, so `make test` makes them once
// more without it, in full.
const underRace = true

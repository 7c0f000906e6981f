//go:build race

package vault_test

// underRace tells that the race detector watches. It makes a property that
// runs in one goroutine ten times slower and finds nothing in it, so `make
// test` runs such properties once more without it, in full.
const underRace = true

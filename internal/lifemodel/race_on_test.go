//go:build race

package lifemodel_test

// underRace tells that the race detector watches. It makes histories of one
// goroutine ten times slower and finds nothing in them, so `make test` runs them
// once more without it, in full.
const underRace = true

//go:build !race

package names_test

// raceFactor is 1 without the race detector.
const raceFactor = 1

//go:build race

package names_test

// raceFactor is by how much the race detector slows this package down.
const raceFactor = 20

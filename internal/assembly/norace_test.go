//go:build !race

package assembly_test

// underRace says that everything takes ten times as long.
const underRace = false

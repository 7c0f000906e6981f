//go:build !race

package sqlite_test

import "testing"

const underRace = false

func inOneGoroutine(*testing.T) {}

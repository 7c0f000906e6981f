//go:build race

package access_test

// underRace makes the comparisons ten times smaller: the detector makes each ten
// times slower, and is about memory and not about answers.
const underRace = true

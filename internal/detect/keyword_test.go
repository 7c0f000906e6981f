package detect_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// The automaton finds what a search for each literal finds.
func TestLiteralsLikePlainSearch(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		literals := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("abC-")), 1, 5, -1), 1, 6).Draw(r, "literals")
		text := rapid.StringOfN(rapid.SampledFrom([]rune("abcABC-é")), 0, 60, -1).Draw(r, "text")
		var want [][2]int
		for id, l := range literals {
			for end := len(l); end <= len(text); end++ {
				if strings.EqualFold(text[end-len(l):end], l) {
					want = append(want, [2]int{id, end})
				}
			}
		}
		got := detect.Literals(literals, text)
		order := func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) }
		slices.SortFunc(got, order)
		slices.SortFunc(want, order)
		if !slices.Equal(got, want) {
			r.Fatalf("%q in %q: got %v, want %v", literals, text, got, want)
		}
	})
}

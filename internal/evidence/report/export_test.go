package report

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// Period is that of evidence.
type Period = evidence.Period

// For tests of what a page cannot show.
var (
	Count    = count
	Percent  = percent
	Span     = span
	Pieces   = pieces
	Cut      = cut
	Width    = width
	Shorten  = shorten
	NewScale = newScale
)

// Undated is the category of what is not in the period.
const Undated = undated

// Buckets are the names of those of a period, in full, without that of what is
// outside of it, with common spaces.
func Buckets(p Period) []string {
	full, _ := split(p).names()
	for i, name := range full {
		full[i] = strings.ReplaceAll(name, "\u00a0", " ")
	}
	return full[:len(full)-1]
}

// BucketOf is the place of a time among them.
func BucketOf(p Period, at string) int { return split(p).index(at) }

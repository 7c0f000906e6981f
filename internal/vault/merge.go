package vault

import (
	"cmp"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
)

// merge joins findings that overlap into one that covers them all, so that no
// byte of any of them stays in the text. What the union counts as is what
// treats it most strictly: the strictest action, then the most sensitive
// class, then what the caller named, then the longest.
func merge(found []finding) []finding {
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var out []finding
	for _, f := range found {
		if n := len(out); n > 0 && f.start < out[n-1].end {
			out[n-1] = stricter(out[n-1], f)
			continue
		}
		out = append(out, f)
	}
	return out
}

func stricter(a, b finding) finding {
	winner := a
	if cmp.Or(
		cmp.Compare(severity(b.action), severity(a.action)),
		cmp.Compare(sensitivity(b.entity.Class), sensitivity(a.entity.Class)),
		cmp.Compare(rank(b.caller), rank(a.caller)),
		cmp.Compare(b.end-b.start, a.end-a.start),
	) > 0 {
		winner = b
	}
	winner.start, winner.end = min(a.start, b.start), max(a.end, b.end)
	winner.subject = cmp.Or(winner.subject, a.subject, b.subject)
	winner.caller = a.caller || b.caller
	winner.wrapped = a.wrapped && b.wrapped
	return winner
}

func byStart(a, b finding) int { return cmp.Compare(a.start, b.start) }

func severity(a access.EntityAction) int {
	return slices.Index([]access.EntityAction{
		access.ActAllow, access.ActWarn, access.ActTokenize, access.ActMask, access.ActBlock,
	}, a)
}

func sensitivity(c access.Class) int { return slices.Index(access.Classes(), c) }

func rank(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

func unique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

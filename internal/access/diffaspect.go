package access

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// aspect is one field of something that two policies may say differently.
type aspect struct {
	field  string
	text   string // as people read it; two aspects of the same text are the same
	n      int
	set    []string
	hours  *Hours
	effect func(old, new aspect) Effect

	agreement Agreement
}

// nothing is the text of what is not there.
const nothing = "none"

// unlimited is the number of a limit that is not there.
const unlimited = math.MaxInt

// about is a text, of which nothing can be told but that it differs.
func about(field, text string) aspect {
	return aspect{field: field, text: cmp.Or(text, nothing), effect: changed}
}

func changed(_, _ aspect) Effect { return Changed }

// more is a number of which a larger one gives more.
func more(field string, n int) aspect {
	return aspect{field: field, text: strconv.Itoa(n), n: n, effect: larger}
}

func larger(old, new aspect) Effect {
	switch cmp.Compare(old.n, new.n) {
	case -1:
		return Widened
	case 1:
		return Narrowed
	}
	return Changed
}

// fewer is a number of which a larger one asks for more.
func fewer(field string, n int) aspect { return reversed(more(field, n)) }

// reversed is an aspect of something that takes away.
func reversed(a aspect) aspect {
	forward := a.effect
	a.effect = func(old, new aspect) Effect { return forward(new, old) }
	return a
}

// limit is a number that 0 says is not limited.
func limit(field string, n int) aspect {
	if n == 0 {
		return aspect{field: field, text: nothing, n: unlimited, effect: larger}
	}
	return more(field, n)
}

// gives is a yes that gives more than a no, asks one that gives less.
func gives(field string, yes bool) aspect {
	a := aspect{field: field, text: "no", effect: larger}
	if yes {
		a.text, a.n = "yes", 1
	}
	return a
}

func asks(field string, yes bool) aspect { return reversed(gives(field, yes)) }

// ranked is a word of an order in which later ones give more.
func ranked(field, text string, rank int) aspect {
	return aspect{field: field, text: text, n: rank, effect: larger}
}

// grants is a list of what is given.
func grants[T ~string](field string, members []T) aspect {
	a := aspect{field: field, text: nothing, effect: within(slices.Contains[[]string])}
	for _, m := range members {
		a.set = append(a.set, string(m))
	}
	if len(a.set) > 0 {
		slices.Sort(a.set)
		a.text = strings.Join(a.set, ", ")
	}
	return a
}

// within narrows where everything of the new list was in the old one.
func within(contains func(set []string, member string) bool) func(old, new aspect) Effect {
	return func(old, new aspect) Effect {
		for _, m := range new.set {
			if !contains(old.set, m) {
				return Widened
			}
		}
		return Narrowed
	}
}

// limits is a list of what something is limited to; an empty one limits nothing.
func limits[T ~string](field string, members []T) aspect {
	return limitedBy(grants(field, members))
}

func limitedBy(a aspect) aspect {
	listed := a.effect
	a.effect = func(old, new aspect) Effect {
		switch {
		case len(new.set) == 0:
			return Widened
		case len(old.set) == 0:
			return Narrowed
		}
		return listed(old, new)
	}
	return a
}

// demands is a list of which more ask for more.
func demands[T ~string](field string, members []T) aspect { return reversed(grants(field, members)) }

// networksOf is a list of networks, of which one can be inside of another.
func networksOf(r *Reason) aspect {
	var texts []string
	for _, n := range r.Networks {
		texts = append(texts, n.String())
	}
	a := grants("networks", texts)
	a.effect = within(func(set []string, member string) bool {
		inner := netip.MustParsePrefix(member) // a prefix that was printed
		return slices.ContainsFunc(set, func(text string) bool {
			outer := netip.MustParsePrefix(text)
			return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
		})
	})
	return limitedBy(a)
}

// hoursOf are the hours of a reason; none is any hour.
func hoursOf(r *Reason) aspect {
	a := aspect{field: "hours", text: nothing, hours: r.Hours, effect: func(old, new aspect) Effect {
		if new.hours == nil || old.hours != nil && !new.hours.within(*old.hours) {
			return Widened
		}
		return Narrowed
	}}
	if r.Hours != nil {
		a.text = r.Hours.String()
	}
	return a
}

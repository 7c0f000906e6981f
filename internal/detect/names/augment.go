package names

import (
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// lowered is the share of texts of which a copy in small letters is added: people type so.
	lowered = 0.3
	// swapped is the share of texts of which a copy with other names is added, so that the model learns from what stands
	// around a name, and what lists are worth.
	swapped = 0.6
	// filled is how many examples of the templates are added.
	filled = 3000
)

// augment adds copies of the texts and examples of the templates.
func augment(rng *rand.Rand, texts []labelled, ls *nameLists) []labelled {
	out := texts
	for _, l := range texts {
		if len(l.spans) > 0 && rng.Float64() < swapped {
			out = append(out, maybeLower(rng, swapNames(rng, l, ls)))
		}
		if rng.Float64() < lowered {
			out = append(out, lowerCopy(l))
		}
	}
	for range filled {
		out = append(out, maybeLower(rng, fill(rng, pick(rng, templates), ls)))
	}
	return out
}

func maybeLower(rng *rand.Rand, l labelled) labelled {
	if rng.Float64() < lowered {
		return lowerCopy(l)
	}
	return l
}

// lowerCopy is the text in small letters. Letters whose small form has another length stay, for the spans do, too.
func lowerCopy(l labelled) labelled {
	if !utf8.ValidString(l.text) {
		return l
	}
	text := strings.Map(func(r rune) rune {
		if low := unicode.ToLower(r); utf8.RuneLen(low) == utf8.RuneLen(r) {
			return low
		}
		return r
	}, l.text)
	return labelled{text, l.spans}
}

// swapNames puts names of the lists in the place of those of the text. Hashtags stay.
func swapNames(rng *rand.Rand, l labelled, ls *nameLists) labelled {
	var text strings.Builder
	var out labelled
	last := 0
	for _, s := range l.spans {
		if s.start < last {
			continue
		}
		text.WriteString(l.text[last:s.start])
		name := l.text[s.start:s.end]
		switch {
		case strings.HasPrefix(name, "#"):
		case s.class == Person:
			name = randomName(rng, ls, 1+strings.Count(name, " "))
		case s.class == Location && rng.IntN(2) == 0:
			name = randomPlace(rng, ls)
		}
		start := text.Len()
		text.WriteString(name)
		out.spans = append(out.spans, span{start, text.Len(), s.class})
		last = s.end
	}
	text.WriteString(l.text[last:])
	out.text = text.String()
	return out
}

func pick(rng *rand.Rand, words []string) string { return words[rng.IntN(len(words))] }

func randomName(rng *rand.Rand, ls *nameLists, words int) string {
	if words == 1 {
		if rng.IntN(3) == 0 {
			return pick(rng, ls.surnames)
		}
		return pick(rng, ls.firsts)
	}
	name := pick(rng, ls.firsts)
	for range words - 2 {
		switch rng.IntN(3) {
		case 0:
			name += " " + randomLetter(rng)
		case 1:
			name += " " + randomLetter(rng) + "."
		default:
			name += " " + pick(rng, ls.firsts)
		}
	}
	return name + " " + pick(rng, ls.surnames)
}

func randomLetter(rng *rand.Rand) string {
	i := rng.IntN(26)
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i : i+1]
}

func randomPlace(rng *rand.Rand, ls *nameLists) string {
	if rng.IntN(4) == 0 {
		return randomCountry(rng, ls)
	}
	return pick(rng, ls.cities)
}

// randomCountry leaves out what stands behind a comma, as in "Bolivia, Plurinational State of".
func randomCountry(rng *rand.Rand, ls *nameLists) string {
	name, _, _ := strings.Cut(pick(rng, ls.countries), ",")
	return name
}

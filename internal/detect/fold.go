package detect

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hole stands for a reserved range in the folded text. No recogniser accepts it inside a value or as a word.
const hole = 0

// view is a folded text and the way back to the original. Without marks the two are the same string.
type view struct {
	text  string
	marks []mark
}

// mark says that from folded byte at on, up to the next mark, every folded byte stands for width original bytes,
// the first of them at orig.
type mark struct{ at, orig, width int }

// fold builds the view. holes are sorted, disjoint and inside the text.
func fold(text string, holes [][2]int) view {
	first := firstFold(text)
	if len(holes) > 0 {
		first = min(first, holes[0][0])
	}
	if first == len(text) {
		return view{text: text}
	}
	f := folder{marks: []mark{{width: 1}}}
	f.out.Grow(len(text))
	f.out.WriteString(text[:first])
	for i := first; i < len(text); {
		if len(holes) > 0 && i == holes[0][0] {
			f.put(hole, i, holes[0][1]-i)
			i = holes[0][1]
			holes = holes[1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch c := foldRune(r); c {
		case r:
			f.keep(text[i:i+size], i)
		case vanishes:
		default:
			f.put(byte(c), i, size) //nolint:gosec // foldRune maps to ASCII, to r itself, or away
		}
		i += size
	}
	return view{text: f.out.String(), marks: f.marks}
}

type folder struct {
	out   strings.Builder
	marks []mark
}

// keep copies original bytes as they are.
func (f *folder) keep(unit string, orig int) {
	f.mark(orig, 1)
	f.out.WriteString(unit)
}

// put writes one byte for size original bytes.
func (f *folder) put(c byte, orig, size int) {
	f.mark(orig, size)
	f.out.WriteByte(c)
}

// mark notes where the next byte comes from, unless the last mark says so already.
func (f *folder) mark(orig, width int) {
	last, at := f.marks[len(f.marks)-1], f.out.Len()
	if last.width != width || last.orig+(at-last.at)*width != orig {
		f.marks = append(f.marks, mark{at: at, orig: orig, width: width})
	}
}

// origin maps a folded span to the original text. Invisible characters at its edges stay outside.
func (v view) origin(start, end int) (int, int) {
	if len(v.marks) == 0 {
		return start, end
	}
	first, last := v.before(start), v.before(end-1)
	return first.orig + (start-first.at)*first.width, last.orig + (end-last.at)*last.width
}

// before finds the mark that a folded offset belongs to. The first mark is at 0.
func (v view) before(at int) mark {
	i := sort.Search(len(v.marks), func(i int) bool { return v.marks[i].at > at })
	return v.marks[i-1]
}

// firstFold is the offset of the first character that folding changes.
func firstFold(text string) int {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if foldRune(r) != r {
			return i
		}
		i += size
	}
	return len(text)
}

const vanishes = -1

// foldRune maps a character to the ASCII character it stands for inside a value, to vanishes, or to itself.
// The em dash stays: it separates clauses, not digits.
func foldRune(r rune) rune {
	switch {
	case r < 0xA0:
		return r
	case r == 0xA0, r >= 0x2000 && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' '
	case r == 0xAD, r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E,
		r >= 0x2060 && r <= 0x2069, r == 0xFEFF:
		return vanishes
	case r >= 0x2010 && r <= 0x2013, r == 0x2212, r == 0xFE58, r == 0xFE63:
		return '-'
	case r >= 0xFF01 && r <= 0xFF5E:
		return r - 0xFF01 + '!'
	case r >= 0x660 && unicode.Is(unicode.Nd, r):
		return '0' + decimal(r)
	}
	return r
}

// decimal is the value of a decimal digit: Unicode assigns them in runs of ten, zero first.
func decimal(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if r <= rune(t.Hi) {
			return (r - rune(t.Lo)) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		lo, hi := rune(t.Lo), rune(t.Hi) //nolint:gosec // tables of Unicode end at 0x10FFFF
		if r <= hi {
			return (r - lo) % 10
		}
	}
	return 0
}

// normaliseRanges sorts and joins reserved ranges, and refuses one that is not inside the text.
func normaliseRanges(text string, ranges [][2]int) ([][2]int, error) {
	if len(ranges) == 0 {
		return nil, nil
	}
	in := slices.Clone(ranges)
	slices.SortFunc(in, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	out := in[:0]
	for _, r := range in {
		if r[0] < 0 || r[1] > len(text) || r[0] >= r[1] || !onBoundary(text, r[0]) || !onBoundary(text, r[1]) {
			return nil, fmt.Errorf("%w: reserved range %d to %d of %d bytes", ErrFailed, r[0], r[1], len(text))
		}
		if n := len(out); n > 0 && r[0] < out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], r[1])
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

// touches says whether a span overlaps one of the sorted ranges.
func touches(ranges [][2]int, start, end int) bool {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i][1] > start })
	return i < len(ranges) && ranges[i][0] < end
}

// onBoundary says whether a cut at i leaves every character whole. A byte that belongs to no valid
// character is its own.
func onBoundary(text string, i int) bool {
	if i <= 0 || i >= len(text) || utf8.RuneStart(text[i]) {
		return i >= 0 && i <= len(text)
	}
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if utf8.RuneStart(text[i-back]) {
			_, size := utf8.DecodeRuneInString(text[i-back:])
			return size <= back
		}
	}
	return true
}

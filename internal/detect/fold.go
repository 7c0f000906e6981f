package detect

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
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

// fold builds the view that recognisers see. holes are sorted, disjoint and inside the text.
func fold(text string, holes [][2]int) view {
	first := firstFold(text)
	if len(holes) > 0 {
		first = min(first, holes[0][0])
	}
	if first == len(text) {
		return view{text: text}
	}
	f := folder{text: text, holes: holes, marks: []mark{{width: 1}}}
	f.out.Grow(len(text))
	f.copy(0, first)
	return f.fold(first)
}

// foldValue is a value folded character by character: what its letters look like beside each other does not count,
// since a mailbox of Cyrillic letters is another one than that of the Latin letters it resembles.
func foldValue(value string) string {
	if firstFold(value) == len(value) {
		return value
	}
	f := folder{text: value, marks: []mark{{width: 1}}, alone: true}
	return f.fold(0).text
}

type folder struct {
	text  string
	holes [][2]int
	out   strings.Builder
	marks []mark
	last  byte // written last
	alone bool // characters are looked at without their neighbours
	word  word // the last word that was judged
}

// fold goes through the text from an offset on.
func (f *folder) fold(from int) view {
	for i := from; i < len(f.text); {
		if len(f.holes) > 0 && i == f.holes[0][0] {
			f.put(hole, i, f.holes[0][1]-i)
			i = f.holes[0][1]
			f.holes = f.holes[1:]
			continue
		}
		if plain := f.plain(i); plain > i {
			f.copy(i, plain)
			i = plain
			continue
		}
		r, size := utf8.DecodeRuneInString(f.text[i:])
		switch c := f.foldAt(i, size, foldOf(r)); c {
		case asItIs:
			f.copy(i, i+size)
		case vanishes:
		default:
			f.put(byte(c), i, size)
		}
		i += size
	}
	return view{text: f.out.String(), marks: f.marks}
}

// plain is where the ASCII characters from i on end.
func (f *folder) plain(i int) int {
	stop := len(f.text)
	if len(f.holes) > 0 {
		stop = f.holes[0][0]
	}
	for i < stop && f.text[i] < utf8.RuneSelf {
		i++
	}
	return i
}

// foldAt settles the kinds of character that mean something only beside others.
func (f *folder) foldAt(i, size int, c folding) folding {
	switch c {
	case overDigit:
		if isDigit(f.last) {
			return vanishes
		}
		return asItIs
	case betweenDigits:
		next, _ := utf8.DecodeRuneInString(f.text[i+size:])
		if isDigit(f.last) && (next < utf8.RuneSelf && isDigit(byte(next)) || isDigit(byte(foldOf(next)))) {
			return '-'
		}
		return asItIs
	case homoglyph:
		if f.alone {
			return asItIs
		}
		return f.letter(i)
	}
	return c
}

// copy takes original bytes as they are.
func (f *folder) copy(from, to int) {
	if from < to {
		f.mark(from, 1)
		f.out.WriteString(f.text[from:to])
		f.last = f.text[to-1]
	}
}

// put writes one byte for size original bytes.
func (f *folder) put(c byte, orig, size int) {
	f.mark(orig, size)
	f.out.WriteByte(c)
	f.last = c
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

// firstFold is the offset of the first character that folding may change.
func firstFold(text string) int {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if foldOf(r) != asItIs {
			return i
		}
		i += size
	}
	return len(text)
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

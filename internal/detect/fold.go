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
	f := folder{text: text, holes: holes}
	return f.fold()
}

// foldValue is a value folded character by character: what its letters look like beside each other does not count,
// since a mailbox of Cyrillic letters is another one than that of the Latin letters it resembles.
func foldValue(value string) string {
	f := folder{text: value, alone: true}
	return f.fold().text
}

type folder struct {
	text  string
	holes [][2]int
	out   strings.Builder
	marks []mark
	kept  int  // what stands from here on up to where the folder is stays as it is, and is not yet written
	put   byte // written last, where nothing is kept
	alone bool // characters are looked at without their neighbours
	word  word // the last word that was judged
}

// fold goes through the text. A text in which nothing changes is not copied.
func (f *folder) fold() view {
	for i := 0; i < len(f.text); {
		if len(f.holes) > 0 && i == f.holes[0][0] {
			f.write(hole, i, f.holes[0][1]-i)
			i = f.holes[0][1]
			f.holes = f.holes[1:]
			continue
		}
		if f.text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(f.text[i:])
		if c := foldOf(r); c != asItIs {
			switch c = f.foldAt(i, size, c); c {
			case asItIs:
			case vanishes:
				f.keep(i)
				f.kept = i + size
			default:
				f.write(byte(c), i, size)
			}
		}
		i += size
	}
	if f.marks == nil && f.kept == 0 {
		return view{text: f.text}
	}
	f.keep(len(f.text))
	return view{text: f.out.String(), marks: f.marks}
}

// foldAt settles the kinds of character that mean something only beside others.
func (f *folder) foldAt(i, size int, c folding) folding {
	switch c {
	case overDigit:
		if isDigit(f.last(i)) {
			return vanishes
		}
		return asItIs
	case betweenDigits:
		next, _ := utf8.DecodeRuneInString(f.text[i+size:])
		if isDigit(f.last(i)) && (isDigit(ascii(next)) || isDigit(byte(foldOf(next)))) {
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

// keep writes what is kept up to an offset.
func (f *folder) keep(to int) {
	if f.kept < to {
		f.mark(f.kept, 1)
		f.out.WriteString(f.text[f.kept:to])
		f.put = f.text[to-1]
	}
}

// write writes one byte for size original bytes at an offset.
func (f *folder) write(c byte, at, size int) {
	f.keep(at)
	f.mark(at, size)
	f.out.WriteByte(c)
	f.put, f.kept = c, at+size
}

// last is the byte of the view before the character at an offset; 0 where it begins.
func (f *folder) last(at int) byte {
	if f.kept < at {
		return f.text[at-1]
	}
	return f.put
}

// firstMarks is what a text with some typography in it needs.
const firstMarks = 64

// mark notes where the next byte comes from, unless the last mark says so already.
func (f *folder) mark(orig, width int) {
	if f.marks == nil {
		f.marks = make([]mark, 1, firstMarks)
		f.marks[0].width = 1
		f.out.Grow(len(f.text))
	}
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

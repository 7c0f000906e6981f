package detect

import (
	"unicode"
	"unicode/utf8"
)

// homoglyphs are the letters of other scripts that look like a Latin one in usual fonts, after Unicode's list of
// confusable characters (UTS #39).
var homoglyphs = func() map[rune]byte {
	all := map[rune]byte{}
	for _, pair := range []struct{ other, latin string }{
		{"аеорсухіјѕһԛԝѵԁӏкмтнв", "aeopcyxijshqwvdlkmthb"}, // Cyrillic
		{"АВЕКМНОРСТУХІЈЅԌҮӀ", "ABEKMHOPCTYXIJSGYI"},
		{"αογνρυικτχηω", "aoyvpuiktxnw"}, // Greek
		{"ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC"},
		{"օսհոցզՕՏ", "ouhngqOS"}, // Armenian
		{"ɑɡ", "ag"},             // phonetic
	} {
		i := 0
		for _, r := range pair.other {
			all[r] = pair.latin[i]
			i++
		}
	}
	return all
}()

// digitLike are the letters that are put for a digit.
var digitLike = map[rune]byte{
	'О': '0', 'о': '0', 'Ο': '0', 'ο': '0', 'Օ': '0', 'օ': '0', 'І': '1', 'і': '1', 'Ι': '1', 'ι': '1', 'Ӏ': '1', 'ӏ': '1',
}

// word is a run of letters, digits and what nobody sees, and how its homoglyphs read.
//
// A word that is all of one script is what it is: Russian stays Russian. Letters of another script among Latin ones,
// as in "exаmple", are there to look like Latin ones, unless one of them does not look like any. Among digits alone they
// are digits if all of them can be, else letters; behind a digit of an account number, what can be a digit is one.
type word struct {
	end     int
	reading reading
	number  bool // there are digits enough for a number
}

type reading uint8

const (
	ownScript reading = iota
	asLetters
	asDigits
)

// letter is how the homoglyph at i reads. A word is judged once, so that the whole stays linear.
func (f *folder) letter(i int) folding {
	if i >= f.word.end {
		f.word = judgeWord(f.text, i)
	}
	r, _ := utf8.DecodeRuneInString(f.text[i:])
	switch f.word.reading {
	case asLetters:
		if f.word.number && isDigit(f.last(i)) && digitLike[r] != 0 {
			return folding(digitLike[r]) // the digits of an account number go on
		}
		return folding(homoglyphs[r])
	case asDigits:
		return folding(digitLike[r])
	}
	return asItIs
}

// judgeWord judges the word around i.
func judgeWord(text string, i int) word {
	start := i
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !ofWord(r) {
			break
		}
		start -= size
	}
	var latin, digits, others int
	allDigits := true
	end := start
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !ofWord(r) {
			break
		}
		end += size
		switch c := foldOf(r); {
		case c == homoglyph:
			allDigits = allDigits && digitLike[r] != 0
		case c == vanishes, c == overDigit:
		case isDigit(ascii(r)), c < utf8.RuneSelf && isDigit(byte(c)):
			digits++
		case r < utf8.RuneSelf, c != asItIs, unicode.Is(unicode.Latin, r):
			latin++
		default:
			others++
		}
	}
	w := word{end: end, number: digits >= minDigitsOfNumber}
	switch {
	case others > 0:
	case latin > 0:
		w.reading = asLetters
	case w.number && allDigits:
		w.reading = asDigits
	case digits > 0:
		w.reading = asLetters
	}
	return w
}

// minDigitsOfNumber: with fewer digits a letter beside them is a letter.
const minDigitsOfNumber = 2

func ofWord(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(ascii(r))
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || foldOf(r) == vanishes)
}

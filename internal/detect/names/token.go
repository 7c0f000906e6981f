package names

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind says what a token is. Only words and numbers can be part of a name or an address.
type kind uint8

const (
	wordToken    kind = iota
	numberToken       // digits, with , . : - / between them
	punctToken        // a run of one other character
	clitic            // 's
	lineToken         // one or more line ends
	barrierToken      // a reserved range (NUL): nothing reaches across
	addressToken      // e-mail address, URL, @user, snake_case: never part of a name
)

// shape is how a word is written.
type shape uint8

const (
	lowerShape    shape = iota
	titleShape          // Anna, Jean-Luc
	upperShape          // ANNA
	letterShape         // A
	initialShape        // A. or J.R.
	mixedShape          // McDonald, iPhone
	digitShape          // 12, 10:30
	alnumShape          // 12a, B2
	caselessShape       // scripts without capitals
	otherShape
)

// token is a piece of the text with what features need to know of it, so that each word is read once.
type token struct {
	start, end int32
	hash       uint32 // of the folded word: small letters without accents
	prefix     uint32 // first three characters of the folded word
	suffix2    uint32
	suffix3    uint32
	suffix4    uint32
	grams      [maxGrams]uint32 // trigrams of the folded word
	gramCount  uint8
	lists      lists
	shape      shape
	kind       kind
	left       side // what touches the token
	right      side
	mark       side // which mark a punctToken is
	role       role
	firstDigit bool
	capital    bool // begins with one
	dashed     bool // a number with a hyphen or slash
	pointed    bool // a number with a point, comma or colon: an amount, a time, a version
	foreign    bool // holds a character beyond ASCII
	place      placeMark
	length     uint8 // bytes of the folded word, capped
	line       lineKind
}

// maxGrams is how many trigrams of a word are features: words of English have 5 on average.
const maxGrams = 6

// side is what stands right beside a token.
type side uint8

const (
	openSide side = iota // space or the end of the text
	wordSide
	dotSide
	commaSide
	bracketSide
	quoteSide
	slashSide
	dashSide
	colonSide
	codeSide // = < > { } _ | & * and the like
	otherSide
)

var sides = func() (t [256]side) {
	for i := range t {
		switch c := byte(i); {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == 0:
			t[i] = openSide
		case isWordByte(c):
			t[i] = wordSide
		default:
			t[i] = otherSide
		}
	}
	for c, s := range map[string]side{
		".": dotSide, ",;": commaSide, "()": bracketSide, "\"'`": quoteSide, "/\\": slashSide, "-": dashSide, ":": colonSide,
		"=<>{}[]_|&*+$%^~": codeSide,
	} {
		for i := range len(c) {
			t[c[i]] = s
		}
	}
	return t
}()

func isDigit(c byte) bool    { return c-'0' <= 9 }
func isLower(c byte) bool    { return c-'a' <= 'z'-'a' }
func isUpper(c byte) bool    { return c-'A' <= 'Z'-'A' }
func isLetter(c byte) bool   { return isLower(c | 0x20) }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c >= utf8.RuneSelf }

// tokenizer cuts a text into tokens in one pass.
type tokenizer struct {
	text    string
	tokens  []token
	lists   *listTable
	noAt    int // there is no '@' of an e-mail address whose local part begins before this offset
	scratch folded
}

// run cuts text[from:to]. The ends should be at line ends or spaces.
func (t *tokenizer) run(from, to int) {
	text := t.text[:to]
	for i := from; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '\n':
			i = t.lineEnd(text, i)
		case c == 0:
			t.add(token{kind: barrierToken, shape: otherShape, hash: barrierHash}, i, i+1)
			i++
		case isDigit(c) || isLetter(c):
			i = t.word(text, i, i)
		case (c == '#' || c == '@') && i+1 < len(text) && (isWordByte(text[i+1])) && (i == 0 || !isWordByte(text[i-1])):
			if c == '@' {
				i = t.address(text, i, userEnd(text, i+1))
			} else {
				i = t.word(text, i, i+1)
			}
		case c == '_':
			i = t.word(text, i, i)
		case c == '\'' && cliticAt(text, i):
			t.addWord(text, i, i+2, clitic)
			i += 2
		case c < utf8.RuneSelf:
			i = t.punct(text, i, 1)
		default:
			r, n := utf8.DecodeRuneInString(text[i:])
			switch {
			case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r):
				i = t.word(text, i, i)
			case unicode.IsSpace(r):
				i += n
			case r == '’' && cliticAfter(text, i+n) && i > from && isWordByte(text[i-1]):
				t.addWord(text, i, i+n+1, clitic)
				i += n + 1
			default:
				i = t.punct(text, i, n)
			}
		}
	}
}

// cliticAt says whether 's stands at i, after a word.
func cliticAt(text string, i int) bool {
	return i > 0 && isWordByte(text[i-1]) && cliticAfter(text, i+1)
}

func cliticAfter(text string, i int) bool {
	return i < len(text) && text[i]|0x20 == 's' && (i+1 == len(text) || !isWordByte(text[i+1]))
}

// add appends a token that is text[from:to].
func (t *tokenizer) add(k token, from, to int) {
	k.start, k.end = int32(from), int32(to) //nolint:gosec // Find refuses texts of 2 GB
	k.left, k.right = t.sideBefore(from), t.sideAfter(to)
	t.tokens = append(t.tokens, k)
}

func (t *tokenizer) sideBefore(i int) side {
	if i == 0 {
		return openSide
	}
	return sides[t.text[i-1]]
}

func (t *tokenizer) sideAfter(i int) side {
	if i >= len(t.text) {
		return openSide
	}
	return sides[t.text[i]]
}

// lineEnd takes all line ends and the space between them as one token.
func (t *tokenizer) lineEnd(text string, i int) int {
	from, lines := i, 0
	last := i
	for ; i < len(text); i++ {
		c := text[i]
		if c == '\n' {
			lines++
			last = i + 1
		} else if c != ' ' && c != '\t' && c != '\r' {
			break
		}
	}
	k := token{kind: lineToken, shape: otherShape, hash: lineHash}
	if lines > 1 {
		k.hash = blankHash
	}
	t.add(k, from, last)
	return last
}

// punct takes a run of one character as one token.
func (t *tokenizer) punct(text string, i, n int) int {
	from := i
	for i += n; i+n <= len(text) && text[i:i+n] == text[from:from+n]; i += n {
	}
	k := token{kind: punctToken, shape: otherShape, mark: sides[text[from]]}
	k.hash = hashString(text[from : from+n])
	t.add(k, from, i)
	return i
}

// address ends a token that is no word of a language.
func (t *tokenizer) address(_ string, from, to int) int {
	t.add(token{kind: addressToken, shape: otherShape, hash: addressHash}, from, to)
	return to
}

func userEnd(text string, i int) int {
	for i < len(text) && (isWordByte(text[i]) || text[i] == '_') {
		i++
	}
	return i
}

// word reads the word whose letters begin at i; the token begins at from (a '#' may stand before).
func (t *tokenizer) word(text string, from, i int) int {
	if end, ok := t.emailAt(text, i); ok {
		return t.address(text, from, end)
	}
	if isDigit(text[i]) {
		if end := numberEnd(text, i); end == len(text) || !isWordByte(text[end]) && text[end] != '_' {
			t.addWord(text, from, end, numberToken)
			return end
		}
	}
	end, under := wordEnd(text, i)
	if end == i { // a character that is no letter after all
		return t.punct(text, from, 1)
	}
	if url := urlEnd(text, i, end); url > end {
		return t.address(text, from, url)
	}
	if under || end < len(text) && text[end] == '@' && isLower(text[i]) { // the rest of "ada@<host>"
		return t.address(text, from, end)
	}
	if end-i <= 4 && end < len(text) && text[end] == '.' {
		end = withDot(text, i, end)
	}
	t.addWord(text, from, end, wordToken)
	return end
}

// emailAt says whether an e-mail address begins at i, and where it ends. What was looked at is looked at once.
func (t *tokenizer) emailAt(text string, i int) (int, bool) {
	if i < t.noAt {
		return 0, false
	}
	j := i
	for j < len(text) && (isWordByte(text[j]) || isLocalMark(text[j])) {
		j++
	}
	t.noAt = j
	if j+1 >= len(text) || text[j] != '@' || !isWordByte(text[j+1]) {
		return 0, false
	}
	at := j
	for j++; j < len(text) && (isWordByte(text[j]) || text[j] == '-' || text[j] == '.' && j+1 < len(text) && isWordByte(text[j+1])); j++ {
	}
	t.noAt = j
	if isUpper(text[i]) && strings.IndexByte(text[at:j], '.') < 0 { // "Ada Lovelace@SALES" is a name and a mailbox
		return 0, false
	}
	return j, true
}

func isLocalMark(c byte) bool {
	return c == '.' || c == '+' || c == '-' || c == '_' || c == '%'
}

// numberEnd reads digits with single marks between them.
func numberEnd(text string, i int) int {
	for i < len(text) {
		switch c := text[i]; {
		case isDigit(c):
			i++
		case (c == ',' || c == '.' || c == ':' || c == '-' || c == '/') && i+1 < len(text) && isDigit(text[i+1]):
			i++
		default:
			return i
		}
	}
	return i
}

// wordEnd reads letters, digits and marks; an apostrophe or hyphen between letters does not end a word, but a hyphen
// before a small letter does after a capital ("Paris-based"). An underscore makes it an identifier.
func wordEnd(text string, i int) (end int, under bool) {
	from := i
	for i < len(text) {
		c := text[i]
		switch {
		case isLetter(c) || isDigit(c):
			i++
		case c == '_':
			under = true
			i++
		case c == '\'' && i > from && i+1 < len(text) && isLetter(text[i+1]):
			if cliticAt(text, i) {
				return i, under
			}
			i++
		case c == '-' && i > from && i+1 < len(text) && (isLetter(text[i+1]) || text[i+1] >= utf8.RuneSelf):
			if !isLower(text[from]) && isLower(text[i+1]) {
				return i, under
			}
			i++
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == '’' && i > from && i+n < len(text) && isLetter(text[i+n]) {
				if cliticAfter(text, i+n) {
					return i, under
				}
			} else if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) {
				return i, under
			}
			i += n
		default:
			return i, under
		}
	}
	return i, under
}

// urlEnd is the end of a URL whose scheme, or www, is text[from:to].
func urlEnd(text string, from, to int) int {
	rest := text[to:]
	www := to-from == 3 && text[from]|0x20 == 'w' && text[from+1]|0x20 == 'w' && text[from+2]|0x20 == 'w'
	if !strings.HasPrefix(rest, "://") && (!www || len(rest) < 2 || rest[0] != '.' || !isWordByte(rest[1])) {
		return to
	}
	for to < len(text) && text[to] > ' ' && text[to] != '"' && text[to] != '<' && text[to] != '>' {
		to++
	}
	for to > from && (text[to-1] == '.' || text[to-1] == ',' || text[to-1] == ')') {
		to--
	}
	return to
}

// withDot takes the dot of an initial ("J."), of an acronym ("U.S.") and of a known abbreviation into the word.
func withDot(text string, from, end int) int {
	if end-from == 1 && isUpper(text[from]) {
		end++
		for end+1 < len(text) && isUpper(text[end]) && text[end+1] == '.' {
			end += 2
		}
		return end
	}
	var low [4]byte
	n := copy(low[:], text[from:end])
	for i := range n {
		low[i] |= 0x20
	}
	if abbreviations[string(low[:n])] {
		return end + 1
	}
	return end
}

// abbreviations keep their dot: the sentence goes on after it.
var abbreviations = setOf("mr mrs ms dr prof st jr sr apt ste ave rd blvd ln bldg no ul str rev hon gen sgt capt lt col maj gov sen rep mt ft av pl al")

// alwaysOutside says whether a token can be no part of a name.
func (t *token) alwaysOutside() bool {
	return t.kind == lineToken || t.kind == barrierToken || t.kind == addressToken
}

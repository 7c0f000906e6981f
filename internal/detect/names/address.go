package names

import (
	"cmp"
	"slices"
	"strings"
)

// An address is found from its numbers: a number beside the name of a street, a post box, a military address, a state
// with its code. What adjoins it in the manner of an address (a flat, a town, a code, a country, on the same or the next
// lines) is taken in, so that all of it is one finding.

const (
	// maxStreetWords is how many words a street has beside its type: "Rua Soldado Joaquim Xavier", "Rue de la Grande Armée".
	maxStreetWords = 6
	// maxParts is how many parts, divided by commas or line ends, follow the street: flat, town, region, code, country, and
	// one to spare.
	maxParts = 6
	// maxPartWords is above the words of nearly every town: "Villafranca de los Caballeros".
	maxPartWords = 6
	// maxZip is the longest postal code in digits, in Iran; zipPlus4 the only one with a hyphen that is longer than five.
	maxZip   = 10
	zipPlus4 = 9
)

const addressScore = 0.85

// addresses appends the addresses among tokens, whose tags are known.
func (b *buffers) addresses(tokens []token, tagged []tag) {
	a := addressFinder{b: b, tokens: tokens, tags: tagged}
	b.places = b.places[:0]
	done := window
	for i := window; i < len(tokens)-window; i++ {
		if i < done || !tokens[i].isNumber() && !tokens[i].is(corner) {
			continue
		}
		from, to, rule := a.core(i)
		if rule == "" || from < done {
			continue
		}
		if rule != "address/postcode" {
			from = a.left(from, done)
			to = a.right(to)
		}
		b.places = append(b.places, Finding{
			Start: int(tokens[from].start), End: int(tokens[to].end), Class: Location, Score: addressScore, Rule: rule,
		})
		done = to + 1
	}
	b.settle()
}

// settle puts the addresses in the place of what the model found in them: streets are named after people. A place that
// reaches out of an address belongs to it.
func (b *buffers) settle() {
	if len(b.places) == 0 {
		return
	}
	kept, at := b.findings[:0], 0
	for _, f := range b.findings {
		for at < len(b.places) && b.places[at].End <= f.Start {
			at++
		}
		if at == len(b.places) || b.places[at].Start >= f.End {
			kept = append(kept, f)
		} else if p := &b.places[at]; f.Class == Location && (at+1 == len(b.places) || b.places[at+1].Start >= f.End) {
			p.End = max(p.End, f.End)
			if f.Start < p.Start && (at == 0 || b.places[at-1].End <= f.Start) {
				p.Start = f.Start
			}
		}
	}
	b.findings = append(kept, b.places...)
	slices.SortFunc(b.findings, func(x, y Finding) int { return cmp.Compare(x.Start, y.Start) })
}

type addressFinder struct {
	b      *buffers
	tokens []token
	tags   []tag
}

// isNumber says whether the token may be the number of a house: "12", "12a", "12-14".
func (t *token) isNumber() bool {
	return t.kind == numberToken && !t.pointed || t.kind == wordToken && t.shape == alnumShape && t.firstDigit
}

func (t *token) is(r role) bool { return t.kind == wordToken && t.role&r != 0 }

// named says whether a token can be a word of a name in an address: a capital, or any word where there are no capitals.
func (a *addressFinder) named(i int) bool {
	t := &a.tokens[i]
	if t.kind != wordToken || t.role&(notAddress) != 0 {
		return false
	}
	switch t.shape {
	case titleShape, upperShape, mixedShape, letterShape, initialShape, caselessShape:
		return true
	case alnumShape: // 5th, 42nd
		return t.firstDigit
	case lowerShape:
		return t.role&particle != 0 || t.line&^codeLine == lowerLine && t.lists&(rankLow|rankHigh) != rankLow|rankHigh
	}
	return false
}

// core looks for the heart of an address at the number i.
func (a *addressFinder) core(i int) (from, to int, rule string) {
	if a.tokens[i].is(corner) {
		if to := a.corner(i); to > 0 {
			return i, to, "address/corner"
		}
		return 0, 0, ""
	}
	if to := a.streetAfter(i); to > 0 {
		return i, to, "address/street"
	}
	if from := a.streetBefore(i); from > 0 {
		return from, i, "address/street"
	}
	if from := a.box(i); from > 0 {
		return from, i, "address/box"
	}
	if from := a.military(i); from > 0 {
		return from, i, "address/military"
	}
	if from := a.state(i); from > 0 {
		return from, i, "address/town"
	}
	if to := a.flatAfter(i); to > 0 {
		return i, to, "address/flat"
	}
	if to := a.nameBetween(i); to > 0 {
		return i, to, "address/number"
	}
	if a.labelledCode(i) {
		return i, i, "address/postcode"
	}
	return 0, 0, ""
}

// streetAfter: "12 Main Street", "01 2657 Koontz Lane", "40 rue Victor Hugo", "31 Hauptstrasse 4".
func (a *addressFinder) streetAfter(i int) int {
	j := i + 1
	if a.tokens[j].isNumber() && a.tokens[j].shape != alnumShape {
		j++
	}
	for k := j; k < j+maxStreetWords; k++ {
		t := &a.tokens[k]
		switch {
		case k > j && t.is(streetEnd) && (t.shape != lowerShape || t.line&^codeLine == lowerLine || a.strong(k)):
			return a.numberAfter(a.direction(k))
		case t.is(streetStart) && k <= j+1 && (t.shape != lowerShape || k == j) && a.named(k+1):
			return a.numberAfter(a.nameAfter(k))
		case a.glued(k) && (t.shape != lowerShape || t.line&^codeLine == lowerLine):
			return a.numberAfter(k)
		case !a.named(k):
			return 0
		}
	}
	return 0
}

// strong says that a street type of one meaning stands at k: "12 elm street" counts among capitals, too.
func (a *addressFinder) strong(k int) bool { return a.tokens[k].role&surelyStreet != 0 }

// direction takes "West" or "NW" after a street.
func (a *addressFinder) direction(k int) int {
	if a.tokens[k+1].is(compass) && a.tokens[k+1].shape != lowerShape {
		return k + 1
	}
	return k
}

// nameAfter is the last word of the name that begins after k.
func (a *addressFinder) nameAfter(k int) int {
	last := k
	for j := k + 1; j <= k+maxStreetWords && (a.named(j) || a.tokens[j].is(particle)); j++ {
		if a.tokens[j].is(secondary) {
			break
		}
		last = j
	}
	return last
}

func (a *addressFinder) numberAfter(k int) int {
	if t := &a.tokens[k+1]; t.isNumber() && t.length <= 5 {
		return k + 1
	}
	return k
}

// streetBefore: "Hauptstraße 12", "Via Roma 3", "Main Street 4", "Erzsébet tér 19".
func (a *addressFinder) streetBefore(i int) int {
	if a.tokens[i].length > 5 || i < window+1 {
		return 0
	}
	if a.tokens[i-1].hash == stopHash && (a.tokens[i-2].is(streetEnd) || a.glued(i-2)) { // "Rákóczi u. 12", "Hauptstr. 5"
		i--
	}
	t := &a.tokens[i-1]
	if a.glued(i-1) && (t.shape != lowerShape || t.line&^codeLine == lowerLine) {
		return a.nameBefore(i - 1)
	}
	if t.is(streetEnd) && (t.shape != lowerShape || a.strong(i-1)) && a.named(i-2) && a.tokens[i-2].shape != lowerShape && (a.strong(i-1) || !a.isYear(i)) {
		return a.nameBefore(i - 1)
	}
	for k := i - 2; k >= window && k >= i-1-maxStreetWords && a.named(k+1); k-- {
		switch t := &a.tokens[k]; {
		case t.is(streetStart) && (t.shape != lowerShape || t.line&^codeLine == lowerLine || a.tokens[k+1].shape != lowerShape):
			return k
		case !a.named(k):
			return 0
		}
	}
	return 0
}

// nameBefore is the first word of the street whose type stands at k.
func (a *addressFinder) nameBefore(k int) int {
	first := k
	if a.tokens[k].line&^codeLine == lowerLine {
		return max(first-1, window)
	}
	for j := k - 1; j >= window && j >= k-3 && a.named(j) && a.tokens[j].shape != lowerShape; j-- {
		first = j
	}
	return first
}

// glued says whether the word at k ends like a street of a language that writes them in one word.
func (a *addressFinder) glued(k int) bool {
	t := &a.tokens[k]
	if t.kind != wordToken || t.length < 6 || t.shape == alnumShape {
		return false
	}
	f := &a.b.tokenizer.scratch
	f.fold(a.b.tokenizer.text[t.start:min(t.end, t.start+4*maxFolded)])
	word := string(f.buf[:f.n])
	for _, end := range gluedEnds {
		if strings.HasSuffix(word, end) && len(word) > len(end)+1 {
			return true
		}
	}
	return false
}

// box: "P.O. Box 12", "Postfach 12", "PSC 1234, Box 5678", "Unit 12 Box 34".
func (a *addressFinder) box(i int) int {
	k := i - 1
	if k < window || !a.tokens[k].is(boxWord) {
		return 0
	}
	if a.tokens[k].role&boxAlone == boxAlone {
		return k
	}
	for j := k - 1; j >= window && j >= k-5; j-- {
		switch t := &a.tokens[j]; {
		case t.is(beforeBox):
			return j
		case t.kind == lineToken || t.kind == wordToken && t.length > 2:
			return 0
		}
	}
	return 0
}

// military: "APO AE 09012", with the ship or unit before it.
func (a *addressFinder) military(i int) int {
	k := i - 2
	if k < window || !a.tokens[k].is(armyPost) || !a.tokens[k+1].is(armyState) {
		return 0
	}
	for j := k - 1; j >= window && j >= k-6; j-- {
		if a.tokens[j].is(ship | beforeBox) {
			return j
		}
	}
	return k
}

// state: "Springfield, IL 62704".
func (a *addressFinder) state(i int) int {
	if n := a.tokens[i].end - a.tokens[i].start; n != 5 && n != 10 || i-1 < window || !a.tokens[i-1].is(stateCode) || a.tokens[i-1].shape != upperShape {
		return 0
	}
	k := i - 2
	if a.tokens[k].hash == commaHash {
		k--
	}
	first := 0
	for j := k; j >= window && j > k-3 && a.named(j) && a.tokens[j].shape != lowerShape; j-- {
		first = j
	}
	return first
}

// flatAfter: "3421 Fagradalsbraut 71 Apt. 4", where the street is of no known type.
func (a *addressFinder) flatAfter(i int) int {
	named := 0
	for k := i + 1; k <= i+maxStreetWords+2; k++ {
		t := &a.tokens[k]
		switch {
		case t.is(secondary) && named > 0 && a.tokens[k+1].isNumber():
			return k + 1
		case a.named(k):
			named++
		case t.isNumber() || t.hash == commaHash || t.kind == lineToken && t.hash == lineHash || t.mayQuote() || t.hash == stopHash:
		default:
			return 0
		}
	}
	return 0
}

// nameBetween: "4241 Steinfelden 73, Town", where nothing but the numbers on both sides says that it is a street.
func (a *addressFinder) nameBetween(i int) int {
	if t := &a.tokens[i]; t.shape != digitShape || t.length > 5 || a.isYear(i) {
		return 0
	}
	k := i + 1
	for k <= i+maxStreetWords && a.named(k) && (a.tokens[k].shape != lowerShape || k > i+1) {
		k++
	}
	if k == i+1 || !a.tokens[k].isNumber() || a.tokens[k].length > 4 || a.tokens[k].line >= codeLine {
		return 0
	}
	next := a.separated(k + 1)
	if next == 0 || a.part(next) < next || a.tokens[next].isNumber() {
		return 0
	}
	return k
}

func (a *addressFinder) isYear(i int) bool {
	t := &a.tokens[i]
	s := a.b.tokenizer.text[t.start:t.end]
	return len(s) == 4 && (s[:2] == "19" || s[:2] == "20")
}

// labelledCode: "ZIP: 12345", "my zip code is 610". A postal code by itself is a number like others.
func (a *addressFinder) labelledCode(i int) bool {
	if n := a.tokens[i].length; n < 3 || n > maxZip {
		return false
	}
	for k := i - 1; k >= window && k >= i-4; k-- {
		switch t := &a.tokens[k]; {
		case t.is(codeLabel):
			return true
		case t.is(postal):
			return k < i-1 && a.tokens[k+1].is(code)
		case t.kind == lineToken || t.kind == numberToken || t.kind == punctToken && t.hash != colonHash:
			return false
		}
	}
	return false
}

// corner: "the corner of Main Street and 3rd Avenue", from the word corner on.
func (a *addressFinder) corner(i int) int {
	if !a.tokens[i+1].is(particle) {
		return 0
	}
	joined, last := 0, 0
	for k := i + 2; k <= i+2*maxStreetWords && k < len(a.tokens)-window; k++ {
		t := &a.tokens[k]
		switch {
		case t.hash == andHash && joined == 0 && k > i+2:
			joined = k
		case t.kind == punctToken && t.hash == stopHash && a.tokens[k+1].hash == andHash:
		case a.named(k) || t.isNumber() || t.is(particle):
			last = k
		default:
			k = len(a.tokens)
		}
	}
	if joined == 0 || last < joined || a.tokens[i].line&^codeLine == lowerLine && last > joined+3 {
		return 0
	}
	return last
}

// left takes in numbers and a flat before the street.
func (a *addressFinder) left(from, stop int) int {
	for n := 0; n < 2 && from-1 >= stop && a.tokens[from-1].isNumber() && a.tokens[from-1].length <= 6; n++ {
		from--
		if from-1 >= stop && a.tokens[from-1].is(secondary) {
			return from - 1
		}
	}
	if k := from - 1; k-1 >= stop && a.tokens[k].hash == commaHash {
		switch {
		case k-2 >= stop && a.tokens[k-1].isNumber() && a.tokens[k-2].is(secondary):
			return k - 2
		case a.tokens[k-1].isNumber() && a.tokens[k-1].length <= 4 && a.tokens[k-2].kind != numberToken:
			return k - 1
		}
	}
	return from
}

// right takes in the parts that follow.
func (a *addressFinder) right(to int) int {
	if end := a.part(to + 1); end > to { // "Apt. 4 Springfield": no comma between
		to = end
	}
	for range maxParts {
		next := a.separated(to + 1)
		if next == 0 {
			return to
		}
		end := a.part(next)
		if end < next {
			return to
		}
		to = end
	}
	return to
}

// separated is the token after a comma, a line end, or both.
func (a *addressFinder) separated(i int) int {
	n, stopped := 0, a.tokens[i].hash == stopHash
	if stopped {
		i++
		if a.tokens[i].is(secondary) {
			return i
		}
		if a.tokens[i].kind != lineToken {
			return 0
		}
	}
	for ; n < 3 && i+n < len(a.tokens)-window; n++ {
		t := &a.tokens[i+n]
		if t.hash != commaHash && t.hash != lineHash && (t.hash != blankHash || n > 0) && !t.mayQuote() {
			break
		}
	}
	if n == 0 || n == 3 || i+n >= len(a.tokens)-window || stopped && !a.begins(i+n) {
		return 0
	}
	return i + n
}

// begins says whether a part of an address begins at i for sure: a full stop before it may end the address.
func (a *addressFinder) begins(i int) bool {
	t := &a.tokens[i]
	return t.isNumber() || t.is(secondary) || t.lists&(city|country) != 0 && t.role&notAddress == 0 ||
		a.tags[i] != outside && a.tags[i].class() == Location
}

// mayQuote says that the token is a mark at the start of a quoted line.
func (t *token) mayQuote() bool {
	return t.kind == punctToken && (t.hash == questionHash || t.hash == quoteMark)
}

// part is the last token of a part of an address that begins at i, or less than i.
func (a *addressFinder) part(i int) int {
	words, numbers, known, k := 0, 0, false, i
	for ; k < len(a.tokens)-window && words+numbers < maxPartWords; k++ {
		t := &a.tokens[k]
		switch {
		case t.is(secondary) && a.tokens[k+1].isNumber() || t.is(secondary) && a.tokens[k+1].shape == letterShape:
			k++
			known = true
			numbers++
		case t.isNumber() && (t.length > maxZip || t.dashed && t.length != zipPlus4 || t.right == dashSide || t.right == slashSide || t.right == bracketSide || words == 0 && numbers > 0 && !known):
			return i - 1 // a phone number, a date
		case t.isNumber():
			numbers++
		case t.shape == alnumShape && t.length <= 4: // postal codes with letters
			numbers++
		case a.named(k) && (t.shape != lowerShape || words > 0 || t.line&^codeLine == lowerLine):
			words++
			known = known || a.tags[k] != outside && a.tags[k].class() == Location || t.lists&(city|country) != 0 || t.is(stateCode)
		default:
			return a.endPart(i, k, words, numbers, known)
		}
	}
	return a.endPart(i, k, words, numbers, known)
}

// endPart judges the part of tokens i to k.
func (a *addressFinder) endPart(i, k, words, numbers int, known bool) int {
	if a.tokens[k].hash == colonHash || a.tokens[k].kind == addressToken || k == i {
		return i - 1 // a label of what follows
	}
	low := a.tokens[i].line&^codeLine == lowerLine
	whole := a.tokens[i-1].kind == lineToken && a.tokens[k].kind == lineToken
	switch {
	case words == 0 && numbers > 0, known && (!low || words <= 3), low && whole && words <= 4:
		return k - 1
	case words > 0 && words <= 4 && !low:
		if a.tags[i] != outside && a.tags[i].class() != Location {
			return i - 1
		}
		return k - 1
	}
	return i - 1
}

package names

import (
	"cmp"
	"slices"
)

// What the model does not see but letters, forms and chats say plainly: the word after "Mr.", after "my name is", on the
// line below "Regards,", and a word that is part of a name elsewhere in the text.

const (
	// maxNameWords is how many words a name has that no model has measured.
	maxNameWords = 4
	// cueScore is that of a name of which a word says that it is one, repeatScore that of a part of a name seen before.
	cueScore    = 0.75
	repeatScore = 0.6
	// maxRepeats bounds how many parts of names a piece of text remembers.
	maxRepeats = 256
	// minRepeat leaves initials and particles out.
	minRepeat = 4
)

// people corrects the names that the model found, and adds those that a cue shows.
func (b *buffers) people(tokens []token, tagged []tag) {
	b.joinInverted(tokens, tagged)
	before := len(b.findings)
	for i := window; i < len(tokens)-window; i++ {
		if tokens[i].kind != wordToken || tokens[i].role&(title|nameLabel|closing) == 0 {
			continue
		}
		from, rule := cue(tokens, i)
		if from == 0 {
			continue
		}
		to := nameAt(tokens, tagged, from)
		if to < from {
			continue
		}
		b.person(tokens, tagged, from, to, cueScore, rule)
		i = to
	}
	b.repeats(tokens, tagged)
	if len(b.findings) > before {
		slices.SortFunc(b.findings, func(x, y Finding) int { return cmp.Compare(x.Start, y.Start) })
	}
}

// person adds a finding and tags its tokens, so that no other rule finds them.
func (b *buffers) person(tokens []token, tagged []tag, from, to int, score float64, rule string) {
	b.findings = append(b.findings, Finding{
		Start: int(tokens[from].start), End: int(tokens[to].end), Class: Person, Score: score, Rule: rule,
	})
	tagged[from] = begin(Person)
	for i := from + 1; i <= to; i++ {
		tagged[i] = inside(Person)
	}
}

// cue is where a name begins to which the word at i points, and the rule that says so.
func cue(tokens []token, i int) (int, string) {
	t, next := &tokens[i], &tokens[i+1]
	switch {
	case t.role&title != 0 && t.shape != upperShape && next.kind == wordToken && t.right != wordSide && t.line < codeLine:
		return i + 1, "names/honorific"
	case t.role&nameLabel != 0 && t.left == openSide && t.line < codeLine && (next.hash == colonHash || next.hash == isHash):
		return i + 2, "names/label"
	case t.role&closing != 0 && startsLine(tokens, i):
		k := i + 1
		for k < i+3 && tokens[k].kind == wordToken && tokens[k].shape == lowerShape { // "Best regards", "Yours sincerely"
			k++
		}
		if tokens[k].hash == commaHash {
			k++
		}
		if tokens[k].kind == lineToken && k+1 < len(tokens)-window {
			return k + 1, "names/signature"
		}
	}
	return 0, ""
}

func startsLine(tokens []token, i int) bool {
	k := tokens[i-1].kind
	return k == lineToken || k == barrierToken
}

// nameAt is the last token of what may be a name from i on, or less than i. What the model has tagged is left to it.
func nameAt(tokens []token, tagged []tag, i int) int {
	last := i - 1
	for k := i; k < i+maxNameWords && k < len(tokens)-window; k++ {
		t := &tokens[k]
		if tagged[k] != outside {
			return i - 1
		}
		if t.kind != wordToken || t.right == codeSide || t.left == codeSide || !likeName(t) && (k == i || t.role&particle == 0) {
			break
		}
		if t.role&particle == 0 || t.shape != lowerShape {
			last = k
		}
	}
	return last
}

func likeName(t *token) bool {
	if t.role&notAddress != 0 {
		return false
	}
	veryCommonWord := t.lists&(rankLow|rankHigh) == rankLow|rankHigh
	switch t.shape {
	case mixedShape:
		return t.capital
	case titleShape, initialShape, letterShape, caselessShape:
		return !veryCommonWord || t.lists&firstName != 0
	case upperShape:
		return t.lists&(firstName|surname) != 0 && !veryCommonWord
	case lowerShape:
		return t.line&^codeLine == lowerLine && t.lists&(firstName|surname) != 0 && t.lists&(rankLow|rankHigh) == 0
	}
	return false
}

// joinInverted makes one name of "Surname, First" in the head of a message.
func (b *buffers) joinInverted(tokens []token, tagged []tag) {
	for i := window + 1; i+1 < len(tokens)-window; i++ {
		if tokens[i].hash != commaHash || tagged[i-1] != begin(Person) || tagged[i+1] != begin(Person) {
			continue
		}
		end := i + 1
		for tagged[end+1] == inside(Person) {
			end++
		}
		before, after := &tokens[i-2], &tokens[end+1]
		if before.hash != quoteHash || after.hash != quoteHash && after.hash != angleHash {
			continue
		}
		first, second := int(tokens[i-1].start), int(tokens[i+1].start)
		k, _ := slices.BinarySearchFunc(b.findings, first, func(f Finding, at int) int { return cmp.Compare(f.Start, at) })
		if k+1 < len(b.findings) && b.findings[k].Start == first && b.findings[k+1].Start == second {
			b.findings[k].End = b.findings[k+1].End
			b.findings = slices.Delete(b.findings, k+1, k+2)
		}
	}
}

// repeats finds the parts of full names where they stand alone: "Ada Lovelace ... as Lovelace writes".
func (b *buffers) repeats(tokens []token, tagged []tag) {
	clear(b.seen)
	for i := window; i < len(tokens)-window; i++ {
		t := &tokens[i]
		if t.line < codeLine && tagged[i].ofPerson() && (tagged[i] == inside(Person) || tagged[i+1] == inside(Person)) && t.distinct() && len(b.seen) < maxRepeats {
			b.seen[t.hash] = true
		}
	}
	if len(b.seen) == 0 {
		return
	}
	for i := window; i < len(tokens)-window; i++ {
		t := &tokens[i]
		if tagged[i] == outside && t.distinct() && t.left != dotSide && t.right != codeSide && t.line < codeLine && b.seen[t.hash] {
			b.person(tokens, tagged, i, i, repeatScore, "names/repeat")
		}
	}
}

// distinct says whether a word, by itself, can stand for a person.
func (t *token) distinct() bool {
	return t.kind == wordToken && t.length >= minRepeat && t.lists&(rankLow|rankHigh) == 0 &&
		(t.shape == titleShape || t.shape == mixedShape || t.shape == upperShape || t.line == lowerLine)
}

func (t tag) ofPerson() bool { return t == begin(Person) || t == inside(Person) }

package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// phrases is a tree of words: each phrase is a way through it, in lower case. A text is held against it at the begin
// of each of its words, for MaxPhraseWords words at most, so that the time is linear in the text.
//
// Between the words of a phrase any white space may stand, or none where one of them is a sign: "R & D" is "R&D".
type phrases struct {
	root  *phraseNode
	count int
}

type phraseNode struct {
	next map[string]*phraseNode
	ends []phraseEnd
}

// phraseEnd says which list a phrase is of.
type phraseEnd struct {
	phraseList
	words []string // as they are written, where that counts
}

// phraseList is a deny or an allow list, by number.
type phraseList struct {
	number int
	allow  bool
	exact  bool
}

// add puts the phrases of a list into the tree.
func (p *phrases) add(list []string, of phraseList) error {
	if len(list) == 0 {
		return errors.New("there must be phrases")
	}
	if p.count += len(list); p.count > MaxPhrases {
		return fmt.Errorf("there must be at most %d phrases in all lists together", MaxPhrases)
	}
	for n, phrase := range list {
		if len(phrase) > MaxPhraseBytes || !utf8.ValidString(phrase) || strings.ContainsFunc(phrase, unicode.IsControl) {
			return fmt.Errorf("phrases[%d] must be a text without control characters, of at most %d bytes", n, MaxPhraseBytes)
		}
		var spoken []string
		text := fold(phrase, nil).text
		for start, end := nextWord(text, 0); start < end; start, end = nextWord(text, end) {
			spoken = append(spoken, text[start:end])
		}
		if len(spoken) == 0 || len(spoken) > MaxPhraseWords {
			return fmt.Errorf("phrases[%d] must have from 1 to %d words", n, MaxPhraseWords)
		}
		node := p.root
		for _, w := range spoken {
			node = node.child(lowerWord(w))
		}
		end := phraseEnd{phraseList: of}
		if of.exact {
			end.words = spoken
		}
		node.ends = append(node.ends, end)
	}
	return nil
}

func (n *phraseNode) child(word string) *phraseNode {
	if n.next == nil {
		n.next = make(map[string]*phraseNode)
	}
	if n.next[word] == nil {
		n.next[word] = &phraseNode{}
	}
	return n.next[word]
}

// nextWord is the next word at or after i, or a sign that stands for itself; start == end where there is none.
// Letters of scripts that put no space between words are words by themselves.
func nextWord(text string, i int) (start, end int) {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case unicode.IsSpace(r):
			i += size
			continue
		case !wordRune(r):
			return i, i + size
		}
		start = i
		for i += size; i < len(text); i += size {
			if r, size = utf8.DecodeRuneInString(text[i:]); !wordRune(r) {
				break
			}
		}
		return start, i
	}
	return i, i
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(byte(r)) //nolint:gosec // ASCII
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && !unicode.In(r, unspaced...)
}

// unspaced are scripts that are written without spaces between words.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// lowerWord is a word in lower case; most are so already and are not copied.
func lowerWord(w string) string {
	for i := range len(w) {
		if w[i] >= utf8.RuneSelf || isUpper(w[i]) {
			return strings.ToLower(w)
		}
	}
	return w
}

const (
	// maxPhraseGap is how much white space may stand between two words of a phrase: a line break and an indent.
	maxPhraseGap = 16
	// phraseStretch is how many words pass between two looks at the clock.
	phraseStretch = 4096
)

// runPhrases reports what deny lists name and notes what allow lists cover.
func (s *scan) runPhrases(ctx context.Context, c *custom) error {
	if c.phrases.count == 0 {
		return nil
	}
	s.active = "phrases"
	s.allowed = make([][][2]int, len(c.allow))
	n := 0
	for start, end := nextWord(s.text, 0); start < end; start, end = nextWord(s.text, end) {
		if n++; n%phraseStretch == 0 {
			if err := contextError(ctx); err != nil {
				return err
			}
		}
		if node := c.phrases.root.next[lowerWord(s.text[start:end])]; node != nil {
			s.follow(c, node, start, end)
		}
	}
	return contextError(ctx)
}

// follow goes on from the first word of a phrase.
func (s *scan) follow(c *custom, node *phraseNode, start, end int) {
	var at [MaxPhraseWords][2]int
	at[0] = [2]int{start, end}
	for n := 1; ; n++ {
		for _, e := range node.ends {
			if s.written(e.words, at[:n]) {
				s.phrase(c, e.phraseList, start, end)
			}
		}
		from, to := nextWord(s.text, end)
		if len(node.next) == 0 || from == to || from-end > maxPhraseGap {
			return
		}
		if node = node.next[lowerWord(s.text[from:to])]; node == nil {
			return
		}
		// A phrase has at most MaxPhraseWords words, so that a node deeper than that does not exist.
		at[n], end = [2]int{from, to}, to
	}
}

// written says whether words stand in the text as they are; nil is satisfied by any.
func (s *scan) written(as []string, at [][2]int) bool {
	return as == nil || slices.EqualFunc(as, at, func(w string, r [2]int) bool { return s.text[r[0]:r[1]] == w })
}

func (s *scan) phrase(c *custom, of phraseList, start, end int) {
	if of.allow {
		s.allowed[of.number] = append(s.allowed[of.number], [2]int{start, end})
		return
	}
	l := &c.deny[of.number]
	s.report(l.Entity, ruleDeny+l.Name, start, end, 1)
}

package names

import (
	"cmp"
	"errors"
	"slices"
)

// lists says on which lists a word is.
type lists uint8

const (
	firstName lists = 1 << iota
	surname
	city
	country // or a first-level subdivision
	rankLow // two bits: how common a word of English it is, 0 is not among the first 20,000
	rankHigh
	people     // of a country, a region, a religion: "Israeli", which is no place
	beginsName // of a place of several words
)

// ownLists are those that count as features one by one: combinations of all are rare.
const ownLists = firstName | surname | city | country | people

// listTable finds the lists of a word by its hash: open addressing over 2^listBits slots of 16 bits of the hash and the
// lists. A word that is on none is taken for another one in 1 of 50,000 cases, which costs a feature, not a finding.
type listTable struct {
	prints []uint16
	flags  []lists
}

const (
	listBits = 18
	listMask = 1<<listBits - 1
)

func (t *listTable) find(hash uint32) lists {
	print := printOf(hash)
	for i := hash & listMask; ; i = (i + 1) & listMask {
		if t.flags[i] == 0 {
			return 0
		}
		if t.prints[i] == print {
			return t.flags[i]
		}
	}
}

// printOf are bits that the slot does not tell, mixed with those that it does.
func printOf(hash uint32) uint16 { return uint16(hash>>16) ^ uint16(hash>>3) } //nolint:gosec // the low bits are wanted

// maxFill keeps the search in the table short, and lets it end.
const maxFill = 1 << listBits * 3 / 4

var errTooManyWords = errors.New("names: too many words for the table of lists")

// newListTable lays the words out in the order of their hashes, so that the same lists give the same bytes.
func newListTable(words map[uint32]lists) (*listTable, error) {
	if len(words) > maxFill {
		return nil, errTooManyWords
	}
	t := &listTable{prints: make([]uint16, 1<<listBits), flags: make([]lists, 1<<listBits)}
	type entry struct {
		hash uint32
		on   lists
	}
	all := make([]entry, 0, len(words))
	for h, on := range words {
		all = append(all, entry{h, on})
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.hash, b.hash) })
	for _, e := range all {
		t.put(e.hash, e.on)
	}
	return t, nil
}

func (t *listTable) put(hash uint32, on lists) {
	print := printOf(hash)
	i := hash & listMask
	for t.flags[i] != 0 && t.prints[i] != print {
		i = (i + 1) & listMask
	}
	t.prints[i] = print
	t.flags[i] |= on
}

// placeMark says that a token is part of a place of several words that is on a list.
type placeMark uint8

const (
	noPlace placeMark = iota
	placeBegins
	placeGoesOn
)

// maxPlaceWords is above all but 1 in 300 places of the lists.
const maxPlaceWords = 3

// markPlaces finds the places of two and three words.
func (t *listTable) markPlaces(tokens []token) {
	for i := range tokens {
		if tokens[i].lists&beginsName == 0 || tokens[i].place != noPlace {
			continue
		}
		hash := tokens[i].hash
		for n := 1; n < maxPlaceWords && i+n < len(tokens) && tokens[i+n].kind == wordToken; n++ {
			hash = pair(hash, tokens[i+n].hash)
			if t.find(hash)&(city|country) == 0 {
				continue
			}
			tokens[i].place = placeBegins
			for k := i + 1; k <= i+n; k++ {
				tokens[k].place = placeGoesOn
			}
		}
	}
}

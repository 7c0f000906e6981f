package names

// lineKind is how the line of a token is written.
type lineKind uint8

const (
	mixedLine lineKind = iota
	lowerLine
	upperLine
	titleLine
	codeLine // added to one of the others
)

// window is how many tokens beside a token features look at. Token arrays begin and end with that many edges.
const window = 2

var edge = token{kind: lineToken, shape: otherShape, hash: edgeHash}

// featureBits is the size of the table of weights: 2^18 buckets of 8 bytes. Half of it costs 0.004 of F1.
const featureBits = 18

// maxFeatures bounds the features of one token; a test counts them. Lanes of 16 bits hold 255 times as much.
const maxFeatures = 80

// featureSet collects the buckets of one token.
type featureSet struct {
	at [maxFeatures]uint32
	n  int
}

// add hashes a value under the number of its kind of feature.
func (f *featureSet) add(id uint32, value uint64) {
	h := (value ^ uint64(id)*0xd6e8feb86659fd93) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	f.at[f.n] = uint32(h >> (64 - featureBits))
	f.n++
}

func two(a, b uint32) uint64 { return uint64(a)<<32 | uint64(b) }

// look is the small properties of a token as one number.
func (t *token) look() uint64 {
	l := uint64(t.lists)<<8 | uint64(t.shape)<<4 | uint64(t.kind)<<1
	if t.foreign {
		l |= 1
	}
	return l
}

func (t *token) form() uint64 { return uint64(t.shape)<<4 | uint64(t.kind) }

// endsSentence says whether what follows begins with a capital anyway.
func (t *token) endsSentence() bool {
	switch t.kind {
	case lineToken, barrierToken:
		return true
	case punctToken:
		return t.hash == stopHash || t.hash == bangHash || t.hash == questionHash || t.hash == colonHash || t.hash == quoteHash
	}
	return false
}

var (
	stopHash     = hashString(".")
	bangHash     = hashString("!")
	questionHash = hashString("?")
	colonHash    = hashString(":")
	quoteHash    = hashString("\"")
	commaHash    = hashString(",")
)

// features of the token i, which has window tokens on both sides.
func (f *featureSet) extract(tokens []token, i int) {
	f.n = 0
	t, b, bb, a, aa := &tokens[i], &tokens[i-1], &tokens[i-2], &tokens[i+1], &tokens[i+2]
	form, look := t.form(), t.look()
	line := uint64(t.line)
	f.add(1, form)
	f.add(2, uint64(t.hash))
	f.add(3, uint64(b.hash)<<8|form)
	f.add(4, uint64(a.hash)<<8|form)
	f.add(5, uint64(bb.hash))
	f.add(6, uint64(aa.hash))
	f.add(7, two(b.hash, t.hash))
	f.add(8, two(t.hash, a.hash))
	f.add(9, two(b.hash, a.hash))
	f.add(10, two(bb.hash, b.hash))
	f.add(11, two(a.hash, aa.hash))
	f.add(12, form<<16|b.form()<<8|a.form())
	f.add(13, form<<16|b.form()<<8|bb.form())
	f.add(14, form<<16|a.form()<<8|aa.form())
	sides := uint64(t.left)<<4 | uint64(t.right)
	f.add(15, sides<<16|form<<8|line)
	if t.kind == punctToken {
		f.add(16, b.look()<<20|a.look())
		return
	}
	start := uint64(0)
	if b.endsSentence() {
		start = 1
	}
	f.add(17, look)
	f.add(18, look<<32|b.look())
	f.add(19, look<<32|a.look())
	f.add(20, look<<32|uint64(b.hash))
	f.add(21, look<<32|uint64(a.hash))
	f.add(22, look<<8|uint64(t.place)<<4|line)
	f.add(23, look<<8|start<<4|line)
	f.add(24, look<<8|sides)
	f.add(25, b.look())
	f.add(26, a.look())
	f.add(27, b.look()<<32|a.look())
	f.add(28, uint64(t.place)<<16|form<<8|line)
	f.add(29, uint64(t.length)<<8|form)
	f.add(30, uint64(t.prefix))
	f.add(31, uint64(t.suffix2)<<8|form)
	f.add(32, uint64(t.suffix3))
	f.add(33, uint64(t.suffix4))
	f.add(34, uint64(b.suffix3)<<8|form)
	f.add(35, uint64(a.suffix3)<<8|form)
	f.add(36, uint64(t.hash)<<16|form<<4|line)
	f.add(37, uint64(bb.hash)<<16|form)
	f.add(38, uint64(aa.hash)<<16|form)
	for l := t.lists & ownLists; l != 0; l &= l - 1 {
		on := uint64(l & -l)
		f.add(40, on<<8|form)
		f.add(41, on<<40|form<<32|uint64(b.hash))
		f.add(42, on<<16|start<<12|line<<8|form)
	}
	for l := b.lists & ownLists; l != 0; l &= l - 1 {
		f.add(43, uint64(l&-l)<<16|form<<8|b.form())
	}
	for l := a.lists & ownLists; l != 0; l &= l - 1 {
		f.add(44, uint64(l&-l)<<16|form<<8|a.form())
	}
	f.add(45, uint64(t.lists&(rankLow|rankHigh))<<16|start<<12|line<<8|form)
	for k := range t.gramCount {
		f.add(39, uint64(t.grams[k]))
	}
}

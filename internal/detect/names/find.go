package names

import (
	"context"
	"errors"
	"math"
	"sync"
	"unicode/utf8"
)

// Finding is a span of the text, in bytes.
type Finding struct {
	Start, End int
	Class      Class
	Score      float64 // above 0, at most 1
	Rule       string  // names/... or address/..., for explanations
}

const (
	// maxPiece is how much of a text is cut into tokens at once: some 6,000 tokens of 150 bytes. A name across the seam
	// of two pieces is cut, so a seam is at a line end if there is one in the last seamWindow bytes, else at a space.
	maxPiece   = 32 << 10
	seamWindow = 4 << 10
	// maxStretch is how many tokens are decoded together: lines end sooner.
	maxStretch = 512
)

// buffers are the memory of one Find, used again: bounded by maxPiece.
type buffers struct {
	tokenizer tokenizer
	decoder   decoder
	features  featureSet
	findings  []Finding
	seen      map[uint32]bool // parts of full names
	places    []Finding       // addresses of the piece
	tagged    []tag           // of all tokens of the piece
}

var pool = sync.Pool{New: func() any { return &buffers{seen: make(map[uint32]bool)} }}

// ErrTooLarge says that offsets in the text do not fit the tokens.
var ErrTooLarge = errors.New("names: text of 2 GB or more")

// Find reports names, places and organisations in the text, sorted by their place in it; they may overlap. NUL bytes
// are barriers: nothing reaches across. The error is ErrTooLarge or that of the context.
func (m *Model) Find(ctx context.Context, text string, report func(Finding)) error {
	if len(text) > math.MaxInt32 {
		return ErrTooLarge
	}
	b := pool.Get().(*buffers)
	defer func() {
		b.tokenizer.text = ""
		pool.Put(b)
	}()
	b.tokenizer.text, b.tokenizer.lists, b.tokenizer.noAt = text, m.lists, 0
	b.decoder.trans = &m.trans
	for from := 0; from < len(text); {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := seam(text, from)
		m.piece(b, from, to)
		for _, f := range b.findings {
			report(f)
		}
		from = to
	}
	return ctx.Err()
}

// seam is where the piece that begins at from ends.
func seam(text string, from int) int {
	if len(text)-from <= maxPiece {
		return len(text)
	}
	end := from + maxPiece
	space := 0
	for i := end; i > end-seamWindow; i-- {
		switch text[i-1] {
		case '\n', 0:
			return i
		case ' ', '\t':
			space = max(space, i)
		}
	}
	if space > 0 {
		return space
	}
	for end > from+maxPiece-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return end
}

// piece finds what is in text[from:to].
func (m *Model) piece(b *buffers, from, to int) {
	b.findings = b.findings[:0]
	tokens := b.cut(from, to)
	m.lists.markPlaces(tokens)
	b.tagged = append(b.tagged[:0], make([]tag, len(tokens))...)
	for i := window; i < len(tokens)-window; {
		n := stretch(tokens[i : len(tokens)-window])
		m.decode(b, tokens, i, n)
		i += n
	}
	b.people(tokens, b.tagged)
	b.addresses(tokens, b.tagged)
}

// cut makes the tokens of text[from:to], with edges around them.
func (b *buffers) cut(from, to int) []token {
	t := &b.tokenizer
	t.tokens = append(t.tokens[:0], edge, edge)
	t.run(from, to)
	t.tokens = append(t.tokens, edge, edge)
	markLines(t.tokens[window : len(t.tokens)-window])
	return t.tokens
}

// stretch is how many tokens up to the end of the line, or maxStretch.
func stretch(tokens []token) int {
	for i := range tokens {
		if k := tokens[i].kind; k == lineToken || k == barrierToken || i+1 == maxStretch {
			return i + 1
		}
	}
	return len(tokens)
}

// decode tags the n tokens from first on and collects the spans.
func (m *Model) decode(b *buffers, tokens []token, first, n int) {
	d := &b.decoder
	d.size(n)
	for k := range n {
		d.rows[k] = m.rate(b, tokens, first+k)
	}
	d.decode()
	for k := 0; k < n; k++ {
		if d.tags[k] == outside {
			continue
		}
		lead := d.lead(k, spanEnd(d.tags, k))
		s := spanAt(tokens[first:first+n], d.tags, k)
		if s.from < s.to {
			b.findings = append(b.findings, Finding{
				Start: int(tokens[first+s.from].start), End: int(tokens[first+s.to-1].end), Class: s.class, Rule: "names/model",
				Score: calibrations[s.class].score(lead, tokens[first+k].line),
			})
		}
		k = max(k, s.to-1)
	}
	copy(b.tagged[first:], d.tags)
}

// lead is how much, per token, the tags of a span lead over outside.
func (d *decoder) lead(from, to int) float64 {
	var sum int32
	for k := from; k < to; k++ {
		sum += d.rows[k][d.tags[k]] - d.rows[k][outside]
	}
	return float64(sum) / float64(to-from)
}

// rate scores the tags of one token.
func (m *Model) rate(b *buffers, tokens []token, i int) row {
	if tokens[i].alwaysOutside() {
		return outsideRow
	}
	b.features.extract(tokens, i)
	return m.score(&b.features)
}

// calibration of a class: the lead at which half of the findings are right, and how much more of it makes the odds e times
// better. Measured on the sets of Measure; a test watches that the scores still mean what they say.
type calibration struct{ even, step float64 }

var calibrations = [classes]calibration{Person: {350, 450}, Location: {500, 600}, Organization: {500, 600}}

// codeLead is what a finding in a line of code must lead by in addition: identifiers look like names.
const codeLead = 450

// score maps the lead over outside, per token, to (0,1).
func (c calibration) score(lead float64, line lineKind) float64 {
	if line >= codeLine {
		lead -= codeLead
	}
	return 1 / (1 + math.Exp((c.even-lead)/c.step))
}

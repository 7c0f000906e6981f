package payload_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// The model knows a JSON text as a list of cells, and shares no code with the
// package. A cell is what never comes apart: a bracket, white space, one
// character of a string in one spelling. Cells of JSON in a string are spelled
// once more for each level that they are deep.
type cell struct {
	means string // in a leaf: what it stands for
	top   string // how the body spells it
}

// modelLeaf is a leaf: cells from, up to to.
type modelLeaf struct {
	kind     payload.Kind
	from, to int
	depth    int
}

func (l modelLeaf) text(cells []cell) string {
	var b strings.Builder
	for _, c := range cells[l.from:l.to] {
		b.WriteString(c.means)
	}
	return b.String()
}

// model is a body with edits to make. Edits are in order, of cells.
type model struct {
	cells  []cell
	leaves []modelLeaf
	edits  []modelEdit
}

type modelEdit struct {
	leaf, from, to int // cells of the whole body
	with           string
}

func (m *model) body() []byte { return m.spelled(0, len(m.cells)) }

func (m *model) spelled(from, to int) []byte {
	var b []byte
	for _, c := range m.cells[from:to] {
		b = append(b, c.top...)
	}
	return b
}

// edited is what the body must be after the edits, byte for byte.
func (m *model) edited() []byte {
	var b []byte
	done := 0
	for i, l := range m.leaves {
		quote := ""
		edits := m.of(i)
		if l.kind == payload.KindNumber && len(edits) > 0 {
			quote = deepen(`"`, l.depth)
		}
		b = append(append(b, m.spelled(done, l.from)...), quote...)
		done = l.from
		for _, e := range edits {
			b = append(append(b, m.spelled(done, e.from)...), deepen(e.with, l.depth+1)...)
			done = e.to
		}
		b = append(append(b, m.spelled(done, l.to)...), quote...)
		done = l.to
	}
	return append(b, m.spelled(done, len(m.cells))...)
}

func (m *model) of(leaf int) []modelEdit {
	var out []modelEdit
	for _, e := range m.edits {
		if e.leaf == leaf {
			out = append(out, e)
		}
	}
	return out
}

// texts is what the leaves must say after the edits.
func (m *model) texts() []string {
	out := make([]string, 0, len(m.leaves))
	for i, l := range m.leaves {
		text, done := "", l.from
		for _, e := range m.of(i) {
			text += modelLeaf{from: done, to: e.from}.text(m.cells) + e.with
			done = e.to
		}
		out = append(out, text+modelLeaf{from: done, to: l.to}.text(m.cells))
	}
	return out
}

// calls are the edits as Splice takes them, last first.
func (m *model) calls() []payload.Edit {
	var out []payload.Edit
	for i := len(m.edits) - 1; i >= 0; i-- {
		e := m.edits[i]
		start := len(modelLeaf{from: m.leaves[e.leaf].from, to: e.from}.text(m.cells))
		out = append(out, payload.Edit{
			Leaf: e.leaf, Start: start, End: start + len(modelLeaf{from: e.from, to: e.to}.text(m.cells)), With: e.with,
		})
	}
	return out
}

// deepen spells a text for as many levels of strings, with the fewest escapes.
func deepen(text string, levels int) string {
	for range levels {
		var b strings.Builder
		for _, r := range text {
			switch {
			case r == '"' || r == '\\':
				b.WriteString(`\` + string(r))
			case r >= ' ':
				b.WriteRune(r)
			case strings.ContainsRune("\b\f\n\r\t", r):
				b.WriteString(map[rune]string{'\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}[r])
			default:
				fmt.Fprintf(&b, `\u%04x`, r)
			}
		}
		text = b.String()
	}
	return text
}

// writer draws a model.
type writer struct {
	*rapid.T
	model
	room int // how many values more
}

var models = rapid.Custom(func(t *rapid.T) *model {
	w := &writer{T: t, room: 16}
	w.value(0, 0)
	w.drawEdits()
	return &w.model
})

func (w *writer) oneOf(of ...string) string { return rapid.SampledFrom(of).Draw(w.T, "one") }

func (w *writer) upTo(n int) int { return rapid.IntRange(0, n).Draw(w.T, "n") }

// put writes what belongs to no leaf.
func (w *writer) put(text string, depth int) {
	w.cells = append(w.cells, cell{top: w.spell(text, depth)})
}

func (w *writer) space(depth int) { w.put(w.oneOf("", "", " ", "\n\t", "\r\n "), depth) }

// spell spells a text for as many levels of strings in any way.
func (w *writer) spell(text string, levels int) string {
	for range levels {
		var b strings.Builder
		for _, r := range text {
			b.WriteString(w.spellRune(r))
		}
		text = b.String()
	}
	return text
}

func (w *writer) spellRune(r rune) string {
	ways := []string{deepen(string(r), 1)}
	switch {
	case r == '\ufffd':
		ways = append(ways, `\ufffd`, `\uFFFD`, `\ud800`, `\uDBFF`)
	case r > 0xffff:
		ways = append(ways, fmt.Sprintf(`\u%04x\u%04X`, 0xd7c0+r>>10, 0xdc00+r&0x3ff))
	case r < 0x7f && r > ' ' && r != '/' && r != '"' && r != '\\' && w.upTo(20) > 0:
	default:
		ways = append(ways, fmt.Sprintf(`\u%04x`, r), fmt.Sprintf(`\u%04X`, r))
	}
	if r == '/' {
		ways = append(ways, `\/`)
	}
	return rapid.SampledFrom(ways).Draw(w.T, "way")
}

// value writes one value in a text that is depth levels below the body.
func (w *writer) value(depth, inside int) {
	w.room--
	w.space(depth)
	kind := w.upTo(9)
	switch {
	case w.room <= 0 || inside > 4:
		w.text(payload.KindText, depth)
	case kind < 2:
		w.container("[", "]", depth, func(int) { w.value(depth, inside+1) })
	case kind < 4:
		w.container("{", "}", depth, func(int) {
			w.space(depth)
			w.text(payload.KindKey, depth)
			w.space(depth)
			w.put(":", depth)
			w.value(depth, inside+1)
		})
	case kind < 6 && depth < payload.MaxNested:
		w.put(`"`, depth)
		if w.upTo(1) == 0 {
			w.container("[", "]", depth+1, func(int) { w.value(depth+1, inside+1) })
		} else {
			w.container("{", "}", depth+1, func(int) {
				w.text(payload.KindKey, depth+1)
				w.put(":", depth+1)
				w.value(depth+1, inside+1)
			})
		}
		w.put(`"`, depth)
	case kind == 6:
		w.put(w.oneOf("1e400", "-0", "0", "12.5E-3", "123456", "true", "false", "null"), depth)
	case kind == 7:
		w.number(depth)
	default:
		w.text(payload.KindText, depth)
	}
	w.space(depth)
}

func (w *writer) container(open, end string, depth int, item func(int)) {
	w.put(open, depth)
	for i := range w.upTo(3) {
		if i > 0 {
			w.put(",", depth)
		}
		item(i)
	}
	w.put(end, depth)
}

func (w *writer) number(depth int) {
	from := len(w.cells)
	for _, r := range w.oneOf("4155550132", "-0.00012345", "1234567e1", "4111111111111111", "52.520008") {
		w.cells = append(w.cells, cell{means: string(r), top: w.spell(string(r), depth)})
	}
	w.leaves = append(w.leaves, modelLeaf{payload.KindNumber, from, len(w.cells), depth})
}

// drawnText is put together of what may go wrong. It never is JSON itself.
func (w *writer) drawnText() string {
	text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "Jane Roe", `"`, `\`, `\"`, "\n", "\x00", "\u2028", "\u00e9", "\U0001f600", "\ufffd", "<&>", "/", "]", "}", `\u0041`, "\x7f",
	}), 0, 6).Draw(w.T, "text"), "")
	if w.upTo(9) == 0 {
		text = "[" + text
	}
	return strings.TrimRight(text, "]}\n")
}

func (w *writer) text(kind payload.Kind, depth int) {
	w.put(`"`, depth)
	from := len(w.cells)
	for _, r := range w.drawnText() {
		w.cells = append(w.cells, cell{means: string(r), top: w.spell(w.spellRune(r), depth)})
	}
	w.leaves = append(w.leaves, modelLeaf{kind, from, len(w.cells), depth})
	w.put(`"`, depth)
}

// drawEdits draws edits of cells that do not overlap; some touch, some only
// put something in.
func (w *writer) drawEdits() {
	for i, l := range w.leaves {
		at := l.from
		for at <= l.to && w.upTo(2) > 0 {
			from := min(at+w.upTo(3), l.to)
			to := min(from+w.upTo(4), l.to)
			with := w.oneOf("[EMAIL_ADDRESS_##########]", `Alice "Smith" <hey>`, "a\nb@c.com", "[]", "x\\", "\U0001f44b\x01\u00e9", `{"a":1}`)
			w.edits = append(w.edits, modelEdit{i, from, to, with})
			if at = to; from == to {
				at++ // two that put something in at one place would have no order
			}
		}
	}
}

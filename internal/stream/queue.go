package stream

import (
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/payload"
)

// queue is what is decided and not drained.
type queue struct {
	parts []part
	asked []Candidate
}

// part is a piece of the output: bytes, or a candidate as it was written.
type part struct {
	text   string
	asked  int // which candidate, or none
	levels int // of strings around it
}

const none = -1

func (q *queue) raw(text string) {
	if text != "" {
		q.parts = append(q.parts, part{text: text, asked: none})
	}
}

func (q *queue) ask(written string, f found) {
	q.parts = append(q.parts, part{text: written, asked: len(q.asked), levels: f.levels})
	q.asked = append(q.asked, f.candidate)
}

// drain appends everything to dst. A candidate without an answer stays as it was
// written, and so does one whose answer is no UTF-8 where JSON must hold it.
func (q *queue) drain(dst []byte, answers []*string) []byte {
	for i := range q.parts {
		p := &q.parts[i]
		if p.asked == none || p.asked >= len(answers) || answers[p.asked] == nil {
			dst = append(dst, p.text...)
			continue
		}
		value := *answers[p.asked]
		if p.levels > 0 && !utf8.ValidString(value) {
			dst = append(dst, p.text...)
			continue
		}
		dst = payload.AppendEscaped(dst, value, p.levels)
	}
	clear(q.parts) // they hold on to the frames
	clear(q.asked)
	if cap(q.parts) > usualRoom {
		*q = queue{}
		return dst
	}
	q.parts, q.asked = q.parts[:0], q.asked[:0]
	return dst
}

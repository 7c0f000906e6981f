package detect

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

// Fault is a recogniser for tests: it runs once for every '@' of the text.
type Fault func(text string, report func(start, end int, entity string, score float64))

// NewWithFault is New with one more recogniser.
func NewWithFault(opts Options, f Fault) (*Detector, error) {
	return build(opts, append(shipped(), recogniser{
		name: "fault", entity: EmailAddress, on: onAt,
		find: func(s *scan, _, _ int) {
			f(s.text, func(start, end int, entity string, score float64) {
				s.report(entity, "fault/injected", start, end, score)
			})
		},
	}))
}

// FindWithoutGuard is Find with the guard taken out, as a detector behaves that takes detection for a best
// effort: a panic ends the pass quietly, the deadline is ignored, impossible spans are passed over.
func (d *Detector) FindWithoutGuard(_ context.Context, text string) ([]Span, error) {
	s := &scan{d: d, view: fold(text, nil)}
	s.text = s.view.text
	func() {
		defer func() { _ = recover() }()
		_ = s.pass(context.Background())
	}()
	var spans []Span
	for _, sp := range s.spans {
		if sp.Start >= 0 && sp.End <= len(s.text) && sp.Start < sp.End {
			sp.Start, sp.End = s.view.origin(sp.Start, sp.End)
			spans = append(spans, sp)
		}
	}
	return Resolve(spans), nil
}

// SecretSpec is a rule of the secret table, for tests that make values by it.
type SecretSpec struct {
	ID, Keyword string
	Assign      bool
	Behind      []SecretPart
	Parts       []SecretPart
	Holds, Ends string
}

// SecretPart is a literal or a number of characters of an alphabet.
type SecretPart struct {
	Literal  string
	Alphabet string
	Min, Max int
}

// SecretSpecs lists the secret table.
func SecretSpecs() []SecretSpec {
	out := make([]SecretSpec, 0, len(compiledSecrets))
	for _, r := range compiledSecrets {
		out = append(out, SecretSpec{
			ID: r.id, Keyword: r.keyword, Assign: r.assign, Holds: r.holds, Ends: r.ends,
			Behind: exportParts(r.behind), Parts: exportParts(r.parts),
		})
	}
	return out
}

func exportParts(parts []part) []SecretPart {
	var out []SecretPart
	for _, p := range parts {
		var alphabet []byte
		for c := range classOf {
			if classOf[c]&p.set != 0 {
				alphabet = append(alphabet, byte(c))
			}
		}
		out = append(out, SecretPart{Literal: p.literal, Alphabet: string(alphabet), Min: p.min, Max: p.max})
	}
	return out
}

// Internals that are worth a test of their own.
var (
	Luhn        = checkdigit.Luhn
	Mod97       = func(value string) bool { return mod97([]byte(value)) }
	OnBoundary  = onBoundary
	IBANFormats = ibanFormats
	IBANLength  = ibanLength
	PhoneModule = phoneLibrary
)

// Folded is the folded text, and the way back of a span of it.
func Folded(text string, holes [][2]int) (string, func(start, end int) (int, int)) {
	v := fold(text, holes)
	return v.text, v.origin
}

// Literals are found by the automaton of these literals: number and end of each.
func Literals(literals []string, text string) [][2]int {
	a := newAutomaton(literals)
	var out [][2]int
	var state uint32
	for i := range len(text) {
		if state = a.next(state, text[i]); a.hit(state) {
			for _, id := range a.found(state) {
				out = append(out, [2]int{id, i + 1})
			}
		}
	}
	return out
}

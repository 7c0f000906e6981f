package detect

import (
	"context"
	"fmt"
)

// trigger is what makes a recogniser look at a place.
type trigger uint8

const (
	onNumber  trigger = iota // a run of digit groups, parsed once and shared: see run
	onAt                     // '@'
	onColon                  // ':'
	onHyphen                 // '-'
	onLiteral                // one of the recogniser's literals has just ended
	onCode                   // a word that holds a digit: no find, but ids
	onText                   // the whole text, when the pass is over: no find, but whole
	triggers
)

// recogniser finds one entity around its trigger. find gets the offset of the trigger byte (for onLiteral the
// offset after the literal, and which literal it was). It must look at a bounded window only, or
// remember in the scan how far it has looked, so that the whole pass stays linear.
type recogniser struct {
	name     string
	entity   string
	on       trigger
	literals []string
	find     func(s *scan, at, literal int)
	whole    func(ctx context.Context, s *scan) error // of onText; linear in the text, and heeds the context
	ids      []idRule                                 // of onCode
	best     float64                                  // the highest score of find, if it may be below the usual threshold: then it is not run; 0: run always
}

// plan is the recognisers of a Detector arranged for the pass.
type plan struct {
	by       [triggers][]recogniser
	keywords automaton
	owners   []owner // of the literals of the automaton, by number
	ids      *idIndex
}

// owner is whose a literal is, and its number among the literals of that recogniser.
type owner struct {
	recogniser *recogniser
	number     int
}

func newPlan(all []recogniser, thresholds map[string]float64) plan {
	p := plan{ids: newIDIndex(all, thresholds)}
	var words []string
	for i := range all {
		r := &all[i]
		if r.best > 0 && r.best < thresholds[r.entity] {
			continue
		}
		p.by[r.on] = append(p.by[r.on], *r)
		for n := range r.literals {
			p.owners = append(p.owners, owner{r, n})
		}
		words = append(words, r.literals...)
	}
	p.keywords = newAutomaton(words)
	return p
}

// scan is the state of one pass over one text.
type scan struct {
	d      *Detector
	view   view
	text   string // view.text
	spans  []Span // offsets of the folded text
	run    run    // the number run that onNumber recognisers look at
	active string // name of the recogniser at work, for errors

	emailEnd    int // the last e-mail address ends here
	seenColon   int // IPv6 has looked at everything before
	seenKey     int // private keys before are reported
	seenHeader  int // the JWT rule has tried every header before
	secrets     secretScan
	phoneChecks int    // validity checks spent, see maxPhoneChecks
	seenURL     int    // URLs before are reported
	seenCode    int    // words before have been tried for identifiers
	trimmed     [2]int // see lone
	near        nearWords
	groups      [maxGroups]group
	named       bool // names have been looked for

	allowed [][][2]int // what the phrases of each allow list cover
}

// checkEvery is how many bytes pass between two looks at the clock: less than a millisecond of usual text, 25 ms of
// phone numbers until maxPhoneChecks is spent.
const checkEvery = 16 << 10

// Byte kinds of the pass.
const (
	plainByte = iota
	digitByte
	atByte
	colonByte
	hyphenByte
)

var byteKind = func() (kinds [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		kinds[c] = digitByte
	}
	kinds['@'] = atByte
	kinds[':'] = colonByte
	kinds['-'] = hyphenByte
	return kinds
}()

// pass looks at every byte once and runs recognisers where their trigger fires.
func (s *scan) pass(ctx context.Context) error {
	for from := 0; from < len(s.text); from += checkEvery {
		if err := contextError(ctx); err != nil {
			return err
		}
		s.stretch(from, min(from+checkEvery, len(s.text)))
	}
	return s.afterwards(ctx)
}

// afterwards runs the recognisers that look at the whole text, and at what the others have found.
func (s *scan) afterwards(ctx context.Context) error {
	for i := range s.d.plan.by[onText] {
		r := &s.d.plan.by[onText][i]
		s.active = r.name
		if err := r.whole(ctx, s); err != nil {
			if ended := contextError(ctx); ended != nil {
				return ended
			}
			return fmt.Errorf("%w: %s: %w", ErrFailed, r.name, err)
		}
	}
	return contextError(ctx)
}

func (s *scan) stretch(from, to int) {
	p := &s.d.plan
	// The automaton starts afresh at each stretch: it is warmed up by the longest literal's length before it,
	// and those hits belong to the stretch before.
	state := p.keywords.warm(s.text, from)
	for i := from; i < to; i++ {
		c := s.text[i]
		state = p.keywords.next(state, c)
		if p.keywords.hit(state) {
			s.literals(state, i+1)
		}
		switch byteKind[c] {
		case digitByte:
			if i >= s.run.end {
				s.number(i)
			}
		case atByte:
			s.fire(onAt, i)
		case colonByte:
			s.fire(onColon, i)
		case hyphenByte:
			s.fire(onHyphen, i)
		}
	}
}

func (s *scan) fire(on trigger, at int) {
	for i := range s.d.plan.by[on] {
		r := &s.d.plan.by[on][i]
		s.active = r.name
		r.find(s, at, 0)
	}
}

func (s *scan) number(at int) {
	s.parseRun(at)
	s.fire(onNumber, at)
	s.codes()
}

func (s *scan) literals(state uint32, end int) {
	for _, id := range s.d.plan.keywords.found(state) {
		o := s.d.plan.owners[id]
		s.active = o.recogniser.name
		o.recogniser.find(s, end, o.number)
	}
}

// report notes a finding. It is checked and mapped to the original text when the pass is over.
func (s *scan) report(entity, rule string, start, end int, score float64) {
	s.spans = append(s.spans, Span{Start: start, End: end, Entity: entity, Score: score, Rule: rule})
}

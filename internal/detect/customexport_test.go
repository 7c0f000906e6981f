package detect

import "context"

// PatternWindow and PatternMatch are the sizes by which expressions see a text.
const PatternWindow = patternWindow

// FindInWindowsAlone runs one expression as if no window saw what is behind it.
func (d *Detector) FindInWindowsAlone(text string) []Span {
	s := &scan{d: d, view: fold(text, nil)}
	s.text = s.view.text
	whole := s.text
	for from := 0; from < len(whole); {
		to := min(from+patternWindow, len(whole))
		s.text = whole[:to]
		s.matches(&d.custom.patterns[0], from, to)
		from = to
	}
	return Resolve(s.spans)
}

// FindWithoutDeny is Search with the deny lists settled as findings like others.
func (d *Detector) FindWithoutDeny(ctx context.Context, text string) ([]Span, error) {
	found, err := d.Search(ctx, text, nil, nil)
	return Resolve(append(found.Spans, found.Denied...)), err
}

// Required is the text that every match of an expression holds.
func (d *Detector) Required() string { return d.custom.patterns[0].literal }

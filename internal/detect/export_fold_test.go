package detect

import "context"

// FoldOf and FoldRune are what a character becomes: by the table, and by the function that fills it.
var (
	FoldOf   = func(r rune) byte { return byte(foldOf(r)) }
	FoldRune = func(r rune) byte {
		if r < 0x80 {
			return byte(asItIs)
		}
		return byte(foldRune(r))
	}
)

// FindCharacterByCharacter is Find on a text whose letters are folded each by itself, as they are in values.
func (d *Detector) FindCharacterByCharacter(text string) []Span {
	s := &scan{d: d, view: view{text: foldValue(text)}}
	s.text = s.view.text
	if err := s.guarded(context.Background()); err != nil {
		panic(err)
	}
	return Resolve(s.spans)
}

// CheckEvery is the size of a stretch of the pass.
const CheckEvery = checkEvery

package stream

// numberState is how much of a number was read.
type numberState uint8

const (
	numberNone numberState = iota
	numberMinus
	numberZero // a leading zero, which no digit may follow
	numberInteger
	numberPoint
	numberFraction
	numberE
	numberSign
	numberExponent
)

// step is the state behind one more character, and numberNone where it is not of
// the number.
func (n numberState) step(c rune) numberState {
	digit := c >= '0' && c <= '9'
	switch n {
	case numberNone, numberMinus:
		switch {
		case c == '-' && n == numberNone:
			return numberMinus
		case c == '0':
			return numberZero
		case digit:
			return numberInteger
		}
	case numberZero, numberInteger, numberFraction:
		switch {
		case digit && n != numberZero:
			return n
		case c == '.' && n != numberFraction:
			return numberPoint
		case c == 'e', c == 'E':
			return numberE
		}
	case numberPoint:
		if digit {
			return numberFraction
		}
	case numberE, numberSign, numberExponent:
		switch {
		case digit:
			return numberExponent
		case n == numberE && (c == '+' || c == '-'):
			return numberSign
		}
	}
	return numberNone
}

// whole says whether a number may end here.
func (n numberState) whole() bool {
	return n == numberZero || n == numberInteger || n == numberFraction || n == numberExponent
}

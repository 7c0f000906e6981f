package payload

import "math/bits"

// The words of JSON: literals, strings and numbers.

func (s *scanner) literal(word string) bool {
	if len(s.text)-s.at < len(word) || s.text[s.at:s.at+len(word)] != word {
		return false
	}
	start := s.at
	s.at += len(word)
	return s.put(nodeLiteral, start, false)
}

// str reads a string. Its text was found to be UTF-8 before.
func (s *scanner) str() bool {
	start, escaped := s.at, false
	s.at++
	for {
		s.at += plain(s.text[s.at:])
		if s.at == len(s.text) {
			return false
		}
		switch s.text[s.at] {
		case '"':
			s.at++
			return s.put(nodeString, start, escaped)
		case '\\':
			escaped = true
			if !s.escape() {
				return false
			}
		default: // a control character
			return false
		}
	}
}

// plain counts the leading bytes that a string may hold as they are. It looks
// at eight at a time: in each byte of hit the highest bit is set where text has
// a quote, a backslash or a control character. A borrow may set more of them,
// but only above a true one, and the lowest is what counts.
func plain(text string) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; len(text)-i >= 8; i += 8 {
		t := text[i : i+8]
		w := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		quote, slash := w^ones*'"', w^ones*'\\'
		hit := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - ones*' ') &^ w)
		if hit &= high; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

func (s *scanner) escape() bool {
	if len(s.text)-s.at < 2 {
		return false
	}
	switch s.text[s.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at += 2
		return true
	case 'u':
		if _, ok := hex4(s.text, s.at+2); ok {
			s.at += 6
			return true
		}
	}
	return false
}

// number reads a number. How great it is does not matter: it stays as it is.
func (s *scanner) number() bool {
	start, digits := s.at, 0
	s.accept('-')
	switch zero := s.accept('0'); {
	case zero:
		digits = 1
	default:
		if digits = s.digits(); digits == 0 {
			return false
		}
	}
	if s.accept('.') {
		n := s.digits()
		if digits += n; n == 0 {
			return false
		}
	}
	if s.accept('e') || s.accept('E') {
		_ = s.accept('+') || s.accept('-')
		n := s.digits()
		if digits += n; n == 0 {
			return false
		}
	}
	return s.put(nodeNumber, start, digits >= NumberDigits)
}

func (s *scanner) accept(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at - start
}

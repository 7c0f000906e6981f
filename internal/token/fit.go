package token

import "strings"

// complete looks whether the characters read so far end a token. It returns the
// longest reading.
func (s *scanner) complete(start int) (match, verdict) {
	var best match
	found := absent
	for _, n := range [...]int{labelIDChars + checkChars, maxIDChars} {
		if s.count <= n {
			break
		}
		for _, i := range s.words.nodes[s.path[s.count-n]].shapes {
			sh := &s.words.shapes[i]
			if sh.symbols != n {
				continue
			}
			m, v := s.fit(start, sh)
			if v == starved {
				return match{}, starved
			}
			if v == present && m.beats(best) {
				best, found = m, present
			}
		}
	}
	return best, found
}

// fit judges the characters read so far as a token of one shape.
func (s *scanner) fit(start int, sh *shape) (match, verdict) {
	if s.gaps&sh.gaps != sh.gaps || sh.format == FormatOpaque && s.open {
		return match{}, absent
	}
	var room, spent [maxIDChars]byte
	symbols := room[:sh.symbols]
	for i := range symbols {
		symbols[i] = repaired[s.chars[sh.chars+i]]
		if symbols[i] == noSymbol {
			return match{}, absent
		}
	}
	if sh.format == FormatOpaque && symbols[0] > opaqueFirstMax {
		return match{}, absent
	}
	copy(spent[:], symbols)
	sound := s.words.unchecked || checkHolds(spent[:sh.symbols], sh.mix)
	if !sound && (!s.loose || !s.compact(sh)) {
		return match{}, absent // before the text behind it is looked at: nearly all end here
	}
	t, v := s.tail(sh)
	if v != present {
		return match{}, v
	}
	alone := (s.open || !s.glued) && (t.closed || !t.glued)
	if !alone && !s.loose {
		return match{}, absent
	}
	m := match{start: start, end: t.end, sound: sound}
	if !sound {
		if alone && (s.open && t.closed || telling(symbols)) {
			return m, present
		}
		return match{}, absent
	}
	m.token = tokenOf(sh, symbols)
	var written [MaxCandidate]byte
	m.strict = alone && string(m.token.append(written[:0])) == s.text[start:t.end]
	if !m.strict && !telling(symbols) {
		return match{}, absent
	}
	return m, present
}

// compact says whether the reading looks like a token whatever its check
// characters are: the id in one piece, joined to the label by an underscore.
func (s *scanner) compact(sh *shape) bool {
	first := sh.chars
	if s.gaps>>(first+1) != 0 {
		return false
	}
	return strings.IndexByte(s.text[s.starts[first-1]:s.starts[first]], '_') > 0
}

// A tail is what comes behind the last character of an id.
type tail struct {
	end    int  // of the candidate
	closed bool // by a bracket of ours
	glued  bool // no bracket, and a word goes on
}

// tail reads the closing bracket. Fillers may stand on its inner side only where
// both brackets are there, and what stands between the opening one and the label
// is ours only then; otherwise the bracket is as likely the user's.
func (s *scanner) tail(sh *shape) (tail, verdict) {
	spare := MaxInserted + sh.written - s.units
	if s.open {
		spare++
	}
	if spare < 0 {
		return tail{}, absent
	}
	if sh.format == FormatLabel {
		end, v := s.closing(spare)
		switch {
		case v == starved:
			return tail{}, starved
		case v == present:
			return tail{end: end, closed: true}, present
		case s.indented:
			return tail{}, absent
		}
	}
	if s.pos == len(s.text) && s.final {
		return tail{end: s.pos}, present
	}
	r, _, v := s.rune(s.pos)
	return tail{end: s.pos, glued: v == present && isWord(r)}, v
}

// closing looks for a closing bracket behind at most spare fillers and returns
// its end.
func (s *scanner) closing(spare int) (int, verdict) {
	for at := s.pos; ; spare-- {
		size, v := s.bracket(at, isClosing, 'D')
		if v != absent {
			return at + size, v
		}
		if !s.open || spare == 0 {
			return 0, absent
		}
		if size, v = s.filler(at); v != present {
			return 0, v
		}
		at += size
	}
}

// tokenOf puts the token together from its symbols.
func tokenOf(sh *shape, symbols []byte) Token {
	var id [maxIDChars]byte
	n := len(symbols) - checkChars
	for i, s := range symbols[:n] {
		id[i] = crockford[s]
		if sh.format == FormatOpaque {
			id[i] = lower(id[i])
		}
	}
	return Token{Format: sh.format, Entity: sh.label, ID: string(id[:n])}
}

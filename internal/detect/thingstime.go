package detect

import "strings"

// timeAfter passes over the time that goes with a date: "T23:59:59.123+02:00" (ISO 8601), " 10:30".
func (s *scan) timeAfter(i int) int {
	if c := s.byteAt(i); c != 'T' && c != ' ' {
		return i
	}
	end := s.clock(i + 1)
	if end == i+1 {
		return i
	}
	if s.byteAt(end) == '.' && isDigit(s.byteAt(end+1)) {
		for end++; end < len(s.text) && end-i < contextBefore && isDigit(s.text[end]); {
			end++
		}
	}
	switch c := s.byteAt(end); {
	case c == 'Z' && !s.gluedAfter(end+1):
		end++
	case c == '+' || c == '-':
		if zone := s.clock(end + 1); zone > end+1 {
			end = zone
		}
	}
	if s.gluedAfter(end) {
		return i
	}
	return end
}

// clock passes over "23:59" and "23:59:59".
func (s *scan) clock(i int) int {
	end := i
	for n := range 3 {
		at := end
		if n > 0 {
			if s.byteAt(at) != ':' {
				break
			}
			at++
		}
		digits := at
		for digits < len(s.text) && digits-at < 3 && isDigit(s.text[digits]) {
			digits++
		}
		if digits-at == 0 || digits-at > 2 || n > 0 && digits-at != 2 {
			break
		}
		end = digits
	}
	if strings.IndexByte(s.text[i:end], ':') < 0 {
		return i
	}
	return end
}

// findTime reads "10:30", "10:30:15" and "10:30 pm" at their first colon.
func findTime(s *scan, at, _ int) {
	start := at
	for start > 0 && at-start < 3 && isDigit(s.text[start-1]) {
		start--
	}
	if at == start || at-start > 2 || s.gluedBefore(start) || s.continues(start) || s.byteBefore(start) == ':' {
		return
	}
	end := s.clock(start)
	if end <= at+1 || s.value(group{start, at}) > 23 || s.byteAt(end) == ':' || s.continuesAfter(end) {
		return
	}
	if half := s.halfDay(end); half > end {
		end = half
	}
	if !s.gluedAfter(end) {
		s.report(dateTime, "date/time", start, end, scorePart)
	}
}

// halfDay passes over "am" and "pm".
func (s *scan) halfDay(i int) int {
	if s.byteAt(i) == ' ' {
		i++
	}
	if c := lower(s.byteAt(i)); (c == 'a' || c == 'p') && lower(s.byteAt(i+1)) == 'm' {
		return i + 2
	}
	return 0
}

// findCalendarWord reports the name of a day, and of a month after a word that dates follow ("in May").
func findCalendarWord(s *scan, at, literal int) {
	word := calendarWords()[literal]
	start := at - len(word)
	if s.gluedBefore(start) || s.gluedAfter(at) {
		return
	}
	if literal < fullMonths {
		from, to := s.wordBefore(start, max(0, start-contextAfter))
		if !isUpper(s.text[start]) || to != start-1 || yearWords.find(s.text[from:to]) != noun {
			return
		}
	}
	s.report(dateTime, "date/name", start, at, scorePart)
}

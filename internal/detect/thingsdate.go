package detect

import "strings"

const (
	// scoreBirth is a date that a word near calls one of birth, scoreDate a day, scorePart what only says a month, a
	// year or an hour: these two are for those who ask for all dates.
	scoreBirth = 0.85
	scoreDate  = 0.4
	scorePart  = 0.35
	// scoreDoubt is what may as well be a fraction: below every threshold, unless somebody asks for it.
	scoreDoubt = 0.15
	// scoreCompact is eight digits, which only the word "birth" makes a date.
	scoreCompact  = 0.2
	compactDigits = len("19991231")
)

func dateRecognisers() []recogniser {
	return []recogniser{
		{name: "date", entity: dateTime, on: onNumber, find: findDate},
		{name: "time", entity: dateTime, on: onColon, find: findTime, best: scorePart},
		{name: "day", entity: dateTime, on: onLiteral, literals: calendarWords(), find: findCalendarWord, best: scorePart},
	}
}

// findDate looks for a date at each group of the run.
func findDate(s *scan, _, _ int) {
	for i := 0; i < len(s.run.groups); i++ {
		g := s.run.groups[i]
		if n := g.len(); n == 3 || n > 4 && n != compactDigits {
			continue
		}
		d, ok := s.dateAt(i)
		if !ok {
			continue
		}
		if w := s.context(birthWords, d.start, d.end); w == noun && d.score > scoreDoubt && !d.year {
			s.report(dateTime, "date/birth", d.start, d.end, scoreBirth)
		} else {
			s.report(dateTime, d.rule, d.start, d.end, d.score)
		}
		for i+1 < len(s.run.groups) && s.run.groups[i+1].start < d.end {
			i++
		}
	}
}

// dateSpan is a candidate. year says that it is nothing but a year.
type dateSpan struct {
	start, end int
	rule       string
	score      float64
	year       bool
}

// dateForms are tried in this order.
var dateForms = []func(*scan, int) (dateSpan, bool){
	(*scan).numericDate, (*scan).dayMonth, (*scan).monthDay, (*scan).monthYear, (*scan).shortDate, (*scan).yearAlone,
	(*scan).compactDate,
}

func (s *scan) dateAt(i int) (dateSpan, bool) {
	for _, form := range dateForms {
		if d, ok := form(s, i); ok {
			return d, true
		}
	}
	return dateSpan{}, false
}

// numericDate reads "1999-12-31", "31.12.1999", "12/31/99" and a time behind it.
func (s *scan) numericDate(i int) (dateSpan, bool) {
	j := i + 2
	if j >= len(s.run.groups) {
		return dateSpan{}, false
	}
	if sep, ok := s.uniform(i, j); !ok || strings.IndexByte("-./", sep) < 0 || !s.dateLike(i, j) {
		return dateSpan{}, false
	}
	a, b, c := s.run.groups[i], s.run.groups[i+1], s.run.groups[j]
	if s.value(a) == 0 || s.value(b) == 0 || s.value(c) == 0 && c.len() != 2 || c.len() == 4 && !s.isYear(c) {
		return dateSpan{}, false
	}
	d := dateSpan{start: a.start, end: s.timeAfter(c.end), rule: "date/numeric", score: scoreDate}
	if !s.beginsAlone(i) || d.end == c.end && !s.endsAlone(j) {
		return dateSpan{}, false
	}
	return d, true
}

// dayMonth reads "5 May 2021", "5th of May", "21-May", "5-MAY-2021", "5. Mai 2021".
func (s *scan) dayMonth(i int) (dateSpan, bool) {
	g := s.run.groups[i]
	if g.len() > 2 || !s.isDay(g) || s.gluedBefore(g.start) || s.continues(g.start) {
		return dateSpan{}, false
	}
	at := s.ordinal(g.end)
	if at > g.end && s.byteAt(at) != ' ' {
		return dateSpan{}, false
	}
	if strings.IndexByte(" -/", s.byteAt(at)) < 0 || s.byteAt(at) == 0 {
		return dateSpan{}, false
	}
	sep := s.text[at]
	at++
	for _, of := range []string{"of ", "de "} {
		if sep == ' ' && strings.HasPrefix(s.text[at:], of) {
			at += len(of)
		}
	}
	from, to := s.wordAfter(at, min(len(s.text), at+contextAfter))
	if from != at || !s.monthName(from, to) {
		return dateSpan{}, false
	}
	end, year := s.yearAfter(to, sep)
	// "may" and "march" are words of their own where no year follows.
	if s.gluedAfter(end) || !year && (isLower(s.text[from]) && s.text[from] < 0x80 || end-to > 1) {
		return dateSpan{}, false
	}
	return dateSpan{start: g.start, end: end, rule: "date/day-month", score: scoreDate}, true
}

// monthDay reads "May 5", "May 1st, 1977", "March 15, 1989".
func (s *scan) monthDay(i int) (dateSpan, bool) {
	g := s.run.groups[i]
	if g.len() > 2 || !s.isDay(g) {
		return dateSpan{}, false
	}
	start, ok := s.monthBefore(g.start)
	if !ok {
		return dateSpan{}, false
	}
	at := s.ordinal(g.end)
	end, year := s.yearAfter(at, ' ')
	if !year {
		end = at
		if s.byteAt(at) == '.' && at > g.end { // "5." is an ordinal only before a month
			end = g.end
		}
	}
	if s.gluedAfter(end) || !year && (s.continuesAfter(end) || s.byteAt(end) == ':' || isLower(s.text[start])) {
		return dateSpan{}, false
	}
	return dateSpan{start: start, end: end, rule: "date/month-day", score: scoreDate}, true
}

// monthYear reads "May-2021", "May 2021".
func (s *scan) monthYear(i int) (dateSpan, bool) {
	g := s.run.groups[i]
	if !s.namedYear(g) {
		return dateSpan{}, false
	}
	start, ok := s.monthBefore(g.start)
	if !ok || s.gluedAfter(g.end) || s.continuesAfter(g.end) {
		return dateSpan{}, false
	}
	return dateSpan{start: start, end: g.end, rule: "date/month-year", score: scoreDate}, true
}

// shortDate reads "05/2021" and "5/21", which are fractions as well.
func (s *scan) shortDate(i int) (dateSpan, bool) {
	if i+1 >= len(s.run.groups) || s.sep(i) != "/" || !s.alone(i, i+1) {
		return dateSpan{}, false
	}
	a, b := s.run.groups[i], s.run.groups[i+1]
	if a.len() > 2 || s.value(a) == 0 || s.value(a) > 12 || !s.isYear(b) && (b.len() != 2 || !s.isDay(b)) {
		return dateSpan{}, false
	}
	return dateSpan{start: a.start, end: b.end, rule: "date/short", score: scoreDoubt}, true
}

// compactDate reads "19991231".
func (s *scan) compactDate(i int) (dateSpan, bool) {
	g := s.run.groups[i]
	if g.len() != compactDigits || !s.isYear(group{g.start, g.start + 4}) || !s.alone(i, i) {
		return dateSpan{}, false
	}
	month, day := s.value(group{g.start + 4, g.start + 6}), s.value(group{g.start + 6, g.end})
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return dateSpan{}, false
	}
	return dateSpan{start: g.start, end: g.end, rule: "date/compact", score: scoreCompact}, true
}

// yearAlone reads "1972" where it is all there is, or after a word that years follow.
func (s *scan) yearAlone(i int) (dateSpan, bool) {
	g := s.run.groups[i]
	if !s.isYear(g) || s.d.thresholds[dateTime] > scorePart || !s.alone(i, i) {
		return dateSpan{}, false
	}
	from, to := s.wordBefore(g.start, max(0, g.start-contextAfter))
	if !s.lone(g.start, g.end) && (to != g.start-1 || yearWords.find(s.text[from:to]) != noun) {
		return dateSpan{}, false
	}
	return dateSpan{start: g.start, end: g.end, rule: "date/year", score: scorePart, year: true}, true
}

func (s *scan) isDay(g group) bool {
	v := s.value(g)
	return v >= 1 && v <= 31
}

// namedYear is a year beside the name of a month, which says by itself that this is a date.
func (s *scan) namedYear(g group) bool {
	v := s.value(g)
	return g.len() == 4 && v >= 1000 && v < 2100
}

// ordinal passes over "st", "nd", "rd", "th" and '.' after a day.
func (s *scan) ordinal(i int) int {
	for _, suffix := range []string{"st", "nd", "rd", "th", "."} {
		if strings.HasPrefix(s.text[i:], suffix) {
			return i + len(suffix)
		}
	}
	return i
}

// monthBefore is where the month begins that ends, with a space, hyphen or short form's full stop, before i.
func (s *scan) monthBefore(i int) (int, bool) {
	at := i - 1
	if at <= 0 || strings.IndexByte(" -/", s.text[at]) < 0 {
		return 0, false
	}
	if s.text[at-1] == '.' {
		at--
	}
	from, to := s.wordBefore(at, max(0, at-contextAfter))
	if to != at || !s.monthName(from, to) || s.gluedBefore(from) {
		return 0, false
	}
	return from, true
}

// monthName says whether the word is a month. Its first two letters are looked at before the set is.
func (s *scan) monthName(from, to int) bool {
	return to-from >= 3 && monthPairs[letterOf(s.text[from])]&(1<<letterOf(s.text[from+1])) != 0 && monthNames.find(s.text[from:to]) == noun
}

// monthPairs holds, for each first letter, the second ones of months.
var monthPairs = func() (pairs [letters + 1]uint32) {
	for m := range monthNames {
		pairs[letterOf(m[0])] |= 1 << letterOf(m[1])
	}
	return pairs
}()

// letters is the number of ASCII's; letterOf takes all other bytes for one more.
const letters = 26

func letterOf(c byte) uint8 {
	if isAlpha(c) {
		return lower(c) - 'a'
	}
	return letters
}

// yearLeads stand between a month or a day and the year, where spaces divide the date.
var yearLeads = []string{", ", ". ", " de ", " of ", ",", ".", " "}

// yearAfter passes over a year after i, with sep before it or what goes with spaces; otherwise it is i.
func (s *scan) yearAfter(i int, sep byte) (int, bool) {
	for _, lead := range yearLeads {
		if sep != ' ' {
			lead = string(rune(sep))
		}
		from := i + len(lead)
		if !strings.HasPrefix(s.text[i:], lead) {
			continue
		}
		at := from
		for at < len(s.text) && at-from <= 4 && isDigit(s.text[at]) {
			at++
		}
		if g := (group{from, at}); (s.namedYear(g) || sep != ' ' && g.len() == 2) && !s.gluedAfter(at) {
			return at, true
		}
	}
	return i, false
}

package detect

import "strings"

// washingtonLength is that of driver's licences of the state of Washington until 2018: the last name and the initials, filled
// up with asterisks, and five characters of digits and letters (RCW 46.20.035; Department of Licensing).
const washingtonLength = 12

func washingtonRecogniser() recogniser {
	return recogniser{name: "us-washington", entity: usLicence, on: onNumber, find: findWashington}
}

// findWashington takes what asterisks fill up only, for without them such a number is a word like others.
func findWashington(s *scan, _, _ int) {
	at := s.run.groups[0].start
	start, end := at, at
	for start > 0 && at-start < washingtonLength && inWashington(s.text[start-1]) {
		start--
	}
	if start == at || !isUpper(s.text[start]) {
		return
	}
	for end < len(s.text) && end-start <= washingtonLength && inWashington(s.text[end]) {
		end++
	}
	value := s.text[start:end]
	stars := strings.Count(value, "*")
	if len(value) != washingtonLength || stars == 0 || value[len(value)-1] == '*' {
		return
	}
	if s.gluedBefore(start) || s.gluedAfter(end) || s.byteBefore(start) == '*' {
		return
	}
	score := 0.4
	switch {
	case s.context(licenceWords, start, end) == noun, s.context(anyLicenceWords, start, end) == noun:
		score = 0.9
	case stars > 1 && strings.Count(s.text[max(0, start-contextBefore):min(len(s.text), end+contextBefore)], "**") <= 1:
		score = 0.55 // one pair of asterisks is no emphasis
	}
	s.report(usLicence, "us-washington/asterisks", start, end, score)
}

func inWashington(c byte) bool { return isUpper(c) || isDigit(c) || c == '*' }

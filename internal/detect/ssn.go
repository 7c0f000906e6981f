package detect

var ssnWords = words{
	"ssn": noun, "ssns": noun, "social": noun, "socialsecurity": noun, "taxpayer": hint, "tin": hint, "soc": hint,
	"phone": against, "tel": against, "fax": against, "order": against, "invoice": against, "tracking": against, "sku": against,
	"part": against, "serial": against, "model": against, "zip": against, "routing": against, "aba": against, "account": against,
	"case": against, "ticket": against, "id": against, "ein": against, "isbn": against, "version": against, "code": against,
	"passport": against, "timestamp": against, "date": against,
}

func ssnRecogniser() recogniser {
	return recogniser{name: "ssn", entity: USSSN, on: onNumber, find: findSSN}
}

// findSSN looks for 3-2-4 with hyphens (which stand by themselves), with spaces, and for nine digits written in other
// ways (which need a context word).
func findSSN(s *scan, _, _ int) {
	if s.run.digits < 9 {
		return
	}
	for i := range s.run.groups {
		for _, form := range ssnForms {
			if s.ssn(i, form) {
				break
			}
		}
	}
}

type ssnForm struct {
	rule  string
	sizes []int
	sep   byte
	score float64
}

var ssnForms = []ssnForm{
	{"ssn/hyphens", []int{3, 2, 4}, '-', 0.6},
	{"ssn/spaces", []int{3, 2, 4}, ' ', 0.4},
	{"ssn/dots", []int{3, 2, 4}, '.', 0.3},
	{"ssn/plain", []int{9}, 0, 0.2},
	{"ssn/uneven", []int{3, 6}, '-', 0.2},
	{"ssn/uneven", []int{5, 4}, '-', 0.2},
}

func (s *scan) ssn(i int, f ssnForm) bool {
	j, ok := s.ssnShaped(i, f)
	if !ok {
		return false
	}
	start, end := s.run.groups[i].start, s.run.groups[j].end
	var buf [9]byte
	digits := s.digitsOf(buf[:0], i, j)
	word := s.context(ssnWords, start, end)
	// Numbers of the taxpayer series are often called SSN, and so are made-up ones.
	called := digits[0] == '9' && word == noun && f.sep == '-'
	if !called && !issuableSSN(digits) {
		return false
	}
	score := f.score
	switch word {
	case noun:
		if score = 0.95; called {
			score = 0.9
		}
	case hint:
		score += 0.15
	case against:
		score -= 0.3
	}
	if score > 0 {
		s.report(USSSN, f.rule, start, end, score)
	}
	return true
}

// ssnShaped says whether a number of this form begins with group i, and with which group it ends.
func (s *scan) ssnShaped(i int, f ssnForm) (int, bool) {
	j := i + len(f.sizes) - 1
	if !s.shaped(i, f.sizes) {
		return 0, false
	}
	if c, ok := s.uniform(i, j); !ok || c != f.sep {
		return 0, false
	}
	start := s.run.groups[i].start
	glued := i == 0 && s.gluedBefore(start)
	follows := start == s.emailEnd || s.adjoining(ssnWords, start) == noun
	return j, (!glued || follows) && (glued || s.alone(i, j)) && !s.ssnInTable(i, j, f.sep)
}

// customID is an identifier of which nobody can say more.
const customID = "CUSTOM_ID"

func otherIDRecogniser() recogniser {
	return recogniser{name: "other-id", entity: customID, on: onNumber, find: findOtherID}
}

// findOtherID takes what is divided like an SSN but called an ID of another kind, as "National ID 536-22-8471": somebody's
// number all the same. It does not leave, under a name that claims no more than the text does.
func findOtherID(s *scan, _, _ int) {
	if s.run.digits < 9 {
		return
	}
	for i := range s.run.groups {
		j, ok := s.ssnShaped(i, ssnForms[0])
		if !ok {
			continue
		}
		var buf [9]byte
		start, end := s.run.groups[i].start, s.run.groups[j].end
		if issuableSSN(s.digitsOf(buf[:0], i, j)) && s.context(identityWords, start, end) == noun {
			s.report(customID, "other-id/nine-digits", start, end, 0.5)
		}
	}
}

// identityWords make of nine digits, divided like an SSN, an identifier of another kind.
var identityWords = words{"id": noun, "identity": noun, "identification": noun}

// ssnInTable says whether groups separated by spaces go on with more of the same on either side.
func (s *scan) ssnInTable(i, j int, sep byte) bool {
	if sep != ' ' {
		return false
	}
	return i > 0 && s.sep(i-1) == " " || j+1 < len(s.run.groups) && s.sep(j) == " "
}

// issuableSSN rejects what the Social Security Administration never issues: area 000, 666 and 900 to 999, group 00,
// serial 0000, the numbers of two famous advertisements, and nine equal digits.
func issuableSSN(d []byte) bool {
	area := string(d[:3])
	if area == "000" || area == "666" || area[0] == '9' || string(d[3:5]) == "00" || string(d[5:]) == "0000" {
		return false
	}
	switch string(d) {
	case "078051120", "219099999":
		return false
	}
	for _, c := range d {
		if c != d[0] {
			return true
		}
	}
	return false
}

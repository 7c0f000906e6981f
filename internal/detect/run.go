package detect

// group is a run of digits: text[start:end].
type group struct{ start, end int }

func (g group) len() int { return g.end - g.start }

// run is a sequence of digit groups on one line with at most maxSeparator separator characters between
// neighbours, as in "+44 (0)20 7946-0958". Each digit of a text belongs to exactly one run.
type run struct {
	groups []group
	digits int
	end    int  // after the last group
	cut    bool // the sequence goes on after maxGroups groups: a table, not a number
}

const (
	// maxGroups is above what any number format has (nine groups in an IBAN); what is longer is a
	// table and is looked at in slices of this size.
	maxGroups = 32
	// maxSeparator fits ") - ", the longest separator in use between digits of one number.
	maxSeparator = 4
)

// parseRun reads the run that starts with the digit at at.
func (s *scan) parseRun(at int) {
	r := run{groups: s.groups[:0]}
	for i := at; ; {
		end := i
		for end < len(s.text) && isDigit(s.text[end]) {
			end++
		}
		r.groups = append(r.groups, group{i, end})
		r.digits += end - i
		r.end = end
		next := end
		for next < len(s.text) && next-end <= maxSeparator && isSeparator(s.text[next]) {
			next++
		}
		if next == end || next-end > maxSeparator || next == len(s.text) || !isDigit(s.text[next]) {
			break
		}
		if len(r.groups) == maxGroups {
			r.cut = true
			break
		}
		i = next
	}
	s.run = r
}

// sep is the text between group i and the next.
func (s *scan) sep(i int) string {
	return s.text[s.run.groups[i].end:s.run.groups[i+1].start]
}

// digitsOf appends the digits of groups i to j to dst.
func (s *scan) digitsOf(dst []byte, i, j int) []byte {
	for _, g := range s.run.groups[i : j+1] {
		dst = append(dst, s.text[g.start:g.end]...)
	}
	return dst
}

// shaped says whether the groups from i on have these sizes.
func (s *scan) shaped(i int, sizes []int) bool {
	if i+len(sizes) > len(s.run.groups) {
		return false
	}
	for k, n := range sizes {
		if s.run.groups[i+k].len() != n {
			return false
		}
	}
	return true
}

// uniform says whether groups i to j are all separated by the same one character, and which.
func (s *scan) uniform(i, j int) (byte, bool) {
	var c byte
	for k := i; k < j; k++ {
		sep := s.sep(k)
		if len(sep) != 1 || k > i && sep[0] != c {
			return 0, false
		}
		c = sep[0]
	}
	return c, true
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isSeparator(c byte) bool {
	switch c {
	case ' ', '-', '.', '/', '(', ')':
		return true
	}
	return false
}

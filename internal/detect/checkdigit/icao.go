package checkdigit

// ICAO9303 is the check of machine-readable travel documents: weights 7, 3, 1, letters counted from A = 10, '<' as 0, the
// digit at the end (ICAO Doc 9303, part 3, section 4.9). Every wrong digit is caught; of letters those are not whose
// values differ by ten.
func ICAO9303(s string) bool {
	if len(s) < 2 || !isDigit(s[len(s)-1]) {
		return false
	}
	sum := 0
	for i := range len(s) - 1 {
		v := value(s[i])
		if s[i] == '<' {
			v = 0
		}
		if v < 0 {
			return false
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return sum%10 == digit(s[len(s)-1])
}

package checkdigit

import "strings"

// VINForm is a vehicle identification number: seventeen characters without I, O and Q, the last four digits (ISO 3779, ISO
// 3780).
func VINForm(s string) bool {
	if len(s) != 17 || !allDigits(s[13:]) {
		return false
	}
	for i := range len(s) {
		if value(s[i]) < 0 || strings.IndexByte("IOQ", s[i]) >= 0 {
			return false
		}
	}
	return !same(s)
}

// VIN is VINForm with the check digit at the ninth place, which is required in North America and China only (49 CFR
// 565.15, table III to V).
func VIN(s string) bool {
	if !VINForm(s) {
		return false
	}
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	sum := 0
	for i, w := range weights {
		sum += vinValue(s[i]) * w
	}
	if s[8] == 'X' {
		return sum%11 == 10
	}
	return isDigit(s[8]) && sum%11 == digit(s[8])
}

// vinValue is the value of a character: letters count from 1 in each row of EBCDIC, in which S begins with 2.
func vinValue(c byte) int {
	switch {
	case isDigit(c):
		return digit(c)
	case c <= 'H':
		return int(c-'A') + 1
	case c <= 'R':
		return int(c-'J') + 1
	}
	return int(c-'S') + 2
}

// Package checkdigit tells numbers that an authority has issued, or could have, from numbers that only look like them.
//
// # Design
//
// The general methods (Luhn, ISO 7064, Verhoeff, ICAO 9303) stand in files of their own. On them stands one
// function for each national scheme, named after the country and the number. Each takes the bare characters: digits and
// upper-case letters, without spaces, hyphens or a country prefix unless it says so, of the full length. Whatever else it is
// given, it answers false; none panics, and none allocates.
//
// # Promises
//
// True means that the form, the ranges that were never issued, dates inside the number, and the check digit agree. It
// does not mean that the number was ever given to anybody. How many random numbers pass differs greatly: one in ten
// where there is one decimal check digit, one in a hundred where there are two or a date, two in a thousand for
// GermanTaxID; a caller has to weigh this. A function whose name ends in Form looks at the form only, for schemes whose check
// digit is not public, is not used everywhere, or does not exist.
//
// # Sources
//
// Each function names its law, standard or register. Examples in the tests are those that the issuers print, or those of
// Microsoft Presidio's tests.
package checkdigit

// digitsOnly says whether s is n ASCII digits.
func digitsOnly(s string, n int) bool {
	return len(s) == n && allDigits(s)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c-'A' <= 'Z'-'A' }

// digit is the value of an ASCII digit.
func digit(c byte) int { return int(c - '0') }

// number is the value of a short run of ASCII digits.
func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + digit(s[i])
	}
	return n
}

// value is the value of a character as ISO 7064, ICAO 9303 and others count them: 0 to 9, A = 10 to Z = 35; -1 for any
// other character.
func value(c byte) int {
	switch {
	case isDigit(c):
		return digit(c)
	case isLetter(c):
		return int(c-'A') + 10
	}
	return -1
}

// same says whether s is one character over and over: zeros and the like pass many of the sums.
func same(s string) bool {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			return false
		}
	}
	return true
}

// weigh is the sum of the digits of s, each times the weight at its place. s has at least as many digits as there are
// weights.
func weigh(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += digit(s[i]) * w
	}
	return sum
}

// crossSum is the sum of the decimal digits of n, which is below 100.
func crossSum(n int) int { return n/10 + n%10 }

// monthDay says whether a month has such a day in some year.
func monthDay(month, day int) bool {
	switch month {
	case 2:
		return day >= 1 && day <= 29
	case 4, 6, 9, 11:
		return day >= 1 && day <= 30
	case 1, 3, 5, 7, 8, 10, 12:
		return day >= 1 && day <= 31
	}
	return false
}

// date says whether there is such a day in the Gregorian calendar.
func date(year, month, day int) bool {
	if month == 2 && day == 29 {
		return year%4 == 0 && (year%100 != 0 || year%400 == 0)
	}
	return monthDay(month, day)
}

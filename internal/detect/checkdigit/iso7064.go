package checkdigit

// Mod97 is ISO 7064 MOD 97-10, with letters counted as two digits (A = 10) as ISO 13616 has it. The two check digits
// stand at the end.
func Mod97(s string) bool {
	if len(s) < 3 {
		return false
	}
	sum := 0
	for i := range len(s) {
		v := value(s[i])
		switch {
		case v < 0:
			return false
		case v < 10:
			sum = (sum*10 + v) % 97
		default:
			sum = (sum*100 + v) % 97
		}
	}
	return sum == 1
}

// Mod11X is ISO 7064 MOD 11-2: digits, and a check character at the end that may be X for 10 (ORCID, ISNI).
func Mod11X(s string) bool {
	if len(s) < 2 || !allDigits(s[:len(s)-1]) {
		return false
	}
	p := 0
	for i := range len(s) - 1 {
		p = (p + digit(s[i])) * 2 % 11
	}
	check := 10
	if last := s[len(s)-1]; isDigit(last) {
		check = digit(last)
	} else if last != 'X' {
		return false
	}
	return (p+check)%11 == 1
}

// Mod37Star is ISO 7064 MOD 37-2: letters and digits, and a check character at the end that may be '*' for 36 (ISBT 128).
func Mod37Star(s string) bool {
	if len(s) < 2 {
		return false
	}
	p := 0
	for i := range len(s) - 1 {
		v := value(s[i])
		if v < 0 {
			return false
		}
		p = (p + v) * 2 % 37
	}
	check := value(s[len(s)-1])
	if s[len(s)-1] == '*' {
		check = 36
	}
	return check >= 0 && (p+check)%37 == 1
}

// Mod11_10 is ISO 7064 MOD 11,10: digits with a decimal check digit at the end.
func Mod11_10(digits string) bool {
	return len(digits) > 1 && allDigits(digits) && hybrid(digits, 10)
}

// Mod37_36 is ISO 7064 MOD 37,36: letters and digits with such a check character at the end.
func Mod37_36(s string) bool {
	if len(s) < 2 {
		return false
	}
	for i := range len(s) {
		if value(s[i]) < 0 {
			return false
		}
	}
	return hybrid(s, 36)
}

// hybrid is the recursion of section 9 of ISO 7064 over the moduli m+1 and m.
func hybrid(s string, m int) bool {
	p := m
	for i := range len(s) - 1 {
		if p = (p + value(s[i])) % m; p == 0 {
			p = m
		}
		p = p * 2 % (m + 1)
	}
	return (p+value(s[len(s)-1]))%m == 1
}

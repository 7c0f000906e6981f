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

// Mod11_10 is ISO 7064 MOD 11,10: digits with a decimal check digit at the end, by the recursion of section 9.
func Mod11_10(digits string) bool {
	if len(digits) < 2 || !allDigits(digits) {
		return false
	}
	p := 10
	for i := range len(digits) - 1 {
		if p = (p + digit(digits[i])) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+digit(digits[len(digits)-1]))%10 == 1
}

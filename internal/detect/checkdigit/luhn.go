package checkdigit

// Luhn is the "modulus 10 double-add-double" formula of ISO/IEC 7812-1, annex B (H. P. Luhn, US patent 2,950,048). It
// catches every single wrong digit and all swaps of neighbours but 09 with 90.
func Luhn(digits string) bool {
	return len(digits) > 1 && allDigits(digits) && luhnSum(digits)%10 == 0
}

func luhnSum(digits string) int {
	sum := 0
	double := len(digits)%2 == 0
	for i := range len(digits) {
		d := digit(digits[i])
		if double {
			d = crossSum(2 * d)
		}
		sum += d
		double = !double
	}
	return sum
}

// luhn36 is Luhn's formula in base 36 with the weights 1 and 2 from the left, as India uses it: quotient and remainder of
// each product are added.
func luhn36(s string) bool {
	sum := 0
	for i := range len(s) - 1 {
		v := value(s[i])
		if v < 0 {
			return false
		}
		v *= 1 + i%2
		sum += v/36 + v%36
	}
	return value(s[len(s)-1]) == (36-sum%36)%36
}

// IMEI is the number of a mobile device with its check digit: 15 digits with Luhn (3GPP TS 23.003, annex B).
func IMEI(digits string) bool {
	return digitsOnly(digits, 15) && !same(digits) && Luhn(digits)
}

// EAN13 is a GTIN of 13 digits with the weights 1 and 3 (GS1 General Specifications, section 7.9); ISBN-13 is one.
func EAN13(digits string) bool {
	return digitsOnly(digits, 13) && weigh(digits, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1)%10 == 0
}

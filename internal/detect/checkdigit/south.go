package checkdigit

// AustralianTFN is the tax file number: nine digits, modulus 11 (Australian Taxation Office; the weights are those of its
// software specifications).
func AustralianTFN(digits string) bool {
	return digitsOnly(digits, 9) && !same(digits) && weigh(digits, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0
}

// AustralianABN is the business number: eleven digits, 1 taken from the first, divisible by 89 (Australian Business Register,
// "Format of the ABN").
func AustralianABN(digits string) bool {
	return digitsOnly(digits, 11) && digits[0] != '0' &&
		(weigh(digits, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

// AustralianACN is the company number: nine digits, weights 8 to 1, modulus 10 (Australian Securities and Investments
// Commission, "ACN digit check").
func AustralianACN(digits string) bool {
	return digitsOnly(digits, 9) && !same(digits) && (10-weigh(digits, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == digit(digits[8])
}

// AustralianMedicare is the number of a Medicare card: 2 to 6 in front, eight digits with the weights 1, 3, 7, 9, a check digit,
// the issue, and perhaps the number of the person on the card (Services Australia, Medicare card number check).
func AustralianMedicare(digits string) bool {
	if len(digits) != 10 && len(digits) != 11 || !allDigits(digits) || digits[0] < '2' || digits[0] > '6' {
		return false
	}
	return weigh(digits, 1, 3, 7, 9, 1, 3, 7, 9)%10 == digit(digits[8]) && digits[9] != '0'
}

// SouthAfricanID is the identity number: birthday, sex and serial, citizenship (0 to 2), a digit that once was the race, Luhn
// (Identification Act 68 of 1997).
func SouthAfricanID(digits string) bool {
	if !digitsOnly(digits, 13) || digits[10] > '2' || !Luhn(digits) {
		return false
	}
	year, month, day := number(digits[:2]), number(digits[2:4]), number(digits[4:6])
	return date(1900+year, month, day) || date(2000+year, month, day)
}

// NigerianNIN is the national identification number: eleven digits, Verhoeff (National Identity Management Commission, format of
// the NIN).
func NigerianNIN(digits string) bool {
	return digitsOnly(digits, 11) && !same(digits) && Verhoeff(digits)
}

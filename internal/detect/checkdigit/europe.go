package checkdigit

import "strings"

// PolishPESEL is the number of the register of people: birthday with the century in the month, serial, weights 1, 3, 7,
// 9 (ustawa o ewidencji ludności of 24 September 2010, art. 15).
func PolishPESEL(digits string) bool {
	if !digitsOnly(digits, 11) {
		return false
	}
	century := [...]int{1900, 2000, 2100, 2200, 1800}[number(digits[2:4])/20]
	if !date(century+number(digits[:2]), number(digits[2:4])%20, number(digits[4:6])) {
		return false
	}
	return (10-weigh(digits, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10 == digit(digits[10])
}

// FinnishHETU is the henkilötunnus: birthday, a sign for the century, individual number, one of 31 check characters (Valtioneuvoston
// asetus 128/2010; 690/2022 for the signs in use since 2023). Individual numbers from 900 on are temporary ones.
func FinnishHETU(s string) bool {
	if len(s) != 11 || !allDigits(s[:6]) || !allDigits(s[7:10]) {
		return false
	}
	century := 1900
	switch s[6] {
	case '+':
		century = 1800
	case '-', 'U', 'V', 'W', 'X', 'Y':
	case 'A', 'B', 'C', 'D', 'E', 'F':
		century = 2000
	default:
		return false
	}
	if !date(century+number(s[4:6]), number(s[2:4]), number(s[:2])) || number(s[7:10]) < 2 {
		return false
	}
	const check = "0123456789ABCDEFHJKLMNPRSTUVWXY"
	return s[10] == check[(number(s[:6])*1000+number(s[7:10]))%31]
}

// SwedishPersonnummer is the number of a person, in ten digits or in twelve with the century: birthday (the day raised by 60 in a
// samordningsnummer), serial, Luhn over the last ten (folkbokföringslagen 1991:481, § 18).
func SwedishPersonnummer(digits string) bool {
	if !allDigits(digits) {
		return false
	}
	year, leap := -1, true
	if len(digits) == 12 {
		year = number(digits[:4])
		leap = date(year, 2, 29)
		digits = digits[2:]
	}
	if len(digits) != 10 || year >= 0 && (year < 1800 || year > 2099) {
		return false
	}
	month, day := number(digits[2:4]), number(digits[4:6])
	if day > 60 {
		day -= 60
	}
	if year < 0 {
		leap = number(digits[:2])%4 == 0
	}
	return monthDay(month, day) && (leap || month != 2 || day != 29) && Luhn(digits)
}

// SwedishOrganisation is the organisationsnummer: ten digits, the third at least 2 so that it is never a month, Luhn (lagen 1974:174).
// With the century 16 in front it has twelve.
func SwedishOrganisation(digits string) bool {
	if len(digits) == 12 && digits[:2] == "16" {
		digits = digits[2:]
	}
	return digitsOnly(digits, 10) && digits[0] != '0' && digits[2] >= '2' && !same(digits) && Luhn(digits)
}

// SwissAHV is the AHV number since 2008: 756, nine digits, the check digit of EAN-13 (AHVG art. 50c; AHVV art. 133).
func SwissAHV(digits string) bool {
	return len(digits) == 13 && strings.HasPrefix(digits, "756") && EAN13(digits)
}

// DutchBSN is the burgerservicenummer: nine digits, weights 9 to 2 and minus 1, divisible by 11 (Wet algemene bepalingen
// burgerservicenummer; Logisch Ontwerp BSN, section 2.1).
func DutchBSN(digits string) bool {
	return digitsOnly(digits, 9) && digits[:2] != "00" && !same(digits) &&
		weigh(digits, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0
}

// TurkishID is the T.C. kimlik numarası: eleven digits, no 0 in front, two check digits (Nüfus ve Vatandaşlık İşleri; the procedure
// is that of the ministry's form for checking it).
func TurkishID(digits string) bool {
	if !digitsOnly(digits, 11) || digits[0] == '0' {
		return false
	}
	tenth := weigh(digits, 7, -1, 7, -1, 7, -1, 7, -1, 7) % 10
	if tenth < 0 {
		tenth += 10
	}
	return tenth == digit(digits[9]) && weigh(digits, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)%10 == digit(digits[10])
}

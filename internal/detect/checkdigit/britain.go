package checkdigit

import "strings"

// BritishNHS is the NHS number of England, Wales and the Isle of Man: ten digits, weights 10 to 2, modulus 11; a
// remainder that would need the digit 10 is not issued (NHS Data Dictionary, NHS NUMBER).
func BritishNHS(digits string) bool {
	if !digitsOnly(digits, 10) || same(digits) {
		return false
	}
	return (11-weigh(digits, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11 == digit(digits[9])
}

// BritishNationalInsuranceForm is the NINO: two letters, six digits, a letter A to D. D, F, I, Q, U and V are in no prefix, O is
// not second, and some prefixes are kept for other uses (HMRC, National Insurance Manual NIM39110).
func BritishNationalInsuranceForm(s string) bool {
	if len(s) != 9 || !isLetter(s[0]) || !isLetter(s[1]) || !allDigits(s[2:8]) || s[8] < 'A' || s[8] > 'D' {
		return false
	}
	const never = "DFIQUV"
	if strings.IndexByte(never, s[0]) >= 0 || strings.IndexByte(never, s[1]) >= 0 || s[1] == 'O' {
		return false
	}
	switch s[:2] {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return false
	}
	return true
}

// BritishDrivingLicenceForm is the driver number of Great Britain: five letters of the name filled with 9, the decade, month
// (raised by 50 for women), day and year of birth, two initials or 9, and three more (DVLA, notes on the photocard
// licence). How the last two check the
// rest is not public.
func BritishDrivingLicenceForm(s string) bool {
	if len(s) != 16 || !paddedName(s[:5]) || !allDigits(s[5:11]) || !isLetter(s[14]) || !isLetter(s[15]) {
		return false
	}
	month, day := number(s[6:8]), number(s[8:10])
	if month > 50 {
		month -= 50
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && paddedName(s[11:13]) && value(s[13]) >= 0
}

// paddedName says whether s is letters, then nothing but 9.
func paddedName(s string) bool {
	i := 0
	for i < len(s) && isLetter(s[i]) {
		i++
	}
	return i > 0 && strings.Trim(s[i:], "9") == ""
}

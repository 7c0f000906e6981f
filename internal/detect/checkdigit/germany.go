package checkdigit

import "strings"

// GermanTaxID is the Steuer-Identifikationsnummer (§ 139b Abgabenordnung): eleven digits, none of them 0 in front, with
// ISO 7064 MOD 11,10 (Bundeszentralamt für Steuern, check digit procedure of ELSTER). Of the first ten exactly one occurs
// twice, or three times but not in a row. Ten different digits pass as well: they were never issued, but it is with
// them that forms and manuals show what such a number looks like.
func GermanTaxID(digits string) bool {
	if !digitsOnly(digits, 11) || digits[0] == '0' || !Mod11_10(digits) {
		return false
	}
	var times [10]int
	repeated := 0
	for i := range 10 {
		d := digit(digits[i])
		times[d]++
		switch {
		case times[d] == 2:
			repeated++
		case times[d] > 3, times[d] == 3 && digits[i-1] == digits[i] && digits[i-2] == digits[i]:
			return false
		}
	}
	return repeated <= 1
}

// GermanVATID is the nine digits behind the DE of a Umsatzsteuer-Identifikationsnummer (§ 27a UStG): ISO 7064 MOD 11,10, no
// 0 in front. The Federal Central Tax Office does not publish the procedure; this is the one that the EU's VIES uses.
func GermanVATID(digits string) bool {
	return digitsOnly(digits, 9) && digits[0] != '0' && Mod11_10(digits)
}

// GermanTaxNumberForm is the Steuernummer in the form of the federation: thirteen digits, the first two or four for the tax
// office of a state, then a 0 (ELSTER, "Prüfung der Steuer- und Steueridentifikationsnummer", section 2). The check digit
// differs by state and is not looked at.
func GermanTaxNumberForm(digits string) bool {
	if !digitsOnly(digits, 13) || digits[4] != '0' {
		return false
	}
	switch digits[:2] {
	case "10", "11", "21", "22", "23", "24", "26", "27", "28", "30", "31", "32", "40", "41":
		return true
	}
	return digits[0] == '5' || digits[0] == '9'
}

// GermanSocialSecurity is the Versicherungsnummer of the pension insurance (§ 147 SGB VI, VKVV § 2): area, birthday, the initial
// of the name at birth, serial, check digit. Of the twelve digits before it (the letter counts as two) each product
// with its weight is summed by its own digits. A day is raised by 50 where the serials of a day ran out.
func GermanSocialSecurity(s string) bool {
	if len(s) != 12 || !allDigits(s[:8]) || !isLetter(s[8]) || !allDigits(s[9:]) {
		return false
	}
	day, month, area := number(s[2:4]), number(s[4:6]), number(s[:2])
	if day > 50 {
		day -= 50
	}
	if !monthDay(month, day) || area < 2 || area > 89 {
		return false
	}
	weights := [...]int{2, 1, 2, 5, 7, 1, 2, 1}
	sum := 0
	for i, w := range weights {
		sum += crossSum(digit(s[i]) * w)
	}
	letter := int(s[8]-'A') + 1
	sum += crossSum(letter/10*2) + letter%10 + crossSum(digit(s[9])*2) + digit(s[10])
	return sum%10 == digit(s[11])
}

// GermanHealthInsurance is the part of the Krankenversichertennummer that stays for life (§ 290 SGB V): a letter, which
// counts as two digits, eight digits, and Luhn's formula with the weights 1 and 2 from the left.
func GermanHealthInsurance(s string) bool {
	if len(s) != 10 || !isLetter(s[0]) || !allDigits(s[1:]) {
		return false
	}
	letter := int(s[0]-'A') + 1
	sum := letter/10 + crossSum(letter%10*2)
	for i := 1; i < 9; i++ {
		sum += crossSum(digit(s[i]) * (2 - i%2))
	}
	return sum%10 == digit(s[9])
}

// GermanPhysician is the lebenslange Arztnummer (LANR): six digits, a check digit with the weights 4 and 9, two digits for
// the field (KBV, Arztnummern-Richtlinie § 75 Abs. 7 SGB V).
func GermanPhysician(digits string) bool {
	return digitsOnly(digits, 9) && digits[:6] != "000000" &&
		(10-weigh(digits, 4, 9, 4, 9, 4, 9)%10)%10 == digit(digits[6])
}

// GermanPracticeForm is the Betriebsstättennummer (BSNR): nine digits, the first two for the region of the association of
// physicians (KBV, same directive). It has no check digit.
func GermanPracticeForm(digits string) bool {
	return digitsOnly(digits, 9) && digits[:2] != "00" && !same(digits)
}

// germanDocument holds the characters of serial numbers of German documents: no vowels, so that no words come about, and none
// that look like another (Bundesministerium des Innern, on the serial number of identity cards and passports).
const germanDocument = "0123456789CFGHJKLMNPRTVWXYZ"

// GermanIDCard is the serial number of an identity card since 2010 with an ICAO 9303 check digit at its end: nine characters
// of which the first is a letter, and the check digit, as the machine-readable zone has them. Collections of examples also have
// it as eight and the check digit.
func GermanIDCard(s string) bool {
	return (len(s) == 9 || len(s) == 10) && GermanSerialForm(s[:len(s)-1]) && ICAO9303(s)
}

// GermanOldIDCardForm is T and eight digits, as on temporary cards and cards whose check digit stands apart.
func GermanOldIDCardForm(s string) bool {
	return len(s) == 9 && s[0] == 'T' && allDigits(s[1:])
}

// GermanPassport is the number of a passport, made like that of an identity card.
func GermanPassport(s string) bool {
	return GermanIDCard(s)
}

// GermanSerialForm is the number of a document without its check digit, in eight or nine characters.
func GermanSerialForm(s string) bool {
	if len(s) != 8 && len(s) != 9 || !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if strings.IndexByte(germanDocument, s[i]) < 0 {
			return false
		}
	}
	return true
}

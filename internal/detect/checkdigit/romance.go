package checkdigit

import "strings"

// spanishLetters is the letter for each remainder by 23 (Real Decreto 1553/2005, art. 11; Orden INT/2058/2008).
const spanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

// SpanishNIF is the number of the DNI with its letter: eight digits, remainder by 23.
func SpanishNIF(s string) bool {
	return len(s) == 9 && allDigits(s[:8]) && s[8] == spanishLetters[number(s[:8])%23]
}

// SpanishNIE is the number of foreigners: X, Y or Z for 0, 1 or 2, seven digits, the letter of a NIF.
func SpanishNIE(s string) bool {
	if len(s) != 9 || s[0] < 'X' || s[0] > 'Z' || !allDigits(s[1:8]) {
		return false
	}
	return s[8] == spanishLetters[(int(s[0]-'X')*10_000_000+number(s[1:8]))%23]
}

// italianOdd is the value of a character at an odd place, digits then letters (Decreto Ministeriale 12 March 1974, art.
// 9). Digits have the values of the first ten letters.
var italianOdd = [26]int{
	1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
}

// omocodia are the letters that stand for the digits 0 to 9 where two people would have the same code.
const omocodia = "LMNPQRSTUV"

// ItalianFiscalCode is the codice fiscale of a person with its check letter.
func ItalianFiscalCode(s string) bool {
	if !ItalianFiscalCodeForm(s) {
		return false
	}
	sum := 0
	for i := range 15 {
		v := value(s[i])
		if v >= 10 {
			v -= 10
		}
		if i%2 == 0 {
			v = italianOdd[v]
		}
		sum += v
	}
	return int(s[15]-'A') == sum%26
}

// ItalianFiscalCodeForm is the codice fiscale without a look at its check letter: six letters of the names, year, letter
// of the month, day (raised by 40 for women), the code of the place.
func ItalianFiscalCodeForm(s string) bool {
	if len(s) != 16 || !isLetter(s[15]) || strings.IndexByte("ABCDEHLMPRST", s[8]) < 0 || !isLetter(s[11]) {
		return false
	}
	for i := range 6 {
		if !isLetter(s[i]) {
			return false
		}
	}
	var d [7]int
	for i, at := range [...]int{6, 7, 9, 10, 12, 13, 14} {
		if d[i] = digitOrOmocodia(s[at]); d[i] < 0 {
			return false
		}
	}
	day := d[2]*10 + d[3]
	return day >= 1 && day <= 31 || day >= 41 && day <= 71
}

func digitOrOmocodia(c byte) int {
	if isDigit(c) {
		return digit(c)
	}
	return strings.IndexByte(omocodia, c)
}

// ItalianVAT is the partita IVA: seven digits, three for the office (001 to 100, 120, 121, 888, 999), Luhn (DPR 633/1972, art.
// 35; Decreto Ministeriale 23 December 1976).
func ItalianVAT(digits string) bool {
	if !digitsOnly(digits, 11) || digits[:7] == "0000000" {
		return false
	}
	switch office := number(digits[7:10]); office {
	case 120, 121, 888, 999:
	default:
		if office < 1 || office > 100 {
			return false
		}
	}
	return Luhn(digits)
}

// FrenchNIR is the numéro d'inscription au répertoire with its key: sex, year, month, department, commune, order, 97 less the
// remainder by 97 (décret 82-103, INSEE). Corsica's 2A and 2B count as 19 and 18.
func FrenchNIR(s string) bool {
	if len(s) != 15 || !allDigits(s[:6]) || !isDigit(s[5]) || !allDigits(s[7:]) {
		return false
	}
	department := value(s[6])
	switch {
	case isDigit(s[6]):
		department += 10 * digit(s[5])
	case s[5] == '2' && (s[6] == 'A' || s[6] == 'B'):
		department = 19 - (department - 10)
	default:
		return false
	}
	if strings.IndexByte("123478", s[0]) < 0 || !frenchMonth(number(s[3:5])) || department == 0 {
		return false
	}
	rest := number(s[:5])*100 + department
	rest = rest*1_000_000 + number(s[7:13])
	return 97-rest%97 == number(s[13:])
}

// frenchMonth: above 12 stand for an unknown month or an incomplete record.
func frenchMonth(m int) bool {
	return m >= 1 && m <= 12 || m >= 20 && m <= 42 || m >= 50
}

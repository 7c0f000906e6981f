package checkdigit

import "strings"

// IndianAadhaar is the number of the Unique Identification Authority: twelve digits, 0 and 1 not in front, Verhoeff (UIDAI,
// "A UID Numbering Scheme", 2010). The same backwards as forwards is not issued.
func IndianAadhaar(digits string) bool {
	return digitsOnly(digits, 12) && digits[0] >= '2' && !palindrome(digits) && Verhoeff(digits)
}

func palindrome(s string) bool {
	for i := range len(s) / 2 {
		if s[i] != s[len(s)-1-i] {
			return false
		}
	}
	return true
}

// IndianPANForm is the Permanent Account Number: five letters, four digits, a letter (Income-tax Rules 1962, rule 114). The fourth
// letter tells the kind of holder, see IndianPANHolder. How the last letter checks the rest is not public.
func IndianPANForm(s string) bool {
	if len(s) != 10 || !allDigits(s[5:9]) || !isLetter(s[9]) {
		return false
	}
	for i := range 5 {
		if !isLetter(s[i]) {
			return false
		}
	}
	return true
}

// IndianPANHolder says whether a PAN names a kind of holder that there is.
func IndianPANHolder(s string) bool {
	return IndianPANForm(s) && strings.IndexByte("ABCEFGHJLPT", s[3]) >= 0
}

// IndianGSTIN is the Goods and Services Tax number with its check character in base 36.
func IndianGSTIN(s string) bool {
	return IndianGSTINForm(s) && luhn36(s)
}

// IndianGSTINForm is the same without a look at the check character: state, PAN, number of the registration, Z (CGST Rules 2017,
// rule 10).
func IndianGSTINForm(s string) bool {
	if len(s) != 15 || !allDigits(s[:2]) || !IndianPANForm(s[2:12]) || s[12] == '0' || value(s[12]) < 0 {
		return false
	}
	state := number(s[:2])
	return s[13] == 'Z' && value(s[14]) >= 0 && (state >= 1 && state <= 38 || state == 97 || state == 99)
}

// SingaporeanNRIC is the number of the identity card or of a foreigner: a letter for the century and kind, seven digits, a check
// letter by modulus 11 (National Registration Act; the tables of the Immigration and Checkpoints Authority are not published
// and were found from issued numbers, M from 2022 on).
func SingaporeanNRIC(s string) bool {
	if len(s) != 9 || !allDigits(s[1:8]) {
		return false
	}
	sum := weigh(s[1:], 2, 7, 6, 5, 4, 3, 2)
	switch s[0] {
	case 'S':
		return s[8] == "JZIHGFEDCBA"[sum%11]
	case 'T':
		return s[8] == "JZIHGFEDCBA"[(sum+4)%11]
	case 'F':
		return s[8] == "XWUTRQPNMLK"[sum%11]
	case 'G':
		return s[8] == "XWUTRQPNMLK"[(sum+4)%11]
	case 'M':
		return s[8] == "XWUTRQPNJLK"[(sum+3)%11]
	}
	return false
}

// uenAlphabet is that of entities other than businesses and companies.
const uenAlphabet = "ABCDEFGHJKLMNPQRSTUVWX0123456789"

// SingaporeanUEN is the Unique Entity Number in its three forms: business, local company, other entity (Accounting and Corporate
// Regulatory Authority, UEN regulations; check letters as python-stdnum has them).
func SingaporeanUEN(s string) bool {
	switch {
	case len(s) == 9 && allDigits(s[:8]):
		return s[8] == "XMKECAWLJDB"[weigh(s, 10, 4, 9, 3, 8, 2, 7, 1)%11]
	case len(s) == 10 && allDigits(s[:9]):
		return s[9] == "ZKCMDNERGWH"[weigh(s, 10, 8, 6, 4, 9, 7, 5, 3, 1)%11]
	case len(s) == 10 && strings.IndexByte("RST", s[0]) >= 0 && allDigits(s[1:3]) && isLetter(s[3]) && isLetter(s[4]) && allDigits(s[5:9]):
		sum := -5
		for i, w := range [...]int{4, 3, 5, 3, 10, 2, 2, 5, 7} {
			v := strings.IndexByte(uenAlphabet, s[i])
			if v < 0 {
				return false
			}
			sum += v * w
		}
		return s[9] == uenAlphabet[(sum+11)%11]
	}
	return false
}

// ThaiID is the number of citizens: thirteen digits, weights 13 to 2, modulus 11 (Civil Registration Act B.E. 2534; Bureau of
// Registration Administration). The first digit, 1 to 8, is the kind of person, the next two are the province (ISO 3166-2:TH).
func ThaiID(digits string) bool {
	return digitsOnly(digits, 13) && digits[0] >= '1' && digits[0] <= '8' && thaiProvince(number(digits[1:3])) &&
		(11-weigh(digits, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == digit(digits[12])
}

func thaiProvince(n int) bool {
	return n >= 10 && n <= 27 || n >= 30 && n <= 58 || n >= 60 && n <= 67 || n >= 70 && n <= 77 || n >= 80 && n <= 86 ||
		n >= 90 && n <= 96
}

// KoreanResidentForm is the resident registration number: birthday, a digit for sex and century, six digits (Enforcement Rule of the
// Resident Registration Act; the digits of those born before 1900 are left out). Since October 2020 the last six are random, so that their check digit says nothing.
func KoreanResidentForm(digits string) bool {
	return koreanForm(digits, "1234")
}

// KoreanForeignerForm is the foreigner registration number: like that of residents, with 5 to 8 for sex and century
// (Immigration Act, Enforcement Rule). Since October 2020 the last six are random.
func KoreanForeignerForm(digits string) bool {
	return koreanForm(digits, "5678")
}

func koreanForm(digits, sexes string) bool {
	return digitsOnly(digits, 13) && monthDay(number(digits[2:4]), number(digits[4:6])) && strings.IndexByte(sexes, digits[6]) >= 0
}

// KoreanBusiness is the business registration number: ten digits, weights 1, 3, 7 with a carry of the last (National Tax
// Service).
func KoreanBusiness(digits string) bool {
	if !digitsOnly(digits, 10) || same(digits) {
		return false
	}
	sum := weigh(digits, 1, 3, 7, 1, 3, 7, 1, 3, 5) + digit(digits[8])*5/10
	return (10-sum%10)%10 == digit(digits[9])
}

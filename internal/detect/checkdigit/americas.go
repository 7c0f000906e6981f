package checkdigit

import "strings"

// RoutingNumberUS is the ABA routing transit number: nine digits, weights 3, 7, 1, and the ranges in use (American Bankers
// Association; 12 CFR part 229, appendix A).
func RoutingNumberUS(digits string) bool {
	if !digitsOnly(digits, 9) || same(digits) {
		return false
	}
	switch n := number(digits[:2]); {
	case n <= 12, n >= 21 && n <= 32, n >= 61 && n <= 72, n == 80:
	default:
		return false
	}
	return weigh(digits, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0
}

// ProviderUS is the National Provider Identifier: ten digits, the first 1 or 2, Luhn with 80840 in front (45 CFR 162.406, CMS,
// "Requirements for National Provider Identifier check digit").
func ProviderUS(digits string) bool {
	const prefixSum = 24 // what 80840 adds
	return digitsOnly(digits, 10) && (digits[0] == '1' || digits[0] == '2') && (luhnSum(digits)+prefixSum)%10 == 0
}

// MedicareFormUS is the Medicare Beneficiary Identifier: eleven places, each of its kind, letters without S, L, O, I, B, Z (CMS,
// "Understanding the MBI format"). It has no check digit.
func MedicareFormUS(s string) bool {
	const kinds = "1AN0AN0AA00" // 1: digit but 0, 0: digit, A: letter, N: either
	if len(s) != len(kinds) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := isLetter(c) && strings.IndexByte("SLOIBZ", c) < 0
		switch kinds[i] {
		case '1':
			if !isDigit(c) || c == '0' {
				return false
			}
		case '0':
			if !isDigit(c) {
				return false
			}
		case 'A':
			if !letter {
				return false
			}
		default:
			if !letter && !isDigit(c) {
				return false
			}
		}
	}
	return true
}

// DrugEnforcementUS is the DEA registration of a prescriber: a letter for the kind, the initial (or 9), six digits, a check digit (Drug
// Enforcement Administration, Practitioner's Manual).
func DrugEnforcementUS(s string) bool {
	if len(s) != 9 || strings.IndexByte("ABCDEFGHJKLMPRSTUX", s[0]) < 0 || !isLetter(s[1]) && s[1] != '9' || !allDigits(s[2:]) {
		return false
	}
	return weigh(s[2:], 1, 2, 1, 2, 1, 2)%10 == digit(s[8])
}

// TaxpayerFormUS is the ITIN: 9, two digits, a group in one of the ranges in use, four digits (IRS, Internal Revenue Manual 3.21.263).
func TaxpayerFormUS(digits string) bool {
	if !digitsOnly(digits, 9) || digits[0] != '9' {
		return false
	}
	group := number(digits[3:5])
	return group >= 50 && group <= 65 || group >= 70 && group <= 88 || group >= 90 && group <= 92 || group >= 94
}

// CanadianSIN is the social insurance number: nine digits, Luhn; 0 in front is not issued, 8 is kept for businesses
// (Employment and Social Development Canada, SIN Code of Practice).
func CanadianSIN(digits string) bool {
	return digitsOnly(digits, 9) && digits[0] != '0' && digits[0] != '8' && !same(digits) && Luhn(digits)
}

// BrazilianCPF is the Cadastro de Pessoas Físicas: nine digits and two check digits, each by modulus 11 (Instrução
// Normativa RFB 1.548/2015).
func BrazilianCPF(digits string) bool {
	return digitsOnly(digits, 11) && !same(digits) && brazilianCheck(digits[:10], 10) && brazilianCheck(digits, 11)
}

// BrazilianCNPJ is the Cadastro Nacional da Pessoa Jurídica: twelve characters, which may be letters from July 2026 on, and two
// check digits (Instrução Normativa RFB 2.229/2024: the value of a character is its ASCII code less 48).
func BrazilianCNPJ(s string) bool {
	if len(s) != 14 || !allDigits(s[12:]) || same(s) {
		return false
	}
	for i := range 12 {
		if value(s[i]) < 0 {
			return false
		}
	}
	return brazilianCheck(s[:13], 9) && brazilianCheck(s, 9)
}

// brazilianCheck says whether the last character is the check digit of those before: weights from 2 on at the right end, up to
// highest, then from 2 on again.
func brazilianCheck(s string, highest int) bool {
	sum, w := 0, 2
	for i := len(s) - 2; i >= 0; i-- {
		sum += int(s[i]-'0') * w
		if w++; w > highest {
			w = 2
		}
	}
	check := 11 - sum%11
	if check >= 10 {
		check = 0
	}
	return check == digit(s[len(s)-1])
}

package detect

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

// ibanFormats is the national part of each country's IBAN after the check digits, from SWIFT's registry: n digits, a
// letters, c letters or digits.
var ibanFormats = map[string]string{
	"AD": "n8 c12", "AE": "n19", "AL": "n8 c16", "AT": "n16",
	"AZ": "a4 c20", "BA": "n16", "BE": "n12", "BG": "a4 n6 c8",
	"BH": "a4 c14", "BI": "n23", "BR": "n23 a1 c1", "BY": "c4 n4 c16",
	"CH": "n5 c12", "CR": "n18", "CY": "n8 c16", "CZ": "n20",
	"DE": "n18", "DJ": "n23", "DK": "n14", "DO": "c4 n20",
	"EE": "n16", "EG": "n25", "ES": "n20", "FI": "n14",
	"FK": "a2 n12", "FO": "n14", "FR": "n10 c11 n2", "GB": "a4 n14",
	"GE": "a2 n16", "GI": "a4 c15", "GL": "n14", "GR": "n7 c16",
	"GT": "c4 c20", "HN": "a4 n20", "HR": "n17", "HU": "n24",
	"IE": "a4 n14", "IL": "n19", "IQ": "a4 n15", "IS": "n22",
	"IT": "a1 n10 c12", "JO": "a4 n4 c18", "KW": "a4 c22", "KZ": "n3 c13",
	"LB": "n4 c20", "LC": "a4 c24", "LI": "n5 c12", "LT": "n16",
	"LU": "n3 c13", "LV": "a4 c13", "LY": "n21", "MC": "n10 c11 n2",
	"MD": "c20", "ME": "n18", "MK": "n3 c10 n2", "MN": "n16",
	"MR": "n23", "MT": "a4 n5 c18", "MU": "a4 n19 a3", "NI": "a4 n20",
	"NL": "a4 n10", "NO": "n11", "OM": "n3 c16", "PK": "a4 c16",
	"PL": "n24", "PS": "a4 c21", "PT": "n21", "QA": "a4 c21",
	"RO": "a4 c16", "RS": "n18", "RU": "n14 c15", "SA": "n2 c18",
	"SC": "a4 n20 a3", "SD": "n14", "SE": "n20", "SI": "n15",
	"SK": "n20", "SM": "a1 n10 c12", "SO": "n19", "ST": "n21",
	"SV": "a4 n20", "TL": "n19", "TN": "n20", "TR": "n6 c16",
	"UA": "n6 c19", "VA": "n18", "VG": "a4 n16", "XK": "n16",
	"YE": "a4 n4 c18"}

const (
	minIBAN = 15 // Norway
	maxIBAN = 34 // ISO 13616-1
	// maxIBANWindow has room for a separator after each group of four.
	maxIBANWindow = maxIBAN + maxIBAN/4 + 1
)

var ibanWords = words{"iban": noun, "ibans": noun, "account": hint, "bank": hint, "konto": hint, "transfer": hint}

func ibanRecogniser() recogniser {
	return recogniser{name: "iban", entity: IBANCode, on: onNumber, find: findIBAN}
}

// findIBAN starts where a run begins right after two letters that are a word of their own.
func findIBAN(s *scan, at, _ int) {
	start := at - 2
	if s.byteBefore(at) == ' ' {
		start-- // "DE 89 3704 ..."
	}
	if start < 0 || !isAlpha(s.text[start]) || !isAlpha(s.text[start+1]) {
		return
	}
	if s.gluedBefore(start) && s.adjoining(ibanWords, start) != noun || s.run.groups[0].len() < 2 {
		return
	}
	country := string([]byte{upper(s.text[start]), upper(s.text[start+1])})
	format, ok := ibanFormats[country]
	if !ok {
		return
	}
	var buf [maxIBAN]byte
	value, end, ok := s.readIBAN(buf[:0], start, ibanLength(format))
	if !ok || !matchesFormat(value[4:], format) || !mod97(value) {
		return
	}
	s.report(IBANCode, "iban/"+country, start, end, 0.95)
}

// readIBAN collects n letters and digits from start on, in groups of four or without groups, in upper or in lower
// case. Mixed case is no IBAN.
func (s *scan) readIBAN(dst []byte, start, n int) ([]byte, int, bool) {
	var sep byte
	var uppers, lowers bool
	i := start
	for ; i < len(s.text) && i-start < maxIBANWindow && len(dst) < n; i++ {
		c := s.text[i]
		switch {
		case isAlnum(c):
			uppers = uppers || isUpper(c)
			lowers = lowers || isLower(c)
			dst = append(dst, upper(c))
		case (c == ' ' || c == '-') && len(dst) > 0 && s.text[i-1] != c && (sep == 0 || sep == c):
			sep = c
		default:
			return nil, 0, false
		}
	}
	if len(dst) < n || uppers && lowers || s.gluedAfter(i) {
		return nil, 0, false
	}
	return dst, i, true
}

func ibanLength(format string) int {
	n := 4
	for i := 0; i < len(format); {
		_, count, next := formatPart(format, i)
		n += count
		i = next
	}
	return n
}

// formatPart reads one part, as "n10", and returns where the next begins.
func formatPart(format string, i int) (kind byte, count, next int) {
	kind = format[i]
	for i++; i < len(format) && format[i] != ' '; i++ {
		count = count*10 + int(format[i]-'0')
	}
	return kind, count, min(i+1, len(format))
}

func matchesFormat(value []byte, format string) bool {
	at := 0
	for i := 0; i < len(format); {
		kind, count, next := formatPart(format, i)
		for _, c := range value[at : at+count] {
			if kind == 'n' && !isDigit(c) || kind == 'a' && isDigit(c) {
				return false
			}
		}
		at += count
		i = next
	}
	return true
}

// mod97 is the check of ISO 13616: with the first four characters moved to the end.
func mod97(value []byte) bool { return checkdigit.Mod97(string(value[4:]) + string(value[:4])) }

func isAlpha(c byte) bool { return isLower(c) || isUpper(c) }

func upper(c byte) byte {
	if isLower(c) {
		return c - 'a' + 'A'
	}
	return c
}

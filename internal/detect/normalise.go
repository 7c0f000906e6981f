package detect

import (
	"net/netip"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Normalise is the form of a value by which the same thing is found again however it was written. It serves keyed
// look-up digests only: it is not reversible, and values that differ may share it.
//
//	EMAIL_ADDRESS   case folded
//	PHONE_NUMBER    E.164 with ";ext=" where it parses (a number without country code: as North American, if
//	                valid there), else its digits
//	CREDIT_CARD, IBAN_CODE, US_SSN   letters in capitals and digits, nothing else
//	IP_ADDRESS      the canonical form (RFC 5952), an IPv4-mapped address as IPv4
//	PRIVATE_KEY, API_KEY   as it is, trimmed: their case matters
//	all others      NFKC, case folded, white space collapsed
func Normalise(entity, value string) string {
	if entity == PrivateKey || entity == APIKey {
		return strings.TrimSpace(value)
	}
	value = fold(norm.NFKC.String(value), nil).text
	// The fold of x/text swaps the cases of Cherokee; lower case after it makes both the same.
	value = norm.NFKC.String(strings.ToLower(cases.Fold().String(value)))
	value = strings.Join(strings.Fields(value), " ")
	switch entity {
	case PhoneNumber:
		return normalisePhone(value)
	case CreditCard, IBANCode, USSSN:
		return strings.ToUpper(strings.Map(lettersAndDigits, value))
	case IPAddress:
		return normaliseIP(value)
	}
	return value
}

func lettersAndDigits(r rune) rune {
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return r
	}
	return -1
}

func normalisePhone(value string) string {
	number := value
	if digits, ok := strings.CutPrefix(value, "00"); ok {
		number = "+" + digits
	}
	n, err := phonenumbers.Parse(number, "US")
	foreign := strings.HasPrefix(strings.TrimLeft(number, "( "), "+")
	if err != nil || foreign && !phonenumbers.IsPossibleNumber(n) || !foreign && !phonenumbers.IsValidNumber(n) {
		if digits := strings.Map(onlyDigits, value); digits != "" {
			return digits
		}
		return value
	}
	out := phonenumbers.Format(n, phonenumbers.E164)
	if ext := n.GetExtension(); ext != "" {
		out += ";ext=" + ext
	}
	return out
}

func onlyDigits(r rune) rune {
	if r >= '0' && r <= '9' {
		return r
	}
	return -1
}

func normaliseIP(value string) string {
	if p, err := netip.ParsePrefix(value); err == nil {
		return p.String()
	}
	if a, err := netip.ParseAddr(value); err == nil {
		return a.Unmap().String()
	}
	return value
}

// partialVisible is how many letters and digits the partial form shows.
const partialVisible = 4

// Partial is the partial form of a value, for whoever may see no more: the last four letters or digits as they
// are, '*' for every other, spaces and punctuation kept, so that its shape can be recognised. The rule is
// the same for every entity: of an e-mail address the end of the domain stays. A value of at most four letters
// and digits shows none. Combining marks go with what they stand on; characters which are neither letter nor
// digit nor a usual separator are masked too.
func Partial(_, value string) string {
	visible := 0
	for _, r := range value {
		if shows(r) {
			visible++
		}
	}
	hide := visible - partialVisible
	if hide <= 0 {
		hide = visible
	}
	var b strings.Builder
	b.Grow(len(value))
	for _, r := range value {
		switch {
		case shows(r):
			if hide--; hide >= 0 {
				r = '*'
			}
			b.WriteRune(r)
		case unicode.IsMark(r):
			if hide < 0 {
				b.WriteRune(r)
			}
		case unicode.IsSpace(r), strings.ContainsRune("-+.,:;/()@_#'", r):
			b.WriteRune(r)
		default:
			b.WriteByte('*')
		}
	}
	return b.String()
}

func shows(r rune) bool {
	return r != unicode.ReplacementChar && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// Masked is what stands for a value of which nothing may be seen, as "<EMAIL_ADDRESS>".
func Masked(entity string) string { return "<" + entity + ">" }

package detect

import (
	"net/netip"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Normaliser names what counts as the same value when a person is looked up.
// The catalogue of entities says which one an entity has.
type Normaliser string

// The normalisers. All but Exact first take away full-width forms, zero-width
// characters and odd hyphens, fold case and collapse white space.
const (
	Exact  Normaliser = "exact"  // as it is, trimmed: for secrets, whose case matters
	Fold   Normaliser = "fold"   // no more than that
	Email  Normaliser = "email"  // the same: case does not tell mailboxes apart
	URL    Normaliser = "url"    // the same
	Phone  Normaliser = "phone"  // E.164 with ";ext=" where it parses (North American without a country code), else its digits
	Digits Normaliser = "digits" // digits only, the value where it has none
	Alnum  Normaliser = "alnum"  // capitals and digits only
	MAC    Normaliser = "mac"    // capitals and digits only
	IP     Normaliser = "ip"     // the canonical form (RFC 5952), an IPv4-mapped address as IPv4
)

// Normalisers returns the closed list.
func Normalisers() []Normaliser {
	return []Normaliser{Exact, Fold, Email, Phone, Digits, Alnum, IP, MAC, URL}
}

// Normalise is the form of a value by which the same thing is found again
// however it was written. It serves keyed look-up digests only: it is not
// reversible, and values that differ may share it. A normaliser that is not in
// the list folds.
func Normalise(how Normaliser, value string) string {
	if how == Exact {
		return strings.TrimSpace(value)
	}
	// One step can make what another takes away (a superscript minus becomes a
	// minus, which is an odd hyphen). Each round shortens or simplifies, so a
	// few reach the form that stays.
	for range maxRounds {
		simpler := simplify(value)
		if simpler == value {
			break
		}
		value = simpler
	}
	switch how {
	case Phone:
		return normalisePhone(value)
	case Digits:
		if digits := strings.Map(onlyDigits, value); digits != "" {
			return digits
		}
	case Alnum, MAC:
		return strings.ToUpper(strings.Map(lettersAndDigits, value))
	case IP:
		return normaliseIP(value)
	}
	return value
}

const maxRounds = 8

func simplify(value string) string {
	value = foldValue(value)
	// Folding swaps the two cases of Cherokee; lower case after it settles that.
	value = strings.ToLower(cases.Fold().String(norm.NFKC.String(value)))
	return norm.NFKC.String(strings.Join(strings.Fields(value), " "))
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

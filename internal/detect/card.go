package detect

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

var cardWords = words{
	"card": noun, "cards": noun, "credit": noun, "debit": noun, "visa": noun, "mastercard": noun, "amex": noun, "maestro": noun,
	"discover": noun, "diners": noun, "jcb": noun, "unionpay": noun, "creditcard": noun, "cardnumber": noun, "cc": noun, "pan": noun,
	"karte": noun, "kreditkarte": noun, "kartennummer": noun, "carte": noun, "tarjeta": noun, "carta": noun, "cartão": noun,
	"charge": hint, "charged": hint, "payment": hint, "pay": hint, "bill": hint, "billing": hint, "cvv": hint, "cvc": hint, "expires": hint,
	"imei": against, "isbn": against, "ean": against, "gtin": against, "upc": against, "order": against, "tracking": against,
	"serial": against, "timestamp": against, "id": against, "uuid": against, "sku": against, "barcode": against, "iccid": against,
	"sim": against, "invoice": against, "ticket": against, "reference": against,
}

// issuer is a range of leading digits, and the lengths of number it may begin. A sure range is specific enough
// for a number that passes Luhn to be reported without a context word.
type issuer struct {
	name     string
	from, to int // as many leading digits as these have
	lengths  []int
	sure     bool
}

// issuers in the order of the first digit; the first range that fits decides.
var issuers = []issuer{
	{"jcb15", 1800, 1800, []int{15}, true},
	{"uatp", 10, 10, []int{15}, false}, // also the form of one network's user ids
	{"uatp", 11, 19, []int{15}, true},
	{"jcb15", 2131, 2131, []int{15}, true},
	{"mir", 2200, 2204, []int{16, 17, 18, 19}, true},
	{"mastercard", 2221, 2720, []int{16}, true},
	{"diners", 300, 305, []int{14}, true},
	{"diners", 3095, 3095, []int{14}, true},
	{"diners", 36, 36, []int{14}, true},
	{"diners", 38, 39, []int{14}, true},
	{"amex", 34, 34, []int{15}, true},
	{"amex", 37, 37, []int{15}, true},
	{"jcb", 3528, 3589, []int{16}, true},
	{"jcb", 3528, 3589, []int{17, 18, 19}, false},
	{"diners", 36, 36, []int{16, 17, 18, 19}, false},
	{"visa", 4, 4, []int{16}, true},
	{"visa", 4, 4, []int{13, 19}, false},
	{"mastercard", 51, 55, []int{16}, true},
	{"dankort", 5019, 5019, []int{16}, true},
	{"rupay", 508, 508, []int{16}, true},
	{"verve", 506099, 506198, []int{16}, true},
	{"maestro", 5018, 5038, []int{16}, true},
	{"maestro", 50, 50, []int{12, 13, 14, 15, 16, 17, 18, 19}, false},
	{"maestro", 56, 58, []int{12, 13, 14, 15, 16, 17, 18, 19}, false},
	{"discover", 6011, 6011, []int{16}, true},
	{"discover", 644, 649, []int{16}, true},
	{"discover", 65, 65, []int{16}, true},
	{"discover", 6011, 6011, []int{17, 18, 19}, false},
	{"rupay", 60, 60, []int{16}, true},
	{"unionpay", 62, 62, []int{16}, true},
	{"unionpay", 62, 62, []int{17, 18, 19}, false},
	{"maestro", 6304, 6304, []int{16}, true},
	{"maestro", 6759, 6759, []int{16}, true},
	{"maestro", 6761, 6763, []int{16}, true},
	{"maestro", 6, 6, []int{12, 13, 14, 15, 16, 17, 18, 19}, false},
	{"rupay", 81, 82, []int{16}, false},
	{"troy", 9792, 9792, []int{16}, true},
	// Whatever passes Luhn right after the word "card" is treated as one.
	{"other", 0, 9, []int{12, 13, 14, 15, 16, 17, 18, 19}, false},
}

// cardGroups are the ways in which card numbers are written in groups.
var cardGroups = [][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}, {4, 4, 4, 1}, {4, 4, 4, 3}, {6, 13}}

const (
	minCard = 12
	maxCard = 19 // ISO/IEC 7812-1
)

func cardRecogniser() recogniser {
	return recogniser{name: "card", entity: CreditCard, on: onNumber, find: findCard}
}

func findCard(s *scan, _, _ int) {
	if s.run.digits < minCard {
		return
	}
	for i := 0; i < len(s.run.groups); {
		i = s.cardAt(i)
	}
}

// cardAt judges what begins with group i and returns the group to go on with.
func (s *scan) cardAt(i int) int {
	if n := s.run.groups[i].len(); n >= minCard && n <= maxCard {
		if s.alone(i, i) {
			s.judgeCard(i, i)
		}
		return i + 1
	}
	for _, sizes := range cardGroups {
		j := i + len(sizes) - 1
		if s.sized(i, sizes) && s.alone(i, j) && s.judgeCard(i, j) {
			return j + 1
		}
	}
	return i + 1
}

// sized says whether the groups from i on have these sizes, with the same separators between.
func (s *scan) sized(i int, sizes []int) bool {
	if !s.shaped(i, sizes) {
		return false
	}
	for k := range len(sizes) - 1 {
		switch sep := s.sep(i + k); sep {
		case " ", "-":
		case "  ", " - ":
			if sep != s.sep(i) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// judgeCard reports groups i to j if they are a card number, and says whether they are.
func (s *scan) judgeCard(i, j int) bool {
	var buf [maxCard]byte
	digits := s.digitsOf(buf[:0], i, j)
	is, ok := issuerOf(digits)
	if !ok || !checkdigit.Luhn(string(digits)) {
		return false
	}
	start, end := s.run.groups[i].start, s.run.groups[j].end
	score := 0.35
	if is.sure {
		score = 0.75
	}
	if j > i {
		score += 0.1
	}
	if s.inTable(i, j) || j > i && s.hexTable(i, j) {
		score = min(score, 0.35)
	}
	switch s.context(cardWords, start, end) {
	case noun:
		score += 0.25
	case hint:
		score += 0.1
	case against:
		score -= 0.3
	}
	if score > 0 {
		s.report(CreditCard, "card/"+is.name, start, end, min(score, 1))
	}
	return true
}

func issuerOf(digits []byte) (issuer, bool) {
	for _, is := range issuers {
		width := decimalWidth(is.from)
		lead := leading(digits, width)
		if lead < is.from || lead > is.to {
			continue
		}
		for _, n := range is.lengths {
			if n == len(digits) {
				return is, true
			}
		}
	}
	return issuer{}, false
}

func decimalWidth(n int) int {
	w := 1
	for n >= 10 {
		n /= 10
		w++
	}
	return w
}

func leading(digits []byte, width int) int {
	n := 0
	for _, c := range digits[:min(width, len(digits))] {
		n = n*10 + int(c-'0')
	}
	return n
}

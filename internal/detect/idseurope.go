package detect

import (
	"maps"
	"slices"
	"strings"
)

// europeFamily is what the states of Europe give to people, businesses and vehicles, with Turkey: the numbers that
// Presidio knows, and those of France, Switzerland and the Netherlands.
func europeFamily() family {
	rules := slices.Concat(britishRules, germanRules, spanishRules, italianRules, northernRules, turkishRules)
	thresholds := make(map[string]float64)
	for _, r := range rules {
		thresholds[r.entity] = 0.5
	}
	thresholds["DE_KFZ"] = 0.5
	return family{
		thresholds: thresholds,
		recognisers: func() []recogniser {
			return append(identifiers(rules), germanPlateRecogniser(), turkishPlateRecogniser())
		},
		facts: []any{idFacts(rules), plateWords, plakaWords},
	}
}

// Scores of this family, beside those of code.go. What decides between two entities that claim the same characters is
// how few random values pass: the rarer the higher, so that each country's own check has the last word.
var (
	// europeRare: eleven digits or more of which chance lets pass about one in a hundred, by two check digits, or by one
	// and a date or an office. A text seldom has such long bare numbers, so that these stand by themselves.
	europeRare = idScores{bare: 0.5, lone: 0.58, hint: 0.7, noun: 0.95}
	// europeDated: a date and a check digit between separators or letters of the scheme.
	europeDated = idScores{bare: 0.62, lone: 0.7, hint: 0.8, noun: 0.96}
	// europeSerial: letters and digits with a check digit, one in ten of which passes by chance: order numbers and
	// article numbers look like this, so that a text must say what it is, or nothing else.
	europeSerial = idScores{bare: 0.35, lone: 0.6, hint: 0.7, noun: 0.92}
	// europeForm: letters and digits without a check, in an order that hardly anything else has.
	europeForm = idScores{bare: 0.35, lone: 0.56, hint: 0.65, noun: 0.9}
	// europePlate: short, without a check, and in capitals like many abbreviations.
	europePlate = idScores{bare: 0.2, lone: 0.55, hint: 0.65, noun: 0.93}
	// europeNamed: no check and a form of much else, but the hint of its country is enough.
	europeNamed = idScores{bare: 0.05, lone: 0.1, hint: 0.55, noun: 0.85}
	// europeSilent: only a noun counts.
	europeSilent = idScores{bare: 0.05, lone: 0.1, hint: 0.3, noun: 0.8}
)

// europeAgainst are words for other numbers in the languages of this family; code.go has the English ones.
const europeAgainst = "telefon telefonnummer tel handy handynummer rufnummer faxnummer bestellung bestellnummer rechnung rechnungsnummer " +
	"auftrag auftragsnummer artikelnummer seriennummer sendungsnummer téléphone commande facture teléfono telefono móvil pedido factura " +
	"fattura ordine cellulare telefoon bestelnummer factuur zamówienie faktura puhelin tilaus beställning sipariş fatura"

// europeWords are the words of a rule: what names it, and what hints at it.
func europeWords(nouns, hints string) words {
	set := make(words)
	for w := range strings.FieldsSeq(europeAgainst) {
		set[w] = against
	}
	for w := range strings.FieldsSeq(hints) {
		set[w] = hint
	}
	for w := range strings.FieldsSeq(nouns) {
		set[w] = noun
	}
	return set
}

// withWords is a set with some words weighed otherwise.
func withWords(set words, is weight, others string) words {
	set = maps.Clone(set)
	for w := range strings.FieldsSeq(others) {
		set[w] = is
	}
	return set
}

// behind is a check of what follows a prefix of n characters.
func behind(n int, check func(string) bool) func(string) bool {
	return func(value string) bool { return len(value) > n && check(value[n:]) }
}

// inCapitals and inOneCase are checks for plates, whose few letters stand in any text and in the names of any program, but
// hardly ever in such a mixture: rules with them are exact.
func inCapitals(check func(string) bool) func(string) bool {
	return func(value string) bool {
		_, lowers := letterCases(value)
		return !lowers && check(value)
	}
}

func inOneCase(check func(string) bool) func(string) bool {
	return func(value string) bool {
		uppers, lowers := letterCases(value)
		return (!uppers || !lowers) && check(strings.ToUpper(value))
	}
}

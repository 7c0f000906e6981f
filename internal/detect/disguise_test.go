package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// plainValues are one value of each kind, with what must stand before it. The key is put together so that it does
// not look like one to those who scan this repository.
var plainValues = []struct{ entity, before, value string }{
	{detect.EmailAddress, "", "jane.roe@mail-example.com"},
	{detect.PhoneNumber, "", "+44 20 7946 0958"},
	{detect.PhoneNumber, "", "415-555-0132"},
	{detect.CreditCard, "", "4012888888881881"},
	{detect.CreditCard, "", "4012-8888-8888-1881"},
	{detect.IBANCode, "", "GB29 NWBK 6016 1331 9268 19"},
	{detect.IBANCode, "", "EE382200221020145685"},
	{detect.USSSN, "SSN ", "536-20-8471"},
	{detect.IPAddress, "", "198.51.100.77"},
	{detect.IPAddress, "", "2001:db8:face::ace0:1"},
	{detect.APIKey, "", "gh" + "p_" + "0cApYx3HkMTz9BdRwEoQnVbU5sLgJ2t7Ifhi"},
}

// disguises write a value in another way that reads the same.
var disguises = map[string]func(string) string{
	"full width": each(func(r rune) string {
		if r > ' ' && r < 0x7F {
			return string(r + 0xFF01 - '!')
		}
		return "\u3000"
	}),
	"Arabic digits":    digits('٠'),
	"Devanagari":       digits('०'),
	"bold digits":      digits('𝟎'),
	"monospace digits": digits('𝟶'),
	"keycaps": each(func(r rune) string {
		if unicode.IsDigit(r) {
			return string(r) + "\ufe0f\u20e3"
		}
		return string(r)
	}),
	"struck digits": each(func(r rune) string {
		if unicode.IsDigit(r) {
			return string(r) + "\u0336"
		}
		return string(r)
	}),
	"no-break spaces and hyphens": each(replace(" \u00a0-\u2011")),
	"thin spaces, en dashes":      each(replace(" \u2009-\u2013")),
	"narrow spaces, minus signs":  each(replace(" \u202f-\u2212")),
	"hyphen bullets, leaders":     each(replace("-\u2043.\u2024:\u2236@\ufe6b")),
	"zero-width spaces":           between("\u200b"),
	"word joiners":                between("\u2060"),
	"byte order marks":            between("\ufeff"),
	"soft hyphens":                between("\u00ad"),
	"directions":                  between("\u202a\u202c"),
	"variation selectors":         between("\ufe01"),
	"tags":                        between("\U000e0041"),
	"Cyrillic, one a word":        oneAWord("аeеoоpрcсxхyуAАBВEЕTТHН"),
	"Greek, one a word":           oneAWord("oοpρvνuυTΤAΑBΒEΕNΝ"),
	"Cyrillic zeros":              zeros("О"),
	"Greek zeros":                 zeros("ο"),
	"bold letters": each(func(r rune) string {
		if r >= 'a' && r <= 'z' {
			return string(r - 'a' + '𝐚')
		}
		return string(r)
	}),
	"circled letters": each(func(r rune) string {
		if r >= 'a' && r <= 'z' {
			return string(r - 'a' + 'ⓐ')
		}
		return string(r)
	}),
}

func each(f func(rune) string) func(string) string {
	return func(value string) string {
		var b strings.Builder
		for _, r := range value {
			b.WriteString(f(r))
		}
		return b.String()
	}
}

func digits(zero rune) func(string) string {
	return each(func(r rune) string {
		if r >= '0' && r <= '9' {
			return string(r - '0' + zero)
		}
		return string(r)
	})
}

// replace takes pairs: a character, and what stands for it.
func replace(pairs string) func(rune) string {
	table := map[rune]rune{}
	rs := []rune(pairs)
	for i := 0; i+1 < len(rs); i += 2 {
		table[rs[i]] = rs[i+1]
	}
	return func(r rune) string {
		if other, ok := table[r]; ok {
			r = other
		}
		return string(r)
	}
}

func between(unseen string) func(string) string {
	return func(value string) string { return strings.Join(strings.Split(value, ""), unseen) }
}

// oneAWord replaces the first letter of each word that has a double, if the word has another letter beside it that
// stays Latin, or digits.
func oneAWord(pairs string) func(string) string {
	swap := replace(pairs)
	return func(value string) string {
		var b strings.Builder
		done := false
		for i, r := range value {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				done = false
			}
			other := swap(r)
			if !done && other != string(r) && i+1 < len(value) {
				done = true
				b.WriteString(other)
				continue
			}
			b.WriteRune(r)
		}
		return b.String()
	}
}

// zeros replaces the zeros of groups that have two other digits or more.
func zeros(other string) func(string) string {
	return func(value string) string {
		groups := strings.FieldsFunc(value, func(r rune) bool { return r < '0' || r > '9' })
		for _, g := range groups {
			if len(g)-strings.Count(g, "0") >= 2 && strings.Trim(g, "0") == g {
				value = strings.Replace(value, g, strings.ReplaceAll(g, "0", other), 1)
			}
		}
		return value
	}
}

// TestDisguisesHideNothing writes every kind of value in every disguise, in a text around it that is also not ASCII. The
// span is the disguised value, as it stands in the text.
func TestDisguisesHideNothing(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: append([]string{detect.APIKey}, contacts...)})
	changed := 0
	for name, disguise := range disguises {
		for _, v := range plainValues {
			value := disguise(v.value)
			if value != v.value {
				changed++
			}
			text := "“né” " + v.before + value + " … кое-что"
			want := []found{{v.entity, strings.TrimRight(value, "\ufe0f\u20e3\u0336")}}
			if diff := cmp.Diff(want, values(text, find(t, d, text))); diff != "" {
				t.Errorf("%s, %+q: %s", name, value, diff)
			}
		}
	}
	if changed < len(disguises)*3 {
		t.Errorf("only %d values were disguised", changed)
	}
}

// otherValues are of the families of other files: they see the same view of a text.
var otherValues = []struct{ entity, before, value string }{
	{"MAC_ADDRESS", "", "00:1B:44:11:3A:B7"},
	{"UK_NHS", "NHS number ", "943 476 5919"},
	{"UK_NINO", "", "AB123456C"},
	{"ES_NIF", "NIF ", "12345678Z"},
	{"US_MBI", "MBI ", "1EG4-TE5-MK73"},
	{"US_NPI", "NPI ", "1234567893"},
	{"VIN", "VIN ", "1HGCM82633A004352"},
	{"CRYPTO", "", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
	{"DE_TAX_ID", "Steuer-ID ", "86095742719"},
	{"IT_FISCAL_CODE", "", "RSSMRA85T10A562S"},
	{"FI_PERSONAL_IDENTITY_CODE", "", "131052-308T"},
	{"IN_AADHAAR", "Aadhaar ", "2341 2341 2346"},
	{"BR_CPF", "CPF ", "529.982.247-25"},
	{"FR_NIR", "NIR ", "1 85 05 78 006 084 91"},
	{"CH_AHV", "", "756.9217.0769.85"},
	{"ABA_ROUTING_NUMBER", "routing number ", "121000358"},
	{"US_PASSPORT", "US passport ", "A12345678"},
}

// TestDisguisesHideNoIdentifier asks of the other families that their values are found in every disguise, under their name.
func TestDisguisesHideNoIdentifier(t *testing.T) {
	d := newDetector(t, detect.Everything())
	for name, disguise := range disguises {
		for _, v := range otherValues {
			value := disguise(v.value)
			text := "“né” " + v.before + value
			whole := found{v.entity, strings.TrimRight(value, "\ufe0f\u20e3\u0336")}
			if got := values(text, find(t, d, text)); !slices.Contains(got, whole) {
				t.Errorf("%s, %+q: %v", name, value, got)
			}
		}
	}
}

// Without the reading of homoglyphs beside each other, the doubles hide what they are in.
func TestDisguisesHideNothing_TwinWithoutWords(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: append([]string{detect.APIKey}, contacts...)})
	hidden := 0
	for _, name := range []string{"Cyrillic, one a word", "Cyrillic zeros"} {
		for _, v := range plainValues {
			text := v.before + disguises[name](v.value)
			if len(find(t, d, text)) > 0 && len(d.FindCharacterByCharacter(text)) == 0 {
				hidden++
			}
		}
	}
	if hidden < 3 {
		t.Errorf("only %d values were hidden: does anything depend on it?", hidden)
	}
}

// Texts that are Cyrillic, Greek or Armenian stay what they are, and so do words that mix scripts honestly.
func TestFoldLeavesScriptsAlone(t *testing.T) {
	for _, text := range []string{
		"Мама мыла раму, а она рос и рос. Оса, роса, сор, кот, нос.", "Το νερό είναι ο νόμος του ανθρώπου, ο και η.",
		"Օդը սուրբ է", "Позвоните в IT-отдел", "в Windows-системе", "αβγ = 12 и σ² – 3", "Яндекс.Ru", "5 о’clock", "ё", "ГОСТ Р 7.0",
		"почта@пример.рф", "PDFки и email'ы", "Δx", "Ωmega",
	} {
		if got, _ := detect.Folded(text, nil); got != strings.ReplaceAll(text, "–", "-") {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestFoldReadsMixedWords(t *testing.T) {
	for text, want := range map[string]string{
		"exаmple.cоm": "example.com", "раypal": "paypal", "GВ29": "GB29", "ЕЕ38": "EE38", "4О12": "4012", "1Ο2Ο3": "10203",
		"Αpple": "Apple", "e\u200bх\u200bam": "exam", "о": "о", "оо": "оо", "кот cat": "кот cat", "а1": "a1",
		"а1 а": "a1 а", "ехаm": "exam", "\U0001d41a\U0001d41b": "ab", "\u24d0\u24d1": "ab", "e\u0301\u0430": "e\u0301a", "1\u03082": "12",
		"8—9": "8-9", "03ー1234": "03-1234", "カード": "カード", "a — b": "a — b",
	} {
		if got, _ := detect.Folded(text, nil); got != want {
			t.Errorf("%+q: got %+q, want %+q", text, got, want)
		}
	}
}

// The table of foldings says what the function behind it says, for every character of the basic plane.
func TestFoldTable(t *testing.T) {
	for r := rune(0); r < 0x10000; r++ {
		if a, b := detect.FoldOf(r), detect.FoldRune(r); a != b {
			t.Fatalf("%U: %v and %v", r, a, b)
		}
	}
}

// Spans of the view map to whole characters of the text, whatever stands in it.
func TestFoldMapsBackWholeCharacters(t *testing.T) {
	const text = "xа1—2 4О12\u0308 GВ29 \u200b𝐚ⓑ٣é\xffо"
	folded, origin := detect.Folded(text, [][2]int{{1, 3}})
	for start := range folded {
		for end := start + 1; end <= len(folded); end++ {
			if !detect.OnBoundary(folded, end) {
				continue
			}
			from, to := origin(start, end)
			if from < 0 || from >= to || to > len(text) || !detect.OnBoundary(text, from) || !detect.OnBoundary(text, to) {
				t.Errorf("%d:%d of %q maps to %d:%d", start, end, folded, from, to)
			}
		}
	}
	if want := fmt.Sprintf("x\x00%s", "1-2 4012 GB29 ab3é\xffо"); folded != want {
		t.Errorf("%q, want %q", folded, want)
	}
}

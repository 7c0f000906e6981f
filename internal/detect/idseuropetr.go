package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

var (
	kimlikWords = europeWords("kimlik tckn tc tckimlik nüfus", "turkish türk vatandaş vatandaşlık kişi numarası cüzdanı")
	plakaWords  = europeWords("plaka plakası plakalı plakam plate", "araç aracı araba otomobil vehicle car kayıtlı license")
	// The words for phones in other languages say nothing: their numbers are PHONE_NUMBER.
	telefonWords = withWords(europeWords("numaram numaralı numaradan telefonu telefonum telefonumuz cep gsm numarası", "ara arayın türkiye turkey turkish"),
		nothing, "telefon phone mobile tel telephone")
)

var turkishRules = []idRule{
	{
		entity: "TR_NATIONAL_ID", name: "tr-id", words: kimlikWords, check: checkdigit.TurkishID,
		forms: []idForm{{"9{11}", "", idScores{bare: 0.51, lone: 0.6, hint: 0.72, noun: 0.96}}},
	},
	{
		// "plate" hints only: without spaces it could be anybody's.
		entity: "TR_LICENSE_PLATE", name: "tr-plate-compact", words: withWords(plakaWords, hint, "plate"), check: turkishPlate,
		forms: []idForm{{"99@{1-3}9{2-4}", "", idScores{bare: 0.15, lone: 0.55, hint: 0.6, noun: 0.9}}},
	},
	{
		// With the country code the form is Turkey's alone.
		entity: "TR_PHONE_NUMBER", name: "tr-phone", words: telefonWords, check: turkishSubscriber,
		forms: []idForm{{"+909{10}|+90_9{10}|+90_999_999_99_99|+90_999_9999999|+90_999_999_9999|+90 (999) 999 99 99|+90 (999) 9999999|+90(999)9999999", " -", idScores{bare: 0.99, lone: 0.99, hint: 0.99, noun: 1}}},
	},
	{
		// The grouping 3-2-2 behind the trunk zero is Turkey's, too, but not so plainly.
		entity: "TR_PHONE_NUMBER", name: "tr-phone-national", words: telefonWords, check: turkishNational,
		forms: []idForm{
			{"0_999_999_99_99|0999_999_99_99|0 (999) 9999999|0 (999) 999 99 99|(0999) 999 99 99|0(999) 999 99 99|0(999)9999999", " -", idScores{bare: 0.45, lone: 0.7, hint: 0.8, noun: 0.98}},
			{"059{9}", "", idScores{bare: 0.55, lone: 0.6, hint: 0.7, noun: 0.9}},
			{"09{10}|999_999_99_99|0_999_9999999|0999_9999999|0999_999_9999|(999) 999 99 99", " -", idScores{bare: 0.2, lone: 0.53, hint: 0.55, noun: 0.8}},
			{"59{9}", "", idScores{bare: 0.1, lone: 0.5, hint: 0.4, noun: 0.8}},
		},
	},
	{
		entity: "TR_PHONE_NUMBER", name: "tr-phone-area", words: telefonWords, check: turkishArea,
		forms: []idForm{{"9{10}", "", idScores{bare: 0.1, lone: 0.5, hint: 0.4, noun: 0.8}}},
	},
}

// turkishPlate begins with the number of a province, 01 to 81, and has no letter that is not in the Turkish alphabet.
func turkishPlate(value string) bool {
	province := value[:2]
	return province >= "01" && province <= "81" && !strings.ContainsAny(value, "QWX")
}

// turkishSubscriber is a number with its country code: mobile numbers begin with 5, the others with the code of an area, 2
// to 4 (BTK, numbering plan).
func turkishSubscriber(digits string) bool {
	return digits[2] >= '2' && digits[2] <= '5'
}

// turkishNational is a number with or without its trunk zero: mobile ones begin with 5, the others with the code of an
// area, 2 to 4.
func turkishNational(digits string) bool {
	if digits[0] == '0' {
		digits = digits[1:]
	}
	return digits[0] >= '2' && digits[0] <= '5'
}

// turkishArea is a number of a fixed line without trunk zero: the codes of areas are even and begin with 21 to 48. What could
// be a number of North America is left to the phone numbers: there no exchange begins with 1.
func turkishArea(digits string) bool {
	return digits[0] >= '2' && digits[0] <= '4' && digits[1] >= '1' && digits[1] <= '8' && (digits[2]-'0')%2 == 0 && digits[3] == '1'
}

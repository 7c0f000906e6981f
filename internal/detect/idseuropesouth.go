package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

var (
	nifWords        = europeWords("nif dni documento identidad cif", "identificación fiscal hacienda número numero ciudadano tax id")
	nieWords        = europeWords("nie extranjero extranjeros", "identidad identificación residencia documento número numero tie")
	esPassportWords = europeWords("pasaporte pasaportes", "passport viaje visado")

	fiscalCodeWords = europeWords("codice fiscale cf", "contribuente tessera sanitaria nato nata tax")
	itVATWords      = europeWords("iva piva partita vat", "azienda società p srl spa impresa fiscale")
	itLicenceWords  = europeWords("patente", "guida license licence driving guidare")
	itPassportWords = europeWords("passaporto passaporti", "questura viaggio")
	itCardWords     = europeWords("cie identità carta", "documento comune")

	nirWords = europeWords("nir insee sécu sécurité securite sociale vitale ssn", "immatriculation assuré assurée cpam ameli carte patient numéro numero")
)

// spanishRules are those of Spain and of France.
var spanishRules = []idRule{
	{
		entity: "ES_NIF", name: "es-nif", words: nifWords, check: checkdigit.SpanishNIF,
		forms: []idForm{{"9{8}@|9{8}_@|99.999.999_@", "- ", idScores{bare: 0.65, lone: 0.7, hint: 0.85, noun: 0.96}}},
	},
	{
		entity: "ES_NIF", name: "es-nif-small", words: nifWords, check: checkdigit.SpanishNIF, anyCase: true,
		forms: []idForm{{"9{8}@|9{8}_@", "-", idScores{bare: 0.4, lone: 0.65, hint: 0.8, noun: 0.95}}},
	},
	{
		// The oldest are written without the 0 in front.
		entity: "ES_NIF", name: "es-nif-seven", words: nifWords, check: func(v string) bool { return checkdigit.SpanishNIF("0" + v) }, anyCase: true,
		forms: []idForm{{"9{7}@|9{7}-@", "", idScores{bare: 0.3, lone: 0.6, hint: 0.75, noun: 0.95}}},
	},
	{
		entity: "ES_NIE", name: "es-nie", words: nieWords, check: checkdigit.SpanishNIE,
		forms: []idForm{{"@9{7}@|@_9{7}_@|@9{7}_@", "- ", idScores{bare: 0.75, lone: 0.8, hint: 0.9, noun: 0.97}}},
	},
	{
		entity: "ES_NIE", name: "es-nie-small", words: nieWords, check: checkdigit.SpanishNIE, anyCase: true,
		forms: []idForm{{"@9{7}@|@_9{7}_@|@9{7}_@", "-", idScores{bare: 0.5, lone: 0.75, hint: 0.85, noun: 0.96}}},
	},
	{
		entity: "ES_PASSPORT", name: "es-passport", words: esPassportWords, anyCase: true,
		forms: []idForm{{"@@@9{6}", "", europeNamed}},
	},
	{
		entity: "FR_NIR", name: "fr-nir", words: nirWords, check: checkdigit.FrenchNIR, anyCase: true,
		forms: []idForm{
			{"9{15}|9{6}@9{8}", "", idScores{bare: 0.6, lone: 0.7, hint: 0.85, noun: 0.97}},
			{"9_99_99_9*_999_999_99|9{13}_99|9{6}@9{6}_99|9_99_99_9*_999_999/99", " -.", idScores{bare: 0.8, lone: 0.85, hint: 0.9, noun: 0.98}},
		},
	},
}

var italianRules = []idRule{
	{
		entity: "IT_FISCAL_CODE", name: "it-fiscal-code", words: fiscalCodeWords, check: checkdigit.ItalianFiscalCode, anyCase: true,
		forms: []idForm{{"@{6}**@**@***@|@@@_@@@_**@**_@***@", " ", idScores{bare: 0.85, lone: 0.9, hint: 0.92, noun: 0.98}}},
	},
	{
		// A wrong check letter is a slip of the pen in a form that nothing else has.
		entity: "IT_FISCAL_CODE", name: "it-fiscal-code-unchecked", words: fiscalCodeWords, check: checkdigit.ItalianFiscalCodeForm, anyCase: true,
		forms: []idForm{{"@{6}99@99@999@", "", idScores{bare: 0.6, lone: 0.7, hint: 0.8, noun: 0.95}}},
	},
	{
		entity: "IT_VAT_CODE", name: "it-vat", words: itVATWords, check: checkdigit.ItalianVAT,
		forms: []idForm{
			{"9{11}", "", idScores{bare: 0.5, lone: 0.57, hint: 0.7, noun: 0.95}},
			{"9{8}_9{3}|9{7}_9{4}|999_9999_9999", " ", idScores{bare: 0.1, lone: 0.57, hint: 0.6, noun: 0.95}},
		},
	},
	{
		entity: "IT_VAT_CODE", name: "it-vat-prefixed", words: itVATWords, check: behind(len("IT"), checkdigit.ItalianVAT), anyCase: true,
		forms: []idForm{{"IT9{11}|IT_9{11}", " ", idScores{bare: 0.85, lone: 0.9, hint: 0.92, noun: 0.97}}},
	},
	{
		entity: "IT_DRIVER_LICENSE", name: "it-licence", words: itLicenceWords,
		forms: []idForm{{"@@9{7}@", "", idScores{bare: 0.5, lone: 0.55, hint: 0.7, noun: 0.92}}},
	},
	{
		entity: "IT_DRIVER_LICENSE", name: "it-licence-small", words: itLicenceWords, check: inOneCase(anyText), exact: true,
		forms: []idForm{{"@@9{7}@", "", idScores{bare: 0.3, lone: 0.55, hint: 0.6, noun: 0.9}}},
	},
	{
		entity: "IT_DRIVER_LICENSE", name: "it-licence-u1", words: itLicenceWords, check: centralOffice, anyCase: true,
		forms: []idForm{{"U1*{7}@", "", idScores{bare: 0.45, lone: 0.6, hint: 0.7, noun: 0.92}}},
	},
	{
		entity: "IT_PASSPORT", name: "it-passport", words: itPassportWords, anyCase: true,
		forms: []idForm{{"@@9{7}", "", europeSilent}},
	},
	{
		entity: "IT_IDENTITY_CARD", name: "it-id-card", words: itCardWords, anyCase: true,
		forms: []idForm{{"@@9{5}@@|@@_9{7}|@@9{7}", " ", europeSilent}},
	},
}

// centralOffice is a licence of the central office: its letters are not those that look like a digit, nor A.
func centralOffice(value string) bool {
	return !strings.ContainsAny(value[:len(value)-1], "AIOQ")
}

// anyText is a check that only needs the case of the letters.
func anyText(string) bool { return true }

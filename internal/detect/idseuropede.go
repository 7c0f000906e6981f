package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

var (
	taxIDWords      = europeWords("idnr steuerid steuer identifikationsnummer steueridentifikationsnummer steueridnr steuerliche tin", "finanzamt elster lohnsteuer steuererklärung tax taxpayer")
	taxNumberWords  = europeWords("steuernummer steuernr st stnr steuer", "finanzamt elster tax steuererklärung")
	vatIDWords      = europeWords("ust ustid ustidnr umsatzsteuer umsatzsteueridentifikationsnummer umsatzsteuerid vat uid vatin", "tax steuer mwst impressum finanzamt")
	pensionWords    = europeWords("svnr rvnr versicherungsnummer rentenversicherung sozialversicherung rentenversicherungsnummer sozialversicherungsnummer sv rv", "rente versicherung arbeitgeber social pension insurance")
	insuredWords    = europeWords("kvnr krankenkasse krankenversicherung krankenversicherungsnummer krankenversichertennummer versichertennummer gesundheitskarte versicherten egk", "versicherung versicherter patient patientin health insurance kasse aok barmer")
	idCardWords     = withWords(europeWords("personalausweis ausweis ausweisnummer personalausweisnummer personalausweisnr perso ausweisnr identitätskarte", "id card identity gültig document dokument"), against, "reisepass passport reisepassnummer")
	deLicenceWords  = europeWords("führerschein führerscheinnummer führerscheinnr fahrerlaubnis fahrerlaubnisnummer", "fahrer fahren license licence driving klasse")
	dePassportWords = withWords(europeWords("reisepass reisepassnummer reisepassnr pass passnummer passnr passport passports", "ausgestellt visum visa travel document dokument"), against, "personalausweis ausweis")
	physicianWords  = europeWords("lanr arztnummer arztnr arzt", "ärztin praxis rezept kv behandelnden physician doctor")
	practiceWords   = europeWords("bsnr betriebsstättennummer betriebsstätte nbsnr", "praxis kv mvz arztpraxis")
	registerWords   = europeWords("handelsregister handelsregisternummer amtsgericht hrb hra", "registergericht gmbh ag kg eingetragen firma")
	plateWords      = europeWords("kennzeichen kfz nummernschild autokennzeichen kfzkennzeichen pkw lkw", "fahrzeug auto wagen halter geparkt parkt car vehicle plate")
	plzWords        = europeWords("plz postleitzahl", "wohnort ort anschrift adresse")
)

var germanRules = []idRule{
	{
		entity: "DE_TAX_ID", name: "de-tax-id", words: taxIDWords, check: checkdigit.GermanTaxID,
		forms: []idForm{
			{"9{11}", "", idScores{bare: 0.52, lone: 0.62, hint: 0.72, noun: 0.96}}, // four in a thousand pass
			{"99_999_999_999", " ", idScores{bare: 0.75, lone: 0.8, hint: 0.9, noun: 0.98}},
		},
	},
	{
		entity: "DE_TAX_NUMBER", name: "de-tax-number", words: taxNumberWords,
		forms: []idForm{
			{"999/999/99999|99/999/99999", "", idScores{bare: 0.55, lone: 0.6, hint: 0.75, noun: 0.95}},
			{"999/9999/9999|99/9999/9999", "", idScores{bare: 0.45, lone: 0.55, hint: 0.7, noun: 0.95}},
			{"999 999 99999|99999/99999", "", europeSilent},
		},
	},
	{
		entity: "DE_TAX_NUMBER", name: "de-tax-number-federal", words: taxNumberWords, check: germanFederalNumber,
		forms: []idForm{{"9{13}", "", idScores{bare: 0.1, lone: 0.5, hint: 0.55, noun: 0.9}}},
	},
	{
		entity: "DE_VAT_ID", name: "de-vat-id", words: vatIDWords, check: behind(len("DE"), checkdigit.GermanVATID), anyCase: true,
		forms: []idForm{{"DE9{9}|DE_9{9}|DE_999_999_999|DE 999-999.999", " .-", idScores{bare: 0.85, lone: 0.9, hint: 0.92, noun: 0.97}}},
	},
	{
		// The office never published the check digit, and forms show numbers without one.
		entity: "DE_VAT_ID", name: "de-vat-id-unchecked", words: vatIDWords,
		forms: []idForm{{"DE9{9}|DE_9{9}|DE_999_999_999", " .-", idScores{bare: 0.3, lone: 0.57, hint: 0.6, noun: 0.85}}},
	},
	{
		entity: "DE_SOCIAL_SECURITY", name: "de-pension", words: pensionWords, check: checkdigit.GermanSocialSecurity, anyCase: true,
		forms: []idForm{{"9{8}@9{3}|99_9{6}_@_9{3}|99_99_99_99_@_9{3}", " -/", idScores{bare: 0.75, lone: 0.85, hint: 0.9, noun: 0.97}}},
	},
	{
		entity: "DE_HEALTH_INSURANCE", name: "de-insured", words: insuredWords, check: checkdigit.GermanHealthInsurance, anyCase: true,
		forms: []idForm{{"@9{9}|@_999_999_999", " ", europeSerial}},
	},
	{
		entity: "DE_ID_CARD", name: "de-id-card", words: idCardWords, check: germanOwnIDCard, anyCase: true,
		forms: []idForm{{"@********|@********9", "", europeSerial}},
	},
	{
		entity: "DE_ID_CARD", name: "de-id-card-of-passport-series", words: idCardWords, check: checkdigit.GermanIDCard, anyCase: true,
		forms: []idForm{{"@********", "", idScores{bare: 0.2, lone: 0.3, hint: 0.6, noun: 0.9}}},
	},
	{
		// Printed on the card without its check digit.
		entity: "DE_ID_CARD", name: "de-id-card-serial", words: idCardWords, check: checkdigit.GermanSerialForm, anyCase: true,
		forms: []idForm{{"@********", "", europeSilent}},
	},
	{
		entity: "DE_ID_CARD", name: "de-id-card-old", words: idCardWords, check: checkdigit.GermanOldIDCardForm, anyCase: true,
		forms: []idForm{{"T9{8}", "", europeForm}},
	},
	{
		entity: "DE_PASSPORT", name: "de-passport", words: dePassportWords, check: germanOwnPassport, anyCase: true,
		forms: []idForm{{"@********|@********9", "", europeSerial}},
	},
	{
		entity: "DE_PASSPORT", name: "de-passport-serial", words: dePassportWords, check: checkdigit.GermanSerialForm, anyCase: true,
		forms: []idForm{{"@********", "", europeSilent}},
	},
	{
		entity: "DE_PASSPORT", name: "de-passport-of-id-series", words: dePassportWords, check: checkdigit.GermanPassport, anyCase: true,
		forms: []idForm{{"@********", "", idScores{bare: 0.2, lone: 0.3, hint: 0.6, noun: 0.9}}},
	},
	{
		entity: "DE_FUEHRERSCHEIN", name: "de-licence", words: deLicenceWords, anyCase: true,
		forms: []idForm{{"@@9{8}*", "", europeForm}, {"@999*{5}9*", "", europeSilent}},
	},
	{
		entity: "DE_LANR", name: "de-physician", words: physicianWords, check: checkdigit.GermanPhysician,
		forms: []idForm{{"9{9}", "", idScores{bare: 0.15, lone: 0.61, hint: 0.65, noun: 0.93}}},
	},
	{
		entity: "DE_BSNR", name: "de-practice", words: practiceWords, check: checkdigit.GermanPracticeForm,
		forms: []idForm{{"9{9}", "", europeNamed}},
	},
	{
		entity: "DE_HANDELSREGISTER", name: "de-register", words: registerWords, anyCase: true,
		forms: []idForm{{"HRA_9{1-6}|HRB_9{1-6}|HRA9{1-6}|HRB9{1-6}|HRA_Nr. 9{1-6}|HRB_Nr. 9{1-6}|HRA_Nr 9{1-6}|HRB_Nr 9{1-6}", " -", idScores{bare: 0.7, lone: 0.8, hint: 0.85, noun: 0.95}}},
	},
	{
		entity: "DE_PLZ", name: "de-plz", words: plzWords, check: germanPostalCode,
		forms: []idForm{{"9{5}", "", idScores{bare: 0.05, lone: 0.5, hint: 0.3, noun: 0.85}}},
	},
}

// germanFederalNumber takes the form of the tax offices' software, and that with the official key of the state, 01 to 16,
// in front.
func germanFederalNumber(digits string) bool {
	state := digits[:2]
	return checkdigit.GermanTaxNumberForm(digits) || state >= "01" && state <= "16"
}

// Passports begin with C, F, G, H, J or K, identity cards with the letters after K: those of the offices that issue them.
const passportLetters = "CFGHJK"

func germanOwnIDCard(s string) bool {
	return strings.IndexByte(passportLetters, s[0]) < 0 && checkdigit.GermanIDCard(s)
}

func germanOwnPassport(s string) bool {
	return strings.IndexByte(passportLetters, s[0]) >= 0 && checkdigit.GermanPassport(s)
}

// germanPostalCode rejects leading digits that Deutsche Post has not given out, and thousands: a field with one of those
// rather holds an amount.
func germanPostalCode(digits string) bool {
	switch digits[:2] {
	case "00", "05", "43", "62":
		return false
	}
	return !strings.HasSuffix(digits, "000") && digits != "99999"
}

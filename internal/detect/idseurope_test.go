package detect

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

// europeExamples are sentences with the one value that is to be found, and the entity. Values are examples of the issuers,
// of Presidio's tests, or made up.
var europeExamples = []struct{ entity, value, text string }{
	{"UK_NHS", "943 476 5919", "The patient's NHS number is 943 476 5919."},
	{"UK_NHS", "9434765919", "NHS no: 9434765919, referred by the GP"},
	{"UK_NHS", "943-476-5919", "NHS 943-476-5919"},
	{"UK_NHS", "401-023-2137", "401-023-2137"},
	{"UK_NINO", "AB 12 34 56 C", "My national insurance number is AB 12 34 56 C and I moved in May."},
	{"UK_NINO", "AB123456C", "payroll: AB123456C"},
	{"UK_NINO", "tw987654a", "it was tw987654a I think"},
	{"UK_NINO", "hh 01 02 03 d", "ni number hh 01 02 03 d"},
	{"UK_PASSPORT", "CD7654321", "British passport CD7654321, expires soon"},
	{"UK_DRIVING_LICENCE", "MORGA657054SM9IJ", "please update MORGA657054SM9IJ in your system"},
	{"UK_DRIVING_LICENCE", "MORGA 657054 SM9IJ", "DVLA: MORGA 657054 SM9IJ"},
	{"UK_POSTCODE", "EC2A 1NT", "Send it to the postcode EC2A 1NT please"},
	{"UK_POSTCODE", "M11AA", "postcode: M11AA"},
	{"UK_VEHICLE_REGISTRATION", "AB51 ABC", "My car reg is AB51 ABC and it expires"},
	{"UK_VEHICLE_REGISTRATION", "bd62xyz", "number plate bd62xyz"},
	{"UK_VEHICLE_REGISTRATION", "A123 BCD", "the old plate, A123 BCD, is on the wall"},

	{"DE_TAX_ID", "86095742719", "Meine Steuer-ID lautet 86095742719."},
	{"DE_TAX_ID", "86 095 742 719", "IdNr. 86 095 742 719"},
	{"DE_TAX_ID", "47036892816", "beim Bundeszentralamt unter 47036892816 geführt"},
	{"DE_TAX_NUMBER", "151/815/08156", "St.-Nr. 151/815/08156 bitte angeben"},
	{"DE_TAX_NUMBER", "133/8150/8159", "Unsere Steuernummer: 133/8150/8159"},
	{"DE_TAX_NUMBER", "93815/08152", "Steuernummer 93815/08152"},
	{"DE_TAX_NUMBER", "2893081508152", "Finanzamt: 2893081508152"},
	{"DE_VAT_ID", "DE136695976", "Bitte DE136695976 auf die Rechnung schreiben."},
	{"DE_VAT_ID", "DE 136 695 976", "USt-IdNr.: DE 136 695 976"},
	{"DE_VAT_ID", "DE123456789", "USt-ID DE123456789"},
	{"DE_SOCIAL_SECURITY", "15070649C103", "Die Nummer 15070649C103 steht auf dem Ausweis der Rente"},
	{"DE_SOCIAL_SECURITY", "65 070803 A 019", "SV-Nummer 65 070803 A 019"},
	{"DE_HEALTH_INSURANCE", "A123456780", "Krankenkasse, KVNR: A123456780"},
	{"DE_HEALTH_INSURANCE", "A123456780", "Krankenversichertennummer A123456780"},
	{"DE_ID_CARD", "L01X00T44", "Personalausweis L01X00T44"},
	{"DE_ID_CARD", "C01234565", "mein Personalausweis hat die Nummer C01234565"},
	{"DE_ID_CARD", "T22000129", "Ausweis Nr. T22000129 gültig bis 2025."},
	{"DE_ID_CARD", "L01X00T47", "Personalausweisnummer: L01X00T47"},
	{"DE_ID_CARD", "L01X00T471", "der Ausweis L01X00T471 ist abgelaufen"},
	{"DE_PASSPORT", "C01X00T478", "C01X00T478"},
	{"DE_PASSPORT", "C01X00T41", "Reisepass C01X00T41 ausgestellt am 01.01.2020"},
	{"DE_PASSPORT", "L01X00T44", "Reisepass: L01X00T44"},
	{"DE_FUEHRERSCHEIN", "B072RRE2I55", "Führerschein B072RRE2I55, Klasse B"},
	{"DE_FUEHRERSCHEIN", "MU12345678B", "Fahrerlaubnis MU12345678B wurde ausgestellt"},
	{"DE_LANR", "123456601", "LANR: 123456601 des behandelnden Arztes"},
	{"DE_BSNR", "021234568", "Betriebsstättennummer: 021234568"},
	{"DE_HANDELSREGISTER", "HRB 123456", "eingetragen unter HRB 123456"},
	{"DE_HANDELSREGISTER", "HRB Nr. 12345", "Amtsgericht Köln, HRB Nr. 12345"},
	{"DE_KFZ", "B-AB 1234", "Mein Auto hat das Kennzeichen B-AB 1234."},
	{"DE_KFZ", "TÜ-AB 123", "Fahrzeug TÜ-AB 123"},
	{"DE_KFZ", "KA EF 12H", "Fahrzeug KA EF 12H"},
	{"DE_KFZ", "M-XY-999", "M-XY-999"},
	{"DE_PLZ", "80331", "PLZ: 80331"},

	{"ES_NIF", "12345678Z", "Mi DNI es 12345678Z"},
	{"ES_NIF", "55555555-K", "con número 55555555-K en el contrato"},
	{"ES_NIF", "12345678z", "dni 12345678z"},
	{"ES_NIE", "X9613851N", "aportar X9613851N junto con la solicitud"},
	{"ES_NIE", "x9613851n", "mi nie es x9613851n"},
	{"ES_PASSPORT", "AAA123456", "Mi pasaporte es AAA123456"},
	{"IT_FISCAL_CODE", "RSSMRA85T10A562S", "Il sottoscritto, RSSMRA85T10A562S, dichiara"},
	{"IT_FISCAL_CODE", "rssmra85t10a562s", "codice fiscale rssmra85t10a562s"},
	{"IT_FISCAL_CODE", "AAAAAA00B11C333N", "codice AAAAAA00B11C333N"},
	{"IT_VAT_CODE", "00743110157", "Partita IVA 00743110157"},
	{"IT_VAT_CODE", "IT00743110157", "spett.le IT00743110157"},
	{"IT_DRIVER_LICENSE", "AA0123456B", "patente AA0123456B"},
	{"IT_DRIVER_LICENSE", "U1K711J11M", "guida con U1K711J11M"},
	{"IT_PASSPORT", "YA1234567", "passaporto YA1234567"},
	{"IT_IDENTITY_CARD", "CA12345AA", "carta d'identità CA12345AA"},
	{"FR_NIR", "1 80 12 69 552 223 80", "mon numéro de sécu : 1 80 12 69 552 223 80"},
	{"FR_NIR", "253072B07300470", "NIR 253072B07300470"},

	{"PL_PESEL", "44051401359", "Mój PESEL to 44051401359"},
	{"PL_PESEL", "440514-01359", "nr PESEL 440514-01359"},
	{"PL_PESEL", "02070803628", "w systemie 02070803628"},
	{"FI_PERSONAL_IDENTITY_CODE", "131052-308T", "Henkilötunnukseni on 131052-308T."},
	{"FI_PERSONAL_IDENTITY_CODE", "010594y9032", "hetu 010594y9032"},
	{"SE_PERSONNUMMER", "19910924-2397", "19910924-2397 är mitt pnr"},
	{"SE_PERSONNUMMER", "871220-2384", "hon heter Anna, 871220-2384, och bor här"},
	{"SE_PERSONNUMMER", "9201232387", "personnummer 9201232387"},
	{"SE_ORGANISATIONSNUMMER", "556703-7485", "556703-7485 tillhör vårt företag"},
	{"SE_ORGANISATIONSNUMMER", "5567037485", "orgnr 5567037485"},
	{"SE_ORGANISATIONSNUMMER", "SE556703748501", "momsnummer SE556703748501"},
	{"CH_AHV", "756.9217.0769.85", "Frau Muster, 756.9217.0769.85, wohnhaft in Bern"},
	{"CH_AHV", "7569217076985", "AHV-Nr. 7569217076985"},
	{"NL_BSN", "111222333", "Mijn BSN is 111222333"},
	{"TR_NATIONAL_ID", "10000000146", "TC Kimlik No: 10000000146"},
	{"TR_NATIONAL_ID", "76543210794", "ikinci kayıt 76543210794 olarak girildi"},
	{"TR_LICENSE_PLATE", "34 ABC 1234", "Araç plakası 34 ABC 1234 olarak kayıtlıdır."},
	{"TR_LICENSE_PLATE", "34ABC1234", "plaka: 34ABC1234"},
	{"TR_PHONE_NUMBER", "+90 532 123 45 67", "bize +90 532 123 45 67 numaradan ulaşın"},
	{"TR_PHONE_NUMBER", "0532 123 45 67", "cep 0532 123 45 67"},
	{"TR_PHONE_NUMBER", "4321234567", "4321234567"},
}

// europeNothing are texts with what only looks like a value of this family.
var europeNothing = []string{
	"The 12345678 rows, 123456789 bytes and 1234567890 calls of that day", "commit 86095742718, order 44051401358",
	"943 476 5918 and 9434765918", "flight #MH17 HAD been delayed", "FQ 00 00 00 C and BG123612A", "AB 12 34 56 1",
	"UV 98 76 54 B is not valid", "MORGA613054SM9IJ", "they met at SW1A", "The M25 AND the A1 are closed", "A123 BCD",
	"DE12345678 and DE1234567890", "HRC 12345, HR 12345, HRB 1234567", "15420649C103", "A123456787", "L01X00T47", "T2200012",
	"12345 items, 80331 of them", "123456901", "B 1234", "BXYZ AB 1234", "I-AM 100", "In AB 12 they say",
	"12345678A", "Y8063915Q", "W8063915Q", "AAA123456 was shipped", "A55AAA00B11C333N", "00000000000", "180126955222381",
	"85040812345", "310289-211C", "131052:308T", "200504422381", "556703-7486", "7569217076984", "111222334", "10000000145",
	"82 ABC 123", "00 ABC 123", "reg: gp21mul, R0 Reg, F64Add", "53212345678", "version 10.0.14393", "backup 200309251049", "log 20030925-1049", "auto: set to 1", "he is 40", "IT IS 12", "2023-11-24, 10:30, 12 of 20",
}

// TestEuropeExamples runs with everything on that has a form: names and places are matters of a model, and whatever else
// claims an example shows that two scores are wrong.
func TestEuropeExamples(t *testing.T) {
	var wanted []string
	for e := range defaults() {
		if !slices.Contains([]string{"PERSON", "LOCATION", "ORGANIZATION", "NRP"}, e) {
			wanted = append(wanted, e)
		}
	}
	d, err := New(Options{Entities: wanted})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range europeExamples {
		spans, err := d.Find(t.Context(), e.text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range spans {
			got = append(got, s.Entity+" "+e.text[s.Start:s.End])
		}
		if diff := cmp.Diff([]string{e.entity + " " + e.value}, got); diff != "" {
			t.Errorf("%q: %s", e.text, diff)
		}
	}
}

// TestEuropeEveryEntity: each entity of the family has an example, so that none can be lost unnoticed.
func TestEuropeEveryEntity(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range europeExamples {
		seen[e.entity] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(europeFamily().thresholds)), slices.Sorted(maps.Keys(seen))); diff != "" {
		t.Error(diff)
	}
}

func TestEuropeNothing(t *testing.T) {
	d := europeDetector(t, europeRules())
	for _, text := range europeNothing {
		if got := marks(t, d, "It says: "+text+", it was said."); got != "" {
			t.Errorf("%q: %s", text, got)
		}
	}
	for _, text := range []string{"he is 40", "SET TO 100", "USB C 3", "10 X 20", "10000", "12 am 30", "3121234567 or so", "2120000143"} {
		if got := marks(t, d, text); got != "" {
			t.Errorf("%q alone: %s", text, got)
		}
	}
}

// TestEuropeNothing_TwinSeesMissingChecks: without the checks of the rules the texts above are full of values.
func TestEuropeNothing_TwinSeesMissingChecks(t *testing.T) {
	rules := europeRules()
	for i := range rules {
		rules[i].check = nil
	}
	d := europeDetector(t, rules)
	found := 0
	for _, text := range europeNothing {
		if marks(t, d, "It says: "+text+", it was said.") != "" {
			found++
		}
	}
	if found < 10 {
		t.Errorf("only %d of %d texts need a check to stay silent", found, len(europeNothing))
	}
}

// TestEuropeAgainst: a word for another number silences what only a check digit speaks for.
func TestEuropeAgainst(t *testing.T) {
	d := europeDetector(t, europeRules())
	for _, value := range []string{"86095742719", "44051401359", "10000000146", "00743110157"} {
		if got := marks(t, d, "siehe "+value+" dort"); got == "" {
			t.Errorf("%s is not found without a word", value)
		}
		for _, word := range []string{"Telefon", "Bestellnummer", "order", "fattura", "sipariş"} {
			if got := marks(t, d, word+" "+value); got != "" {
				t.Errorf("%s %s: %s", word, value, got)
			}
		}
	}
}

// TestEuropeRandomValues: whatever number passes its check is found, to the byte, beside its name.
func TestEuropeRandomValues(t *testing.T) {
	schemes := []struct {
		word, body, entity string
		check              func(string) bool
	}{
		{"NHS", `[1-9][0-9]{8}`, "UK_NHS", checkdigit.BritishNHS},
		{"Steuer-ID", `86095742[0-9]{2}|47036892[0-9]{2}`, "DE_TAX_ID", checkdigit.GermanTaxID},
		{"DNI", `[0-9]{8}`, "ES_NIF", checkdigit.SpanishNIF},
		{"PESEL", `[0-9]{2}0[1-9]1[0-9]{5}`, "PL_PESEL", checkdigit.PolishPESEL},
		{"hetu", `1[0-9]0[1-9][0-9]{2}A[2-8][0-9]{2}`, "FI_PERSONAL_IDENTITY_CODE", checkdigit.FinnishHETU},
		{"BSN", `[1-9][0-9]{7}`, "NL_BSN", checkdigit.DutchBSN},
		{"AHV", `756[0-9]{9}`, "CH_AHV", checkdigit.SwissAHV},
	}
	for _, c := range schemes {
		d, err := New(Options{Entities: []string{c.entity}})
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		rapid.Check(t, func(rt *rapid.T) {
			value, ok := completed(rapid.StringMatching(c.body).Draw(rt, "body"), c.check)
			if !ok {
				return
			}
			found++
			text := "Über " + c.word + " " + value + ", wie gesagt"
			spans, err := d.Find(t.Context(), text)
			if err != nil || len(spans) != 1 || text[spans[0].Start:spans[0].End] != value {
				rt.Fatalf("%s: %v %v", text, spans, err)
			}
		})
		if found == 0 {
			t.Errorf("%s: no value passes its check", c.entity)
		}
	}
}

// completed is a number with the check character that it needs, where there is one.
func completed(body string, check func(string) bool) (string, bool) {
	for _, c := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		if check(body + string(c)) {
			return body + string(c), true
		}
	}
	return "", false
}

func europeRules() []idRule {
	return slices.Concat(britishRules, germanRules, spanishRules, italianRules, northernRules, turkishRules)
}

// europeDetector is a detector of this family alone, at its own thresholds.
func europeDetector(tb testing.TB, rules []idRule) *Detector {
	tb.Helper()
	known := europeFamily().thresholds
	d, err := build(Options{Entities: slices.Sorted(maps.Keys(known)), Thresholds: known},
		append(identifiers(rules), germanPlateRecogniser(), turkishPlateRecogniser()))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// TestPlatesLinear: a row of short words and digits costs no more than its length.
func TestPlatesLinear(t *testing.T) {
	d := europeDetector(t, nil)
	if got := marks(t, d, strings.Repeat("a b 1 ", 50_000)); got != "" {
		t.Errorf("%d characters of findings", len(got))
	}
}

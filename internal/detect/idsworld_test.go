package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// worldExamples are texts in which a rule of the tables must find exactly what stands between « and ».
var worldExamples = map[string][]string{
	"us-itin":           {"ITIN: «911-70-1234».", "«911-70-1234»", "her taxpayer number is «911701234»", "the card 7 «978-88-1234»"},
	"us-passport":       {"passport number «912803456» of", "Passport: «A12803456»"},
	"us-bank":           {"account number «12345678901»", "acct. «945456787»,"},
	"aba-routing":       {"routing «121000358»", "«3222-7162-7»", "ABA no. «0711-0130-7»", "«121042882»"},
	"us-driver-license": {"my driver's license is «H12234567»", "Driver: «2270-66-1551»", "driving licence «S514-172-80-844-0»", "DMV «AB123456C»"},
	"us-license":        {"License no. «D1234568»", "DL# «A1234568»", "licence «F162823540116»"},
	"us-npi":            {"NPI «1245319599»", "provider «1003000126»", "«1234567893»", "npi «1234-567-893»"},
	"us-mbi":            {"«1EG4-TE5-MK73»", "Medicare ID: «3CD5FG7HJ89»", "MBI «1EG4 TE5 MK73»"},
	"us-dea":            {"certificate number is: «BB1388568»", "«GL0285191» and «EU4488929»"},
	"medical-record":    {"MRN «00987654»", "Patient ID: «12345678»", "(«MRN-1234567»)", "medical record number «A123456»"},
	"ca-sin":            {"SIN «130 692 544»", "mon NAS: «258 933 688»", "«347-677-452» is", "social insurance number «130692544»"},
	"br-cpf":            {"«390.533.447-05»", "CPF «39053344705»", "cpf «390 533 447 05»"},
	"br-cnpj":           {"«11.444.777/0001-61»", "CNPJ «11444777000161»", "«12.ABC.345/01DE-35»"},
	"in-aadhaar":        {"Aadhaar «3123-4567-8909»", "«3998 7654 3211»", "UID: «400123456787»", "«3123:4567:8909»"},
	"in-pan":            {"«ABCPD1234Z»", "PAN: «abcpd1234z»"},
	"in-pan-form":       {"PAN «ABCDD1234Z»"},
	"in-gstin":          {"GSTIN «27ABCDE1234F1Z5»", "«07PQRST6789K1Z2» and"},
	"in-passport":       {"Indian passport «J6932157»"},
	"in-voter":          {"You can vote with your «CPJ4467918» number", "«KSD1287349»"},
	"in-vehicle":        {"«KA53ME3456» is", "bike «OD 02 BA 2341»", "registration «MH-12-A-1234»"},
	"sg-nric":           {"«S2740116C» was", "fin «f2346401l»", "«M4332674T»"},
	"sg-nric-form":      {"NRIC «S1234567A»"},
	"sg-uen":            {"«53125226D», «201434292D»", "UEN «S57TU0392K»"},
	"kr-rrn":            {"RRN «960121-1234567»", "주민등록번호는 «960121-1234567»입니다", "«9601211234567»"},
	"kr-frn":            {"His Korean FRN is «911124-5678901»"},
	"kr-brn":            {"«104-86-56659» is", "BRN «1048656659»"},
	"kr-passport":       {"Korean passport «M456B7890»", "여권 «S87654321»"},
	"kr-driver-license": {"«11-22-123456-12» is", "driver's license «112212345612»"},
	"th-tnin":           {"Thai ID «1234567890121»", "เลขบัตรประชาชน «2345678901234»", "«1-2345-67890-12-1»"},
	"ph-tin":            {"TIN: «000-123-456-000»", "BIR TIN «000123456000»", "TIN «000123456»"},
	"ph-mobile":         {"«+639171234567»", "«0917-123-4567»", "«+63 (917) 123 4567»", "«0 (917) 123 4567»"},
	"au-tfn":            {"TFN «876 543 210»", "tax file number «876543210»", "«876 543 210»"},
	"au-abn":            {"«51 824 753 556» is", "ABN «51824753556»"},
	"au-acn":            {"ACN «000 000 019»", "«000 000 019»", "acn: «000000180»"},
	"au-medicare":       {"medicare «2123 45670 1»", "Medicare: «2123456701»"},
	"za-id":             {"ID «9202201234088» is", "«800101 5009 087»"},
	"ng-nin":            {"NIN: «98765432102»", "«01234567895»"},
	"ng-vehicle":        {"Plates: «APP-456CV» and «KJA-999PZ»", "«app-456cv»", "plate «APP 456CV»"},
	"bitcoin":           {"«16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ»"},
	"base58check":       {"«TJCnKsPa7y5okkXvQAidZBzqx3QyQ6sxMW»"},
	"bech32":            {"«tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx»"},
	"ethereum":          {"eth «0x52908400098527886E0F7030069857D2E4169EE7»"},
	"vin":               {"«1HGBH41JXMN109186»"},
	"vin-form":          {"VIN «WVWZZZ1JZXW000001»"},
	"plate":             {"license plate «7ABC123»"},
	"mac-dots":          {"«0012.3456.789A»"},
	"mac-plain":         {"mac «001A2B3C4D5E»"},
}

// worldRules are the tables that worldExamples is about.
func worldRules() []idRule {
	return slices.Concat(unitedStatesRules, americasRules, asiaRules, southRules, thingsRules, macRules)
}

// TestWorldIdentifiers: every rule finds its examples to the byte, for itself, and no rule is without one.
func TestWorldIdentifiers(t *testing.T) {
	for _, r := range worldRules() {
		if len(worldExamples[r.name]) == 0 {
			t.Errorf("rule %s has no example", r.name)
		}
		d := ruleDetector(t, []idRule{r}, Options{Entities: []string{r.entity}})
		for _, marked := range worldExamples[r.name] {
			text := strings.NewReplacer("«", "", "»", "").Replace(marked)
			if diff := cmp.Diff(marked, remark(t, d, text)); diff != "" {
				t.Errorf("%s: %s", r.name, diff)
			}
		}
	}
}

// remark marks what a detector finds.
func remark(t *testing.T, d *Detector, text string) string {
	t.Helper()
	spans, err := d.Find(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(text[at:s.Start] + "«" + text[s.Start:s.End] + "»")
		at = s.End
	}
	return b.String() + text[at:]
}

// corrupted are the texts that differ from a marked one in the last digit of the first value.
func corrupted(marked string) []string {
	from, to := strings.Index(marked, "«")+len("«"), strings.Index(marked, "»")
	at := strings.LastIndexAny(marked[from:to], "0123456789") + from
	var out []string
	for c := byte('0'); c <= '9'; c++ {
		if c != marked[at] {
			text := marked[:at] + string(rune(c)) + marked[at+1:]
			out = append(out, strings.NewReplacer("«", "", "»", "").Replace(text))
		}
	}
	return out
}

// checkedRules have a check digit that catches each wrong digit at the end of these examples.
var checkedRules = []string{
	"aba-routing", "us-npi", "us-dea", "ca-sin", "br-cpf", "br-cnpj", "in-aadhaar", "sg-uen", "kr-brn", "th-tnin", "au-tfn", "au-abn", "au-acn", "za-id", "ng-nin",
	"vin", "bitcoin", "base58check", "bech32",
}

// TestWrongCheckDigitIsNoIdentifier: with its last digit changed a value is not found, whatever stands beside it.
func TestWrongCheckDigitIsNoIdentifier(t *testing.T) {
	for _, r := range worldRules() {
		if slices.Contains(checkedRules, r.name) {
			if n := foundCorrupted(t, r); n > 0 {
				t.Errorf("%s: %d values with a wrong digit", r.name, n)
			}
		}
	}
}

func TestWrongCheckDigitIsNoIdentifier_TwinWithoutCheck(t *testing.T) {
	for _, r := range worldRules() {
		if slices.Contains(checkedRules, r.name) {
			r.check = nil
			if foundCorrupted(t, r) == 0 {
				t.Errorf("%s: without its check the test above sees nothing", r.name)
			}
		}
	}
}

// foundCorrupted counts the corrupted examples of a rule in which it still finds the value.
func foundCorrupted(t *testing.T, r idRule) int {
	t.Helper()
	d := ruleDetector(t, []idRule{r}, Options{Entities: []string{r.entity}})
	n := 0
	// Only the first value of an example is changed.
	for _, marked := range worldExamples[r.name] {
		before, _, _ := strings.Cut(marked, "«")
		for _, text := range corrupted(marked) {
			if got := remark(t, d, text); strings.HasPrefix(got, before+"«") {
				n++
			}
		}
	}
	return n
}

// TestNumbersAreNoIdentifiers: numbers of texts and programs are none of the family's.
func TestNumbersAreNoIdentifiers(t *testing.T) {
	f := worldFamily()
	d, err := build(Options{Entities: entitiesOf(f)}, f.recognisers())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"12345678 of 1234567", "order 130 692 544 and invoice 121000358", "1699999999 1700000000123", "the 500GB disk, RAM 512MB, MAX-100MS", "100 200 300 400 500 600",
		"version 1.234.567.890", "ISBN 9783161484100", "0x130692544", "a130692544b", "commit 8001015009087", "in 2019 and 2020, 1,234,567.89", "id 1234567890", "Section 12A4",
		"LICENSE file of ed25519", "license key AB123456", "account for 12345", "account created 20240115", "account balance 12345678", "account 123456789012", "account_arn: arn:aws:iam::557821124784:user", "patient of 45 years", "$121000358", "UUID 550e8400-e29b-41d4-a716-446655440000",
		"123456789012345678901234567890", "SIN of 5 numbers", "passport control at gate 12", "5-4-3-2-1", "12/31/1999 23:59", "10.0.0.1", "call 604 123 456",
	} {
		if got := remark(t, d, text); strings.Contains(got, "«") {
			t.Errorf("found %s", got)
		}
	}
}

func entitiesOf(f family) []string {
	var out []string
	for e := range f.thresholds {
		out = append(out, e)
	}
	return out
}

func TestWashingtonLicence(t *testing.T) {
	d, err := build(Options{Entities: []string{usLicence}}, []recogniser{washingtonRecogniser()})
	if err != nil {
		t.Fatal(err)
	}
	for _, marked := range []string{
		"«AA1B2**9ABA7»", "«A*1234AB*CD9» and «AA1B2**9ABA7»", "driver's license: «SMITHJ*123AB»",
		"SMITHJ*123AB", "3A1B2**9ABA7", "AA1B2**9ABA77", "AA1B2**9ABA", "**AA1B2**9ABA7", "aA1B2**9ABA7", "AA1B2**9ABA*", "WIDTH1*HEIGHT", "A1B2C3D4E5F6",
	} {
		text := strings.NewReplacer("«", "", "»", "").Replace(marked)
		if diff := cmp.Diff(marked, remark(t, d, text)); diff != "" {
			t.Error(diff)
		}
	}
}

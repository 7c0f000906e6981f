package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

var (
	nhsWords      = europeWords("nhs", "patient patients gp surgery hospital health medical clinic ward practice")
	ninoWords     = europeWords("nino ni nin insurance", "hmrc payroll paye employee tax benefit benefits payslip")
	ukPassport    = europeWords("passport passports", "travel visa immigration border hmpo")
	ukLicence     = europeWords("licence license licences dvla driving", "driver drivers drive driver's car test")
	postcodeWords = europeWords("postcode postcodes postal", "address street road lane avenue town city deliver delivery london uk")
	ukPlateWords  = europeWords("registration vrm vrn plate plates numberplate", "car cars vehicle vehicles van lorry motorbike mot dvla parked driver parking")
)

var britishRules = []idRule{
	{
		entity: "UK_NHS", name: "uk-nhs", words: nhsWords, check: checkdigit.BritishNHS,
		forms: []idForm{
			{"999_999_9999", " ", idScores{bare: 0.52, lone: 0.62, hint: 0.8, noun: 0.98}},
			// Below the other numbers of ten digits, whose checks are narrower.
			{"9{10}", "", idScores{bare: 0.2, lone: 0.525, hint: 0.65, noun: 0.93}},
		},
	},
	{
		entity: "UK_NHS", name: "uk-nhs-hyphens", words: nhsWords, check: neverAmerican,
		forms: []idForm{{"999_999_9999", "-", idScores{bare: 0.4, lone: 0.72, hint: 0.8, noun: 0.98}}},
	},
	{
		entity: "UK_NHS", name: "uk-nhs-named", words: nhsWords, check: checkdigit.BritishNHS,
		forms: []idForm{{"999_999_9999", "-.", idScores{bare: 0.1, lone: 0.2, hint: 0.5, noun: 0.98}}},
	},
	{
		entity: "UK_NINO", name: "uk-nino", words: ninoWords, check: checkdigit.BritishNationalInsuranceForm,
		forms: []idForm{{"@@9{6}@|@@_99_99_99_@|@@_9{6}_@|@@_9{6}@|@@9{6}_@", " -", idScores{bare: 0.65, lone: 0.72, hint: 0.85, noun: 0.96}}},
	},
	{
		// In small letters "an 12 30 45 a" is a piece of a sentence.
		entity: "UK_NINO", name: "uk-nino-small", words: ninoWords, check: checkdigit.BritishNationalInsuranceForm, anyCase: true,
		forms: []idForm{
			{"@@9{6}@", "", idScores{bare: 0.5, lone: 0.7, hint: 0.8, noun: 0.95}},
			{"@@_99_99_99_@|@@_9{6}_@|@@_9{6}@", " -", idScores{bare: 0.3, lone: 0.7, hint: 0.75, noun: 0.95}},
		},
	},
	{
		entity: "UK_PASSPORT", name: "uk-passport", words: ukPassport,
		forms: []idForm{{"@@9{7}", "", europeSilent}},
	},
	{
		entity: "UK_DRIVING_LICENCE", name: "uk-licence", words: ukLicence, check: checkdigit.BritishDrivingLicenceForm, anyCase: true,
		forms: []idForm{
			{"@****9{6}***@@", "", idScores{bare: 0.75, lone: 0.8, hint: 0.9, noun: 0.96}},
			{"@****_9{6}_***@@", " ", idScores{bare: 0.6, lone: 0.8, hint: 0.9, noun: 0.96}},
		},
	},
	{
		entity: "UK_POSTCODE", name: "uk-postcode", words: postcodeWords, check: britishPostcode,
		forms: []idForm{
			{"@9{1-2}_9@@|@@9{1-2}_9@@|@9@_9@@|@@9@_9@@|@@@_9@@", " ", idScores{bare: 0.2, lone: 0.3, hint: 0.6, noun: 0.85}},
			{"@99@@|@999@@|@@99@@|@@999@@|@9@9@@|@@9@9@@|@@@9@@", "", idScores{bare: 0.1, lone: 0.2, hint: 0.4, noun: 0.8}},
		},
	},
	{
		entity: "UK_VEHICLE_REGISTRATION", name: "uk-plate", words: withWords(ukPlateWords, noun, "reg"), check: inCapitals(britishPlate), exact: true,
		forms: []idForm{
			{"@@99_@@@", " ", idScores{bare: 0.45, lone: 0.66, hint: 0.75, noun: 0.96}},
			{"@@99@@@", "", idScores{bare: 0.35, lone: 0.62, hint: 0.66, noun: 0.92}},
		},
	},
	{
		entity: "UK_VEHICLE_REGISTRATION", name: "uk-plate-small", words: ukPlateWords, check: inOneCase(britishPlate), exact: true,
		forms: []idForm{{"@@99_@@@|@@99@@@", " ", idScores{bare: 0.15, lone: 0.6, hint: 0.55, noun: 0.9}}},
	},
	{
		entity: "UK_VEHICLE_REGISTRATION", name: "uk-plate-old", words: ukPlateWords, check: inCapitals(britishOldPlate), exact: true,
		forms: []idForm{{"@9{1-3}_@@@|@9{1-3}@@@|@@@_9{1-3}@|@@@9{1-3}@", " ", idScores{bare: 0.1, lone: 0.2, hint: 0.4, noun: 0.85}}},
	},
}

// neverAmerican is an NHS number that is no phone number of North America as well, in whose form it is written: there no
// exchange begins with 0 or 1.
func neverAmerican(value string) bool {
	return value[3] <= '1' && checkdigit.BritishNHS(value)
}

// britishPostcode knows the letters that are not used at each place (Royal Mail, Programmers' Guide to PAF).
func britishPostcode(value string) bool {
	if value == "GIR0AA" {
		return true
	}
	inward := len(value) - 3
	if strings.IndexByte("QVX", value[0]) >= 0 || strings.ContainsAny(value[inward:], "CIKMOV") {
		return false
	}
	return isDigit(value[1]) || strings.IndexByte("IJZ", value[1]) < 0 && isDigit(value[2])
}

// britishPlate is the form since 2001: area, half-year (02 to 29 for March, 51 to 79 for September), three letters (DVLA,
// INF104). I and Q are not used, nor Z in an area.
func britishPlate(value string) bool {
	half := int(value[2]-'0')*10 + int(value[3]-'0')
	return !strings.ContainsAny(value, "IQ") && strings.IndexByte(value[:2], 'Z') < 0 && (half >= 2 && half <= 29 || half >= 51 && half <= 79)
}

// britishOldPlate is the forms of 1963 and of 1983, with a letter for the year, which is never I, O, U or Z (Q for
// vehicles of unknown age in the later one).
func britishOldPlate(value string) bool {
	year := value[0]
	if !isDigit(value[1]) {
		year = value[len(value)-1]
	}
	return strings.IndexByte("IOUZ", year) < 0 && !strings.Contains(value, "I")
}

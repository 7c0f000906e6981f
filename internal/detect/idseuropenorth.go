package detect

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

var (
	peselWords = europeWords("pesel", "obywatel dowód dowod ewidencyjny urodzenia numer identyfikacyjny polish")
	hetuWords  = europeWords("hetu henkilötunnus henkilötunnuksen personbeteckning", "identity personal code sotu syntynyt id")
	pnrWords   = europeWords("personnummer personnr pnr samordningsnummer", "personal identity swedish svensk svenska folkbokförd födelsedatum skatteverket")
	orgWords   = europeWords("orgnummer orgnr organisationsnummer org", "företag företaget bolag bolaget ab firma company organisation vårt momsreg")
	ahvWords   = europeWords("ahv avs ahvn sozialversicherungsnr versichertennummer nss navs", "schweiz suisse versicherung assurance ausgleichskasse")
	bsnWords   = europeWords("bsn burgerservicenummer sofinummer sofi", "belastingdienst burger paspoort identiteitskaart duo digid persoonsnummer")
)

// northernRules are those of Poland, Finland, Sweden, Switzerland and the Netherlands.
var northernRules = []idRule{
	{
		entity: "PL_PESEL", name: "pl-pesel", words: peselWords, check: checkdigit.PolishPESEL,
		forms: []idForm{{"9{11}", "", europeRare}, {"9{6}_9{5}", "- ", idScores{bare: 0.45, lone: 0.6, hint: 0.75, noun: 0.95}}},
	},
	{
		entity: "FI_PERSONAL_IDENTITY_CODE", name: "fi-hetu", words: hetuWords, check: finnishCode, anyCase: true,
		forms: []idForm{{"9{6}@999*|9{6}-999*|9{6}+999*", "", idScores{bare: 0.8, lone: 0.9, hint: 0.92, noun: 0.97}}},
	},
	{
		entity: "SE_PERSONNUMMER", name: "se-person", words: pnrWords, check: noTimeOfDay(checkdigit.SwedishPersonnummer),
		forms: []idForm{{"9{8}-9{4}|9{8}+9{4}|9{6}-9{4}|9{6}+9{4}|9{12}", "", europeDated}},
	},
	{
		entity: "SE_PERSONNUMMER", name: "se-person-or-time", words: pnrWords, check: checkdigit.SwedishPersonnummer,
		forms: []idForm{
			{"9{8}-9{4}|9{8}+9{4}|9{6}-9{4}|9{6}+9{4}|9{12}", "", idScores{bare: 0.3, lone: 0.7, hint: 0.8, noun: 0.96}},
			{"9{10}", "", idScores{bare: 0.25, lone: 0.57, hint: 0.65, noun: 0.94}},
		},
	},
	{
		entity: "SE_ORGANISATIONSNUMMER", name: "se-organisation", words: orgWords, check: checkdigit.SwedishOrganisation,
		forms: []idForm{
			{"9{6}-9{4}|16 9{6}-9{4}", "", idScores{bare: 0.52, lone: 0.6, hint: 0.75, noun: 0.95}},
			{"9{10}", "", idScores{bare: 0.15, lone: 0.54, hint: 0.6, noun: 0.92}},
		},
	},
	{
		// The number for value added tax.
		entity: "SE_ORGANISATIONSNUMMER", name: "se-organisation-vat", words: withWords(orgWords, noun, "vat moms momsnummer"), check: swedishVAT, anyCase: true,
		forms: []idForm{{"SE9{10}01|SE_9{10}01|SE_9{6}_9{4}_01", " -", idScores{bare: 0.75, lone: 0.8, hint: 0.9, noun: 0.97}}},
	},
	{
		entity: "CH_AHV", name: "ch-ahv", words: ahvWords, check: checkdigit.SwissAHV,
		forms: []idForm{
			{"756_9999_9999_99", ". -", idScores{bare: 0.85, lone: 0.9, hint: 0.92, noun: 0.98}},
			{"7569{10}", "", idScores{bare: 0.6, lone: 0.7, hint: 0.8, noun: 0.97}},
		},
	},
	{
		entity: "NL_BSN", name: "nl-bsn", words: bsnWords, check: checkdigit.DutchBSN,
		forms: []idForm{
			{"9{9}", "", idScores{bare: 0.1, lone: 0.3, hint: 0.6, noun: 0.95}},
			{"9999_99_999|999_999_999", ". -", idScores{bare: 0.3, lone: 0.4, hint: 0.65, noun: 0.95}},
		},
	},
}

func swedishVAT(value string) bool {
	return checkdigit.SwedishOrganisation(value[len("SE") : len(value)-len("01")])
}

// finnishCode is the check of a code whose sign was left out because it is no letter: then it is one of the century
// before last or of the last, of which both are computed alike but for 29 February 1900.
func finnishCode(value string) bool {
	const signAt = 6
	if len(value) != 10 {
		return checkdigit.FinnishHETU(value)
	}
	var whole [11]byte
	copy(whole[:], value[:signAt])
	whole[signAt] = '-'
	copy(whole[signAt+1:], value[signAt:])
	return checkdigit.FinnishHETU(string(whole[:]))
}

// noTimeOfDay is a check of a day and four digits that are no hour and minute: files and log lines are named after those.
func noTimeOfDay(check func(string) bool) func(string) bool {
	return func(digits string) bool {
		end := digits[len(digits)-4:]
		return (end[:2] > "23" || end[2] > '5') && check(digits)
	}
}

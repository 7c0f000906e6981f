package detect

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

// accountWords are for what banks number.
var accountWords = words{
	"account": noun, "acct": noun, "checking": hint, "savings": hint, "konto": noun, "compte": noun, "cuenta": noun,
	"bank": hint, "deposit": hint, "debit": hint, "direct": hint, "wire": hint,
	"user": against, "github": against, "service": against, "twitter": against, "id": against,
	"balance": against, "opened": against, "aws": against, "arn": against, "iam": against, "azure": against, "gcp": against,
}

// licenceWords leave out the licences of software, of trades and of cars: what may be driven tells which is meant.
var licenceWords = words{
	"driver": noun, "drivers": noun, "driving": noun, "dmv": noun, "dl": hint, "permit": hint,
	"key": against, "plate": against, "plates": against, "medical": against, "software": against,
}

// anyLicenceWords are for forms that licences of software do not have.
var anyLicenceWords = words{
	"license": noun, "licence": noun, "lic": noun, "dl": hint,
	"key": against, "plate": against, "plates": against, "medical": against, "software": against, "product": against,
}

// Forms of passports: nine characters, the first a letter since 2021 (Department of State, 22 CFR part 51).
var passportWords = words{"passport": noun, "passports": noun, "travel": hint, "passeport": noun, "pasaporte": noun, "reisepass": noun}

var unitedStatesRules = []idRule{
	{
		entity: usITIN, name: "us-itin", check: checkdigit.TaxpayerFormUS,
		words: words{"itin": noun, "itins": noun, "taxpayer": noun, "tax": hint, "tin": hint, "irs": hint, "ssn": hint},
		forms: []idForm{
			{"999_99_9999", "-", idGrouped.scored(0.6, 0.65)},
			{"999_99_9999", " ", idChecked.scored(0.3, 0.6)},
			{"9{9}", "", idChecked.scored(0.1, 0.6)},
			{"999_999999|99999_9999", "-", idNamed},
		},
	},
	{
		entity: usPassport, name: "us-passport", words: passportWords,
		// Above what an unchecked number of another state gets beside the same word.
		forms: []idForm{{"@9{8}|9{9}", "", idScores{bare: 0.05, lone: 0.1, hint: 0.3, noun: 0.82}}},
	},
	{
		// Amazon's manuals have 123456789012 for every account.
		entity: usBankNumber, name: "us-bank", words: accountWords, check: func(v string) bool { return v != "123456789012" },
		forms: []idForm{{"9{8-17}", "", idNamed.scored(0.02, 0.05)}},
	},
	{
		entity: routingNumber, name: "aba-routing", check: checkdigit.RoutingNumberUS,
		words: words{"routing": noun, "aba": noun, "rtn": noun, "transit": noun, "bank": hint, "wire": hint, "ach": hint, "micr": noun},
		forms: []idForm{{"9999_9999_9", "-", idGrouped}, {"9{9}", "", idChecked.scored(0.2, 0.58)}},
	},
	{
		// The forms are those of the fifty states (AAMVA), which differ and change: only a word tells which
		// numbers are licences. One letter and eight digits are too many states' to be nothing.
		entity: usLicence, name: "us-driver-license", words: licenceWords,
		forms: []idForm{
			{"@9{8}", "", idNamed.scored(0.05, 0.5)},
			{"@9{4-7}|@9{9-14}|@@9{3-7}|9{7-9}|@@9{6}@|@9{7}@|99@@@9{5-6}|@9@9@9@", "", idNamed},
			{"9999_99_9999", "-", idNamed.scored(0.1, 0.2)},
			{"@999_999_99_999_9|@999_9999_9999|@9999_99999_99999|999_999_999|@999_9999_9999_99|@99_99_9999", "- ", idNamed},
		},
	},
	{
		entity: usLicence, name: "us-license", words: anyLicenceWords, check: func(v string) bool { return !sequence(v[1:]) },
		forms: []idForm{{"@9{7-8}|@9{12-14}", "", idNamed}, {"@999_9999_9999|@999_999_99_999_9|@999_9999_9999_99", "-", idNamed}},
	},
	{
		entity: usNPI, name: "us-npi", check: func(v string) bool { return checkdigit.ProviderUS(v) && !repeated(v[:9]) },
		words: words{"npi": noun, "npis": noun, "provider": hint, "prescriber": hint, "physician": hint, "practitioner": hint},
		forms: []idForm{{"9999_999_999", "- ", idSpaced}, {"9{10}", "", idChecked.scored(0.2, 0.54)}},
	},
	{
		entity: usMBI, name: "us-mbi", check: checkdigit.MedicareFormUS,
		words: words{"mbi": noun, "medicare": noun, "beneficiary": noun, "hicn": noun, "cms": hint, "member": hint},
		forms: []idForm{{"9@*9_@*9_@@99", "- ", idCertain}, {"9@*9@*9@@99", "", idGrouped}},
	},
	{
		entity: dea, name: "us-dea", check: checkdigit.DrugEnforcementUS,
		words: words{"dea": noun, "certificate": hint, "medical": hint, "prescriber": hint, "registration": hint, "doctor": hint, "license": hint, "licence": hint},
		forms: []idForm{{"@@9{7}|@9{8}", "", idGrouped}},
	},
	{
		entity: medicalRecord, name: "medical-record",
		words: words{"mrn": noun, "mrns": noun, "medical": noun, "patientid": noun, "patient": hint, "chart": hint, "hospital": hint, "record": nothing},
		forms: []idForm{
			{"MRN-9{4-10}|MRN9{4-10}|MRN#9{4-10}", "", idCertain},
			{"9{6-10}|@9{5-9}|@@9{5-8}", "", idScores{bare: 0.02, lone: 0.05, hint: 0.4, noun: 0.8}},
			{"999_999_999|99_99_99", "-", idScores{bare: 0.02, lone: 0.05, hint: 0.4, noun: 0.8}},
		},
	},
}

package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

var asiaRules = []idRule{
	{
		entity: inAadhaar, name: "in-aadhaar", check: checkdigit.IndianAadhaar,
		words: words{"aadhaar": noun, "aadhar": noun, "adhaar": noun, "adhar": noun, "uidai": noun, "uid": hint, "आधार": noun},
		forms: []idForm{{"9999_9999_9999", "- :", idGrouped}, {"9{12}", "", idChecked.scored(0.2, 0.56)}},
	},
	{
		entity: inPAN, name: "in-pan", check: checkdigit.IndianPANHolder, words: panWords,
		forms: []idForm{{"@{5}9{4}@", "", idCertain.scored(0.75, 0.85)}},
	},
	{
		entity: inPAN, name: "in-pan-form", check: checkdigit.IndianPANForm, words: panWords,
		forms: []idForm{{"@{5}9{4}@", "", idNamed}},
	},
	{
		entity: inGSTIN, name: "in-gstin", check: indianGSTIN, words: words{"gstin": noun, "gst": noun, "gstins": noun},
		forms: []idForm{{"99@{5}9{4}@*Z*", "", idCertain}},
	},
	{
		entity: inPassport, name: "in-passport", words: countryPassport("indian", "india", "पासपोर्ट"),
		forms: []idForm{{"@9{7}", "", idNamed}},
	},
	{
		entity: inVoter, name: "in-voter", check: func(v string) bool { return !sequence(v[3:]) },
		words: words{"vote": noun, "voter": noun, "voters": noun, "voting": noun, "epic": noun, "electoral": noun, "election": hint, "elector": noun},
		forms: []idForm{{"@{3}9{7}", "", idNamed.scored(0.1, 0.5)}},
	},
	{
		entity: inVehicle, name: "in-vehicle", check: indianPlate,
		words: words{"registration": noun, "vehicle": noun, "car": hint, "bike": hint, "plate": noun, "rto": noun, "scooter": hint, "truck": hint, "reg": noun},
		forms: []idForm{
			{"@@99@9999|@@99@@9999|@@99@@@9999|@@9@@9999", "", idGrouped.scored(0.65, 0.7)},
			{"@@_99_@_9999|@@_99_@@_9999|@@99_@@_9999|@@_99_@@@_9999", " -", idGrouped.scored(0.65, 0.7)},
			{"@@9{4}", "", idNamed},
		},
	},
	{
		entity: sgNRIC, name: "sg-nric", check: checkdigit.SingaporeanNRIC, anyCase: true, words: nricWords,
		forms: []idForm{{"@9{7}@", "", idCertain}},
	},
	{
		entity: sgNRIC, name: "sg-nric-form", check: func(v string) bool { return strings.IndexByte("STFGM", v[0]) >= 0 }, words: nricWords,
		forms: []idForm{{"@9{7}@", "", idHinted}},
	},
	{
		entity: sgUEN, name: "sg-uen", check: checkdigit.SingaporeanUEN, words: words{"uen": noun, "acra": noun, "singapore": hint, "company": hint},
		forms: []idForm{{"9{8}@|9{9}@|@99@@9{4}@", "", idCertain.scored(0.75, 0.8)}},
	},
	{
		entity: krRRN, name: "kr-rrn", check: checkdigit.KoreanResidentForm,
		words: koreanWords(words{"rrn": noun, "resident": noun, "주민등록번호": noun, "주민등록번호는": noun, "주민번호": noun}),
		forms: []idForm{{"999999_9999999", "-", idGrouped}, {"9{13}", "", idChecked.scored(0.25, 0.6)}},
	},
	{
		entity: krFRN, name: "kr-frn", check: checkdigit.KoreanForeignerForm,
		words: koreanWords(words{"frn": noun, "arc": hint, "foreigner": noun, "alien": hint, "외국인등록번호": noun, "외국인등록번호는": noun}),
		forms: []idForm{{"999999_9999999", "-", idGrouped}, {"9{13}", "", idChecked.scored(0.25, 0.6)}},
	},
	{
		entity: krBRN, name: "kr-brn", check: checkdigit.KoreanBusiness,
		words: koreanWords(words{"brn": noun, "business": hint, "사업자등록번호": noun, "사업자번호": noun, "사업자등록번호는": noun}),
		forms: []idForm{{"999_99_99999", "-", idGrouped.scored(0.6, 0.65)}, {"9{10}", "", idChecked.scored(0.2, 0.53)}},
	},
	{
		entity: krPassport, name: "kr-passport", check: func(v string) bool { return strings.IndexByte("MSRODG", v[0]) >= 0 },
		words: koreanWords(countryPassport("여권", "여권번호", "여권번호는", "여권은")),
		forms: []idForm{{"@999@9999", "", idNamed.scored(0.1, 0.2)}, {"@9{8}", "", idNamed}},
	},
	{
		entity: krLicence, name: "kr-driver-license", check: koreanRegion,
		words: koreanWords(words{"license": noun, "licence": noun, "driver": noun, "driving": noun, "운전면허": noun, "운전면허번호": noun, "면허번호": noun}),
		forms: []idForm{{"99_99_999999_99", "- ", idGrouped}, {"9{12}", "", idChecked}},
	},
	{
		entity: thTNIN, name: "th-tnin", check: checkdigit.ThaiID,
		words: words{"thai": noun, "thailand": noun, "tnin": noun, "เลขบัตรประชาชน": noun, "บัตรประชาชน": noun, "national": hint},
		forms: []idForm{{"9_9999_99999_99_9", "- ", idCertain}, {"9{13}", "", idChecked.scored(0.2, 0.55)}},
	},
	{
		entity: phTIN, name: "ph-tin", check: philippineTIN,
		words: words{"tin": noun, "bir": noun, "taxpayer": noun, "tax": noun, "philippine": hint, "philippines": hint},
		forms: []idForm{{"999_999_999|999_999_999_999|999_999_999_99999", "-", idNamed.scored(0.2, 0.3)}, {"9{9}|9{12}", "", idNamed}},
	},
	{
		entity: phMobile, name: "ph-mobile", check: philippineMobile,
		words: words{"philippine": noun, "philippines": noun, "manila": noun, "cebu": noun, "globe": noun, "gcash": noun, "numero": hint},
		forms: []idForm{
			{"+639{10}|+63_9{10}|+63_999_999_9999|+63_999_9999999", "-. ", idCertain.scored(0.97, 0.97)},
			{"+63_(999)_999_9999|+63_(999)_9999999|+63(999)9999999|+63(999)_999_9999", " ", idCertain.scored(0.97, 0.97)},
			{"+63 (999) 999-9999|+63(999) 999-9999|(+63) 999 999 9999", "", idCertain.scored(0.97, 0.97)},
			{"09{10}|0999_999_9999|0999_9999999", "-. ", idCertain.scored(0.7, 0.97)},
			{"0_(999)_999_9999|(0999)_999_9999|0(999)9999999|(0999)_9999999", " ", idCertain.scored(0.7, 0.97)},
			{"(0999) 999-9999|0 (999) 999-9999", "", idCertain.scored(0.7, 0.97)},
		},
	},
}

var panWords = words{"pan": noun, "pancard": noun, "income": hint, "tax": hint, "permanent": hint}

var nricWords = words{"nric": noun, "fin": noun, "singapore": hint, "identity": hint, "ic": noun}

// countryPassport is the words for passports of a state that is named.
func countryPassport(names ...string) words {
	set := words{"passport": noun, "passports": noun}
	for _, n := range names {
		set[n] = noun
	}
	return set
}

// koreanWords adds what stands beside numbers of Korea.
func koreanWords(set words) words {
	set["korean"], set["korea"] = hint, hint
	return set
}

// sequence says whether digits count up, 0 after 9, or are all the same: what stands in examples.
func sequence(digits string) bool {
	for i := 1; i < len(digits); i++ {
		if digits[i] != digits[i-1]+1 && (digits[i] != '0' || digits[i-1] != '9') {
			return repeated(digits)
		}
	}
	return true
}

// repeated says whether digits are all the same.
func repeated(digits string) bool { return strings.Trim(digits, digits[:1]) == "" }

// indianGSTIN takes examples, whose check character is often wrong, for states that there are since 2017; the later ones
// (38, 97, 99) must pass.
func indianGSTIN(v string) bool {
	return checkdigit.IndianGSTIN(v) || v[:2] <= "37" && checkdigit.IndianGSTINForm(v)
}

// indianStates are the first letters of number plates (Central Motor Vehicles Rules, form 20; Ministry of Road Transport, list of
// codes; TS and TG are both Telangana).
const indianStates = "AN AP AR AS BH BR CH CG DD DN DL GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK UP WB "

func indianPlate(v string) bool {
	return strings.Contains(indianStates, v[:2]+" ")
}

// koreanRegion is the office that gave out a driver's licence: 11 (Seoul) to 26, and 28 (Korean National Police Agency).
func koreanRegion(digits string) bool {
	region := digits[:2]
	return region >= "11" && region <= "26" || region == "28"
}

// philippineTIN is the number of taxpayers: eight digits, a check digit with the weights 9 to 2, modulus 11, and the number of
// the branch (Bureau of Internal Revenue).
func philippineTIN(digits string) bool {
	sum := 0
	for i := range 8 {
		sum += int(digits[i]-'0') * (9 - i)
	}
	return sum > 0 && sum%11 == int(digits[8]-'0')
}

// philippineMobile wants the 9 of mobile networks and a prefix in use: 90 to 99 with what the National Telecommunications
// Commission has given out.
func philippineMobile(digits string) bool {
	if digits[0] == '0' {
		digits = digits[1:]
	} else {
		digits = strings.TrimPrefix(digits, "63")
	}
	return len(digits) == 10 && digits[0] == '9' && !sequence(digits) && digits[1:3] != "00"
}

package detect

import (
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

// southRules are those of Australia, South Africa and Nigeria.
var southRules = []idRule{
	{
		entity: auTFN, name: "au-tfn", check: func(v string) bool { return checkdigit.AustralianTFN(v) && v[0] != '0' },
		words: words{"tfn": noun, "tax": noun, "ato": noun, "australian": hint},
		forms: []idForm{{"999_999_999", " -", idSpaced.scored(0.4, 0.58)}, {"9{9}", "", idChecked.scored(0.15, 0.54)}},
	},
	{
		entity: auABN, name: "au-abn", check: checkdigit.AustralianABN,
		words: words{"abn": noun, "business": hint, "australian": hint, "company": hint},
		forms: []idForm{{"99_999_999_999", " -", idCertain.scored(0.75, 0.85)}, {"9{11}", "", idChecked.scored(0.4, 0.61)}},
	},
	{
		entity: auACN, name: "au-acn", check: checkdigit.AustralianACN,
		words: words{"acn": noun, "company": hint, "asic": noun, "australian": hint},
		forms: []idForm{{"999_999_999", " -", idSpaced.scored(0.4, 0.57)}, {"9{9}", "", idChecked.scored(0.15, 0.53)}},
	},
	{
		entity: auMedicare, name: "au-medicare", check: checkdigit.AustralianMedicare,
		words: words{"medicare": noun, "irn": noun, "australian": hint},
		forms: []idForm{{"9999_99999_9|9999_99999_9_9", " -", idSpaced}, {"9{10}|9{11}", "", idChecked.scored(0.2, 0.55)}},
	},
	{
		entity: zaID, name: "za-id", check: checkdigit.SouthAfricanID,
		words: words{"african": noun, "rsa": noun, "sa": noun, "resident": hint, "refugee": hint, "identity": hint, "id": hint, "africa": hint},
		forms: []idForm{{"999999_9999_999", " -", idCertain}, {"9{13}", "", idCertain.scored(0.6, 0.65)}},
	},
	{
		entity: ngNIN, name: "ng-nin", check: checkdigit.NigerianNIN,
		words: words{"nin": noun, "nimc": noun, "nigerian": hint, "nigeria": hint, "national": hint},
		forms: []idForm{{"9{11}", "", idChecked.scored(0.2, 0.53)}, {"9999_999_9999", " -", idChecked}},
	},
	{
		entity: ngVehicle, name: "ng-vehicle", check: nigerianPlate, anyCase: true,
		words: words{"plate": noun, "plates": noun, "registration": noun, "vehicle": noun, "car": hint, "nigerian": hint},
		forms: []idForm{
			{"@{3}_999@@", "-", idGrouped},
			{"@{3}_999@@", " ", idHinted.scored(0.3, 0.6)},
			{"@{3}999@@", "", idHinted.scored(0.3, 0.6)},
		},
	},
}

// measures are what stands behind three digits without making a number plate of them: units, ordinals, hours.
const measures = "MB GB KB TB KG MG ML MM CM KM HZ MS NS US PX PT TH ST ND RD AM PM DB MW KW KV MA FT LB OZ BN MN PC EM XX "

// nigerianPlate is a code of the local government, a serial and two letters of the year (Federal Road Safety Corps, since 2011).
func nigerianPlate(v string) bool {
	return !strings.Contains(measures, v[len(v)-2:]+" ") && v[3:6] != "000"
}

package detect

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

// americasRules are Canada's and Brazil's.
var americasRules = []idRule{
	{
		entity: caSIN, name: "ca-sin", check: checkdigit.CanadianSIN,
		words: words{
			"sin": noun, "sins": noun, "nas": noun, "insurance": noun, "assurance": noun, "canadian": hint, "canada": hint, "cra": hint,
			"social": hint, "sociale": hint,
		},
		forms: []idForm{
			// Above what "social" makes of a US number: this one has a check digit.
			{"999_999_999", "-", idScores{bare: 0.56, lone: 0.6, hint: 0.75, noun: 0.96}},
			{"999_999_999", " ", idScores{bare: 0.4, lone: 0.6, hint: 0.75, noun: 0.96}},
			{"9{9}", "", idScores{bare: 0.1, lone: 0.3, hint: 0.6, noun: 0.96}},
		},
	},
	{
		entity: brCPF, name: "br-cpf", check: checkdigit.BrazilianCPF, words: words{"cpf": noun, "cadastro": hint, "contribuinte": hint, "receita": hint},
		forms: []idForm{
			{"999.999.999-99", "", idCertain},
			{"999_999_999_99", "- .", idGrouped},
			{"999999999-99", "", idGrouped.scored(0.6, 0.7)},
			{"9{11}", "", idChecked.scored(0.4, 0.62)},
		},
	},
	{
		entity: brCNPJ, name: "br-cnpj", check: checkdigit.BrazilianCNPJ, words: words{"cnpj": noun, "cadastro": hint, "empresa": hint, "receita": hint},
		forms: []idForm{
			{"**.***.***/****-99", "", idCertain},
			{"9{14}", "", idChecked.scored(0.4, 0.65)},
			{"*{12}99", "", idNamed},
		},
	},
}

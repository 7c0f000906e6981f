package detect

import (
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/detect/checkdigit"
)

// Entities of things, by Presidio's names where Presidio has one.
const (
	macAddress   = "MAC_ADDRESS"
	crypto       = "CRYPTO"
	vin          = "VIN"
	licensePlate = "LICENSE_PLATE"
	urlEntity    = "URL"
	dateTime     = "DATE_TIME"
	username     = "USERNAME"
)

// thingsFamily is machines, wallets, vehicles, addresses in the web, dates and names of accounts: what leads to a person
// only sometimes. URLs and dates are in every other prompt, so that by default only those are reported which carry a
// secret, or a date of birth; the rest scores between the thresholds of optIn and 0.5.
func thingsFamily() family {
	return family{
		thresholds: map[string]float64{
			macAddress: 0.5, crypto: 0.5, vin: 0.5, licensePlate: 0.5, urlEntity: 0.5, dateTime: 0.5, username: 0.5,
		},
		optIn: map[string]float64{urlEntity: 0.3, dateTime: 0.3, username: 0.3},
		recognisers: func() []recogniser {
			return slices.Concat(identifiers(thingsRules), macRecognisers(), urlRecognisers(), dateRecognisers(), usernameRecognisers())
		},
		facts: []any{
			idFacts(thingsRules), birthWords, monthNames, dayNames, yearWords, secretParameters, topLevels, usernameLabels, usernameStops,
		},
	}
}

var numberPlateWords = words{
	"plate": noun, "plates": noun, "licenseplate": noun, "numberplate": noun, "kennzeichen": noun, "immatriculation": noun,
	"matrícula": noun, "matricula": noun, "targa": noun, "kenteken": noun, "tag": hint,
	"name": against, "tectonic": against, "steel": against, "dinner": against,
}

var thingsRules = []idRule{
	{
		entity: crypto, name: "bitcoin", exact: true, check: checkdigit.BitcoinAddress, words: cryptoWords,
		forms: []idForm{{"*{26-35}|*{42}|*{62}", "", idCertain.scored(0.95, 0.95)}},
	},
	{
		// Other coins of the same making: Litecoin, Dogecoin, Dash, Tron, and test networks.
		entity: crypto, name: "base58check", exact: true, check: otherCoin, words: cryptoWords,
		forms: []idForm{{"*{33-35}", "", idCertain}},
	},
	{
		entity: crypto, name: "bech32", exact: true, check: otherWitness, words: cryptoWords,
		forms: []idForm{{"*{40-66}", "", idCertain}},
	},
	{
		// The checksum of EIP-55 is in the case of the letters, and most addresses are written without.
		entity: crypto, name: "ethereum", exact: true, check: hexAddress, words: cryptoWords,
		forms: []idForm{{"0x*{40}", "", idGrouped}},
	},
	{
		entity: vin, name: "vin", check: func(v string) bool { return checkdigit.VIN(v) && mixed(v) }, words: vinWords,
		forms: []idForm{{"*{17}", "", idGrouped.scored(0.6, 0.7)}},
	},
	{
		entity: vin, name: "vin-form", check: func(v string) bool { return checkdigit.VINForm(v) && mixed(v) }, words: vinWords,
		forms: []idForm{{"*{17}", "", idNamed.scored(0.2, 0.3)}},
	},
	{
		entity: licensePlate, name: "plate", capitals: true, words: numberPlateWords,
		forms: []idForm{
			{"*{4-8}", "", idNamed},
			{"@_*{4-6}|@@_*{3-6}|@@@_*{2-5}|9_9{5}|9@@_*{3-4}|9@_*{4-6}|99_*{4}|9{3}_*{3}|9@{3}_*{2-3}|*{3}9_*{2-3}|@99_99@|@@99_@@@", "- ", idNamed},
			{"@@_99_@@|99_@@_99|@@_999_@@|@{1-3}_@{1-2}_9{2-4}", "- ", idNamed},
			{"@{1-3}-@{1-2} 9{1-4}", "", idNamed},
		},
	},
}

var cryptoWords = words{
	"bitcoin": noun, "btc": noun, "wallet": noun, "crypto": noun, "ethereum": noun, "eth": noun, "litecoin": noun, "dogecoin": noun,
	"usdt": noun, "tron": noun,
	"commit": nothing, "hash": nothing,
}

var vinWords = words{
	"vin": noun, "vins": noun, "vehicle": noun, "chassis": noun, "fahrgestellnummer": noun, "fin": noun, "car": hint,
	"serial": nothing, "model": nothing,
}

// otherCoin knows the version bytes of Base58Check: 0x1e (Dogecoin), 0x30, 0x32 (Litecoin), 0x41 (Tron), 0x4c (Dash), 0x6f, 0xc4
// (test networks of Bitcoin).
func otherCoin(v string) bool {
	version, ok := checkdigit.Base58Check(v)
	return ok && strings.IndexByte("\x1e\x30\x32\x41\x4c\x6f\xc4", version) >= 0
}

// otherWitness takes witness addresses of Litecoin and of test networks.
func otherWitness(v string) bool {
	readable, ok := checkdigit.WitnessAddress(v)
	return ok && readable != "bc"
}

func hexAddress(v string) bool {
	digits := 0
	for i := 2; i < len(v); i++ {
		if !isHex(v[i]) {
			return false
		}
		if isDigit(v[i]) {
			digits++
		}
	}
	// Of random ones 25 of 40 are digits; words of constants ("0x00...01") are nearly all zeros.
	return digits > 10 && strings.Count(v, "0") < 25
}

// mixed says whether there are letters and digits.
func mixed(v string) bool {
	return strings.ContainsFunc(v, func(r rune) bool { return r > '9' }) && strings.ContainsAny(v, "0123456789")
}

package checkdigit_test

import "github.com/counterfoil/counterfoil/internal/detect/checkdigit"

// scheme is one function of the package, with examples that are valid and some that are not.
type scheme struct {
	name  string
	check func(string) bool
	good  []string
	bad   []string
	// catches says that every single wrong digit is noticed, wherever it is: what the mathematics of the scheme promise.
	// Schemes in which a remainder of ten becomes 0, or in which a weight shares a factor with the modulus, do not.
	catches bool
}

var base58 = func(s string) bool { _, ok := checkdigit.Base58Check(s); return ok }

var witness = func(s string) bool { _, ok := checkdigit.WitnessAddress(s); return ok }

var schemes = []scheme{
	{"Luhn", checkdigit.Luhn, []string{"79927398713", "4111111111111111"}, []string{"79927398710", "", "0", "7992739871x"}, true},
	{"IMEI", checkdigit.IMEI, []string{"490154203237518"}, []string{"490154203237519", "000000000000000"}, true},
	{"EAN13", checkdigit.EAN13, []string{"4006381333931", "9780306406157"}, []string{"4006381333932", "400638133393"}, true},
	{"Mod97", checkdigit.Mod97, []string{"3214282912345698765432161182", "79444"}, []string{"79445", "7", "7 944"}, true},
	{"Mod11_10", checkdigit.Mod11_10, []string{"07945", "136695976"}, []string{"07946", "5", "079O5"}, true},
	{"Verhoeff", checkdigit.Verhoeff, []string{"2363", "123451", "758722"}, []string{"2364", "3", "23a3"}, true},
	{"ICAO9303", checkdigit.ICAO9303, []string{"L898902C36", "7408122", "1204159", "ZE184226B<<<<<1"}, []string{"L898902C37", "<", "l898902c36"}, true},

	{
		"GermanTaxID", checkdigit.GermanTaxID,
		[]string{"86095742719", "47036892816", "65929970489", "57549285017", "25768131411", "12345678903"},
		[]string{"86095742718", "02345678903", "11112345678", "11122334450", "8609574271", "8609574271a"}, true,
	},
	{"GermanVATID", checkdigit.GermanVATID, []string{"136695976", "129273398"}, []string{"987654321", "100000001", "036695976"}, true},
	{"GermanTaxNumberForm", checkdigit.GermanTaxNumberForm, []string{"2893081508152", "9181081508155", "5133081508159"}, []string{"1781508150001", "2893181508152"}, false},
	{
		"GermanSocialSecurity", checkdigit.GermanSocialSecurity, []string{"15070649C103", "65070803A019", "38551285K051", "20151090B023"},
		[]string{"15070649C100", "15420649C103", "150706491103", "15070049C103", "15071349C103", "15070649C10"}, false,
	},
	{"GermanHealthInsurance", checkdigit.GermanHealthInsurance, []string{"A000500015", "C000500021", "Z000000005"}, []string{"M123456789", "1123456780"}, true},
	{"GermanPhysician", checkdigit.GermanPhysician, []string{"123456601", "999999901"}, []string{"123456901", "12345660a", "000000000"}, false},
	{"GermanPracticeForm", checkdigit.GermanPracticeForm, []string{"021234568", "741234567"}, []string{"001234568", "111111111", "02123456A"}, false},
	{"GermanIDCard", checkdigit.GermanIDCard, []string{"L01X00T44", "CZ6311T03", "L01X00T471"}, []string{"L01X00T47", "E01234567", "L01X00T4A", "L01X00T440"}, true},
	{"GermanOldIDCardForm", checkdigit.GermanOldIDCardForm, []string{"T22000129"}, []string{"T2200012", "L22000129"}, false},
	{"GermanSerialForm", checkdigit.GermanSerialForm, []string{"L01X00T47", "C01X00T4"}, []string{"E01X00T47", "101X00T47", "L01X00T"}, false},
	{"GermanPassport", checkdigit.GermanPassport, []string{"C01X00T41", "F12345671", "C01X00T478"}, []string{"C01234567", "C0123456A"}, true},

	{"BritishNHS", checkdigit.BritishNHS, []string{"9434765919", "0032698674"}, []string{"9434765918", "1111111111", "943476591"}, true},
	{"BritishNationalInsuranceForm", checkdigit.BritishNationalInsuranceForm, []string{"AA123456B", "TW987654A"}, []string{"FQ000000C", "BG123612A", "AO123456A", "AA123456E"}, false},
	{
		"BritishDrivingLicenceForm", checkdigit.BritishDrivingLicenceForm, []string{"MORGA657054SM9IJ", "FO999512018AA1AB", "JONES710153J99EF"},
		[]string{"MORGA600054SM9IJ", "MORGA613054SM9IJ", "MORGA601324SM9IJ", "MO9G9657054SM9IJ"}, false,
	},
	{"SpanishNIF", checkdigit.SpanishNIF, []string{"12345678Z", "55555555K"}, []string{"12345678A", "1234567Z"}, true},
	{"SpanishNIE", checkdigit.SpanishNIE, []string{"X9613851N", "Z8078221M"}, []string{"Y8063915Q", "W8063915Q"}, true},
	{"ItalianFiscalCode", checkdigit.ItalianFiscalCode, []string{"RSSMRA85T10A562S", "RSSMRA70A41F205Z"}, []string{"RSSMRA85T10A562T", "RSSMRA85T32A562S", "RSSMRAA5T10A562S"}, true},
	{"ItalianFiscalCodeForm", checkdigit.ItalianFiscalCodeForm, []string{"AAAAAA00B11C333N", "RSSMRA85T10A5S2S"}, []string{"A55AAA00B11C333N"}, false},
	{"ItalianVAT", checkdigit.ItalianVAT, []string{"01333550323", "00743110157"}, []string{"00000000000", "00000000001", "01333551321"}, true},
	{"FrenchNIR", checkdigit.FrenchNIR, []string{"180126955222380", "253072B07300470", "187022A00100125"}, []string{"180126955222381", "953072B07300470", "253072C07300470"}, true},
	{"PolishPESEL", checkdigit.PolishPESEL, []string{"44051401359", "02070803628", "44051401458"}, []string{"44051401459", "11110021111", "44111401359"}, true},
	{"FinnishHETU", checkdigit.FinnishHETU, []string{"131052-308T", "010594Y9032", "010516B903X"}, []string{"310289-211C", "012245A110G", "131052:308T"}, true},
	{"SwedishPersonnummer", checkdigit.SwedishPersonnummer, []string{"8112189876", "9201232387", "8112789873"}, []string{"8112189875", "8113189876"}, true},
	// The century is not part of the sum.
	{"SwedishPersonnummer in full", checkdigit.SwedishPersonnummer, []string{"198112189876", "200002292399"}, []string{"200504422381", "198113189876", "190002292399"}, false},
	{"SwedishOrganisation", checkdigit.SwedishOrganisation, []string{"5567037485", "2120000142", "165567037485"}, []string{"8112189876", "5567037486", "55670374858"}, true},
	{"SwissAHV", checkdigit.SwissAHV, []string{"7569217076985"}, []string{"7569217076984", "4006381333931"}, true},
	{"DutchBSN", checkdigit.DutchBSN, []string{"111222333", "123456782"}, []string{"123456789", "000000000", "111111111"}, true},
	{"TurkishID", checkdigit.TurkishID, []string{"10000000146", "76543210794"}, []string{"10000000145", "00000000000", "12345678900"}, true},

	{"RoutingNumberUS", checkdigit.RoutingNumberUS, []string{"121000358", "322271627"}, []string{"121000359", "421000358", "000000000"}, true},
	{"ProviderUS", checkdigit.ProviderUS, []string{"1234567893", "1245319599"}, []string{"1234567890", "0234567893"}, true},
	{"MedicareFormUS", checkdigit.MedicareFormUS, []string{"1EG4TE5MK73", "9XX9XX9XX99"}, []string{"1SG4TE5MK73", "12G4TE5MK73", "0EG4TE5MK73"}, false},
	{"DrugEnforcementUS", checkdigit.DrugEnforcementUS, []string{"GL0285191", "EU4488929", "BB1388568", "K92993548"}, []string{"BG8207031", "NB1388568"}, false},
	{"TaxpayerFormUS", checkdigit.TaxpayerFormUS, []string{"911701234", "999999999"}, []string{"911891234", "911661234", "811701234"}, false},
	{"CanadianSIN", checkdigit.CanadianSIN, []string{"130692544", "948584792"}, []string{"130692545", "812345678", "046454286"}, true},
	{"BrazilianCPF", checkdigit.BrazilianCPF, []string{"11144477735", "52998224725"}, []string{"11144477734", "11111111111"}, false},
	{"BrazilianCNPJ", checkdigit.BrazilianCNPJ, []string{"11222333000181", "12ABC34501DE35"}, []string{"11222333000182", "12ABC34501DE34"}, false},

	{"IndianAadhaar", checkdigit.IndianAadhaar, []string{"312345678909", "400123456787"}, []string{"123456789012", "312345678900"}, true},
	{"IndianPANForm", checkdigit.IndianPANForm, []string{"ABCDE1234F"}, []string{"ABCD1234FF"}, false},
	{"IndianPANHolder", checkdigit.IndianPANHolder, []string{"ABCPD1234Z"}, []string{"ABCDE1234F"}, false},
	{"IndianGSTIN", checkdigit.IndianGSTIN, []string{"27AAPFU0939F1ZV", "29AAGCB7383J1Z4"}, []string{"27AAPFU0939F1ZW", "00AAPFU0939F1ZV"}, true},
	{"IndianGSTINForm", checkdigit.IndianGSTINForm, []string{"27ABCDE1234F1Z5"}, []string{"27ABCDE1234F1Y5"}, false},
	{"SingaporeanNRIC", checkdigit.SingaporeanNRIC, []string{"S2740116C", "F2346401L", "T7572225C", "M4332674T"}, []string{"S2740116D", "A2740116C"}, true},
	{"SingaporeanUEN", checkdigit.SingaporeanUEN, []string{"00192200M", "197401143C", "S16FC0121D", "T01FC6132D"}, []string{"00192200N", "197401143D", "S16FC0122D"}, false},
	{"ThaiID", checkdigit.ThaiID, []string{"1234567890121", "3456789012347"}, []string{"0234567890124", "1284567890124", "1234567890123"}, false},
	{"KoreanResidentForm", checkdigit.KoreanResidentForm, []string{"9601211234567"}, []string{"7604135212134", "001130123456"}, false},
	{"KoreanForeignerForm", checkdigit.KoreanForeignerForm, []string{"9111245678906"}, []string{"0013325234567"}, false},
	{"KoreanBusiness", checkdigit.KoreanBusiness, []string{"1048656659", "1048213138"}, []string{"1048656658", "1234567890"}, true},

	{"AustralianTFN", checkdigit.AustralianTFN, []string{"876543210", "123456782"}, []string{"876543211", "000000000"}, true},
	{"AustralianABN", checkdigit.AustralianABN, []string{"51824753556", "53004085616"}, []string{"00000000560", "51824753557"}, true},
	{"AustralianACN", checkdigit.AustralianACN, []string{"000000019", "004085616"}, []string{"824753557"}, false},
	{"AustralianMedicare", checkdigit.AustralianMedicare, []string{"2123456701", "21234567012"}, []string{"2123258701", "7123456701"}, false},
	{"SouthAfricanID", checkdigit.SouthAfricanID, []string{"8001015009087", "9202201234088", "0001015002288"}, []string{"9913326789285", "8001015009176", "9902294321191"}, true},
	{"NigerianNIN", checkdigit.NigerianNIN, []string{"98765432102", "01234567895"}, []string{"12345678901"}, true},

	{"VINForm", checkdigit.VINForm, []string{"WVWZZZ1JZ3W386752"}, []string{"WVWZZZ1JZ3W38675O", "WVWZZZ1JZ3W38675"}, false},
	{"VIN", checkdigit.VIN, []string{"1M8GDM9AXKP042788", "1HGCM82633A004352"}, []string{"1M8GDM9A1KP042788"}, true},
	{
		"BitcoinAddress", checkdigit.BitcoinAddress,
		[]string{
			"16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
			"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
			"bc1p5d7rjq7g6rdk2yhzks9smlaqtedr4dekq08ge8ztwac72sfr9rusxg3297",
		},
		[]string{
			"16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bc1Qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
			"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
		}, true,
	},
	{"Base58Check", base58, []string{"LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"}, []string{"LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc2", "1111111111111111111111111"}, true},
	{"WitnessAddress", witness, []string{"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}, []string{"1qzzfhee", "x1b4n0q5v", "A12UEL5L"}, true},
}

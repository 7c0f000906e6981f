package detect

import "slices"

// Entities of the world beyond Europe, by Presidio's names where Presidio has one.
const (
	usITIN        = "US_ITIN"
	usPassport    = "US_PASSPORT"
	usBankNumber  = "US_BANK_NUMBER"
	routingNumber = "ABA_ROUTING_NUMBER"
	usLicence     = "US_DRIVER_LICENSE"
	usNPI         = "US_NPI"
	usMBI         = "US_MBI"
	dea           = "MEDICAL_LICENSE"
	medicalRecord = "MEDICAL_RECORD_NUMBER"
	caSIN         = "CA_SIN"
	brCPF         = "BR_CPF"
	brCNPJ        = "BR_CNPJ"
	auTFN         = "AU_TFN"
	auABN         = "AU_ABN"
	auACN         = "AU_ACN"
	auMedicare    = "AU_MEDICARE"
	inAadhaar     = "IN_AADHAAR"
	inPAN         = "IN_PAN"
	inGSTIN       = "IN_GSTIN"
	inPassport    = "IN_PASSPORT"
	inVoter       = "IN_VOTER"
	inVehicle     = "IN_VEHICLE_REGISTRATION"
	sgNRIC        = "SG_NRIC_FIN"
	sgUEN         = "SG_UEN"
	krRRN         = "KR_RRN"
	krFRN         = "KR_FRN"
	krBRN         = "KR_BRN"
	krPassport    = "KR_PASSPORT"
	krLicence     = "KR_DRIVER_LICENSE"
	thTNIN        = "TH_TNIN"
	phTIN         = "PH_TIN"
	phMobile      = "PH_MOBILE_NUMBER"
	ngNIN         = "NG_NIN"
	ngVehicle     = "NG_VEHICLE_REGISTRATION"
	zaID          = "ZA_ID_NUMBER"
)

// worldFamily is what states outside Europe, and their banks and health services, number people and businesses with.
func worldFamily() family {
	rules := slices.Concat(unitedStatesRules, americasRules, asiaRules, southRules)
	thresholds := map[string]float64{}
	for _, r := range rules {
		thresholds[r.entity] = 0.5
	}
	return family{
		thresholds:  thresholds,
		recognisers: func() []recogniser { return append(identifiers(rules), washingtonRecogniser()) },
		facts:       []any{idFacts(rules)},
	}
}

// scored is scores with other ones for a value that stands by itself and for one that is alone in its text. Where
// digits pass the checks of several schemes, the score of the lone value says which of them is the narrowest.
func (s idScores) scored(bare, lone float64) idScores {
	s.bare, s.lone = bare, lone
	return s
}

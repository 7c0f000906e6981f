package detect

import "slices"

// The entities of this package, by Presidio's names where Presidio has one.
const (
	EmailAddress = "EMAIL_ADDRESS"
	PhoneNumber  = "PHONE_NUMBER"
	CreditCard   = "CREDIT_CARD"
	IBANCode     = "IBAN_CODE"
	USSSN        = "US_SSN"
	IPAddress    = "IP_ADDRESS"
	PrivateKey   = "PRIVATE_KEY"
	APIKey       = "API_KEY"
)

// defaultThresholds says from which score on a finding is reported. Rules are scored so that 0.5 divides
// what stands by itself from what needs a context word.
var defaultThresholds = map[string]float64{
	EmailAddress: 0.5,
	PhoneNumber:  0.5,
	CreditCard:   0.5,
	IBANCode:     0.5,
	USSSN:        0.5,
	IPAddress:    0.5,
	PrivateKey:   0.5,
	APIKey:       0.5,
}

// Entities lists, in a fixed order, what a Detector can find.
func Entities() []string {
	names := make([]string, 0, len(defaultThresholds))
	for e := range defaultThresholds {
		names = append(names, e)
	}
	slices.Sort(names)
	return names
}

// shipped is every recogniser of the package, in the order in which they run at one trigger.
func shipped() []recogniser {
	return []recogniser{
		emailRecogniser(),
		ipv4Recogniser(),
		ipv6Recogniser(),
		cardRecogniser(),
		ssnRecogniser(),
		ibanRecogniser(),
		phoneRecogniser(),
		privateKeyRecogniser(),
		secretRecogniser(),
	}
}

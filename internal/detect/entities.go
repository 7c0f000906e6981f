package detect

// Entities of this package that several files name, by Presidio's names where Presidio has one.
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

// contactFamily is how people are reached and paid, and what names their machines.
func contactFamily() family {
	return family{
		thresholds: map[string]float64{
			EmailAddress: 0.5, PhoneNumber: 0.5, CreditCard: 0.5, IBANCode: 0.5, USSSN: 0.5, IPAddress: 0.5,
			customID: 0.5,
		},
		recognisers: func() []recogniser {
			return []recogniser{
				emailRecogniser(), encodedEmailRecogniser(), ipv4Recogniser(), ipv6Recogniser(), cardRecogniser(), ssnRecogniser(), otherIDRecogniser(),
				ibanRecogniser(), phoneRecogniser(),
			}
		},
		facts: []any{phoneLibrary, issuers, ibanFormats, cardWords, ssnWords, identityWords, ipWords, ibanWords, phoneWords},
	}
}

package detect

// secretFamily is what openerOf doors.
func secretFamily() family {
	return family{
		thresholds: map[string]float64{PrivateKey: 0.5, APIKey: 0.5, Password: 0.5},
		recognisers: func() []recogniser {
			return []recogniser{
				privateKeyRecogniser(), secretRecogniser(), jwtRecogniser(), genericRecogniser(), kubernetesRecogniser(),
				passwordRecogniser(), curlRecogniser(), urlPasswordRecogniser(),
			}
		},
		facts: []any{
			secretRules, namedRules, genericNames, harmlessNames, otherValues, publishedSamples, letterPairs,
			passwordWords, otherPasswords, passwordVerbs, commonPasswords, noPasswords, quantityUnits, loginWords, connectionWords, weakNames,
		},
	}
}

package detect

// secretFamily is what opens doors. Its rules, from the surest to the least sure:
//
//   - key files and JSON Web Keys, tokens with a prefix of their own (secretRules) or a structure (JWT, Kubernetes);
//   - keys of an issuer whose name is in the name of what they are assigned to (namedRules), by alphabet and length;
//   - passwords of URLs, of curl, and what is assigned to or said of a password (PASSWORD, an entity of its own);
//   - whatever is assigned to a name of a secret and is random: entropy, digits among letters, and letters that do not
//     go together as in words.
//
// The span is the secret alone, without its name: the password of a URL, not the URL. Where a longer finding contains
// it, as URL and EMAIL_ADDRESS may, Resolve keeps that one, so that nothing of the secret is left either way.
//
// A secret is blocked by default, so a false hit costs a request. A placeholder, a variable, a piece of a program, a
// published sample key and a word are none: what is letters alone is taken for a password only if everybody uses it, in
// a URL, or in a connection string, so a password like "password: sommerwiese" is missed. That is the price of
// not blocking every text about passwords.
//
// The rules are facts of the table of gitleaks v8.30.1 (https://github.com/gitleaks/gitleaks, config/gitleaks.toml, MIT
// licence, copyright Zachary Rice): prefixes, names, alphabets, lengths, entropies, and the forms of an assignment.
func secretFamily() family {
	return family{
		thresholds: map[string]float64{PrivateKey: 0.5, APIKey: 0.5, Password: 0.5},
		recognisers: func() []recogniser {
			return []recogniser{
				privateKeyRecogniser(), jwkRecogniser(), secretRecogniser(), jwtRecogniser(), genericRecogniser(), kubernetesRecogniser(),
				passwordRecogniser(), curlRecogniser(), commandRecogniser(), urlPasswordRecogniser(),
			}
		},
		facts: []any{
			secretRules, namedRules, genericNames, harmlessNames, otherValues, keyNames, publishedSamples, letterPairs,
			passwordWords, otherPasswords, passwordVerbs, commonPasswords, noPasswords, quantityUnits, loginWords, loginNames, connectionWords, commandNames, weakNames,
		},
	}
}

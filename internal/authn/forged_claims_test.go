package authn_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// changed makes one forgery for each value of one claim of A's good token.
func changed(w *world, claim string, reason authn.Reason, guard string, values map[string]any) []forgery {
	var table []forgery
	for name, value := range values {
		f := forgery{name: claim + " " + name, token: w.signA(headerA(), with(w.claimsA(), claim, value)), reason: reason}
		if guard != "" {
			f.guards = []string{guard}
		}
		table = append(table, f)
	}
	return table
}

func forgedTimes(w *world) []forgery {
	at := func(d time.Duration) int64 { return w.now.Add(d).Unix() }
	number := func(s string) json.Number { return json.Number(s) }
	table := changed(w, "exp", authn.ReasonClaims, "", map[string]any{
		"null": nil, "a string": fmt.Sprint(at(time.Hour)), "negative": -1, "true": true, "an array": []int64{at(time.Hour)},
		"an object": map[string]any{}, "1e400": number("1e400"), "1e300": number("1e300"),
		"beyond int64": number("9223372036854775808"),
		"int64":        number("9223372036854775807"), "year 10000": number("253402300800"), "missing": absent,
		"an ISO date": "2099-01-01T00:00:00Z",
	})
	table = append(table, changed(w, "exp", authn.ReasonClaims, "lifetime", map[string]any{
		"a day and a second after iat": at(24*time.Hour + time.Second), "in ten years": at(87600 * time.Hour),
		"year 9999": number("253402300799"),
	})...)
	// With iat out of the way the expiry alone stands between these and a caller.
	for name, exp := range map[string]any{
		"a minute ago": at(-time.Minute), "at the end of the leeway": at(-30 * time.Second), "zero": 0,
		"a year ago": at(-8760 * time.Hour),
		"a fraction": float64(at(-time.Minute)) + 0.5, "as a small float": number("1e-300"),
	} {
		token := w.signA(headerA(), with(w.claimsA(), "iat", absent, "exp", exp))
		table = append(table, forgery{name: "exp passed, " + name, token: token, reason: authn.ReasonExpired, guards: []string{"expiry"}})
	}
	table = append(table, changed(w, "nbf", authn.ReasonNotYet, "not_before", map[string]any{
		"in a minute": at(time.Minute), "31 s ahead": at(31 * time.Second), "year 9999": number("253402300799"),
	})...)
	table = append(table, changed(w, "nbf", authn.ReasonClaims, "", map[string]any{
		"a string": "0", "null": nil, "negative": -5, "huge": number("1e99"), "false": false,
	})...)
	table = append(table, changed(w, "iat", authn.ReasonNotYet, "not_before", map[string]any{"31 s ahead": at(31 * time.Second)})...)
	return append(table, changed(w, "iat", authn.ReasonClaims, "", map[string]any{
		"a string": fmt.Sprint(at(0)), "null": nil, "after exp": at(2 * time.Hour), "the same as exp": at(time.Hour),
		"negative": -1, "an object": map[string]any{},
	})...)
}

func forgedAudiences(w *world) []forgery {
	return changed(w, "aud", authn.ReasonAudience, "audience", map[string]any{
		"missing": absent, "null": nil, "another": "billing", "empty": "", "an empty array": []string{},
		"an array without ours": []string{"a", "b"},
		"a part of ours":        "counterfoi", "ours and more": "counterfoil.attacker.example", "upper case": "Counterfoil",
		"a list in a string": "counterfoil,billing",
		"words in a string":  "billing counterfoil", "a space after": "counterfoil ", "a wildcard": "*", "a number": 0, "true": true,
		"an object": map[string]any{"counterfoil": true}, "a URL of ours": "https://counterfoil/", "with NUL": "counterfoil\x00",
	})
}

// forgedAudienceElements would hide ours between things that are no strings.
func forgedAudienceElements(w *world) []forgery {
	return changed(w, "aud", authn.ReasonAudience, "", map[string]any{
		"an array in an array": []any{[]string{"counterfoil"}}, "a number beside ours": []any{"counterfoil", 1},
		"null beside ours": []any{"counterfoil", nil},
	})
}

func forgedIssuers(w *world) []forgery {
	table := changed(w, "iss", authn.ReasonIssuer, "", map[string]any{
		"missing": absent, "null": nil, "empty": "", "a number": 1, "an array": []string{issuerA},
		"an object":     map[string]any{"iss": issuerA},
		"a slash after": issuerA + "/", "upper case": "https://A.example", "scheme in upper case": "HTTPS://a.example",
		"a space before": " " + issuerA,
		"http":           "http://a.example", "unknown": "https://attacker.example", "a prefix": "https://a.exampl",
		"a domain under it": issuerA + ".attacker.example",
		"user info":         "https://a.example@attacker.example", "with NUL": issuerA + "\x00", "a query": issuerA + "?",
		"a fragment":  issuerA + "#",
		"a dot after": "https://a.example.", "percent-encoded": "https://%61.example", "a port": "https://a.example:443",
		"Cyrillic": "https://а.example",
		"both":     issuerA + " " + issuerB, "the development issuer": authn.DevIssuerName,
	})
	return append(append(table, forgedAudienceElements(w)...), forgery{
		name: "iss of B by the key of A", token: w.signA(headerA(), with(w.claimsB(), "tenant", "globex", "aud", "counterfoil")),
		reason: authn.ReasonSignature, guards: []string{"signature"},
	})
}

func forgedTenants(w *world) []forgery {
	table := changed(w, "tenant", authn.ReasonTenant, "tenant", map[string]any{
		"of the other issuer": "globex", "unknown": "umbrella", "a prefix": "acm", "and more": "acme2",
		"63 characters": strings.Repeat("a", 63),
	})
	table = append(table, forgery{
		name:   "tenant of A by issuer B",
		token:  sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), with(w.claimsB(), "org", "acme")),
		reason: authn.ReasonTenant, guards: []string{"tenant"},
	}, forgery{
		name:   "tenant under a claim that is not the issuer's",
		token:  sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), with(w.claimsB(), "org", absent, "tenant", "globex")),
		reason: authn.ReasonTenant,
	})
	return append(table, changed(w, "tenant", authn.ReasonTenant, "", map[string]any{
		"missing": absent, "null": nil, "empty": "", "an array": []string{"acme"}, "an object": map[string]any{"acme": 1},
		"a number": 1, "true": true,
		"upper case": "ACME", "_system": "_system", "an underscore first": "_acme", "a hyphen first": "-acme",
		"64 characters": strings.Repeat("a", 64),
		"with NUL":      "acme\x00", "a line break after": "acme\n", "a path": "acme/../globex", "a space before": " acme",
		"a wildcard": "*", "a percent": "%",
		"two": "acme,globex", "Cyrillic": "асme", "full width": "ａcme", "a dot": "acme.globex",
	})...)
}

// names are strings that must name nobody.
func badNames() map[string]any {
	return map[string]any{
		"empty": "", "null": nil, "a number": 1, "an array": []string{"x"}, "an object": map[string]any{"x": 1}, "true": true,
		"with NUL": "svc\x00-1", "with a line break": "svc-1\nadmin", "with an escape": "svc\x1b[2J", "with DEL": "svc\x7f",
		"with C1":            "svc\u0085",
		"a zero-width space": "svc\u200b-1", "right to left": "svc\u202e-1", "a byte order mark": "\ufeffsvc-1",
		"a space before": " svc-1", "a space after": "svc-1 ",
		"spaces only": "   ", "a no-break space": "svc\u00a01", "256 bytes": strings.Repeat("a", 256),
		"private use": "svc\ue000", "a line separator": "svc\u2028",
	}
}

func forgedPrincipals(w *world) []forgery {
	table := changed(w, "sub", authn.ReasonClaims, "", badNames())
	table = append(table, changed(w, "client_id", authn.ReasonClaims, "", badNames())...)
	table = append(table, changed(w, "azp", authn.ReasonClaims, "", map[string]any{
		"differs from client_id": "gw-2", "null": nil, "a number": 1, "empty": "", "an array": []string{"gw-canary-1"},
	})...)
	table = append(table, changed(w, "jti", authn.ReasonClaims, "", map[string]any{
		"empty": "", "null": nil, "a number": 7, "with NUL": "a\x00b", "an array": []string{"id"},
		"256 bytes": strings.Repeat("j", 256),
	})...)
	ed := func(pairs ...any) string {
		return sign(jwt.SigningMethodEdDSA, w.bEd, headerB("b-ed", "EdDSA"), with(w.claimsB(), pairs...))
	}
	return append(table,
		forgery{name: "sub missing", token: w.signA(headerA(), with(w.claimsA(), "sub", absent)), reason: authn.ReasonClaims, library: true},
		forgery{name: "no client at all", token: w.signA(headerA(), with(w.claimsA(), "client_id", absent)), reason: authn.ReasonClaims},
		forgery{name: "client_id instead of the client claim", token: ed("appid", absent, "client_id", "gw"), reason: authn.ReasonClaims},
		forgery{name: "the client claim an array", token: ed("appid", []string{"gw"}), reason: authn.ReasonClaims},
	)
}

func forgedActors(w *world) []forgery {
	table := changed(w, "act", authn.ReasonClaims, "", map[string]any{
		"a string": "svc-2", "null": nil, "an array": []any{map[string]any{"sub": "svc-2"}}, "empty": map[string]any{}, "true": true,
		"five deep": nestedActors(5), "sixty deep": nestedActors(60),
		"of another issuer":              map[string]any{"sub": "svc-2", "iss": issuerB},
		"of an issuer that is no string": map[string]any{"sub": "svc-2", "iss": nil},
		"of an issuer that is a list":    map[string]any{"sub": "svc-2", "iss": []string{issuerA}},
		"nested without sub":             map[string]any{"sub": "svc-2", "act": map[string]any{}},
		"nested a string":                map[string]any{"sub": "svc-2", "act": "svc-3"},
		"nested null":                    map[string]any{"sub": "svc-2", "act": nil},
		"nested of another issuer":       map[string]any{"sub": "a", "act": map[string]any{"sub": "b", "iss": issuerB}},
	})
	for name, sub := range badNames() {
		token := w.signA(headerA(), with(w.claimsA(), "act", map[string]any{"sub": sub}))
		table = append(table, forgery{name: "act.sub " + name, token: token, reason: authn.ReasonClaims, library: true})
	}
	return table
}

func forgedRolesAndClaims(w *world) []forgery {
	many, claims := make([]string, authn.MaxRoles+1), w.claimsA()
	for n := range many {
		many[n] = fmt.Sprintf("role-%d", n)
	}
	for n := range authn.MaxAttributes + 1 {
		claims[fmt.Sprintf("c%d", n)] = n
	}
	table := changed(w, "roles", authn.ReasonClaims, "", map[string]any{
		"an object": map[string]any{"gateway": true}, "a number": 1, "null": nil, "true": true, "a number inside": []any{"gateway", 1},
		"null inside": []any{nil}, "an array inside": []any{[]string{"gateway"}}, "too many": many,
		"too many in a string": strings.Join(many, " "),
	})
	table = append(table, changed(w, "amr", authn.ReasonClaims, "", map[string]any{
		"a string": "mfa", "null": nil, "an object": map[string]any{"mfa": true}, "a number inside": []any{"mfa", 1}, "true": true,
	})...)
	table = append(table, changed(w, "team", authn.ReasonClaims, "", map[string]any{
		"too long": strings.Repeat("x", authn.MaxAttributeBytes+1), "with NUL": "fraud\x00", "with a line break": "fraud\r\nadmin",
		"a number too long": json.Number(strings.Repeat("1", authn.MaxAttributeBytes+1)),
	})...)
	return append(table,
		forgery{name: "too many further claims", token: w.signA(headerA(), claims), reason: authn.ReasonClaims},
		forgery{name: "a claim with no name", token: w.signA(headerA(), with(w.claimsA(), "", "x")), reason: authn.ReasonClaims},
		forgery{name: "a claim name with a line break", token: w.signA(headerA(), with(w.claimsA(), "a\nb", "x")), reason: authn.ReasonClaims},
	)
}

// forgedBindings come over a connection without a certificate.
func forgedBindings(w *world) []forgery {
	const thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" // of RFC 8705 appendix A
	padded := thumbprint + "="
	standard := strings.Repeat("+", 43)
	loose := thumbprint[:42] + "1" // bits that are not there
	table := changed(w, "cnf", authn.ReasonClaims, "", map[string]any{
		"null": nil, "a string": thumbprint, "empty": map[string]any{}, "an array": []any{thumbprint},
		"of a key": map[string]any{"jkt": thumbprint}, "a key": map[string]any{"jwk": map[string]any{"kty": "oct"}},
		"of two proofs":   map[string]any{"x5t#S256": thumbprint, "jkt": thumbprint},
		"in another case": map[string]any{"X5T#S256": thumbprint},
		"no text":         map[string]any{"x5t#S256": 1}, "an empty text": map[string]any{"x5t#S256": ""},
		"too short": map[string]any{"x5t#S256": thumbprint[:42]}, "padded": map[string]any{"x5t#S256": padded},
		"standard base64": map[string]any{"x5t#S256": standard}, "loose bits": map[string]any{"x5t#S256": loose},
		"with a line break": map[string]any{"x5t#S256": thumbprint + "\n"},
		"in hex":            map[string]any{"x5t#S256": strings.Repeat("0a", 32)},
	})
	return append(table, forgery{
		name:   "bound to a certificate that is not shown",
		token:  w.signA(headerA(), with(w.claimsA(), "cnf", map[string]any{"x5t#S256": thumbprint})),
		reason: authn.ReasonBinding, guards: []string{"binding"}, library: true,
	})
}

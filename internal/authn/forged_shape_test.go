package authn_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// forgedSegments are strings that only a lenient reader takes for a token.
func forgedSegments(w *world) []forgery {
	token := w.good()
	parts := strings.Split(token, ".")
	flattened := string(must(json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})))
	jwe := segment(map[string]any{"alg": "dir", "enc": "A256GCM", "kid": "k1"})
	var table []forgery
	for name, text := range map[string]string{
		"empty": "", "a dot": ".", "two dots": "..", "three dots": "...", "one segment": parts[0],
		"two segments":     parts[0] + "." + parts[1],
		"a fourth segment": token + "." + parts[2], "a dot after": token + ".", "a dot before": "." + token,
		"two tokens":    token + "." + token,
		"a JWE":         jwe + "..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ",
		"the JSON form": flattened, "with the word Bearer": "Bearer " + token,
		"with the word bearer after": token + " Bearer", "in quotes": `"` + token + `"`,
		"a space before": " " + token, "a space after": token + " ", "a comma and more": token + "," + token,
		"a line break after": token + "\n", "a NUL after": token + "\x00",
		"line break and more": token + "\r\nX-Role: operator", "a tab inside": token[:9] + "\t" + token[9:],
		"base64 of the whole": base64.StdEncoding.EncodeToString([]byte(token)),
		"hex":                 "65794a.65794a.00", "no header": "." + parts[1] + "." + parts[2], "no payload": parts[0] + ".." + parts[2],
		"percent-encoded dots": strings.ReplaceAll(token, ".", "%2e"), "full-width dots": strings.ReplaceAll(token, ".", "．"),
		"standard alphabet": reencoded(w, base64.RawStdEncoding), "padding": reencoded(w, base64.URLEncoding),
		"padded signature":               token + "==",
		"trailing bits in the signature": token[:len(token)-1] + nextLetter(token[len(token)-1]),
		"bytes that are no text":         "\xff\xfe." + parts[1] + "." + parts[2],
	} {
		table = append(table, forgery{name: "shape " + name, token: text, reason: authn.ReasonMalformed})
	}
	return append(table,
		forgery{name: "a line break in the signature", token: token[:len(token)-4] + "\n" + token[len(token)-4:], reason: authn.ReasonMalformed, library: true},
		forgery{name: "a CR LF in the signature", token: token[:len(token)-9] + "\r\n" + token[len(token)-9:], reason: authn.ReasonMalformed, library: true},
		forgery{name: "too large by a byte", token: strings.Repeat("A", authn.MaxTokenBytes+1), reason: authn.ReasonTooLarge},
		forgery{name: "a megabyte of dots", token: strings.Repeat(".", 1<<20), reason: authn.ReasonTooLarge},
		forgery{
			name: "a good token, too large", reason: authn.ReasonTooLarge, library: true,
			token: w.signA(headerA(), with(w.claimsA(), "aud", []string{"counterfoil", strings.Repeat("x", authn.MaxTokenBytes)})),
		},
	)
}

// reencoded is a token whose header and payload are in another base64, signed as
// they stand, so that nothing but the encoding is wrong.
func reencoded(w *world, encoding *base64.Encoding) string {
	encode := func(v any) string { return encoding.EncodeToString(must(json.Marshal(v))) }
	// Five tildes give both letters in which the alphabets differ; the header
	// is of a length that needs padding.
	header, claims := with(headerA(), "x", "1"), with(w.claimsA(), "team", "~~~~~", "more", "?????")
	return signText(jwt.SigningMethodES256, w.aEC, encode(header)+"."+encode(claims))
}

// nextLetter returns a letter that decodes to the same bytes where the last
// letter of a segment has bits to spare, which a lenient decoder ignores.
func nextLetter(letter byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, letter)|1])
}

// forgedJSON are payloads that two parsers read in two ways, and headers too.
// They are signed with the right key: the issuer that lets a user put text into
// its tokens may sign such a thing unawares.
func forgedJSON(w *world) []forgery {
	good := string(must(json.Marshal(w.claimsA())))
	inner := strings.TrimSuffix(good, "}")
	header := strings.TrimSuffix(string(must(json.Marshal(headerA()))), "}")
	var table []forgery
	for name, payload := range map[string]string{
		"tenant twice": inner + `,"tenant":"initech"}`, "sub twice": inner + `,"sub":"admin"}`,
		"roles twice": inner + `,"roles":["operator"]}`,
		"exp twice":   `{"exp":1,` + good[1:], "iss twice, the first another": `{"iss":"https://attacker.example",` + good[1:],
		"aud twice": `{"aud":"billing",` + good[1:], "sub escaped": inner + `,"\u0073ub":"admin"}`,
		"tenant in two cases": inner + `,"Tenant":"initech"}`,
		"sub with a long s":   inner + `,"ſub":"admin"}`, "a Kelvin sign": inner + `,"tok":"a","to\u212a":"b"}`,
		"twice in act": inner + `,"act":{"sub":"a","sub":"b"}}`, "twice in a nested array": inner + `,"x":[{"y":{"a":1,"a":2}}]}`,
		"a lone surrogate": inner + `,"team":"\ud800"}`, "a lone surrogate in a name": inner + `,"\udc00":"x"}`,
	} {
		table = append(table, forgery{name: "payload " + name, token: w.signA(headerA(), payload), reason: authn.ReasonMalformed, library: true})
	}
	for name, payload := range map[string]string{
		"an array": "[" + good + "]", "null": "null", "a string": `"x"`, "a number": "1", "empty": "", "spaces": "  ",
		"two objects": good + good,
		"and a comma": good + ",", "cut": good[:len(good)-1], "a comma too many": inner + ",}", "a comment": "/**/" + good,
		"a byte order mark": "\ufeff" + good,
		"single quotes":     strings.ReplaceAll(good, `"`, "'"), "not UTF-8": inner + ",\"team\":\"\xff\"}",
		"NaN": inner + `,"nbf":NaN}`, "a hexadecimal number": inner + `,"nbf":0x1}`,
		"a control byte in a string": inner + ",\"team\":\"\x01\"}", "a NUL after": good + "\x00",
		"a colon missing": `{"iss" "x"}`, "a nest": strings.Repeat("[", 4000),
	} {
		table = append(table, forgery{name: "payload is " + name, token: w.signA(headerA(), payload), reason: authn.ReasonMalformed})
	}
	for name, text := range map[string]string{
		"alg twice": `{"alg":"none",` + header[1:] + "}", "kid twice": header + `,"kid":"k1"}`,
		"alg in two cases": header + `,"ALG":"none"}`,
		"an array":         "[" + header + "}]", "null": "null", "empty": "", "and more": header + "}{}", "a string": `"ES256"`,
	} {
		table = append(table, forgery{name: "header " + name, token: w.signA(text, good), reason: authn.ReasonMalformed})
	}
	return table
}

// forgedHeaders bring keys, demands or another kind of token.
func forgedHeaders(w *world) []forgery {
	var table []forgery
	for name, member := range map[string]any{
		"crit": []string{"exp"}, "jku": "https://attacker.example/jwks.json", "x5u": "https://attacker.example/x5u.pem",
		"x5c": []string{"MIIB"}, "jwk": map[string]string{"kty": "oct", "k": "AAAA"}, "b64": false, "enc": "A256GCM",
		"zip": "DEF", "cty": "JWT",
	} {
		token := w.signA(with(headerA(), name, member), w.claimsA())
		table = append(table, forgery{name: "header with " + name, token: token, reason: authn.ReasonMalformed, guards: []string{"header"}, library: true})
	}
	for name, typ := range map[string]any{
		"JWE": "JWE", "logout token": "logout+jwt", "DPoP proof": "dpop+jwt", "security event": "secevent+jwt",
		"a number": 1, "null": nil, "empty": "", "JOSE": "JOSE",
		"an array": []string{"JWT"},
	} {
		token := w.signA(with(headerA(), "typ", typ), w.claimsA())
		table = append(table, forgery{name: "typ " + name, token: token, reason: authn.ReasonMalformed, guards: []string{"header"}, library: true})
	}
	emptyCrit := sign(jwt.SigningMethodES256, w.aEC, with(headerA(), "crit", []string{}), w.claimsA())
	return append(table, forgery{name: "header with crit, empty", token: emptyCrit, reason: authn.ReasonMalformed, guards: []string{"header"}, library: true})
}

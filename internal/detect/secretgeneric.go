package detect

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// genericNames say that what is assigned to them is a secret, whoever issued it. "key" by itself says nothing: maps have
// keys. The first ones are taken also at the end of a longer word ("mytoken").
var genericNames = []string{
	"token", "secret", "apikey", "credential",
	"auth", "creds", "api key", "api_key", "api-key", "access key", "access_key", "access-key", "accesskey",
	"private key", "private_key", "private-key", "privatekey", "auth key", "auth_key", "auth-key", "authkey",
	"encryption key", "encryption_key", "encryption-key", "encryptionkey", "signing key", "signing_key", "signing-key", "signingkey",
	"master key", "master_key", "master-key", "masterkey", "license key", "license_key", "license-key", "licensekey",
	"account key", "account_key", "account-key", "service key", "service_key", "service-key",
	"subscription key", "subscription_key", "subscription-key", "session key", "session_key", "session-key",
	"authorization", "bearer ", "api.key", "app key", "app_key", "app-key", "appkey", "webhook", "hmac", "jwt",
}

// joinedNames is how many of genericNames may end a longer word.
const joinedNames = 4

// otherValues are words of a name which say that the value is something else than what the keyword says, also of an issuer.
var otherValues = setOf("commit sha sha1 sha256 revision rev checksum version ver digest fingerprint etag")

// harmlessNames are words of a name which say that its value is no secret, or is none of value.
var harmlessNames = setOf(`commit sha sha1 sha256 revision rev checksum version ver digest fingerprint etag integrity
	id ids uid guid uuid name names length len size count num number limit max min type kind alias
	path file filename dir folder url uri urls uris endpoint host hostname domain issuer audience source location arn region
	public pub primary foreign csrf xsrf authenticity nonce non fake dummy mock example sample placeholder
	page next previous prev continuation cursor sync cancellation cancel resume
	prefix suffix format pattern regex regexp field column header param parameter algorithm alg
	expiry expires expiration ttl lifetime usage scope scopes label title description placeholder hint help message error`)

// soleIssuers give out keys of one shape only, which is in namedRules: a value of another shape under their name is none.
var soleIssuers = setOf("meraki sumo sumologic cohere telegram")

func setOf(list string) map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(list) {
		set[w] = true
	}
	return set
}

const (
	// minGeneric and genericEntropy are gitleaks' bounds of a value that nothing but its name tells.
	minGeneric     = 10
	genericEntropy = 3.5
	// maxGeneric is above the longest opaque tokens in use; what is longer is data.
	maxGeneric = 1024
	// minLoose and minChanges bound a value that follows a name without an operator, as in "the token 4f9...": there
	// only what looks like nothing else counts.
	minLoose   = 16
	minSigned  = 20
	minChanges = 4
	// minHeader and headerEntropy are gitleaks' bounds of what an HTTP header holds.
	minHeader     = 8
	headerEntropy = 2.75

	genericScore = 0.6
	looseScore   = 0.55
)

const genericSet = wordSet | dashSet | dotSet | equalSet | plusSlashSet | tildeSet

func genericRecogniser() recogniser {
	return recogniser{name: "generic-secret", entity: APIKey, on: onLiteral, literals: genericNames, find: findGeneric}
}

// findGeneric takes a random value that is assigned to a name of a secret.
func findGeneric(s *scan, at, literal int) {
	start := at - len(genericNames[literal])
	if !s.wordEnds(at) || literal >= joinedNames && !s.wordBegins(start) {
		return
	}
	value, loose := s.assigned(at), false
	if value == 0 {
		value, loose = s.afterName(start, at), true
	}
	if value == 0 || value < s.secrets.value || s.gluedBefore(value) {
		return
	}
	end := s.genericEnd(value)
	if signed := s.quotedEnd(value, end); signed > end {
		s.secrets.value = signed
		if found := s.text[value:signed]; !loose && signedKey(found) && !s.nameSays(harmlessNames, start, at) {
			s.report(APIKey, "generic-secret/signs", value, signed, genericScore)
		}
		return
	}
	s.secrets.value = end
	if end-value > maxGeneric || s.nameSays(soleIssuers, start, at) || !s.valueEnds(end) || s.elided(value, end) || s.nameSays(harmlessNames, start, at) {
		return
	}
	found := s.text[value:end]
	switch {
	case s.basic(value):
		if userAndPassword(found) {
			s.report(APIKey, "generic-secret/basic", value, end, genericScore)
		}
	case loose && tangled(found):
		s.report(APIKey, "generic-secret/named", value, end, looseScore)
	case !loose && randomValue(found):
		s.report(APIKey, "generic-secret/assigned", value, end, genericScore)
	case !loose && (s.header(start) || genericNames[literal] == "authorization") && credentials(found):
		s.report(APIKey, "generic-secret/header", value, end, genericScore)
	}
}

const basicScheme = "basic "

// basic says whether the scheme before a value is Basic (RFC 7617).
func (s *scan) basic(value int) bool {
	return value >= len(basicScheme) && strings.EqualFold(s.text[value-len(basicScheme):value], basicScheme)
}

// userAndPassword says whether a value is a user name and a password in base64. The pair of the examples in RFC 7617 and its
// predecessors is none.
func userAndPassword(value string) bool {
	plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	user, password, ok := bytes.Cut(plain, []byte(":"))
	return err == nil && ok && len(password) > 0 && !strings.EqualFold(string(user), "aladdin") && !forShow(string(password))
}

// elided says whether a value is cut short: "eyJhbGci...".
func (s *scan) elided(value, end int) bool {
	return end > value && s.text[end-1] == '.' && (s.byteAt(end) == '.' || end > value+1 && s.text[end-2] == '.')
}

// header says whether a name begins an argument of curl: -H "X-Api-Key: ...".
func (s *scan) header(start int) bool {
	for n := 0; start > 0 && n < maxNameBefore && isNameByte(s.text[start-1]); n++ {
		start--
	}
	if start == 0 || !s.quote(start-1) {
		return false
	}
	before := strings.TrimRight(s.text[max(0, start-maxOpening):start-1], " \t=")
	return strings.HasSuffix(before, " -H") || strings.HasSuffix(before, "header")
}

// quotedEnd is where the quote closes that a value has been opened with, if the value has signs that end is at, else 0.
func (s *scan) quotedEnd(value, end int) int {
	quote := s.quoteBefore(value)
	if quote == 0 || s.byteAt(end) == quote {
		return 0
	}
	for i := end; i < len(s.text) && i-value <= maxPassword; i++ {
		switch c := s.text[i]; {
		case c == quote:
			return i
		case c <= ' ' || c >= 0x7f || c == '\\' || c == '\'' || c == '"':
			return 0
		}
	}
	return 0
}

// signedKey says whether a value with signs is a key, as web frameworks make them: 50 of letters, digits and signs.
func signedKey(value string) bool {
	k := kindsOf(value)
	return len(value) >= minSigned && k.digits > 1 && k.hardSigns > 1 && entropy(value) >= genericEntropy && changesOf(value) >= minChanges &&
		!strings.Contains(value, "://") && !forShow(value) && !placeholder(value) && !wordlike(value)
}

// genericEnd is the end of a value that begins at i.
func (s *scan) genericEnd(i int) int {
	end := i
	for end < len(s.text) && end-i <= maxGeneric && classOf[s.text[end]]&genericSet != 0 {
		end++
	}
	if end > i && s.text[end-1] == '.' && s.byteAt(end) != '"' && s.byteAt(end) != '\'' && s.byteAt(end) != '`' {
		end-- // of the sentence
	}
	return end
}

// afterName returns where a value begins that follows a name with nothing but a space between: of an option
// of a command line, or in prose.
func (s *scan) afterName(start, at int) int {
	if s.byteBefore(at) == ' ' { // "bearer "
		return at
	}
	i := at
	for i < len(s.text) && i-at < maxNameRest && isNameByte(s.text[i]) {
		i++
	}
	if s.byteAt(i) != ' ' || s.byteBefore(start) == '/' {
		return 0
	}
	return s.skipAssign(i, openingByte, 2)
}

// randomValue says whether a value is none that a person would write.
func randomValue(value string) bool {
	if len(value) < minGeneric || entropy(value) < genericEntropy || !credentials(value) {
		return false
	}
	if strings.Contains(value, "/") && (len(value) < minLoose || strings.ContainsAny(value, ".-_~")) {
		return false // a slash is of base64 or of a path, and base64 has no full stops and no hyphens
	}
	return changesOf(value) > 1
}

// tangled says whether a value is one even where no operator says so.
func tangled(value string) bool {
	return len(value) >= minLoose && randomValue(value) && changesOf(value) >= minChanges
}

// credentials says whether a value of an Authorization header is more than a placeholder.
func credentials(value string) bool {
	return len(value) >= minHeader && entropy(value) >= headerEntropy && strings.ContainsAny(value, "0123456789") &&
		!placeholder(value) && !wordlike(value) && !countsUp(value) && !hexNumber(value) && !digestOf(value) && !strings.Contains(value, "EXAMPLE")
}

// digestOf says whether a value says itself that it is a digest: "sha256=...", as lists of files have them.
func digestOf(value string) bool {
	return strings.HasPrefix(value, "sha") && len(value) > len("sha256=") && strings.IndexByte("-=", value[len("sha256")]) >= 0 ||
		strings.HasPrefix(value, "md5=")
}

// hexNumber says whether a value is a number of a program.
func hexNumber(value string) bool {
	return len(value) <= len("0x0123456789abcdef") && strings.HasPrefix(value, "0x")
}

// countsUp says whether the digits of a value go up one by one: 1234567890.
func countsUp(value string) bool {
	run := 1
	for i := 1; i < len(value); i++ {
		a, b := value[i-1], value[i]
		if run = runLength(run, isDigit(a) && b == a+1 || a == '9' && b == '0'); run >= maxSequence {
			return true
		}
	}
	return false
}

// changesOf counts where a value goes from letters to digits or back, or from small letters to capitals.
func changesOf(value string) int {
	n := 0
	for i := 1; i < len(value); i++ {
		a, b := value[i-1], value[i]
		if isDigit(a) && isLetter(b) || isLetter(a) && isDigit(b) || isLower(a) && isUpper(b) {
			n++
		}
	}
	return n
}

func isLetter(c byte) bool { return isLower(c) || isUpper(c) }

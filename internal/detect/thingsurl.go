package detect

import (
	"strings"
	"unicode/utf8"
)

const (
	// maxScheme is above every scheme in use ("postgresql+asyncpg").
	maxScheme = 24
	// scoreSecretURL is a URL that carries what opens doors, scorePlainURL every other one with a scheme or "www.",
	// scoreHost a host name by itself: these two are for those who ask for all URLs.
	scoreSecretURL = 0.95
	scorePlainURL  = 0.45
	scoreHost      = 0.35
	// scoreLocalURL is of a host that only its own network knows ("http://backend/").
	scoreLocalURL = 0.2
	// minParameter is the shortest secret: a code of six digits.
	minParameter = 6
	// tokenUser is from which length on a user name without password is rather a token.
	tokenUser = 20
)

func urlRecognisers() []recogniser {
	return []recogniser{
		{name: "url", entity: urlEntity, on: onColon, find: findURL},
		{name: "url-host", entity: urlEntity, on: onLiteral, literals: topLevels, find: findHost, best: scorePlainURL},
	}
}

// topLevels are the endings at which a host name without scheme is looked for: the generic ones in use most, and
// of countries those that are no word of English and no ending of files.
var topLevels = []string{
	".com", ".org", ".net", ".edu", ".gov", ".mil", ".info", ".biz", ".io", ".ai", ".app", ".dev", ".cloud", ".online", ".site", ".shop",
	".store", ".tech", ".xyz", ".club", ".webcam", ".museum", ".co", ".eu", ".uk", ".de", ".fr", ".es", ".it", ".nl", ".be", ".ch", ".at", ".se",
	".dk", ".fi", ".pl", ".cz", ".pt", ".gr", ".ie", ".il", ".tr", ".ru", ".ua", ".jp", ".cn", ".kr", ".sg", ".hk", ".tw", ".br", ".mx", ".ar", ".za", ".ng",
	".au", ".nz", ".ca", ".us", ".tv", ".me", ".in",
}

// findURL reads "scheme://..." up to what cannot be in it (RFC 3986, and letters of all scripts, RFC 3987).
func findURL(s *scan, at, _ int) {
	if at < s.seenURL || !strings.HasPrefix(s.text[at:], "://") {
		return
	}
	start := at
	for start > 0 && at-start < maxScheme && (isAlnum(s.text[start-1]) || s.text[start-1] == '+') {
		start--
	}
	for start < at && !isAlpha(s.text[start]) {
		start++
	}
	end := s.urlEnd(at + len("://"))
	s.seenURL = end
	if at-start < 2 || end <= at+len("://") || s.gluedBefore(start) {
		return
	}
	score, rule := scorePlainURL, "url/plain"
	if host, _, _ := strings.Cut(s.text[at+len("://"):end], "/"); !strings.ContainsAny(host, ".[") {
		score = scoreLocalURL
	}
	switch rest := s.text[at+len("://") : end]; {
	case opensDoor(rest):
		score, rule = scoreSecretURL, "url/user-info"
	case secretQuery(rest):
		score, rule = scoreSecretURL, "url/secret-parameter"
	}
	s.report(urlEntity, rule, start, end, score)
}

// urlEnd is where the URL that goes on at i ends: before spaces, quotes and brackets, and punctuation of the
// sentence around it.
func (s *scan) urlEnd(i int) int {
	from, open := i, 0
	for i < len(s.text) {
		c := s.text[i]
		if c <= ' ' || c == 0x7F || strings.IndexByte("\"'`<>|\\^{}", c) >= 0 {
			break
		}
		switch c {
		case '(':
			open++
		case ')':
			open--
		}
		if open < 0 {
			break
		}
		i++
	}
	for i > from && strings.IndexByte(".,;:!?*]", s.text[i-1]) >= 0 {
		i--
	}
	// A typographic quote or full stop at the end is not of the URL either.
	for i > from && s.text[i-1] >= utf8.RuneSelf {
		r, size := utf8.DecodeLastRuneInString(s.text[from:i])
		if isNameRune(r) {
			break
		}
		i -= size
	}
	return i
}

// opensDoor says whether a URL without its scheme has a password, or a token for a user name.
func opensDoor(rest string) bool {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	i := strings.LastIndexByte(rest, '@')
	if i <= 0 {
		return false
	}
	user, password, both := strings.Cut(rest[:i], ":")
	if both {
		return len(password) > 1 && !sampleValue(password)
	}
	return len(user) >= tokenUser && strings.ContainsAny(user, "0123456789")
}

// secretParameters are names of what opens doors, in lower case and without '-' and '_'.
var secretParameters = map[string]bool{
	"token": true, "accesstoken": true, "idtoken": true, "refreshtoken": true, "authtoken": true, "sessiontoken": true, "bearer": true,
	"auth": true, "apikey": true, "key": true, "accesskey": true, "secret": true, "clientsecret": true, "secretkey": true, "sig": true, "signature": true,
	"xamzsignature": true, "xgoogsignature": true, "xamzsecuritytoken": true, "xamzcredential": true, "password": true, "passwd": true, "pwd": true,
	"pass": true, "code": true, "otp": true, "session": true, "sessionid": true, "sid": true, "jwt": true, "credential": true, "ticket": true,
	"invite": true, "reset": true, "resettoken": true, "magic": true, "privatekey": true,
}

// secretQuery says whether a parameter of the query or of the fragment is named like a secret and looks like one.
func secretQuery(rest string) bool {
	i := strings.IndexAny(rest, "?#")
	if i < 0 {
		return false
	}
	for rest = rest[i+1:]; rest != ""; {
		var one string
		if i := strings.IndexAny(rest, "&;#?"); i >= 0 {
			one, rest = rest[:i], rest[i+1:]
		} else {
			one, rest = rest, ""
		}
		name, value, _ := strings.Cut(one, "=")
		if secretParameters[bareName(name)] && secretValue(bareName(name), value) {
			return true
		}
	}
	return false
}

var nameDividers = strings.NewReplacer("-", "", "_", "", ".", "")

// bareName is a parameter's name in lower case, without what divides its words.
func bareName(name string) string {
	if len(name) > maxScheme {
		return ""
	}
	return strings.ToLower(nameDividers.Replace(name))
}

// secretValue tells "?key=AIza..." from "?key=value" and "?code=hello": secrets hold digits, or are long; a password may be
// any word.
func secretValue(name, value string) bool {
	if len(value) < minParameter || sampleValue(value) {
		return false
	}
	if strings.HasPrefix(name, "pass") || name == "pwd" {
		return true
	}
	return strings.ContainsAny(value, "0123456789") || len(value) >= tokenUser
}

// sampleWords are what manuals have in the place of a secret.
var sampleWords = []string{"your", "example", "placeholder", "password", "secret", "xxxx", "token", "changeme", "redacted", "****", "1234567"}

// sampleValue says whether a value stands for one, as in a manual: "YOUR_TOKEN", "xxxx", "$TOKEN", "<token>", "%s".
func sampleValue(value string) bool {
	low := strings.ToLower(value)
	if strings.Trim(low, low[:1]) == "" || strings.IndexByte("$<{[%*", value[0]) >= 0 || strings.HasSuffix(low, "...") {
		return true
	}
	for _, word := range sampleWords {
		if strings.Contains(low, word) && len(low) < tokenUser && !strings.ContainsAny(low, "89") {
			return true
		}
	}
	return low == "pass" || low == "passwd" || low == "pwd"
}

// findHost reads the host name that ends with the top level before at, and a path after it.
func findHost(s *scan, at, literal int) {
	next := s.byteAt(at)
	if at < s.seenURL || isAlnum(next) || next >= utf8.RuneSelf || strings.IndexByte("-_@(", next) >= 0 && next != 0 ||
		next == '.' && isAlnum(s.byteAt(at+1)) {
		return
	}
	start := at - len(topLevels[literal])
	for start > 0 && at-start < maxDomain && (isAlnum(s.text[start-1]) || s.text[start-1] == '-' || s.text[start-1] == '.') {
		start--
	}
	for start < at && !isAlnum(s.text[start]) {
		start++
	}
	before := s.byteBefore(start)
	if at-start-len(topLevels[literal]) < 2 || before >= utf8.RuneSelf || before != 0 && strings.IndexByte("@/_=\\#$", before) >= 0 {
		return
	}
	end := at
	if next == '/' {
		end = s.urlEnd(at)
	}
	s.seenURL = end
	score := scoreHost
	if len(s.text[start:at]) > 4 && strings.EqualFold(s.text[start:start+4], "www.") {
		score = scorePlainURL
	}
	s.report(urlEntity, "url/host", start, end, score)
}

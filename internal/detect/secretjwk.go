package detect

import "strings"

const (
	// maxJWKBefore is how far before "kty" its object may begin, and maxJWK how far it may go on: an RSA key of
	// 16,384 bits with all its parts has 13 kB.
	maxJWKBefore = 1 << 10
	maxJWK       = 16 << 10
	// minJWKPart is the private part of the smallest key, 32 bytes, in base64url.
	minJWKPart = 42
)

func jwkRecogniser() recogniser {
	return recogniser{name: "jwk", entity: PrivateKey, on: onLiteral, literals: []string{`"kty`}, find: findJWK}
}

// findJWK takes a JSON Web Key (RFC 7517) that holds a private or symmetric part (RFC 7518, section 6), as a whole: an RSA key
// has five such parts.
func findJWK(s *scan, at, _ int) {
	if at < s.secrets.jwk {
		return
	}
	first := max(0, at-maxJWKBefore)
	begin := strings.LastIndexByte(s.text[first:at], '{')
	end := strings.IndexByte(s.text[at:min(len(s.text), at+maxJWK)], '}')
	if begin < 0 || end < 0 {
		return
	}
	start, stop := first+begin, at+end+1
	s.secrets.jwk = stop
	object := s.text[start:stop]
	if strings.IndexByte(object, hole) < 0 && (jwkPart(object, "d") || jwkPart(object, "k")) {
		s.report(PrivateKey, "jwk/private", start, stop, 0.95)
	}
}

// jwkPart says whether an object has a member of that name whose value can be a private part. Quotes may be escaped, in a string of
// a program.
func jwkPart(object, name string) bool {
	for _, quoted := range []string{`"` + name + `"`, `"` + name + `\"`} {
		i := strings.Index(object, quoted)
		if i < 0 {
			continue
		}
		value := strings.TrimLeft(object[i+len(quoted):], " \t\r\n:\\\"")
		n := 0
		for n < len(value) && classOf[value[n]]&urlSet != 0 {
			n++
		}
		if n >= minJWKPart && !placeholder(value[:n]) {
			return true
		}
	}
	return false
}

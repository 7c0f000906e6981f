package detect

import "strings"

const (
	jwtBegin = "eyJ" // {" in base64
	// minJWTPart and minJWTSignature are gitleaks' bounds; {"alg":"none"} has 20 characters.
	minJWTPart      = 17
	minJWTSignature = 10
)

func jwtRecogniser() recogniser {
	return recogniser{name: "jwt", entity: APIKey, on: onLiteral, literals: []string{jwtBegin}, find: findJWT}
}

// findJWT finds a JSON Web Token in compact form (RFC 7519): header and claims are JSON objects, the signature may be
// empty. Every run of base64url characters is tried as a header once, from the first place where it can begin: from
// any later one the rest would be the same.
func findJWT(s *scan, at, _ int) {
	start := at - len(jwtBegin)
	if start < s.seenHeader || s.text[start:at] != jwtBegin || s.gluedBefore(start) {
		return
	}
	claims := s.base64URL(start)
	s.seenHeader = claims
	if claims-start < minJWTPart || !strings.HasPrefix(s.text[claims:], "."+jwtBegin) {
		return
	}
	signature := s.base64URL(claims + 1)
	if signature-claims < minJWTPart || s.byteAt(signature) != '.' {
		return
	}
	end := s.base64URL(signature + 1)
	if n := end - signature - 1; n > 0 && n < minJWTSignature {
		return
	}
	for s.byteAt(end) == '=' {
		end++
	}
	s.report(APIKey, "secret/jwt", start, end, 0.95)
}

func (s *scan) base64URL(i int) int {
	for i < len(s.text) && classOf[s.text[i]]&urlSet != 0 {
		i++
	}
	return i
}

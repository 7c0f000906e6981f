package detect

import "strings"

// maxAuthority fits a user name, a token of some hundred characters and a host name.
const maxAuthority = 1024

func urlPasswordRecogniser() recogniser {
	return recogniser{name: "url-password", entity: Password, on: onColon, find: findURLPassword}
}

// findURLPassword takes the password of the user info of a URL (RFC 3986, section 3.2.1): postgres://app:s3cret@db/app. The URL as a
// whole is an entity of its own; where that is looked for, Resolve keeps it, for it is longer and leaves
// nothing of the password uncovered.
func findURLPassword(s *scan, at, _ int) {
	if !strings.HasPrefix(s.text[at:], "://") || !isAlnum(s.byteBefore(at)) || s.byteAt(at+len("://")) == '[' {
		return
	}
	start := at + len("://")
	colon, host := 0, 0
	port := true // nothing but digits since the colon
	for i := start; i < len(s.text) && i-start < maxAuthority && s.authorityByte(i); i++ {
		switch c := s.text[i]; {
		case c == ':' && colon == 0:
			colon = i
			continue
		case c == '@':
			host = i
		case c == '?' || c == '#' || c == ',':
			if colon == 0 || port {
				return
			}
		}
		port = port && (colon == 0 || isDigit(s.text[i]))
	}
	if colon == 0 || host < colon || host+1 == len(s.text) || !isHostByte(s.text[host+1]) {
		return
	}
	if value := s.text[colon+1 : host]; len(value) >= minPassword && !forShow(value) && !programVariable(value) {
		s.report(Password, "url-password/userinfo", colon+1, host, 0.9)
	}
}

// authorityByte says whether the authority goes on at i. Passwords are often written unescaped, so signs count, but a slash ends it.
func (s *scan) authorityByte(i int) bool {
	switch c := s.text[i]; c {
	case '/', '"', '\'', '`', '<', '>', '\\', hole:
		return false
	default:
		return c > ' '
	}
}

func isHostByte(c byte) bool {
	return isAlnum(c) || c == '[' || c == '_' || c == '-' || c == '.' || c >= 0x80
}

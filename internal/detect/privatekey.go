package detect

import "strings"

const (
	pemBegin = "-----BEGIN"
	pemEnd   = "-----END"
	// maxPEMLabel is longer than every label in use ("PGP PRIVATE KEY BLOCK", "SSH2 ENCRYPTED PRIVATE KEY").
	maxPEMLabel = 64
	// maxPEM is five times an armoured RSA key of 16,384 bits.
	maxPEM = 64 << 10
	// minPEMBody is below the lines of every format (OpenVPN's have 32 characters) and above what placeholders hold.
	minPEMBody = 32

	ageKey = "AGE-SECRET-KEY-1"
	// sshComBegin is how SSH Communications Security writes a header (RFC 4716 has the same for public keys).
	sshComBegin = "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
	sshComEnd   = "---- END SSH2"
	// PuTTY's files name their parts; this is the last.
	puttyBegin = "PuTTY-User-Key-File-"
	puttyEnd   = "Private-MAC:"
)

// privateKeyLiterals in the order that findPrivateKey knows.
var privateKeyLiterals = []string{pemBegin, ageKey, sshComBegin, puttyBegin}

func privateKeyRecogniser() recogniser {
	return recogniser{
		name: "private-key", entity: PrivateKey, on: onLiteral,
		literals: privateKeyLiterals, find: findPrivateKey,
	}
}

// findPrivateKey takes a PEM or armour block (RFC 7468, RFC 9580) whose label says private key, with whatever a
// program text or JSON put between its lines. A block whose end is missing counts up to the end of its key material.
func findPrivateKey(s *scan, at, literal int) {
	if at < s.seenKey {
		return
	}
	switch privateKeyLiterals[literal] {
	case ageKey:
		if end := s.runOf(at, upperSet|digitSet, 58, 58); end > 0 {
			s.report(PrivateKey, "private-key/age", at-len(ageKey), end, 0.99)
		}
		return
	case sshComBegin:
		s.keyFile("private-key/ssh2", sshComBegin, sshComEnd, at)
		return
	case puttyBegin:
		s.keyFile("private-key/putty", puttyBegin, puttyEnd, at)
		return
	}
	start := at - len(pemBegin)
	label, body, ok := s.pemLabel(at)
	if !ok || !strings.Contains(label, "PRIVATE KEY") && !strings.HasPrefix(label, "OPENVPN STATIC KEY") {
		return
	}
	end := s.pemFooter(body, label)
	if end == 0 {
		end = s.keyMaterial(body)
	}
	if end == 0 || !s.enoughKey(body, end) {
		return
	}
	s.seenKey = end
	s.report(PrivateKey, "private-key/pem", start, end, 0.99)
}

// keyFile reports a key file from its header, which ends at body, to the end of the line that begins with its last part, or
// of its key material. The search never passes another header, so that no byte is searched for two of them.
func (s *scan) keyFile(rule, header, last string, body int) {
	window := s.text[body:min(len(s.text), body+maxPEM)]
	next := strings.Index(window, header)
	if next >= 0 {
		window = window[:next]
	}
	end := 0
	if n := strings.Index(window, last); n >= 0 && strings.IndexByte(window[:n], hole) < 0 {
		end = body + n + len(last)
		for end < body+len(window) && strings.IndexByte("\r\n\x00\"'`\\", s.text[end]) < 0 {
			end++
		}
	} else if next < 0 {
		end = s.keyMaterial(body)
	}
	if end > 0 && s.enoughKey(body, end) {
		s.seenKey = end
		s.report(PrivateKey, rule, body-len(header), end, 0.99)
	}
}

// pemLabel reads " LABEL-----" and returns the label in capitals and where the body begins.
func (s *scan) pemLabel(at int) (string, int, bool) {
	window := s.text[at:min(len(s.text), at+maxPEMLabel)]
	n := strings.Index(window, "-----")
	if n < 1 || strings.ContainsAny(window[:n], "\r\n\x00") {
		return "", 0, false
	}
	return strings.ToUpper(strings.TrimSpace(window[:n])), at + n + 5, true
}

// pemFooter returns the end of the matching footer, or 0. No line of a body begins with five hyphens, so the
// next ones must be it; the search never passes another header.
func (s *scan) pemFooter(body int, label string) int {
	window := s.text[body:min(len(s.text), body+maxPEM)]
	n := strings.Index(window, "-----")
	if n < 0 || !strings.HasPrefix(window[n:], pemEnd) || strings.IndexByte(window[:n], hole) >= 0 {
		return 0
	}
	found, end, ok := s.pemLabel(body + n + len(pemEnd))
	if !ok || found != label {
		return 0
	}
	return end
}

// keyMaterial returns the end of the base64 lines, headers and quotes from body on, for a block without a footer.
func (s *scan) keyMaterial(body int) int {
	end := body
	for i := body; i < len(s.text) && i-body < maxPEM; i++ {
		c := s.text[i]
		switch {
		case isAlnum(c), strings.IndexByte("+/=", c) >= 0:
			end = i + 1
		case c == '-' && s.byteAt(i+1) == '-', strings.IndexByte(" \t\r\n\\\"'`,:;-#>|", c) < 0:
			return end
		}
	}
	return end
}

// enoughKey says whether there is a line of base64 in the body. Placeholders have dots or words.
func (s *scan) enoughKey(body, end int) bool {
	run := 0
	for _, c := range []byte(s.text[body:end]) {
		if isAlnum(c) || c == '+' || c == '/' {
			if run++; run >= minPEMBody {
				return true
			}
			continue
		}
		run = 0
	}
	return false
}

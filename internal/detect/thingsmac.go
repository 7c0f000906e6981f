package detect

// macRecognisers find hardware addresses: six pairs of hexadecimal digits with colons or hyphens (IEEE 802, canonical form), and
// three groups of four with dots, as Cisco writes them.
func macRecognisers() []recogniser {
	return append([]recogniser{
		{name: "mac", entity: macAddress, on: onColon, find: findMAC},
		{name: "mac", entity: macAddress, on: onHyphen, find: findMAC},
	}, identifiers(macRules)...)
}

var macRules = []idRule{
	{
		entity: macAddress, name: "mac-dots", check: someHex, anyCase: true, words: macWords,
		forms: []idForm{{"9***.****.****|*9**.****.****|**9*.****.****|***9.****.****", "", idGrouped}},
	},
	{
		entity: macAddress, name: "mac-plain", check: someHex, anyCase: true, words: macWords,
		forms: []idForm{{"*{12}", "", idNamed}},
	},
}

var macWords = words{
	"mac": noun, "macs": noun, "ethernet": noun, "bssid": noun, "hwaddr": noun, "hardware": hint, "wifi": hint, "ether": noun, "lladdr": noun,
	"fingerprint": against, "sha1": against, "md5": against, "time": against, "date": against,
}

// macLength is six pairs and five separators.
const macLength = 17

// findMAC looks whether the separator at at is the first of an address.
func findMAC(s *scan, at, _ int) {
	start, end := at-2, at-2+macLength
	if start < 0 || end > len(s.text) || s.text[at+3] != s.text[at] {
		return
	}
	sep := s.text[at]
	var value [12]byte
	n, letters := 0, false
	for i := start; i < end; i++ {
		c := s.text[i]
		if (i-start)%3 == 2 {
			if c != sep {
				return
			}
			continue
		}
		if !isHex(c) {
			return
		}
		letters = letters || !isDigit(c)
		value[n] = upper(c)
		n++
	}
	if s.gluedBefore(start) || s.gluedAfter(end) || s.byteBefore(start) == sep || s.byteAt(end) == sep || !someHex(string(value[:])) {
		return // a part of something longer, as a fingerprint
	}
	score := 0.7
	if !letters {
		score = 0.45 // a date and a time
	}
	switch s.context(macWords, start, end) {
	case noun:
		score = 0.95
	case hint:
		score += 0.15
	case against:
		score -= 0.3
	}
	s.report(macAddress, "mac/pairs", start, end, score)
}

// someHex wants hexadecimal digits that are neither the address of nobody nor of everybody.
func someHex(v string) bool {
	same := true
	for i := range len(v) {
		if !isHex(v[i]) {
			return false
		}
		same = same && v[i] == v[0]
	}
	return !same
}

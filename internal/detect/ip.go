package detect

import (
	"net/netip"
	"strings"
)

var ipWords = words{
	"ip": noun, "ips": noun, "ipv": noun, "address": hint, "addr": hint, "host": hint, "hosts": hint, "hostname": hint, "server": hint,
	"dns": hint, "ping": hint, "subnet": hint, "gateway": hint, "route": hint, "src": hint, "dst": hint, "connect": hint,
	"connected": hint, "connecting": hint, "connection": hint, "listen": hint, "listening": hint, "bind": hint, "peer": hint,
	"remote": hint, "client": hint, "proxy": hint, "firewall": hint, "network": hint, "cidr": hint, "login": hint, "logged": hint,
	"nameserver": hint, "ssh": hint, "http": hint, "https": hint, "ftp": hint, "tunnel": hint, "localhost": hint, "loopback": hint,
	"version": against, "versions": against, "ver": against, "release": against, "build": against, "firmware": against,
	"oid": against, "section": against, "chapter": against, "clause": against, "figure": against, "table": against,
	"upgrade": against, "upgraded": against, "update": against, "sdk": against, "driver": against, "rev": against,
	"assembly": against, "package": against, "assemblyversion": against, "fileversion": against,
}

func ipv4Recogniser() recogniser {
	return recogniser{name: "ipv4", entity: IPAddress, on: onNumber, find: findIPv4}
}

// findIPv4 looks for four groups with single dots in the number run, with a prefix length if there is one.
func findIPv4(s *scan, _, _ int) {
	for i := 0; i+3 < len(s.run.groups); i++ {
		if c, ok := s.uniform(i, i+3); !ok || c != '.' {
			continue
		}
		i += s.quad(i)
	}
}

// quad judges the four groups from i on and returns how many groups to skip.
func (s *scan) quad(i int) int {
	first, last := s.run.groups[i], s.run.groups[i+3]
	more := i+4 < len(s.run.groups)
	if more && s.sep(i+3) == "." || i == 0 && s.byteBefore(first.start) == '.' ||
		s.gluedBefore(first.start) || s.gluedAfter(last.end) {
		// Object identifiers and section numbers have more than four parts: skip all of them.
		skip := 3
		for i+skip+1 < len(s.run.groups) && s.sep(i+skip) == "." {
			skip++
		}
		return skip
	}
	small := true
	for _, g := range s.run.groups[i : i+4] {
		v := s.octet(g)
		if v < 0 {
			return 0
		}
		small = small && v < 20
	}
	end := last.end
	if more && s.sep(i+3) == "/" {
		if g := s.run.groups[i+4]; g.len() <= 2 && !s.gluedAfter(g.end) && s.octet(g) >= 0 && s.octet(g) <= 32 {
			end = g.end
		}
	}
	s.reportIPv4(first.start, end, small)
	return 3
}

func (s *scan) reportIPv4(start, end int, small bool) {
	score := 0.7
	// Four small numbers are as often a version or a section as an address.
	if small && !oneOctet(s.text[start:end]) && !strings.HasPrefix(s.text[start:], "10.") {
		score = 0.45
	}
	// A product token as in "Chrome/120.0.0.0" is a version.
	if s.byteBefore(start) == '/' && start > 1 && isWordByte(s.text[start-2]) {
		score = 0.2
	}
	switch s.context(ipWords, start, end) {
	case noun, hint:
		score = min(score+0.25, 0.95)
	case against:
		score -= 0.3
	}
	if score > 0 {
		s.report(IPAddress, "ip/v4", start, end, score)
	}
}

// oneOctet says whether all octets are the same, as in "0.0.0.0" and the addresses of two public name servers: no version
// is like that.
func oneOctet(quad string) bool {
	first, rest, _ := strings.Cut(quad, ".")
	return rest == first+"."+first+"."+first
}

// octet is the value of a decimal group from 0 to 255 without leading zeros, else -1.
func (s *scan) octet(g group) int {
	if g.len() > 3 || g.len() > 1 && s.text[g.start] == '0' {
		return -1
	}
	v := 0
	for _, c := range []byte(s.text[g.start:g.end]) {
		v = v*10 + int(c-'0')
	}
	if v > 255 {
		return -1
	}
	return v
}

const (
	// maxIPv6 is the longest text form: eight groups of four, or six and a dotted quad.
	maxIPv6 = 45
	// maxZone is longer than interface names (IFNAMSIZ is 16).
	maxZone = 20
)

func ipv6Recogniser() recogniser {
	return recogniser{name: "ipv6", entity: IPAddress, on: onColon, find: findIPv6}
}

// findIPv6 takes the run of hexadecimal digits, ':' and '.' around the first colon and asks netip whether it is an
// address. Each run is looked at once.
func findIPv6(s *scan, at, _ int) {
	if at < s.seenColon {
		return
	}
	start := at
	for start > s.seenColon && at-start <= 4 && isHex(s.text[start-1]) {
		start--
	}
	end := at + 1
	for end < len(s.text) && (isHex(s.text[end]) || s.text[end] == ':' || s.text[end] == '.') {
		end++
	}
	s.seenColon = end
	if start == at && s.byteAt(at+1) != ':' {
		start++ // the colon of a label: "ip:2001:db8::1"
	}
	if at-start > 4 || s.gluedBefore(start) || end-start < 2 || end-start > maxIPv6+1 {
		return
	}
	for end > start && (s.text[end-1] == '.' || s.text[end-1] == ':' && !strings.HasSuffix(s.text[start:end], "::")) {
		end--
	}
	if s.gluedAfter(end) {
		return
	}
	addr, err := netip.ParseAddr(s.text[start:end])
	if err != nil || !addr.Is6() {
		return
	}
	s.judgeIPv6(start, end)
}

func (s *scan) judgeIPv6(start, end int) {
	body := s.text[start:end]
	tail := s.zone(end)
	tail = s.prefixLength(tail)
	score := 0.75
	groups := strings.Count(body, ":") + 1
	switch {
	case body == "::":
		// Also an operator of many languages; only after "src=" it is an address.
		if s.byteBefore(start) != '=' {
			return
		}
		score = 0.35
	case octetPairs(body):
		// Eight pairs are a hardware address (EUI-64) or part of a fingerprint.
		score = 0.2
	case s.byteBefore(start) == '[' && start > 1 && (isAlnum(s.text[start-2]) || strings.IndexByte(")]_", s.text[start-2]) >= 0):
		// A slice expression, x[::1].
		return
	case strings.HasPrefix(body, "::") && !strings.Contains(body, ".") && groups <= 3,
		strings.HasSuffix(body, "::") && groups <= 3 && len(body) < 6,
		!strings.ContainsAny(body, "0123456789"):
		// "::1" and "ab::cd" are also what programs write for other things.
		score = 0.45
	}
	if tail > end {
		score += 0.15
	}
	if s.context(ipWords, start, end) >= hint {
		score = min(score+0.2, 0.95)
	}
	s.report(IPAddress, "ip/v6", start, tail, score)
}

// octetPairs says whether all groups are two digits wide.
func octetPairs(body string) bool {
	for g := range strings.SplitSeq(body, ":") {
		if len(g) != 2 {
			return false
		}
	}
	return true
}

// zone extends an address over its zone ("%eth0", RFC 4007).
func (s *scan) zone(end int) int {
	if s.byteAt(end) != '%' {
		return end
	}
	i := end + 1
	for i < len(s.text) && i-end <= maxZone && (isAlnum(s.text[i]) || strings.IndexByte("._-", s.text[i]) >= 0) {
		i++
	}
	for i > end+1 && !isAlnum(s.text[i-1]) {
		i--
	}
	if i == end+1 {
		return end
	}
	return i
}

// prefixLength extends an address over "/0" to "/128".
func (s *scan) prefixLength(end int) int {
	if s.byteAt(end) != '/' {
		return end
	}
	i, v := end+1, 0
	for i < len(s.text) && i-end <= 3 && isDigit(s.text[i]) {
		v = v*10 + int(s.text[i]-'0')
		i++
	}
	if i == end+1 || v > 128 || s.gluedAfter(i) {
		return end
	}
	return i
}

func isHex(c byte) bool { return isDigit(c) || lower(c)-'a' <= 'f'-'a' }

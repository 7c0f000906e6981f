package detect

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLocal is 64 octets (RFC 5321, 4.5.3.1.1), four times for characters that UTF-8 writes wide (RFC 6531).
	maxLocal = 4 * 64
	// maxDomain is 255 octets (RFC 5321, 4.5.3.1.2); an internationalised name may be longer in UTF-8.
	maxDomain = 2 * 255
	maxLabel  = 63
)

func emailRecogniser() recogniser {
	return recogniser{name: "email", entity: EmailAddress, on: onAt, find: findEmail}
}

// findEmail reads a dot-atom to the left and a host name to the right. Characters which RFC 5322 allows but which
// in texts are delimiters ("email=a@b.example", "`a@b.example`") are not taken for a part of the name.
func findEmail(s *scan, at, _ int) {
	start, ok := s.localPart(at)
	if !ok {
		return
	}
	end, ok := s.domain(at + 1)
	if !ok || s.text[start:at] == "git" && (s.byteAt(end) == ':' || s.byteAt(end) == '/') {
		return // the second is how repositories are named: git@host.example:path
	}
	s.emailEnd = end
	s.report(EmailAddress, "email/address", start, end, 0.95)
}

// encodedAt is '@' as it stands in URLs (RFC 3986, 2.1).
const encodedAt = "%40"

func encodedEmailRecogniser() recogniser {
	return recogniser{
		name: "encoded e-mail", entity: EmailAddress, on: onLiteral, literals: []string{encodedAt},
		find: func(s *scan, end, _ int) {
			at := end - len(encodedAt)
			start, ok := s.localPart(at)
			// "%40s" is also a width of printf, with a letter or two before it.
			if !ok || at-start < minEncodedLocal {
				return
			}
			if to, ok := s.domain(end); ok {
				s.report(EmailAddress, "email/encoded", start, to, 0.7)
			}
		},
	}
}

// minEncodedLocal is longer than what stands between two verbs of a format.
const minEncodedLocal = 3

// localPart finds where the local part before at begins.
func (s *scan) localPart(at int) (int, bool) {
	i := at
	for i > 0 && at-i <= maxLocal {
		c := s.text[i-1]
		if c < utf8.RuneSelf {
			if !isLocalByte(c) {
				break
			}
			i--
			continue
		}
		r, size := utf8.DecodeLastRuneInString(s.text[:i])
		if !isNameRune(r) || !glues(r) && i < at && s.text[i] < utf8.RuneSelf {
			break // in scripts without spaces the sentence goes on right up to an ASCII address
		}
		i -= size
	}
	if at-i > maxLocal {
		return 0, false
	}
	i = s.pastEncoded(i, at)
	for i < at && strings.IndexByte(".'-%+", s.text[i]) >= 0 {
		i++
	}
	if i == at || s.text[at-1] == '.' {
		return 0, false
	}
	return i, true
}

// pastEncoded skips what stands before the last encoded delimiter of a local part, as in "mailto:Ada%20%3Cada@...".
func (s *scan) pastEncoded(i, at int) int {
	for k := at - 3; k >= i; k-- {
		if s.text[k] != '%' {
			continue
		}
		switch strings.ToLower(s.text[k+1 : k+3]) {
		case "20", "22", "26", "27", "28", "2c", "2f", "3a", "3b", "3c", "3d", "3f":
			return k + 3
		}
	}
	return i
}

// domain finds where the host name that begins at i ends: labels of letters, digits and hyphens, the last one
// a plausible top level.
func (s *scan) domain(i int) (int, bool) {
	stop := min(len(s.text), i+maxDomain)
	end, labels := 0, 0
	for from := i; ; {
		to := s.label(from, stop)
		if to == from || to-from > 4*maxLabel {
			break
		}
		labels++
		switch {
		case labels == 1:
		case topLevel(s.text[from:to]):
			end = to
		default:
			// A number that follows without a space is none of the name: "a@b.com555-123-4567".
			if n := commonTopLevel(s.text[from:to]); n > 0 {
				return from + n, true
			}
		}
		if to >= stop || s.text[to] != '.' {
			break
		}
		from = to + 1
	}
	if end == 0 {
		return 0, false
	}
	// "a@b.example.2" and "a@b.example_c" are something else; a further '@' is as in "git@host.example@v1".
	if next := s.byteAt(end); next == '_' || next == '@' {
		return 0, false
	}
	return end, true
}

// label finds the end of the label that begins at i; hyphens at its edges are not part of it.
func (s *scan) label(i, stop int) int {
	from := i
	if s.byteAt(i) == '-' {
		return i
	}
	for i < stop {
		c := s.text[i]
		if c < utf8.RuneSelf {
			if !isAlnum(c) && c != '-' {
				break
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s.text[i:])
		if !isNameRune(r) || !glues(r) && i > from && s.text[i-1] < utf8.RuneSelf {
			break
		}
		i += size
	}
	for i > from && s.text[i-1] == '-' {
		i--
	}
	return i
}

// topLevel wants letters (or the ASCII form of an internationalised name). Endings of file names that are no
// delegated top level tell "icon@2x.png" from an address.
func topLevel(label string) bool {
	if len(label) < 2 {
		return false
	}
	if len(label) > 4 && strings.EqualFold(label[:4], "xn--") {
		return true
	}
	for _, r := range label {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return false
		}
	}
	switch strings.ToLower(label) {
	case "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "ts", "jsx", "tsx", "css", "scss", "html", "json", "yaml",
		"yml", "service", "socket", "slice", "txt", "pdf", "exe", "dll", "jar", "tgz", "gz", "log", "lock", "conf", "toml", "local", "localhost":
		return false
	}
	return true
}

// commonTopLevel is the length of one of the commonest top levels that stands in front of a digit; 0 for none.
func commonTopLevel(label string) int {
	n := 0
	for n < len(label) && isAlpha(label[n]) {
		n++
	}
	if n == len(label) || !isDigit(label[n]) {
		return 0
	}
	switch strings.ToLower(label[:n]) {
	case "com", "net", "org", "edu", "gov", "info", "io", "uk", "de", "fr", "es", "it", "nl", "ca", "au":
		return n
	}
	return 0
}

func isLocalByte(c byte) bool {
	return isAlnum(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' || c == '\''
}

// isNameRune takes letters, marks and digits of all scripts.
func isNameRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
}

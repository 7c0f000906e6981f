package detect

import "strings"

// secretScan is what the secret rules remember of one pass, so that no byte is measured again and again.
type secretScan struct {
	nameEnd, valueStart int    // the last name that an assignment was read for, and where its value begins
	last                [2]int // last secret reported by the rule table
	judged              []int  // unbounded rules have measured every run before, by rule
	value               int    // the generic rule has judged every value before
	password            int    // the password rule has judged every value before
	curl, command       int    // after the last word curl, and the last of commandNames
	jwk                 int    // JSON Web Keys before are judged
	kind, data          int    // after the last "kind: Secret" and "data:" of Kubernetes
}

func secretRecogniser() recogniser {
	words := make([]string, 0, len(compiledSecrets))
	for _, r := range compiledSecrets {
		words = append(words, r.keyword)
	}
	return recogniser{name: "secret", entity: APIKey, on: onLiteral, literals: words, find: findSecret}
}

func findSecret(s *scan, at, literal int) {
	r := &compiledSecrets[literal]
	if from := at - len(r.keyword); from > s.secrets.last[0] && from < s.secrets.last[1] {
		return // within a secret that is reported: what looks like a prefix there is chance
	}
	if r.assign && (!s.issuerNamed(at-len(r.keyword), at) || s.nameSays(otherValues, at-len(r.keyword), at)) {
		return
	}
	start, end := s.matchSecret(literal, at)
	if end == 0 {
		return
	}
	value := s.text[start:end]
	if r.tangled && !tangled(value) || r.plain && !long(value) && !s.nameSays(keyNames, at-len(r.keyword), start-1) {
		return
	}
	if r.entropy > 0 && entropy(value) < r.entropy || !strings.Contains(value, r.holds) ||
		!strings.HasSuffix(value, r.ends) || r.digit && wordlike(value) && !strings.ContainsAny(value, "0123456789") || placeholder(value) {
		return
	}
	s.secrets.last = [2]int{start, max(end, s.secrets.last[1])}
	score := 0.9
	if r.weak {
		score = 0.7
	}
	s.report(APIKey, "secret/"+r.id, start, end, score)
}

// matchSecret returns where the value begins and ends, or 0, 0.
func (s *scan) matchSecret(rule, at int) (int, int) {
	r := &compiledSecrets[rule]
	start, i := at-len(r.keyword), at
	if r.assign {
		if i = s.assigned(at); i == 0 {
			return 0, 0
		}
		start = i
	} else if s.text[start:at] != r.keyword {
		return 0, 0
	}
	start, ok := s.matchBehind(r.behind, start)
	if !ok || s.gluedBefore(start) || s.byteBefore(start) == '.' && start > 1 && isAlnum(s.text[start-2]) {
		return 0, 0
	}
	for _, p := range r.parts {
		if p.literal != "" {
			if !strings.HasPrefix(s.text[i:], p.literal) {
				return 0, 0
			}
			i += len(p.literal)
			continue
		}
		if p.max == unbounded && s.judgedBefore(rule, i) {
			return 0, 0
		}
		if i = s.runOf(i, p.set, p.min, p.max); i == 0 {
			return 0, 0
		}
		if p.max == unbounded {
			s.secrets.judged[rule] = i
		}
	}
	if s.gluedAfter(i) || r.assign && !s.valueEnds(i) {
		return 0, 0
	}
	return start, i
}

// matchBehind reads parts backwards from i, each as far as its set and its bound go.
func (s *scan) matchBehind(parts []part, i int) (int, bool) {
	for k := len(parts) - 1; k >= 0; k-- {
		p, n := parts[k], 0
		for n < p.max && i > 0 && classOf[s.text[i-1]]&p.set != 0 {
			n++
			i--
		}
		if n < p.min {
			return 0, false
		}
	}
	return i, true
}

// judgedBefore says whether a rule has met the run that i lies in. From every place of an unbounded run the value
// ends at the same byte, so that the first decides for all, and a run is measured once per rule.
func (s *scan) judgedBefore(rule, i int) bool {
	if s.secrets.judged == nil {
		s.secrets.judged = make([]int, len(compiledSecrets))
	}
	return i < s.secrets.judged[rule]
}

// runOf returns the end of the characters of a set that begin at i if there are min to max of them, else 0. A
// full stop at the end belongs to the sentence, unless the value is too short without.
func (s *scan) runOf(i int, set charset, least, most int) int {
	end := i
	for end < len(s.text) && end-i <= most && classOf[s.text[end]]&set != 0 {
		end++
	}
	if end-i > least && s.text[end-1] == '.' {
		end--
	}
	if end-i < least || end-i > most {
		return 0
	}
	return end
}

// keyNames are words of a name which say that an issuer's name in it means a key of that issuer. Without one of them a short value
// beside "linkedin", "heroku" or "sentry" is a handle, the identifier of an application, or a digest.
var keyNames = setOf(`key keys apikey token tokens secret secrets id login password pass passwd pwd api auth oauth credential credentials
	creds access client bot webhook bearer pat`)

// longKey is above handles, UUID and MD5; a SHA-1 has as many characters, but they are hexadecimal.
const longKey = 40

// long says whether a value is too long for what stands beside an issuer's name otherwise.
func long(value string) bool {
	return len(value) >= longKey && strings.Trim(value, "0123456789abcdef") != ""
}

// shortName is the longest issuer's name that is taken only as a word is written: a "sumOf" or a "SetSysctl" is none.
const shortName = 6

// issuerNamed says whether the keyword of a named rule is written as one word.
func (s *scan) issuerNamed(start, end int) bool {
	if end-start > shortName {
		return true
	}
	uppers := 0
	for _, c := range []byte(s.text[start:end]) {
		if isUpper(c) {
			uppers++
		}
	}
	return uppers == 0 || uppers == end-start || uppers == 1 && isUpper(s.text[start])
}

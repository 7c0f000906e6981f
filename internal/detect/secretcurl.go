package detect

import "strings"

// maxCurl is how far from the word curl an option belongs to it: gitleaks takes five lines.
const maxCurl = 1024

// minCurlPassword leaves out "$1".
const minCurlPassword = 3

func curlRecogniser() recogniser {
	return recogniser{name: "curl", entity: Password, on: onLiteral, literals: []string{"curl", " -u", "\t-u", "--user", "--proxy-user"}, find: findCurl}
}

// commandNames are commands of which the option -p is a password, and after them the option.
var commandNames = []string{"mysql", "mysqldump", "mariadb", "mysqladmin", "sshpass", "docker login", "podman login", " -p"}

// maxCommand is how far from its command the option may be.
const maxCommand = 256

func commandRecogniser() recogniser {
	return recogniser{name: "command", entity: Password, on: onLiteral, literals: commandNames, find: findCommand}
}

// findCommand takes the password of "mysql -psecret" and "sshpass -p secret".
func findCommand(s *scan, at, literal int) {
	if literal < len(commandNames)-1 {
		if !s.gluedBefore(at-len(commandNames[literal])) && s.byteAt(at) == ' ' {
			s.secrets.command = at
		}
		return
	}
	from := s.secrets.command
	if from == 0 || at-from > maxCommand || strings.ContainsAny(s.text[from:at], "\n|;&") {
		return
	}
	if s.byteAt(at) == ' ' {
		at++
	}
	start, end := s.shellWord(at)
	value := s.text[start:end]
	if end-start >= minPassword && !strings.HasPrefix(value, "-") && passwordLike(value) && !forShow(value) && !programVariable(value) && !portNumber(value) {
		s.report(Password, "command/password", start, end, 0.8)
	}
}

// findCurl takes the password of "curl -u user:password".
func findCurl(s *scan, at, literal int) {
	if literal == 0 {
		if !s.gluedBefore(at-len("curl")) && !s.gluedAfter(at) {
			s.secrets.curl = at
		}
		return
	}
	if s.secrets.curl == 0 || at-s.secrets.curl > maxCurl {
		return
	}
	i := at
	if s.byteAt(i) == '=' {
		i++
	}
	for s.byteAt(i) == ' ' || s.byteAt(i) == '\t' {
		i++
	}
	start, end := s.curlPassword(i)
	if end-start < minCurlPassword {
		return
	}
	if value := s.text[start:end]; !forShow(value) && !programVariable(value) && !portNumber(value) {
		s.report(Password, "curl/user", start, end, 0.85)
	}
}

// curlPassword finds what follows the first colon of "user:password", whether both, each of them or none is quoted. Of a pair with an
// empty password the user name is the secret, as with API keys.
func (s *scan) curlPassword(i int) (int, int) {
	start, end := s.shellWord(i)
	colon := strings.IndexByte(s.text[start:end], ':')
	next := end
	if start > i { // behind the quote
		next++
	}
	switch {
	case colon < 0 && s.byteAt(next) == ':':
		return s.shellWord(next + 1)
	case colon < 0:
		return 0, 0
	case start+colon+1 == end:
		return start, end - 1
	case start == i && start+colon+1 < len(s.text) && s.quote(start+colon+1):
		return s.shellWord(start + colon + 1)
	default:
		return start + colon + 1, end
	}
}

// shellWord is the word of a command line that begins at i, without its quotes.
func (s *scan) shellWord(i int) (int, int) {
	stop := min(len(s.text), i+maxPassword)
	if i < stop && s.quote(i) {
		n := strings.IndexByte(s.text[i+1:stop], s.text[i])
		if n < 0 || strings.ContainsAny(s.text[i+1:i+1+n], "\n\x00") {
			return i, i
		}
		return i + 1, i + 1 + n
	}
	end := i
	for end < stop && s.text[end] > ' ' && (!s.quote(end) || end == i || s.text[end-1] == ':') {
		end++
	}
	return i, end
}

func (s *scan) quote(i int) bool { return s.byteAt(i) == '"' || s.byteAt(i) == '\'' }

// portNumber says whether a value is the port of a host, as other programs take with the same option.
func portNumber(value string) bool {
	return len(value) <= len("65535") && strings.Trim(value, "0123456789") == ""
}

package detect

import (
	"strings"
	"unicode/utf8"
)

// Password is a pass phrase or password, by Presidio's manner of naming.
const Password = "PASSWORD"

const (
	// minPassword is the shortest word taken for a password where an operator or a verb says that one follows.
	minPassword = 4
	// maxPassword is bcrypt's limit, 72, and room for generated ones.
	maxPassword = 128
	// minBarePassword bounds what follows the word with nothing but a space between: only what no text writes otherwise.
	minBarePassword = 8
	// minLoginPassword bounds it where a login stands before the word.
	minLoginPassword = 6

	assignedPassword = 0.85
	spokenPassword   = 0.75
	barePassword     = 0.65

	spokenRule = "password/spoken"
	bareRule   = "password/bare"
)

func passwordRecogniser() recogniser {
	return recogniser{name: "password", entity: Password, on: onLiteral, literals: passwordWords, find: findPassword}
}

// findPassword takes what is assigned to a name of a password, what a sentence says that it is, and what follows the
// word if it looks like nothing else. A word of letters alone is none: "password: required", "password reset",
// "password = user.password" are far more common, and a false hit blocks a request. Only notorious passwords are
// taken then, and fields of connection strings.
func findPassword(s *scan, at, literal int) {
	start := at - len(passwordWords[literal])
	if !s.wordEnds(at) || literal >= joinedPasswords && !s.wordBegins(start) || s.nameSays(otherPasswords, start, at) {
		return
	}
	rest := at
	for rest < len(s.text) && rest-at < maxNameRest && isNameByte(s.text[rest]) {
		rest++
	}
	weak := weakNames[passwordWords[literal]] && s.contextBefore(loginWords, start) == nothing
	value, quote := s.passwordAfterOperator(rest)
	if named := s.skipAssign(value, restByte, maxTypeName); value > rest && quote == 0 && named > value && s.text[named-1] == ' ' && s.byteAt(named) == '=' {
		value, quote = s.passwordAfterOperator(named) // of a type: `password: string = "..."`
	}
	if value == 0 {
		if !weak {
			s.spoken(start, rest)
		}
		return
	}
	if value < s.secrets.password {
		return
	}
	field := rest == at && s.connectionField(start, rest)
	end := s.passwordEnd(value, quote, field)
	s.secrets.password = end
	if !s.believable(value, end, quote != 0) {
		return
	}
	found := s.text[value:end]
	if field || commonPassword(found) || passwordLike(found) && (strongPassword(found) || !weak && !s.brokenLine(rest, value)) {
		s.report(Password, "password/assigned", value, end, assignedPassword)
	}
}

// weakNames mean other things more often: tests pass, and a pass opens borders.
var weakNames = setOf("pass pw")

// loginWords make it clear that a "pass" beside them is a password.
var loginWords = words{
	"user": noun, "username": noun, "login": noun, "uid": noun, "email": noun, "account": noun, "benutzer": noun, "usuario": noun,
	"utilisateur": noun, "db": noun, "database": noun, "smtp": noun, "ftp": noun, "ssh": noun, "wifi": noun, "credentials": noun,
}

// brokenLine says whether a line ends between a name and its value, other than in markup.
func (s *scan) brokenLine(name, value int) bool {
	between := s.text[name:value]
	return strings.Contains(between, "\n") && !strings.Contains(between, ">")
}

// spoken looks at what follows the word, which begins at start, in a sentence.
func (s *scan) spoken(start, at int) {
	value := s.afterVerb(at)
	rule, score := spokenRule, spokenPassword
	if value == 0 {
		if s.byteAt(at) != ' ' {
			return
		}
		value = s.skipAssign(at, openingByte, 2)
		rule, score = bareRule, barePassword
	}
	if value < s.secrets.password || value >= len(s.text) {
		return
	}
	end := s.passwordEnd(value, s.quoteBefore(value), false)
	s.secrets.password = end
	if !s.believable(value, end, s.quoteBefore(value) != 0) {
		return
	}
	found := s.text[value:end]
	if rule == bareRule && (strongPassword(found) || s.loginBefore(start) && len(found) >= minLoginPassword && !quantity(found) && kindsOf(found).digits > 0) || rule == spokenRule && !quantity(found) && (passwordLike(found) || commonPassword(found)) {
		s.report(Password, rule, value, end, score)
	}
}

// loginBefore says whether a login and its name stand before the word: "login ada password ...", as .netrc has it.
func (s *scan) loginBefore(start int) bool {
	stop := max(0, start-contextBefore)
	name, _ := s.wordBefore(start, stop)
	from, to := s.wordBefore(name, stop)
	return name > from && s.text[to:name] == " " && loginNames[strings.ToLower(s.text[from:to])]
}

var loginNames = setOf("login user username account")

// passwordAfterOperator reads what closes a name, an operator and what opens the value, which begins at the first result;
// the second is its quote, or 0.
func (s *scan) passwordAfterOperator(i int) (int, byte) {
	if c := s.byteAt(i); c == ')' || c == ']' { // [type=password]:focus
		return 0, 0
	}
	i = s.skipAssign(i, closingByte, maxClosing)
	op := i
	for i < len(s.text) && i-op < maxOperator && strings.IndexByte("=:>", s.text[i]) >= 0 {
		i++
	}
	if i == op {
		if !s.foldedPrefix(i, "value=") { // <add key="Password" value="...">
			return 0, 0
		}
		i += len("value=")
	}
	i = s.skipAssign(i, spaceByte, maxOpening)
	if s.byteAt(i) == '\\' { // before a quote, in a string of a program
		i++
		if s.quoteBefore(i+1) == 0 {
			return 0, 0
		}
	}
	if q := s.byteAt(i); q == '"' || q == '\'' || q == '`' {
		return i + 1, q
	}
	if i == len(s.text) {
		return 0, 0
	}
	return i, 0
}

func (s *scan) quoteBefore(i int) byte {
	switch q := s.byteBefore(i); q {
	case '"', '\'', '`':
		return q
	}
	return 0
}

// afterVerb returns where the value begins in "password is ...", "set the password to ...", or 0.
func (s *scan) afterVerb(i int) int {
	if s.byteAt(i) != ' ' {
		return 0
	}
	from := i + 1
	to := from
	for to < len(s.text) && to-from <= maxVerb && (isWordByte(s.text[to])) {
		to++
	}
	if !passwordVerbs[strings.ToLower(s.text[from:min(to, from+maxVerb)])] {
		return 0
	}
	if s.byteAt(to) == ':' {
		to++
	}
	value := s.skipAssign(to, openingByte, maxClosing)
	if value == to {
		return 0
	}
	return value
}

// connectionField says whether a name between start and end is a field of a connection string: "Server=db;Password=".
func (s *scan) connectionField(start, end int) bool {
	if s.byteAt(end) != '=' {
		return false
	}
	before := start
	for before > 0 && start-before < maxClosing && s.text[before-1] == ' ' {
		before--
	}
	return s.byteBefore(before) == ';' && s.contextBefore(connectionWords, start) == noun
}

// connectionWords are other fields of a connection string.
var connectionWords = words{
	"server": noun, "host": noun, "hostname": noun, "uid": noun, "user": noun, "username": noun, "database": noun, "catalog": noun,
	"source": noun, "driver": noun, "port": noun, "protocol": noun, "endpoint": noun,
}

// passwordEnd is the end of the value that begins at i: at its quote, or at white space and what divides fields. What ends a
// sentence is not part of it; an exclamation or question mark may be, and is then rather hidden with it.
func (s *scan) passwordEnd(i int, quote byte, field bool) int {
	stop := min(len(s.text), i+maxPassword+1)
	end := i
	for end < stop {
		c := s.text[end]
		if c < ' ' || quote != 0 && c == quote || c == '\\' && strings.IndexByte(`nrt"'`, s.byteAt(end+1)) >= 0 {
			break
		}
		if quote == 0 && (c == ' ' || !field && s.divides(end) || field && (c == ';' || c == '"' || c == '\'')) {
			break
		}
		end++
	}
	for end > i && end < len(s.text) && !utf8.RuneStart(s.text[end]) {
		end-- // the bound lies within a character
	}
	if quote != 0 || field {
		return end
	}
	for end > i && strings.IndexByte(".,:", s.text[end-1]) >= 0 {
		end--
	}
	if end > i && strings.IndexByte(")]}", s.text[end-1]) >= 0 && strings.IndexByte(s.text[i:end], openerOf[s.text[end-1]]) < 0 {
		end--
	}
	return end
}

var openerOf = map[byte]byte{')': '(', ']': '[', '}': '{'}

// divides says whether an unquoted value ends before the character at i.
func (s *scan) divides(i int) bool {
	switch s.text[i] {
	case '"', '\'', '`', ';', '<', '>', hole:
		return true
	case ',':
		next := s.byteAt(i + 1)
		return next <= ' ' || next == '"' || next == '\''
	case '&':
		return s.queryField(i+1) || s.htmlEntity(i+1)
	}
	return false
}

// queryField says whether a field of a query begins at i: user=.
func (s *scan) queryField(i int) bool {
	end := i
	for end < len(s.text) && end-i <= maxNameBefore && isNameByte(s.text[end]) {
		end++
	}
	return end > i && s.byteAt(end) == '='
}

// maxEntity is longer than the entities of HTML that escape its own signs.
const maxEntity = 6

// htmlEntity says whether the rest of one is at i: quot; or #x3C;.
func (s *scan) htmlEntity(i int) bool {
	if s.byteAt(i) == '#' {
		return true
	}
	end := i
	for end < len(s.text) && end-i <= maxEntity && isLower(s.text[end]) {
		end++
	}
	return end > i && s.byteAt(end) == ';'
}

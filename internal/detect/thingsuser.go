package detect

import "strings"

const (
	// scoreUser is the name of an account with its label, scoreMaybeUser one that a sentence mentions.
	scoreUser      = 0.7
	scoreMaybeUser = 0.35
	minUser        = 3
	// maxUser is above what services allow: 39 on GitHub, 64 of an e-mail's local part.
	maxUser = 64
)

// usernameLabels stand before the name of an account: those up to sureLabels with ':' or '=' or "is" between, the
// others with a space.
var usernameLabels = []string{
	"username", "user name", "user_name", "user-name", "login name", "screen name", "benutzername", "nom d'utilisateur", "nombre de usuario",
	"nome utente", "gebruikersnaam", "login", "userid", "user id",
	"for user", "to user", "user account", "account for", "login as", "log in as", "logged in as", "signed in as",
}

const sureLabels = 14

// usernameStops are what stands there in programs, forms and manuals.
var usernameStops = wordsOf(`string str text varchar char int integer number bool boolean any null nil none true false undefined required optional
	admin administrator root user username guest test testuser example password email name your the this that his her its their and not has was
	are must should will can may cannot does field value input label type self func function return const var let new invalid missing empty unknown
	incorrect taken exists already available valid case unique object array req request res response params query body form data session current
	page here button link screen failed successful success attempts attempt error token id key api with from into only also`)

func usernameRecognisers() []recogniser {
	return []recogniser{{name: "username", entity: username, on: onLiteral, literals: usernameLabels, find: findUsername}}
}

// findUsername reads the name of an account after its label.
func findUsername(s *scan, at, literal int) {
	label := at - len(usernameLabels[literal])
	if s.gluedBefore(label) || s.gluedAfter(at) {
		return
	}
	start, how := s.userStart(at, literal < sureLabels)
	if how == noUser {
		return
	}
	end := start
	for end < len(s.text) && end-start <= maxUser && (isAlnum(s.text[end]) || strings.IndexByte("._-", s.text[end]) >= 0) {
		end++
	}
	for end > start && !isAlnum(s.text[end-1]) {
		end--
	}
	if n := end - start; n < minUser || n > maxUser || s.gluedAfter(end) || !isAlnum(s.text[start]) || !s.userLike(start, end, how == quotedUser) {
		return
	}
	score, rule := scoreUser, "username/labelled"
	if how == mentionedUser || how == statedUser && strings.Trim(s.text[start:end], asciiLetters) == "" {
		score, rule = scoreMaybeUser, "username/mentioned"
	}
	s.report(username, rule, start, end, score)
}

// How a value belongs to a label.
const (
	noUser        = iota
	quotedUser    // `username": "jdoe"`
	assignedUser  // "username: jdoe"
	statedUser    // "username is jdoe", which "username is used" is as well
	mentionedUser // "account for jdoe"
)

const asciiLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// maxUserGap fits `": "`, ` := "` and " is ".
const maxUserGap = 8

// userStart is where the value begins that belongs to a label which ends at i, and how it does.
func (s *scan) userStart(i int, sure bool) (start, how int) {
	at := s.skip(i, " \t:=\"'`>")
	between := s.text[i:at]
	quoted := between != "" && strings.IndexByte("\"'`", between[len(between)-1]) >= 0
	switch assigned := strings.ContainsAny(between, ":="); {
	case sure && assigned && quoted:
		return at, quotedUser
	case sure && assigned:
		return at, assignedUser
	case sure && between == " " && strings.HasPrefix(s.text[at:], "is "):
		from := at + len("is ")
		if at = s.skip(from, "\"'`"); at > from {
			return at, quotedUser
		}
		return at, statedUser
	case !sure && !assigned && at > i:
		return at, mentionedUser
	}
	return 0, noUser
}

// skip passes over characters of a set.
func (s *scan) skip(i int, set string) int {
	from := i
	for i < len(s.text) && i-from < maxUserGap && strings.IndexByte(set, s.text[i]) >= 0 {
		i++
	}
	return i
}

// userLike tells the name of an account from a word of a program or of a sentence.
func (s *scan) userLike(start, end int, quoted bool) bool {
	value := s.text[start:end]
	low := strings.ToLower(value)
	if usernameStops.find(value) == noun || strings.HasPrefix(low, "your") || strings.HasPrefix(low, "username") || strings.Trim(value, "0123456789") == "" {
		return false
	}
	switch s.byteAt(end) {
	case '(', '[', '{', '=', ':', '@', '/', '$':
		return false
	}
	// Without quotes a selector ("user.name") or a name of a variable ("userName") is code.
	if quoted {
		return true
	}
	switch next := s.byteAt(end); {
	case next == ')', next == ';' && strings.Contains(value, "."), next == ',' && (s.byteAt(end+1) == '\n' || strings.Contains(value, ".")):
		return false
	}
	for i := start + 1; i < end; i++ {
		if isUpper(s.text[i]) && isLower(s.text[i-1]) {
			return false
		}
	}
	return true
}

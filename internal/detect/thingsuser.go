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
	"nome utente", "gebruikersnaam", "nickname", "login", "userid", "user id",
	"for user", "to user", "user account", "account for", "username of",
}

const sureLabels = 15

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
	start, quoted := s.userStart(at, literal < sureLabels)
	if start == 0 {
		return
	}
	end := start
	for end < len(s.text) && end-start <= maxUser && (isAlnum(s.text[end]) || strings.IndexByte("._-", s.text[end]) >= 0) {
		end++
	}
	for end > start && !isAlnum(s.text[end-1]) {
		end--
	}
	if n := end - start; n < minUser || n > maxUser || s.gluedAfter(end) || !isAlnum(s.text[start]) || !s.userLike(start, end, quoted) {
		return
	}
	score, rule := scoreUser, "username/labelled"
	if literal >= sureLabels {
		score, rule = scoreMaybeUser, "username/mentioned"
	}
	s.report(username, rule, start, end, score)
}

// maxUserGap fits `": "`, ` := "` and " is ".
const maxUserGap = 8

// userStart is where the value begins that belongs to a label which ends at i, and whether it is in quotes; 0 if there is none.
func (s *scan) userStart(i int, sure bool) (int, bool) {
	gap := i
	for gap < len(s.text) && gap-i < maxUserGap && strings.IndexByte(" \t:=\"'`>", s.text[gap]) >= 0 {
		gap++
	}
	between := s.text[i:gap]
	assigned := strings.ContainsAny(between, ":=")
	if !assigned && sure {
		rest, ok := strings.CutPrefix(s.text[gap:], "is ")
		if !ok || between != " " {
			return 0, false
		}
		gap = len(s.text) - len(rest)
		between = ""
		for gap < len(s.text) && strings.IndexByte("\"'`", s.text[gap]) >= 0 {
			between = "\""
			gap++
		}
	}
	if between == "" && gap == i || assigned && !sure {
		return 0, false
	}
	return gap, len(between) > 0 && strings.IndexByte("\"'`", between[len(between)-1]) >= 0
}

// userLike tells the name of an account from a word of a program or of a sentence.
func (s *scan) userLike(start, end int, quoted bool) bool {
	value := s.text[start:end]
	if usernameStops.find(value) == noun || strings.HasPrefix(strings.ToLower(value), "your") || strings.Trim(value, "0123456789") == "" {
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
	if strings.Contains(value, ".") && s.byteAt(end) != 0 && strings.IndexByte(";,)", s.byteAt(end)) >= 0 {
		return false
	}
	for i := start + 1; i < end; i++ {
		if isUpper(s.text[i]) && isLower(s.text[i-1]) {
			return false
		}
	}
	return true
}

package detect

import (
	"strings"
	"unicode/utf8"
)

// believable says whether what stands between start and end can be a password at all: long enough, one word, and neither
// a placeholder nor an expression that stands for one.
func (s *scan) believable(start, end int, quoted bool) bool {
	value := s.text[start:end]
	if len(value) < minPassword || len(value) > maxPassword || strings.IndexByte(value, hole) >= 0 || strings.ContainsAny(value, " \t") {
		return false
	}
	return !forShow(value) && !programVariable(value) && !isoDate(value) && (quoted || !programText(value))
}

// programText says whether a value without quotes is a piece of a program: a call, an index, a composite value, names.
func programText(value string) bool {
	n := strings.IndexAny(value, "([{")
	switch {
	case strings.HasPrefix(value, "[]"):
		return true
	case n >= minCallee && programName(value[:n]):
		return true
	case n > 0 && value[len(value)-1] == ')' && nameBytes(value[:n]):
		return true
	}
	return strings.Contains(value, ".") && programName(value) || wordlike(value) && camelWords(value) > 1
}

func nameBytes(value string) bool {
	for i := range len(value) {
		if !isNameByte(value[i]) {
			return false
		}
	}
	return true
}

// minCallee is the shortest name of a function or type that is told from chance.
const minCallee = 3

// camelWords counts the words that begin with a capital within a name: camelCase has one.
func camelWords(value string) int {
	n := 0
	for i := 1; i < len(value); i++ {
		if isLower(value[i-1]) && isUpper(value[i]) {
			n++
		}
	}
	return n
}

// isoDate says whether a value begins with a date of ISO 8601.
func isoDate(value string) bool {
	const shape = "dddd-dd-dd"
	if len(value) < len(shape) {
		return false
	}
	for i := range len(shape) {
		if isDigit(value[i]) != (shape[i] == 'd') || shape[i] == '-' && value[i] != '-' {
			return false
		}
	}
	return true
}

// forShow says whether a value is what documentation and forms write where a password belongs.
func forShow(value string) bool {
	bare := strings.ToLower(strings.Trim(value, "!?.,:;()[]{}<>*_-\"'"))
	if bare == "" || noPasswords[bare] || strings.Count(bare, bare[:1]) == len(bare) {
		return true
	}
	if word := strings.TrimRight(bare, "0123456789"); len(bare)-len(word) <= maxNumbered && noPasswords[word] {
		return true // password2, pass1
	}
	for _, mark := range []string{"your", "xxx", "***", "...", "\u2022", "\u2026", "_here", "-here", "changeme", "change-me", "change_me", "example.", "://", ":/", ":x:", "${", "$(", "{{", "#{", "%("} {
		if strings.Contains(bare, mark) {
			return true
		}
	}
	k := kindsOf(bare)
	return strings.Contains(bare, "password") && k.signs > 0 || k.digits == 0 && saysSecret(bare)
}

// maxNumbered is how many digits number a variable or an example.
const maxNumbered = 2

// saysSecret says whether a word without digits names what belongs in its place.
func saysSecret(word string) bool {
	for _, name := range []string{"pass", "pwd", "token", "secret", "key"} {
		if strings.Contains(word, name) {
			return true
		}
	}
	return false
}

// programVariable says whether a value is a variable, a path or a piece of a program instead of a value.
func programVariable(value string) bool {
	switch first, last := value[0], value[len(value)-1]; {
	case first == '/' || first == '<' || strings.HasPrefix(value, "./") || strings.HasPrefix(value, "~/"):
		return true
	case first == '$' || first == '%' || first == '@' || first == '&' || first == '*' || first == '!':
		return programName(strings.Trim(value[1:], "%@$")) || first == '$' && (value[1] == '{' || value[1] == '(')
	case first == '{' && last == '}':
		return programName(value[1 : len(value)-1])
	case last == '(' || last == ')':
		name, _, _ := strings.Cut(value, "(")
		return programName(name)
	case last == '[' || last == ']':
		name, _, _ := strings.Cut(value, "[")
		return programName(name)
	}
	return false
}

// programName says whether a value reads like the names of a program, dotted or not.
func programName(value string) bool {
	for i := range len(value) {
		c := value[i]
		if !isAlnum(c) && c != '_' && c != '.' || isDigit(c) && (i == 0 || value[i-1] == '.') {
			return false
		}
	}
	return value != "" && (strings.Contains(value, ".") || wordlike(value) || strings.ToUpper(value) == value || kindsOf(value).digits == 0)
}

// strongPassword says whether a value has what rules for passwords ask for, and no word has: digits, letters of both cases or a sign,
// and enough of all.
func strongPassword(value string) bool {
	k := kindsOf(value)
	return len(value) >= minBarePassword && k.digits > 0 && k.lowers+k.uppers > 0 &&
		(k.hardSigns > 0 || k.lowers > 0 && k.uppers > 0 && (k.digits > 1 || k.signs > 0)) && !wordlike(value) && !strings.Contains(value, "/")
}

// passwordLike says whether what follows an operator or a verb is rather a password than a word or a number.
func passwordLike(value string) bool {
	k := kindsOf(value)
	switch {
	case k.lowers+k.uppers+k.others == 0: // dates, times and amounts have signs of their own
		return k.digits >= minDigitPassword && k.signs == k.hardSigns
	case k.digits == 0: // p@ssword, not user-defined, N/A, don't
		return k.hardSigns > 0 && len(value) > minPassword
	default:
		return !strings.HasPrefix(value, "0x")
	}
}

// minDigitPassword is above what counts and limits have.
const minDigitPassword = 6

// quantity says whether a value is a number with its unit, as in "the password is 12-characters long".
func quantity(value string) bool {
	i := 0
	for i < len(value) && isDigit(value[i]) {
		i++
	}
	unit := strings.Trim(strings.ToLower(value[i:]), "-+%.")
	return i > 0 && (unit == "" && i < minDigitPassword || quantityUnits[unit])
}

var quantityUnits = setOf(`bit bits byte bytes char chars character characters digit digits letter letters symbol symbols word words
	day days hour hours minute minutes month months week weeks year years time times st nd rd th x s m h d ms min mins`)

// charKinds counts the characters of a value by kind.
type charKinds struct{ lowers, uppers, digits, signs, hardSigns, others int }

// hardSigns are those that neither words nor numbers nor dates hold; at its edges a value may have any.
const hardSigns = "@#$%^&*!~"

func kindsOf(value string) charKinds {
	var k charKinds
	for i := range len(value) {
		switch c := value[i]; {
		case isLower(c):
			k.lowers++
		case isUpper(c):
			k.uppers++
		case isDigit(c):
			k.digits++
		case c >= utf8.RuneSelf:
			k.others++
		default:
			k.signs++
			if i > 0 && i < len(value)-1 && strings.IndexByte(hardSigns, c) >= 0 {
				k.hardSigns++
			}
		}
	}
	return k
}

// commonPassword says whether a value is one of the passwords that everybody uses.
func commonPassword(value string) bool {
	return commonPasswords[strings.ToLower(strings.TrimRight(value, "!?"))]
}

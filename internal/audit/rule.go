package audit

import "strconv"

// A rule is what a string of an entry may look like. The charsets hold no
// space, quote, backslash, bracket, control or non-ASCII character: that is
// what keeps free text and JSON out, and it is why a canonical leaf never
// needs an escape.
type rule struct {
	text     string // said in errors
	min, max int
	chars    charset
}

type charset [256]bool

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func chars(s string) (c charset) {
	for i := 0; i < len(s); i++ {
		c[s[i]] = true
	}
	return c
}

// The signs beside letters and digits. Identifiers take what subjects of real
// issuers hold ("auth0|1", "system:serviceaccount:a:b", "CN=a,O=b", an e-mail
// address of an employee); digests take hex, both base64 alphabets and an
// "algorithm:" prefix.
const (
	identifierSigns = "-._~:/@|+=%#,*"
	nameSigns       = "-._"
	digestSigns     = "-_+/=:"
)

var (
	identifierRule = &rule{describe(identifierSigns, 1, MaxIdentifier), 1, MaxIdentifier, chars(alphanumeric + identifierSigns)}
	nameRule       = &rule{describe(nameSigns, 1, MaxName), 1, MaxName, chars(alphanumeric + nameSigns)}
	digestRule     = &rule{describe(digestSigns, MinDigest, MaxDigest), MinDigest, MaxDigest, chars(alphanumeric + digestSigns)}
	leafHashRule   = &rule{"must be 64 lower-case hex digits", 64, 64, chars("0123456789abcdef")}
)

func describe(signs string, least, most int) string {
	return "must be " + strconv.Itoa(least) + " to " + strconv.Itoa(most) + " letters, digits or any of " + signs
}

func (r *rule) allows(s string) bool {
	if len(s) < r.min || len(s) > r.max {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !r.chars[s[i]] {
			return false
		}
	}
	return true
}

// IsIdentifier reports whether s may stand in an identifier field of an entry
// (actor, agent, session, reference, ...), so that a request can be refused
// before anything is decided on it.
func IsIdentifier(s string) bool { return identifierRule.allows(s) }

// IsName reports whether s may be a tenant, a token id, an entity or the name
// of a count.
func IsName(s string) bool { return nameRule.allows(s) }

// IsDigest reports whether s may stand in a digest field of an entry.
func IsDigest(s string) bool { return digestRule.allows(s) }

package authn

import (
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// readContext keeps what the issuer says of how it authenticated: acr is one
// name (OpenID Connect Core section 2). What is no name would be a condition
// that nobody can write down.
func readContext(c *credential) error {
	if _, present := c.claims["acr"]; !present {
		return nil
	}
	acr, ok := identifierClaim(c.claims, "acr")
	if !ok {
		return refuse(ReasonClaims, "acr is no string or not printable")
	}
	c.caller.ACR = acr
	return nil
}

// readPerson tells who the principal is wherever they have an account. It is
// read where the principal is: in act where somebody acts for another, so that
// nobody becomes the person for whom they act.
func readPerson(c *credential) error {
	name := c.issuer.config.PersonClaim
	if name == "" {
		return nil
	}
	principal := c.claims
	if actor, delegated := c.claims["act"].(object); delegated {
		principal = actor
	}
	value, present := principal[name]
	if !present {
		return nil
	}
	text, ok := value.(string)
	if ok {
		text, ok = foldPerson(text)
	}
	if !ok {
		return refuse(ReasonClaims, "the person claim is no string, not printable or holds what cannot be seen")
	}
	c.caller.Person = text
	return nil
}

// foldPerson gives every spelling of one name the same form: compatibility
// caseless matching of the Unicode Standard (section 3.13, D146), composed. The
// second round is for characters that only show their case once they were taken
// apart. Letters of different scripts that look the same stay different: they
// are a matter of whoever gives out the names.
func foldPerson(s string) (string, bool) {
	if !isIdentifier(s) || hasInvisible(s) {
		return "", false
	}
	fold := cases.Fold()
	once := norm.NFKC.String(fold.String(norm.NFD.String(s)))
	folded := norm.NFKC.String(fold.String(once))
	// Compatibility forms may hold blanks, and may be 18 times as long.
	return folded, isIdentifier(folded) && !hasInvisible(folded)
}

// hasInvisible finds what is printable by its category and yet not seen: a name
// with and without it would be two persons who look like one.
func hasInvisible(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return true
		}
	}
	return false
}

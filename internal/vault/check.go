package vault

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/audit"
)

var (
	tenantName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	// identifier is what an entry may hold of a caller's own names: no white
	// space and no '@', so that neither free text nor an address gets in.
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/#+-]{0,127}$`)
)

func checkTenantName(name string) error {
	if name != SystemTenant && !tenantName.MatchString(name) {
		return Invalid("/tenant", "must match "+tenantName.String())
	}
	return nil
}

// checkName checks a caller's name for a scope, a subject or an end user. Its
// bytes are taken as they are: names that differ only in case are different.
func checkName(field, name string, required bool) error {
	switch {
	case name == "" && required:
		return Invalid(field, "is required")
	case len(name) > MaxNameBytes:
		return Invalid(field, fmt.Sprintf("must not be longer than %d bytes", MaxNameBytes))
	case !utf8.ValidString(name):
		return Invalid(field, "must be valid UTF-8")
	}
	for _, r := range name {
		if unicode.IsControl(r) {
			return Invalid(field, "must not hold control characters")
		}
	}
	return nil
}

// checkScopeNames checks the scope of a request and those that it reads too.
func checkScopeNames(scope string, read []string) error {
	if err := checkName("/scope", scope, true); err != nil {
		return err
	}
	if len(read) > MaxReadScopes {
		return tooLarge("/read_scopes", "read_scopes", MaxReadScopes)
	}
	for i, name := range read {
		if err := checkName("/read_scopes/"+strconv.Itoa(i), name, true); err != nil {
			return err
		}
	}
	return nil
}

// checkIdentifier checks a name that goes into entries in clear.
func checkIdentifier(field, name string) error {
	if name != "" && !identifier.MatchString(name) {
		return Invalid(field, "must match "+identifier.String())
	}
	return nil
}

// checkPage checks what is asked of a page, whose cursor is an id, and gives the
// limit its default, which is the most that it may be.
func checkPage(limit *int, most int, name, cursor string) error {
	if *limit == 0 {
		*limit = most
	}
	if *limit < 1 || *limit > most {
		return tooLarge("/limit", name, most)
	}
	if cursor != "" && !audit.IsName(cursor) {
		return Invalid("/cursor", "is not one that a page gave")
	}
	return nil
}

func checkText(field, text string) error {
	switch {
	case len(text) > MaxTextBytes:
		return tooLarge(field, "text_bytes", MaxTextBytes)
	case !utf8.ValidString(text):
		return Invalid(field, "must be valid UTF-8")
	}
	return nil
}

func checkTTL(field string, ttl time.Duration) error {
	if ttl < 0 || ttl > MaxTTL {
		return Invalid(field, fmt.Sprintf("must be between 1 and %d seconds", MaxTTL/time.Second))
	}
	return nil
}

// tooLarge names the limit that was passed.
func tooLarge(field, limit string, value int) *Error {
	e := Invalid(field, fmt.Sprintf("must not exceed %d (limit %s)", value, limit))
	e.Limit = limit
	return e
}

package authn

import (
	"regexp"
	"strings"
)

// namespacePattern leaves out the separator, so that what stands before the
// first one is the whole namespace.
var namespacePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,31}$`)

const namespaceSeparator = "/"

// qualified is the name of a subject, a client or an end user as the rest of the
// service knows it. A sub is unique within its issuer only (RFC 7519 section
// 4.1.2): where several speak for one tenant, all but one of them say theirs
// with their namespace, and the one without it may not say a name that reads
// like one of the others'.
func (i *issuer) qualified(name string) (string, error) {
	if i.config.Namespace != "" {
		name = i.config.Namespace + namespaceSeparator + name
	}
	for _, prefix := range i.foreign {
		if strings.HasPrefix(name, prefix) {
			return "", refuse(ReasonClaims, "a name is in the namespace of another issuer of the tenant")
		}
	}
	if len(name) > MaxIdentifierBytes {
		return "", refuse(ReasonClaims, "a name with its namespace is too long")
	}
	return name, nil
}

// qualify puts the names of the caller into the issuer's namespace, once all of
// them were read.
func qualify(c *credential) error {
	for _, name := range []*string{&c.caller.Subject, &c.caller.Client, &c.caller.EndUser} {
		if *name == "" {
			continue // no end user is named
		}
		var err error
		if *name, err = c.issuer.qualified(*name); err != nil {
			return err
		}
	}
	return nil
}

// foreignPrefixes are what begins the names of the other issuers of c's tenants.
func foreignPrefixes(c Issuer, all []Issuer) []string {
	own, foreign := setOf(c.Tenants), []string(nil)
	for _, other := range all {
		if other.Issuer == c.Issuer || other.Namespace == "" {
			continue
		}
		for _, tenant := range other.Tenants {
			if own[tenant] {
				foreign = append(foreign, other.Namespace+namespaceSeparator)
				break
			}
		}
	}
	return foreign
}

// checkNamespace keeps the names of two issuers of one tenant apart.
func checkNamespace(c Issuer, taken map[string]map[string]bool, report func(field, rule string)) {
	if c.Namespace != "" && !namespacePattern.MatchString(c.Namespace) {
		report("namespace", "must match "+namespacePattern.String())
	}
	met := false
	for _, tenant := range c.Tenants {
		met = met || taken[tenant][c.Namespace]
	}
	for _, tenant := range c.Tenants {
		if taken[tenant] == nil {
			taken[tenant] = map[string]bool{}
		}
		taken[tenant][c.Namespace] = true
	}
	if met {
		report("namespace", "must differ between issuers of one tenant: their subjects are different ones")
	}
}

package authn

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Fault is a rule that a configuration of issuers breaks. It is an [ErrConfig].
type Fault struct {
	Issuer int    // which one, counted from 0
	Field  string // named as in a configuration file; "" is the issuer as a whole
	Rule   string // never holds the value
}

func (f *Fault) Error() string {
	if f.Field == "" {
		return fmt.Sprintf("%v: issuers[%d]: %s", ErrConfig, f.Issuer, f.Rule)
	}
	return fmt.Sprintf("%v: issuers[%d].%s: %s", ErrConfig, f.Issuer, f.Field, f.Rule)
}

func (f *Fault) Unwrap() error { return ErrConfig }

// Check returns every rule that the issuers break. [New] accepts them if there
// is none.
func Check(issuers []Issuer) []*Fault {
	var faults []*Fault
	names, namespaces := map[string]bool{}, map[string]map[string]bool{}
	for n, c := range issuers {
		report := func(field, rule string) {
			faults = append(faults, &Fault{Issuer: n, Field: field, Rule: rule})
		}
		checkNames(c, names, report)
		checkAlgorithms(c, report)
		checkKeys(c, report)
		checkTenants(c, report)
		checkNamespace(c, namespaces, report)
		checkClaimNames(c, report)
		checkRoleMap(c, report)
	}
	return faults
}

func joined(faults []*Fault) error {
	all := make([]error, len(faults))
	for n, fault := range faults {
		all[n] = fault
	}
	return errors.Join(all...)
}

const (
	ruleRequired   = "is required"
	rulePrintable  = "must be printable, without blanks, and not too long"
	ruleRegistered = "must not be a claim that is registered for something else"
	ruleDiffer     = "must differ from the other claims: who assigns the one would assign the other"
)

// checkIdentifier tells apart what is missing and what is wrong.
func checkIdentifier(field, value string, report func(field, rule string)) {
	switch {
	case value == "":
		report(field, ruleRequired)
	case !isIdentifier(value):
		report(field, rulePrintable)
	}
}

func checkNames(c Issuer, names map[string]bool, report func(field, rule string)) {
	checkIdentifier("issuer", c.Issuer, report)
	checkIdentifier("audience", c.Audience, report)
	if c.Issuer != "" && names[c.Issuer] {
		report("issuer", "is given twice")
	}
	names[c.Issuer] = true
}

func checkAlgorithms(c Issuer, report func(field, rule string)) {
	if len(c.Algorithms) == 0 {
		report("algorithms", ruleRequired)
	}
	for n, name := range c.Algorithms {
		if _, known := algorithms[name]; !known {
			report(indexed("algorithms", n), "must be one of ES256, ES384, RS256, PS256, EdDSA")
		}
	}
}

func checkKeys(c Issuer, report func(field, rule string)) {
	switch {
	case c.JWKS != nil && len(c.Keys) > 0:
		report("", "must have jwks or keys, not both")
	case c.JWKS != nil:
		if rule := c.JWKS.rule(); rule != "" {
			report("jwks.url", rule)
		}
		return
	case len(c.Keys) == 0:
		report("", "must have jwks or keys")
	}
	known := slices.DeleteFunc(slices.Clone(c.Algorithms), func(name string) bool {
		_, known := algorithms[name]
		return !known
	})
	kids := map[string]bool{}
	for n, key := range c.Keys {
		if !isIdentifier(key.ID) || kids[key.ID] {
			report(indexed("keys", n)+".kid", "is missing, not printable or given twice")
		}
		kids[key.ID] = true
		if err := checkPublicKey(key.Public); err != nil {
			report(indexed("keys", n), err.Error())
		} else if !(&publicKey{public: key.Public}).fitsOneOf(known) {
			report(indexed("keys", n), "fits none of the algorithms")
		}
	}
}

func checkTenants(c Issuer, report func(field, rule string)) {
	if len(c.Tenants) == 0 {
		report("tenants", ruleRequired)
	}
	for n, tenant := range c.Tenants {
		if !tenantPattern.MatchString(tenant) {
			report(indexed("tenants", n), "must match "+tenantPattern.String())
		}
	}
}

// checkClaimNames demands different claims for different things: one claim
// that is both tenant and role would let whoever assigns roles assign tenants.
func checkClaimNames(c Issuer, report func(field, rule string)) {
	checkIdentifier("tenant_claim", c.TenantClaim, report)
	checkIdentifier("roles_claim", c.RolesClaim, report)
	if c.ClientClaim != "" && !isIdentifier(c.ClientClaim) {
		report("client_claim", rulePrintable)
	}
	if slices.Contains(registered, c.TenantClaim) {
		report("tenant_claim", ruleRegistered)
	}
	if slices.Contains(registered, c.RolesClaim) {
		report("roles_claim", ruleRegistered)
	}
	if slices.Contains(registered, c.ClientClaim) && !slices.Contains([]string{"sub", "client_id", "azp"}, c.ClientClaim) {
		report("client_claim", ruleRegistered)
	}
	checkPersonClaim(c, report)
	if c.RolesClaim != "" && c.RolesClaim == c.TenantClaim {
		report("roles_claim", ruleDiffer)
	}
	if c.ClientClaim != "" && (c.ClientClaim == c.TenantClaim || c.ClientClaim == c.RolesClaim) {
		report("client_claim", ruleDiffer)
	}
}

// checkPersonClaim lets sub be the claim, for issuers that give every person the
// same one wherever they are known.
func checkPersonClaim(c Issuer, report func(field, rule string)) {
	switch name := c.PersonClaim; {
	case name == "":
	case !isIdentifier(name):
		report("person_claim", rulePrintable)
	case name != "sub" && slices.Contains(registered, name):
		report("person_claim", ruleRegistered)
	case name == c.TenantClaim || name == c.RolesClaim || (name == c.ClientClaim && name != "sub"):
		report("person_claim", ruleDiffer)
	}
}

// checkRoleMap names no value: it may be the name of a team.
func checkRoleMap(c Issuer, report func(field, rule string)) {
	for value, role := range c.RoleMap {
		if !isIdentifier(value) || !rolePattern.MatchString(role) {
			report("role_map", "must map what is printable to roles that match "+rolePattern.String())
			return
		}
	}
}

func indexed(field string, n int) string { return field + "[" + strconv.Itoa(n) + "]" }

package authn

import (
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Authentication methods of RFC 8176 that show something known or a body, and
// those that show something held. One of each, or the word mfa, is a second
// factor. A single otp or hwk is one factor. sms and tel are left out: NIST SP
// 800-63B restricts them.
var (
	knownFactors = []string{"pwd", "pin", "kba", "fpt", "face", "iris", "retina", "vbm"}
	heldFactors  = []string{"otp", "hwk", "swk", "sc"}
)

// readPrincipals tells who acts from on whose behalf (RFC 8693 section 4.1).
func readPrincipals(c *credential) error {
	sub, ok := identifierClaim(c.claims, "sub")
	if !ok {
		return refuse(ReasonClaims, "sub is missing, no string or not printable")
	}
	act, delegated := c.claims["act"]
	if !delegated {
		c.caller.Subject = sub
		return nil
	}
	actor, err := currentActor(act, c.issuer.config.Issuer)
	if err != nil {
		return err
	}
	c.caller.Subject, c.caller.EndUser = actor, sub
	c.caller.EndUserAssurance = vault.AssuranceToken
	return nil
}

// currentActor returns the sub of the outermost actor. Those inside it acted
// before; they are checked for their shape and decide nothing.
func currentActor(act any, issuer string) (string, error) {
	var current string
	for depth := 1; ; depth++ {
		if depth > MaxActDepth {
			return "", refuse(ReasonClaims, "act is nested too deep")
		}
		actor, ok := act.(object)
		if !ok {
			return "", refuse(ReasonClaims, "act is no object")
		}
		sub, ok := identifierClaim(actor, "sub")
		if !ok {
			return "", refuse(ReasonClaims, "act.sub is missing, no string or not printable")
		}
		// A subject is unique within its issuer. Somebody else's svc-1 must
		// not become ours.
		if iss, foreign := actor["iss"]; foreign && iss != issuer {
			return "", refuse(ReasonClaims, "act.iss is another issuer")
		}
		if depth == 1 {
			current = sub
		}
		if act, ok = actor["act"]; !ok {
			return current, nil
		}
	}
}

func readClient(c *credential) error {
	if name := c.issuer.config.ClientClaim; name != "" {
		client, ok := identifierClaim(c.claims, name)
		if !ok {
			return refuse(ReasonClaims, "the client claim is missing, no string or not printable")
		}
		c.caller.Client = client
		return nil
	}
	var clients []string
	for _, name := range []string{"client_id", "azp"} {
		if _, present := c.claims[name]; !present {
			continue
		}
		client, ok := identifierClaim(c.claims, name)
		if !ok {
			return refuse(ReasonClaims, "client_id or azp is no string or not printable")
		}
		clients = append(clients, client)
	}
	// Scopes are bound to the client: no client would be everybody's client.
	if clients = slices.Compact(clients); len(clients) != 1 {
		return refuse(ReasonClaims, "client_id and azp are missing or differ")
	}
	c.caller.Client = clients[0]
	return nil
}

// readRoles accepts an array of strings or one string with spaces between. No
// roles at all is not a refusal: such a caller is known, and is denied later,
// with an entry.
func readRoles(c *credential) error {
	value, present := c.claims[c.issuer.config.RolesClaim]
	if !present {
		return nil
	}
	var values []string
	switch v := value.(type) {
	case string:
		values = strings.Split(v, " ")
	case []any:
		all, ok := allStrings(v)
		if !ok {
			return refuse(ReasonClaims, "the roles claim has an element that is no string")
		}
		values = all
	default:
		return refuse(ReasonClaims, "the roles claim is neither a string nor an array")
	}
	if len(values) > MaxRoles {
		return refuse(ReasonClaims, "the roles claim has too many elements")
	}
	for _, value := range values {
		if role, ok := c.issuer.role(value); ok && !slices.Contains(c.caller.Roles, role) {
			c.caller.Roles = append(c.caller.Roles, role)
		}
	}
	return nil
}

func (i *issuer) role(value string) (string, bool) {
	if i.config.RoleMap != nil {
		role, ok := i.config.RoleMap[value]
		return role, ok
	}
	return value, rolePattern.MatchString(value)
}

func readMethods(c *credential) error {
	value, present := c.claims["amr"]
	if !present {
		return nil
	}
	list, ok := value.([]any)
	methods, all := allStrings(list)
	if !ok || !all {
		return refuse(ReasonClaims, "amr is no array of strings")
	}
	known := slices.ContainsFunc(methods, func(m string) bool { return slices.Contains(knownFactors, m) })
	held := slices.ContainsFunc(methods, func(m string) bool { return slices.Contains(heldFactors, m) })
	c.caller.MFA = slices.Contains(methods, "mfa") || (known && held)
	return nil
}

package authn

import (
	"crypto"
	"maps"
	"regexp"
)

// Issuer is the configuration of one issuer of credentials. No field has a
// default: [New] refuses an issuer that leaves out anything but ClientClaim,
// PersonClaim, Namespace and RoleMap, or that has both or neither of Keys and JWKS.
type Issuer struct {
	// Issuer is compared with iss byte for byte. It is unique.
	Issuer string
	// Audience is this service's name at the issuer; aud must contain it.
	Audience string
	// Algorithms is a subset of ES256, ES384, RS256, PS256 and EdDSA.
	Algorithms []string
	// Keys are the issuer's public keys. A kid counts for this issuer only.
	Keys []Key
	// JWKS is where the issuer publishes its keys instead.
	JWKS *JWKS
	// TenantClaim and RolesClaim name top-level claims.
	TenantClaim, RolesClaim string
	// ClientClaim names the claim with the client. Empty means client_id,
	// else azp, which must agree when both are there.
	ClientClaim string
	// PersonClaim names the claim that says who the principal is wherever they
	// have an account, such as the number of an employee. It must be one that
	// nobody can change for themselves. Empty means that no token says it.
	PersonClaim string
	// Namespace begins the names of the issuer's subjects, clients and end users.
	// Issuers of one tenant must differ in it; one of them may be without.
	Namespace string
	// Tenants are those that this issuer may speak for.
	Tenants []string
	// RoleMap, when set, gives the role for each value of the roles claim; a
	// value that is not in it gives none. When nil, a value that is spelled
	// like a role is that role.
	RoleMap map[string]string
}

// Key is a public key and the kid that headers name it by.
type Key struct {
	ID     string
	Public crypto.PublicKey
}

var (
	// tenantPattern leaves no room for the service's own names, which start
	// with an underscore.
	tenantPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	rolePattern   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
)

// registered are the claims that authn reads, whatever the configuration names.
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "amr", "acr", "cnf", "client_id", "azp"}

// issuer is a checked configuration, copied so that nothing can change it.
type issuer struct {
	config     Issuer
	algorithms map[string]bool
	keys       keySource
	tenants    map[string]bool
	foreign    []string // what names of other issuers begin with
	// reserved are the claims that never become attributes.
	reserved map[string]bool
}

// newIssuer is for one of all the issuers of a configuration without a fault.
func newIssuer(c Issuer, all []Issuer) *issuer {
	i := &issuer{
		config: c, algorithms: setOf(c.Algorithms), tenants: setOf(c.Tenants), reserved: setOf(registered),
		foreign: foreignPrefixes(c, all),
	}
	i.config.RoleMap = maps.Clone(c.RoleMap)
	i.reserved[c.TenantClaim], i.reserved[c.RolesClaim] = true, true
	for _, name := range []string{c.ClientClaim, c.PersonClaim} {
		if name != "" {
			i.reserved[name] = true
		}
	}
	keys := staticKeys{}
	for _, key := range c.Keys {
		keys[key.ID] = &publicKey{public: key.Public}
	}
	i.keys = keys
	return i
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

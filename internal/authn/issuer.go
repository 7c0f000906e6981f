package authn

import (
	"crypto"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// Issuer is the configuration of one issuer of credentials. No field has a
// default: [New] refuses an issuer that leaves out anything but ClientClaim and
// RoleMap.
type Issuer struct {
	// Issuer is compared with iss byte for byte. It is unique.
	Issuer string
	// Audience is this service's name at the issuer; aud must contain it.
	Audience string
	// Algorithms is a subset of ES256, ES384, RS256, PS256 and EdDSA.
	Algorithms []string
	// Keys are the issuer's public keys. A kid counts for this issuer only.
	Keys []Key
	// TenantClaim and RolesClaim name top-level claims.
	TenantClaim, RolesClaim string
	// ClientClaim names the claim with the client. Empty means client_id,
	// else azp, which must agree when both are there.
	ClientClaim string
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
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "act", "amr", "cnf", "client_id", "azp"}

// issuer is a checked configuration, copied so that nothing can change it.
type issuer struct {
	config     Issuer
	algorithms map[string]bool
	keys       map[string]crypto.PublicKey
	tenants    map[string]bool
	// reserved are the claims that never become attributes.
	reserved map[string]bool
}

func newIssuer(c Issuer) (*issuer, error) {
	if !isIdentifier(c.Issuer) || !isIdentifier(c.Audience) {
		return nil, fmt.Errorf("%w: issuer and audience are required, printable, at most %d bytes", ErrConfig, MaxIdentifierBytes)
	}
	i := &issuer{config: c, reserved: map[string]bool{}}
	i.config.RoleMap = maps.Clone(c.RoleMap)
	for _, set := range []func() error{i.setAlgorithms, i.setKeys, i.setTenants, i.setClaims, i.checkRoleMap} {
		if err := set(); err != nil {
			return nil, fmt.Errorf("issuer %q: %w", c.Issuer, err)
		}
	}
	return i, nil
}

func (i *issuer) setAlgorithms() error {
	if len(i.config.Algorithms) == 0 {
		return fmt.Errorf("%w: algorithms are required", ErrConfig)
	}
	i.algorithms = map[string]bool{}
	for _, name := range i.config.Algorithms {
		if _, known := algorithms[name]; !known {
			return fmt.Errorf("%w: an algorithm is not one of ES256, ES384, RS256, PS256, EdDSA", ErrConfig)
		}
		i.algorithms[name] = true
	}
	return nil
}

func (i *issuer) setKeys() error {
	if len(i.config.Keys) == 0 {
		return fmt.Errorf("%w: keys are required", ErrConfig)
	}
	i.keys = map[string]crypto.PublicKey{}
	for n, key := range i.config.Keys {
		if _, taken := i.keys[key.ID]; taken || !isIdentifier(key.ID) {
			return fmt.Errorf("%w: key %d: the kid is missing, not printable or given twice", ErrConfig, n)
		}
		if err := checkPublicKey(key.Public); err != nil {
			return fmt.Errorf("%w: key %d: %w", ErrConfig, n, err)
		}
		fits := func(alg string) bool { return algorithms[alg].fits(key.Public) }
		if !slices.ContainsFunc(i.config.Algorithms, fits) {
			return fmt.Errorf("%w: key %d fits none of the algorithms", ErrConfig, n)
		}
		i.keys[key.ID] = key.Public
	}
	return nil
}

func (i *issuer) setTenants() error {
	if len(i.config.Tenants) == 0 {
		return fmt.Errorf("%w: tenants are required", ErrConfig)
	}
	i.tenants = map[string]bool{}
	for n, tenant := range i.config.Tenants {
		if !tenantPattern.MatchString(tenant) {
			return fmt.Errorf("%w: tenant %d does not match %s", ErrConfig, n, tenantPattern)
		}
		i.tenants[tenant] = true
	}
	return nil
}

// setClaims demands different claims for different things: one claim that is
// both tenant and role would let whoever assigns roles assign tenants.
func (i *issuer) setClaims() error {
	if !isIdentifier(i.config.TenantClaim) || !isIdentifier(i.config.RolesClaim) {
		return fmt.Errorf("%w: tenant_claim and roles_claim are required", ErrConfig)
	}
	if i.config.ClientClaim != "" && !isIdentifier(i.config.ClientClaim) {
		return fmt.Errorf("%w: client_claim is not printable", ErrConfig)
	}
	if i.config.TenantClaim == i.config.RolesClaim || i.config.TenantClaim == i.config.ClientClaim || i.config.RolesClaim == i.config.ClientClaim {
		return fmt.Errorf("%w: tenant_claim, roles_claim and client_claim must differ", ErrConfig)
	}
	if slices.Contains(registered, i.config.TenantClaim) || slices.Contains(registered, i.config.RolesClaim) {
		return fmt.Errorf("%w: tenant_claim and roles_claim cannot be registered claims", ErrConfig)
	}
	clients := []string{"", "sub", "client_id", "azp"}
	if slices.Contains(registered, i.config.ClientClaim) && !slices.Contains(clients, i.config.ClientClaim) {
		return fmt.Errorf("%w: client_claim cannot be that registered claim", ErrConfig)
	}
	for _, name := range append([]string{i.config.TenantClaim, i.config.RolesClaim}, registered...) {
		i.reserved[name] = true
	}
	if i.config.ClientClaim != "" {
		i.reserved[i.config.ClientClaim] = true
	}
	return nil
}

func (i *issuer) checkRoleMap() error {
	for value, role := range i.config.RoleMap {
		if !isIdentifier(value) || !rolePattern.MatchString(role) {
			return fmt.Errorf("%w: role_map has a value that is not printable or a role that does not match %s", ErrConfig, rolePattern)
		}
	}
	return nil
}

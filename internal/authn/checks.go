package authn

import (
	"slices"
	"time"
)

// checkIssuer chooses the one issuer whose keys, algorithms, audience and
// tenants count from here on.
func checkIssuer(c *credential, v *Verifier, _ time.Time) error {
	name, ok := c.claims["iss"].(string)
	if !ok {
		return refuse(ReasonIssuer, "iss is missing or no string")
	}
	if c.issuer = v.issuers[name]; c.issuer == nil {
		return refuse(ReasonIssuer, "iss is not configured")
	}
	return nil
}

func checkAlgorithm(c *credential, _ *Verifier, _ time.Time) error {
	if alg, ok := c.header["alg"].(string); !ok || !c.issuer.algorithms[alg] {
		return refuse(ReasonAlgorithm, "alg is missing or not one of the issuer's")
	}
	return nil
}

// checkKey looks for kid among the issuer's own keys only: a key of another
// issuer does not exist here, even under the same kid.
func checkKey(c *credential, _ *Verifier, _ time.Time) error {
	kid, ok := c.header["kid"].(string)
	if !ok {
		return refuse(ReasonKey, "kid is missing or no string")
	}
	alg, _ := c.header["alg"].(string)
	key, known := c.issuer.keys[kid]
	c.algorithm, ok = algorithms[alg]
	if !known || !ok || !c.algorithm.fits(key) {
		return refuse(ReasonKey, "kid names no key of the issuer that fits alg")
	}
	c.key = key
	return nil
}

func checkSignature(c *credential, _ *Verifier, _ time.Time) error {
	if c.algorithm.method.Verify(c.signed, c.signature, c.key) != nil {
		return refuse(ReasonSignature, "the signature does not verify")
	}
	return nil
}

// checkExpiry refuses a token from exp plus the leeway on.
func checkExpiry(c *credential, _ *Verifier, now time.Time) error {
	if c.expires.IsZero() {
		return refuse(ReasonClaims, "exp is missing")
	}
	if !now.Before(c.until()) {
		return refuse(ReasonExpired, "exp has passed")
	}
	return nil
}

// checkLifetime refuses tokens that live for ever. The life begins with iat;
// without one, now, since a shorter life is all that can be shown.
func checkLifetime(c *credential, v *Verifier, now time.Time) error {
	begin := c.issued
	if begin.IsZero() {
		begin = now
	} else if !c.expires.After(begin) {
		return refuse(ReasonClaims, "exp is not after iat")
	}
	if c.expires.Sub(begin) > v.settings.maxLifetime {
		return refuse(ReasonClaims, "the lifetime is over the limit")
	}
	return nil
}

func checkNotBefore(c *credential, _ *Verifier, now time.Time) error {
	if now.Before(c.from()) {
		return refuse(ReasonNotYet, "nbf or iat lies ahead")
	}
	return nil
}

func checkAudience(c *credential, _ *Verifier, _ time.Time) error {
	if !slices.Contains(c.audiences, c.issuer.config.Audience) {
		return refuse(ReasonAudience, "aud is missing or names others")
	}
	return nil
}

func checkTenant(c *credential, _ *Verifier, _ time.Time) error {
	if !c.issuer.tenants[c.caller.Tenant] {
		return refuse(ReasonTenant, "the issuer may not speak for that tenant")
	}
	return nil
}

// from and until are the instants between which the token is valid, leeway
// included. The cache asks them again on each hit.
func (c *credential) from() time.Time {
	begin := c.notBefore
	if c.issued.After(begin) {
		begin = c.issued
	}
	return begin.Add(-Leeway)
}

func (c *credential) until() time.Time { return c.expires.Add(Leeway) }

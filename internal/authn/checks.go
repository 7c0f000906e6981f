package authn

import (
	"context"
	"slices"
	"time"
)

// checkIssuer chooses the one issuer whose keys, algorithms, audience and
// tenants count from here on.
func checkIssuer(_ context.Context, c *credential, v *Verifier, _ time.Time) error {
	name, ok := c.claims["iss"].(string)
	if !ok {
		return refuse(ReasonIssuer, "iss is missing or no string")
	}
	if c.issuer = v.issuers[name]; c.issuer == nil {
		return refuse(ReasonIssuer, "iss is not configured")
	}
	return nil
}

func checkAlgorithm(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	if alg, ok := c.header["alg"].(string); !ok || !c.issuer.algorithms[alg] {
		return refuse(ReasonAlgorithm, "alg is missing or not one of the issuer's")
	}
	return nil
}

// checkKey looks for kid among the issuer's own keys only: a key of another
// issuer does not exist here, even under the same kid.
func checkKey(ctx context.Context, c *credential, _ *Verifier, _ time.Time) error {
	kid, ok := c.header["kid"].(string)
	if !ok {
		return refuse(ReasonKey, "kid is missing or no string")
	}
	alg, _ := c.header["alg"].(string)
	if c.algorithm, ok = algorithms[alg]; !ok {
		return refuse(ReasonKey, "alg takes no key of any issuer")
	}
	key, err := c.issuer.keys.find(ctx, kid)
	if err != nil {
		return err
	}
	if !key.fits(alg) {
		return refuse(ReasonKey, "the key that kid names does not fit alg")
	}
	c.kid, c.key = kid, key
	return nil
}

func checkSignature(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	if c.algorithm.method.Verify(c.signed, c.signature, c.key.public) != nil {
		return refuse(ReasonSignature, "the signature does not verify")
	}
	return nil
}

// checkExpiry refuses a token from exp plus the leeway on.
func checkExpiry(_ context.Context, c *credential, _ *Verifier, now time.Time) error {
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
func checkLifetime(_ context.Context, c *credential, v *Verifier, now time.Time) error {
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

func checkNotBefore(_ context.Context, c *credential, _ *Verifier, now time.Time) error {
	if now.Before(c.from()) {
		return refuse(ReasonNotYet, "nbf or iat lies ahead")
	}
	return nil
}

func checkAudience(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	if !slices.Contains(c.audiences, c.issuer.config.Audience) {
		return refuse(ReasonAudience, "aud is missing or names others")
	}
	return nil
}

func checkTenant(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	if !c.issuer.tenants[c.caller.Tenant] {
		return refuse(ReasonTenant, "the issuer may not speak for that tenant")
	}
	return nil
}

// checkBinding holds a bound token against the certificate of the connection.
func checkBinding(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	if !proves(c.shown, c.bound) {
		return refuse(ReasonBinding, "the connection does not show the certificate that cnf names")
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

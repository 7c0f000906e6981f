package authn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// checkClaims interprets the payload of a token whose signature holds.
func checkClaims(_ context.Context, c *credential, _ *Verifier, _ time.Time) error {
	steps := []func(*credential) error{
		readTimes, readAudience, readTenant, readPrincipals, readClient, qualify, readPerson, readRoles, readMethods, readContext,
		readID, readConfirmation, readAttributes,
	}
	for _, step := range steps {
		if err := step(c); err != nil {
			return err
		}
	}
	return nil
}

func readTimes(c *credential) error {
	for name, at := range map[string]*time.Time{"exp": &c.expires, "nbf": &c.notBefore, "iat": &c.issued} {
		value, present := c.claims[name]
		if !present {
			continue
		}
		var ok bool
		if *at, ok = numericDate(value); !ok {
			return refuse(ReasonClaims, "exp, nbf or iat is no number of seconds up to the year 9999")
		}
	}
	return nil
}

// numericDate reads seconds since 1970. RFC 7519 lets them have a fraction; it is
// cut off, which ends a token the sooner.
func numericDate(value any) (time.Time, bool) {
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxNumericDate {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// readAudience accepts the two forms of RFC 7519 section 4.1.3.
func readAudience(c *credential) error {
	switch aud := c.claims["aud"].(type) {
	case string:
		c.audiences = []string{aud}
	case []any:
		all, ok := allStrings(aud)
		if !ok {
			return refuse(ReasonAudience, "aud has an element that is no string")
		}
		c.audiences = all
	}
	return nil // what is missing here, checkAudience finds missing
}

func readTenant(c *credential) error {
	tenant, ok := c.claims[c.issuer.config.TenantClaim].(string)
	if !ok || !tenantPattern.MatchString(tenant) {
		return refuse(ReasonTenant, "the tenant claim is missing, no string or not spelled like a tenant")
	}
	c.caller.Tenant = tenant
	return nil
}

// readID keeps a digest of issuer and jti. An issuer is printable, so the NUL
// between them makes two pairs never meet in one digest.
func readID(c *credential) error {
	if _, present := c.claims["jti"]; !present {
		return nil
	}
	id, ok := identifierClaim(c.claims, "jti")
	if !ok {
		return refuse(ReasonClaims, "jti is no string or not printable")
	}
	digest := sha256.Sum256([]byte(c.issuer.config.Issuer + "\x00" + id))
	c.caller.JTIDigest = hex.EncodeToString(digest[:])
	return nil
}

// readAttributes keeps the other top-level strings, numbers (as they were
// spelled) and booleans. Objects, arrays and nulls are nothing that a policy
// condition can name.
func readAttributes(c *credential) error {
	attributes := map[string]string{}
	for name, value := range c.claims {
		if c.issuer.reserved[name] {
			continue
		}
		var text string
		switch v := value.(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		case bool:
			text = strconv.FormatBool(v)
		default:
			continue
		}
		if !isIdentifier(name) || len(text) > MaxAttributeBytes || strings.ContainsFunc(text, unicode.IsControl) {
			return refuse(ReasonClaims, "a further claim is too long or has control characters")
		}
		attributes[name] = text
	}
	if len(attributes) > MaxAttributes {
		return refuse(ReasonClaims, "too many further claims")
	}
	if len(attributes) > 0 {
		c.caller.Attributes = attributes
	}
	return nil
}

func identifierClaim(claims object, name string) (string, bool) {
	s, ok := claims[name].(string)
	return s, ok && isIdentifier(s)
}

func allStrings(values []any) ([]string, bool) {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		text, ok := value.(string)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

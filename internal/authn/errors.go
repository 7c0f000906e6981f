package authn

import (
	"errors"
	"fmt"
)

// ErrUnauthenticated is every refusal of a credential.
var ErrUnauthenticated = errors.New("authn: unauthenticated")

// ErrConfig is every refusal of a configuration by [New].
var ErrConfig = errors.New("authn: configuration refused")

// Reason says why a credential was refused. It is for counting and for the
// operator; the bearer is told nothing but that it was refused.
type Reason string

// The reasons, a closed list.
const (
	ReasonMalformed Reason = "malformed" // not one strict compact JWS of two JSON objects
	ReasonAlgorithm Reason = "algorithm" // alg is not one of the issuer's
	ReasonKey       Reason = "key"       // kid names no key of the issuer that fits alg
	ReasonSignature Reason = "signature" // the signature does not verify
	ReasonExpired   Reason = "expired"   // exp has passed
	ReasonNotYet    Reason = "not_yet"   // nbf or iat lies ahead
	ReasonIssuer    Reason = "issuer"    // iss is nobody configured
	ReasonAudience  Reason = "audience"  // aud does not name this service
	ReasonClaims    Reason = "claims"    // a claim is missing or breaks its rule
	ReasonTenant    Reason = "tenant"    // no tenant, or not one of the issuer's
	ReasonBinding   Reason = "binding"   // bound to another certificate than the connection shows
	ReasonTooLarge  Reason = "too_large" // longer than MaxTokenBytes
)

// Reasons lists every reason, for metrics that are set to zero at start.
func Reasons() []Reason {
	return []Reason{
		ReasonMalformed, ReasonAlgorithm, ReasonKey, ReasonSignature, ReasonExpired, ReasonNotYet,
		ReasonIssuer, ReasonAudience, ReasonClaims, ReasonTenant, ReasonBinding, ReasonTooLarge,
	}
}

// ReasonOf returns why err refused a credential, or "" if it is no refusal.
func ReasonOf(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return ""
}

// refusal holds a reason and the rule that was broken. The rule is always a
// constant of this package: nothing of a token may get into it.
type refusal struct {
	reason Reason
	rule   string
}

func refuse(reason Reason, rule string) error { return &refusal{reason, rule} }

func (r *refusal) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrUnauthenticated, r.reason, r.rule)
}

func (r *refusal) Unwrap() error { return ErrUnauthenticated }

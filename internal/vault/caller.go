package vault

import "net/netip"

// Caller is who calls, as the authentication layer established it from a
// verified credential. It is a parameter of every operation, never a context
// value, so that no operation can be written that forgets to ask for it.
type Caller struct {
	// Tenant is the unit of isolation. It comes from the credential, never
	// from a request body.
	Tenant string
	// Subject names the principal (the JWT's sub). It is the actor of entries.
	Subject string
	// Client is the machine that calls (azp or client_id). Scopes bind to it.
	Client string
	// Roles are those that the credential carries and the issuer may give.
	Roles []string
	// EndUser is the person on whose behalf the client calls, in clear; only
	// its keyed digest is ever stored.
	EndUser string
	// EndUserAssurance says where EndUser comes from.
	EndUserAssurance Assurance
	// Agent and Session are optional identifiers of the calling software.
	Agent, Session string
	// JTIDigest and CertFingerprint identify the credential in entries.
	JTIDigest, CertFingerprint string
	// MFA tells that the credential was obtained with a second factor (amr).
	MFA bool
	// ACR is the authentication context that the issuer vouches for (acr), empty
	// where it says none.
	ACR string
	// Person is who the principal is wherever they have an account: the claim that
	// the issuer's configuration names for it, empty where it names none. Two
	// principals of one person are one person where approvals are counted.
	Person string
	// Address is where the connection comes from; invalid where that is not known.
	Address netip.Addr
	// Attributes are the further claims that policy conditions may name.
	Attributes map[string]string
}

// Assurance says how far the identity of the end user was established.
type Assurance string

// The assurances of an end user.
const (
	AssuranceNone     Assurance = ""         // no end user is named
	AssuranceToken    Assurance = "token"    // a claim of the verified credential
	AssuranceAsserted Assurance = "asserted" // a header of a client that may assert it
)

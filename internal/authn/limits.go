package authn

import "time"

// The limits of a credential.
const (
	// MaxTokenBytes is what common proxies let pass in a header line.
	MaxTokenBytes = 8 << 10
	// Leeway is the clock difference that exp, nbf and iat forgive: more than
	// hosts that keep time with NTP ever show, far less than a token lives.
	Leeway = 30 * time.Second
	// MaxLifetime is from iat to exp. Tokens are not revoked here, so that a
	// stolen one must end by itself within a working day.
	MaxLifetime = 24 * time.Hour
	// MaxActDepth bounds the chain of actors. The deepest chain met in
	// practice has three: an agent, for a service, for a gateway.
	MaxActDepth = 4
	// MaxIdentifierBytes bounds sub, client, kid, jti and the names of claims;
	// OpenID Connect gives sub 255.
	MaxIdentifierBytes = 255
	// MaxRoles bounds the role claim; directories that put every group into
	// it must be told to filter.
	MaxRoles = 64
	// MaxAttributes and MaxAttributeBytes bound the claims that policy may
	// name. Beyond them a token is refused, not cut: a condition on a claim
	// that was dropped would be judged as if it had never been made.
	MaxAttributes     = 64
	MaxAttributeBytes = 1024
	// MaxCachedTokens bounds the cache; with a usual token's caller it is
	// about 4 MiB, and never more than 32 MiB.
	MaxCachedTokens = 4096
	// MinRSABits is the floor of RFC 7518 section 3.3; MaxRSABits bounds what
	// one verification may cost.
	MinRSABits = 2048
	MaxRSABits = 8192
	// minRSAExponent refuses the small exponents that made forgeries easy.
	minRSAExponent = 65537
	// RefreshEvery is how long a key that its issuer has withdrawn may still
	// work. One request a minute and replica is nothing to an issuer.
	RefreshEvery = time.Minute
	// RetryEvery is the pause after a fetch that failed: short, since nobody
	// knows what was withdrawn meanwhile.
	RetryEvery = 10 * time.Second
	// KeepKeysFor is how long the last known keys of an issuer count when it
	// does not answer: an outage of an hour stops nobody, and a key that was
	// withdrawn during one works no longer than that.
	KeepKeysFor = time.Hour
	// StartWait is how long one issuer that has never answered keeps a service
	// from being ready. It is longer than orchestrators wait before they call
	// a rollout failed (ten minutes in Kubernetes), so that the replicas that
	// know its keys stay; then the others' callers are worth more.
	StartWait = 15 * time.Minute
	// JWKSTimeout bounds one fetch. A request with a new key waits for two at
	// most, which is less than gateways wait for an answer.
	JWKSTimeout = 5 * time.Second
	// MaxJWKSBytes and MaxJWKSKeys bound a key set. The largest in public use
	// have some twenty keys with their certificates, 30 KiB.
	MaxJWKSBytes = 256 << 10
	MaxJWKSKeys  = 128
	// maxJWKSHeaderBytes is eight times what common servers send.
	maxJWKSHeaderBytes = 64 << 10
	// UnknownKeyEvery and UnknownKeyBurst bound the fetches for a kid that is
	// not known. Strangers make kids up; issuers rotate a few times a day.
	UnknownKeyEvery = 10 * time.Second
	UnknownKeyBurst = 5
	// MaxKeyWaiters bounds the requests that wait for one issuer's answer: a
	// quarter of what the interface admits.
	MaxKeyWaiters = 256
	// maxNumericDate is the end of the year 9999: beyond it times overflow.
	maxNumericDate = 253402300799
)

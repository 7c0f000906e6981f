// Package authn turns a bearer JWT into a [vault.Caller], or refuses it.
//
// It promises one thing: a Caller that leaves [Verifier.Verify] was signed, for
// this service, by a key that was configured for that very issuer, is valid
// now, and speaks for a tenant that this issuer may speak for. Everything else
// is [ErrUnauthenticated] with a [Reason] out of a closed list. An error never
// holds any part of the token.
//
// # The order of the checks
//
//  1. The shape: three base64url segments in their one canonical spelling, two
//     JSON objects without duplicate names. What two parsers could read in two
//     ways is refused before anything is read.
//  2. The unverified iss chooses exactly one configured issuer, by equality.
//  3. alg must be in that issuer's list, kid must name one of that issuer's
//     keys, and the key must be of the type that alg needs. Headers that bring
//     a key along (jwk, jku, x5u, x5c) or demand something (crit) are refused.
//  4. The signature.
//  5. Only now the claims are interpreted: exp, iat, nbf, aud, the tenant, the
//     subject, the actor, the client, the roles.
//
// golang-jwt does the signature algorithms. Its Parser is not used: it skips
// line breaks inside a segment, keeps the last of two equal names, and reads
// exp from a string; and it would decode each token a second time. The tests
// hold the Parser, with every check switched on, against this package: what is
// accepted here, it accepts too.
//
// An ECDSA signature (r, s) has a twin (r, n-s) that anybody can compute and that
// every verifier takes. It signs the same statement and gains nothing, but it is
// why a credential is told apart by issuer and jti, never by its bytes.
//
// # Whom a token names
//
// Without an act claim, sub is the Subject and no end user is named. With one
// (RFC 8693 section 4.1) sub is the person on whose behalf the call is made,
// the EndUser, and act.sub is who acts, the Subject. A chain of actors is
// accepted to [MaxActDepth]; only the outermost, the current one, counts. The
// client is the issuer's client claim where one is configured, otherwise
// client_id or azp, which must agree when both are there.
//
// A token with a cnf claim (RFC 7800, RFC 8705) is bound to a key that its
// bearer must prove. Here nobody checks that proof, so such a token is refused,
// not taken for a bearer token that it was never meant to be.
//
// # What is kept, and what is lost on failure
//
// Callers of verified tokens are kept in a bounded cache under the SHA-256 of
// the token, never the token itself, and the times are checked again on each
// hit. Refusals are not cached. The cache is memory only: a restart costs one
// signature check per token and nothing else. There are no goroutines.
//
// [DevIssuer] signs tokens for development. It is an issuer like any other: no
// check knows it.
//
// Formats: RFC 7515 (JWS), RFC 7518 (algorithms), RFC 7519 (JWT), RFC 7638 (key
// thumbprint), RFC 8037 (EdDSA), RFC 8176 (amr), RFC 8693 (act), RFC 8725 (the
// attacks that the tests make), RFC 9068 (typ at+jwt, client_id).
package authn

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
//     subject, the actor, the client, the person, the roles.
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
// A token with a cnf claim (RFC 7800) is bound to a key that its bearer must
// prove to have. The one proof that is checked is the client certificate of the
// connection (RFC 8705, x5t#S256): the token is refused over a connection that
// shows another one or none, such as one whose TLS ends in front of the service.
// A cnf that names anything else, or anything more, is refused, not taken for a
// bearer token that it was never meant to be. A token without cnf is accepted
// over every connection.
//
// Two issuers may speak for one tenant, such as that of the machines and that of
// the staff. A sub is unique within its issuer only, and so is a client; if both
// had an alice, one could redeem what the other was approved. So issuers of one
// tenant must have different namespaces, and one of them at most may have none:
// what stands in Subject, Client and EndUser is the issuer's name of them with its
// namespace and a slash in front, staff/alice, and the issuer without a namespace
// may not say a name that begins like that. A name therefore stands for one
// principal of one issuer, in entries, scopes and approvals alike, and those that
// were given before a second issuer came stay as they are.
//
// That staff/alice and alice are one human being is what Person is for: the claim
// that the issuer's configuration names, folded so that spellings which differ in
// case or in Unicode form are one. It is not put into a namespace, since it is
// there to be the same everywhere, and so whoever can set it for themselves can be
// two persons: name a claim that only the issuer writes. Where somebody acts for
// another, it is that of the actor, read inside act. acr becomes ACR. Neither is an
// attribute.
//
// # Where keys come from
//
// An issuer's keys stand in the configuration, or the issuer publishes them as a
// JWKS ([JWKS]). Either way they obey the same rules of type, curve and size; in
// a JWKS a key that breaks one is left out, as is one that is symmetric, shows
// its private part, is for encryption, or shares its kid with another. What is
// no key set at all changes nothing.
//
// A JWKS is fetched every [RefreshEvery], and at once for a kid that is not
// known, so that an issuer can sign with a key as soon as it is published: all
// requests that wait share one fetch, and strangers who make kids up cannot
// cause more than [UnknownKeyBurst] and one every [UnknownKeyEvery]. When the
// issuer does not answer, its last known keys count for [KeepKeysFor] and then
// none do. What cannot be told then is [ErrKeysUnavailable], never a refusal and
// never an acceptance.
//
// [Verifier.Ready] looks at all of them: a service that has just started waits
// for every issuer's first answer, but no longer than [StartWait] for one that
// gives none. Known keys that count are enough from then on, of any issuer: an
// issuer that is down stops its own callers, not those of the others.
//
// jwkset, the storage of keyfunc, reads the single keys. Its HTTP client is not
// used: of 64 requests that come with a new key at once it serves one, since each
// of them asks for a fetch of its own; it drops the whole set for one key that
// it cannot read, keeps the last keys for ever, and reads a body of any size.
//
// # What is kept, and what is lost on failure
//
// Callers of verified tokens are kept in a bounded cache under the SHA-256 of
// the token, never the token itself. The times and the key are checked again on
// each hit: a key that is withdrawn takes the tokens that it signed with it.
// Refusals are not cached. Keys and callers are in memory only: a restart costs
// one fetch per issuer, one signature check per token, and nothing else. There is
// one goroutine per issuer with a JWKS, which [Verifier.Close] ends.
//
// [DevIssuer] signs tokens for development. It is an issuer like any other: no
// check knows it.
//
// Formats: RFC 7515 (JWS), RFC 7517 (JWKS), RFC 7518 (algorithms), RFC 7519 (JWT),
// RFC 7638 (key thumbprint), RFC 8037 (EdDSA), RFC 8176 (amr), RFC 8693 (act), RFC
// 8705 (cnf), RFC 8725 (the attacks that the tests make), RFC 9068 (typ at+jwt, client_id).
package authn

package authn

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/MicahParks/jwkset"
)

// errKeySet is a document that is no key set. Nothing is learned from it: an
// error page with status 200 must not withdraw every key.
var errKeySet = errors.New("authn: the document is no unambiguous key set")

// parseKeySet reads a key set. A key that cannot be used here is left out and
// the rule that it breaks is told with its place; the others count, as RFC 7517
// section 5 demands. A set without a usable key is a set: the issuer has
// withdrawn them.
func parseKeySet(document []byte, algs []string) (map[string]*publicKey, []string, error) {
	// What two parsers could read in two ways is nobody's key set.
	if _, err := decodeObject(document); err != nil {
		return nil, nil, errKeySet
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(document, &set); err != nil || set.Keys == nil {
		return nil, nil, errKeySet
	}
	if len(set.Keys) > MaxJWKSKeys {
		return nil, nil, fmt.Errorf("%w: more than %d keys", errKeySet, MaxJWKSKeys)
	}
	keys, left, twice := map[string]*publicKey{}, []string(nil), map[string]bool{}
	for n, raw := range set.Keys {
		kid, key, rule := parseKey(raw, algs)
		if rule == "" && (keys[kid] != nil || twice[kid]) {
			// Either may be the one that is meant, so that neither is.
			rule, twice[kid] = "its kid is given twice", true
			delete(keys, kid)
		}
		if rule != "" {
			left = append(left, fmt.Sprintf("keys[%d]: %s", n, rule))
			continue
		}
		keys[kid] = key
	}
	return keys, left, nil
}

// parseKey returns a key and its kid, or the rule that it breaks. Symmetric
// keys are refused by jwkset, which reads no private part unless asked to.
func parseKey(raw json.RawMessage, algs []string) (kid string, key *publicKey, rule string) {
	var members jwkset.JWKMarshal
	if json.Unmarshal(raw, &members) != nil {
		return "", nil, "a member has the wrong type"
	}
	switch {
	case members.D != "" || members.K != "":
		// Whoever can read the set can sign with it.
		return "", nil, "it is symmetric or shows its private part"
	case members.USE != "" && members.USE != jwkset.UseSig:
		return "", nil, "its use is not sig"
	case len(members.KEYOPS) > 0 && !slices.Contains(members.KEYOPS, jwkset.KeyOpsVerify):
		return "", nil, "its key_ops do not hold verify"
	case members.ALG != "" && !slices.Contains(algs, string(members.ALG)):
		return "", nil, "its alg is not one of the issuer's algorithms"
	case !isIdentifier(members.KID):
		return "", nil, "its kid is missing or not printable"
	}
	parsed, err := jwkset.NewJWKFromMarshal(members, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return "", nil, "its kty is not known here, or a member does not fit it"
	}
	key = &publicKey{public: parsed.Key(), algorithm: string(members.ALG)}
	if err := checkPublicKey(key.public); err != nil {
		return "", nil, err.Error()
	}
	if !key.fitsOneOf(algs) {
		return "", nil, "it fits none of the issuer's algorithms"
	}
	return members.KID, key, ""
}

package transit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// plainName is a tenant whose name can stand in the name of a key as it is:
// without capitals, since a server may keep its keys in a place that folds
// case.
var plainName = regexp.MustCompile(`^[a-z0-9_-]{1,63}$`)

// KeyName is the name of a tenant's transit key: the prefix, then "n-", the
// tenant and "-n" where the tenant has a plain name, else "h-" and the SHA-256
// of its bytes in hexadecimal. Names of keys begin and end with a letter, a
// digit or an underline, which tenants need not; no two tenants share one. Two
// installations in one engine need prefixes of which neither begins the other:
// the policies, too, tell them apart by nothing else.
func KeyName(prefix, tenant string) string {
	if plainName.MatchString(tenant) {
		return prefix + "n-" + tenant + "-n"
	}
	sum := sha256.Sum256([]byte(tenant))
	return prefix + "h-" + hex.EncodeToString(sum[:])
}

func checkTenant(tenant string) error {
	if tenant == "" || len(tenant) > envelope.MaxField {
		return fmt.Errorf("%w: a tenant has 1 to %d bytes", envelope.ErrInvalid, envelope.MaxField)
	}
	return nil
}

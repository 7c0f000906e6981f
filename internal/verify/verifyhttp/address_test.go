package verifyhttp_test

import (
	"errors"
	"testing"

	"github.com/counterfoil/counterfoil/internal/verify/verifyhttp"
)

// A token goes over https, or over plain http within this machine, or where somebody
// said so; and nothing of it is ever in an address. The rest is tried with the
// command that uses it.
func TestAddress(t *testing.T) {
	for _, c := range []struct {
		address   string
		plain, ok bool
	}{
		{"https://vault.example", false, true}, {"https://vault.example:8443/api", false, true},
		{"http://127.0.0.1:8080", false, true}, {"http://[::1]:8080", false, true}, {"http://localhost:8080", false, true},
		{"http://vault.example", false, false}, {"http://vault.example", true, true}, {"http://127.0.0.1.example", false, false},
		{"ftp://vault.example", true, false}, {"https://a:b@vault.example", true, false}, {"https://vault.example?token=x", true, false},
		{"https://vault.example#x", true, false}, {"https://", true, false}, {"vault.example", true, false}, {"::", true, false},
	} {
		base, err := verifyhttp.Address(c.address, c.plain)
		if (err == nil) != c.ok || err == nil && base.String() != c.address || err != nil && !errors.Is(err, verifyhttp.ErrAddress) {
			t.Errorf("%s, plain %v: %v, %v", c.address, c.plain, base, err)
		}
	}
}

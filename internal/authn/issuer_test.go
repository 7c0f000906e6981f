package authn_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// one changes A's configuration in one thing.
func (w *world) one(change func(*authn.Issuer)) []authn.Issuer {
	issuer := w.issuers()[0]
	change(&issuer)
	return []authn.Issuer{issuer}
}

func TestNewRefusesIncompleteConfigurations(t *testing.T) {
	w := theWorld()
	for name, change := range map[string]func(*authn.Issuer){
		"no issuer":                   func(i *authn.Issuer) { i.Issuer = "" },
		"issuer with a space after":   func(i *authn.Issuer) { i.Issuer += " " },
		"issuer with NUL":             func(i *authn.Issuer) { i.Issuer += "\x00" },
		"no audience":                 func(i *authn.Issuer) { i.Audience = "" },
		"no algorithms":               func(i *authn.Issuer) { i.Algorithms = nil },
		"algorithm none":              func(i *authn.Issuer) { i.Algorithms = []string{"ES256", "none"} },
		"algorithm HS256":             func(i *authn.Issuer) { i.Algorithms = []string{"ES256", "HS256"} },
		"algorithm HS512":             func(i *authn.Issuer) { i.Algorithms = []string{"ES256", "HS512"} },
		"algorithm in lower case":     func(i *authn.Issuer) { i.Algorithms = []string{"es256"} },
		"algorithm ES512":             func(i *authn.Issuer) { i.Algorithms = []string{"ES256", "ES512"} },
		"algorithm empty":             func(i *authn.Issuer) { i.Algorithms = []string{"ES256", ""} },
		"no keys":                     func(i *authn.Issuer) { i.Keys = nil },
		"keys and a JWKS":             func(i *authn.Issuer) { i.JWKS = &authn.JWKS{URL: "https://a.example/jwks"} },
		"key without kid":             func(i *authn.Issuer) { i.Keys[0].ID = "" },
		"kid twice":                   func(i *authn.Issuer) { i.Keys[1].ID = "k1" },
		"key that fits no algorithm":  func(i *authn.Issuer) { i.Algorithms = []string{"ES256"} },
		"no tenants":                  func(i *authn.Issuer) { i.Tenants = nil },
		"tenant _system":              func(i *authn.Issuer) { i.Tenants = []string{"acme", "_system"} },
		"tenant empty":                func(i *authn.Issuer) { i.Tenants = []string{""} },
		"tenant *":                    func(i *authn.Issuer) { i.Tenants = []string{"*"} },
		"no tenant claim":             func(i *authn.Issuer) { i.TenantClaim = "" },
		"no roles claim":              func(i *authn.Issuer) { i.RolesClaim = "" },
		"tenant and roles in one":     func(i *authn.Issuer) { i.RolesClaim = "tenant" },
		"tenant and client in one":    func(i *authn.Issuer) { i.ClientClaim = "tenant" },
		"roles and client in one":     func(i *authn.Issuer) { i.ClientClaim = "roles" },
		"tenant claim sub":            func(i *authn.Issuer) { i.TenantClaim = "sub" },
		"roles claim aud":             func(i *authn.Issuer) { i.RolesClaim = "aud" },
		"client claim jti":            func(i *authn.Issuer) { i.ClientClaim = "jti" },
		"client claim with a space":   func(i *authn.Issuer) { i.ClientClaim = " c" },
		"role map to no role":         func(i *authn.Issuer) { i.RoleMap = map[string]string{"x": "Gateway"} },
		"role map of an empty value":  func(i *authn.Issuer) { i.RoleMap = map[string]string{"": "gateway"} },
		"role map to an empty string": func(i *authn.Issuer) { i.RoleMap = map[string]string{"x": ""} },
	} {
		if _, err := authn.New(w.one(change)); !errors.Is(err, authn.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
	if _, err := authn.New(w.one(func(*authn.Issuer) {})); err != nil {
		t.Errorf("the configuration that the others start from: %v", err)
	}
}

func TestAddressOfAJWKS(t *testing.T) {
	w := theWorld()
	for address, ok := range map[string]bool{
		"https://a.example/jwks": true, "https://a.example:8443/jwks?x=1": true, "http://127.0.0.1:80/jwks": true,
		"http://[::1]/jwks": true, "http://localhost/jwks": true, "https://10.0.0.1/jwks": true,
		"": false, "/jwks": false, "a.example/jwks": false, "https:///jwks": false, "https://:443/": false,
		"http://a.example/jwks": false, "http://10.0.0.1/jwks": false, "http://localhost.example/jwks": false,
		"http://127.0.0.1.example/": false, "ftp://localhost/jwks": false, "file:///etc/jwks": false,
		"https://user:secret-canary@a.example/jwks": false, "https://a.example/jwks#k1": false, "https://a.example/%zz": false,
	} {
		v, err := authn.New(w.one(func(i *authn.Issuer) { i.Keys, i.JWKS = nil, &authn.JWKS{URL: address} }), authn.WithTransport(&network{answer: "down"}))
		if (err == nil) != ok || (err != nil && (!errors.Is(err, authn.ErrConfig) || strings.Contains(err.Error(), "canary"))) {
			t.Errorf("%q: %v, want ok=%v", address, err, ok)
		}
		if err == nil {
			v.Close()
		}
	}
}

// Every fault is told, with the path of its field.
func TestCheckTellsEveryFault(t *testing.T) {
	w := theWorld()
	issuers := append(w.issuers(), authn.Issuer{Issuer: issuerA, Algorithms: []string{"ES256", "HS256"}, TenantClaim: "sub", RolesClaim: "sub"})
	issuers[1].Keys[2].Public = []byte("secret-canary")
	issuers[1].Tenants = append(issuers[1].Tenants, "_system")
	var got []string
	for _, fault := range authn.Check(issuers) {
		got = append(got, fmt.Sprintf("%d %s", fault.Issuer, fault.Field))
		if !errors.Is(fault, authn.ErrConfig) || fault.Rule == "" || strings.Contains(fault.Error(), "canary") {
			t.Errorf("%v", fault)
		}
	}
	want := []string{
		"1 keys[2]", "1 tenants[1]", "3 audience", "3 issuer", "3 algorithms[1]", "3 ", "3 tenants",
		"3 tenant_claim", "3 roles_claim", "3 roles_claim",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestNewRefusesWhatSpansIssuers(t *testing.T) {
	w := theWorld()
	twice := []authn.Issuer{w.issuers()[0], w.issuers()[0]}
	for name, refused := range map[string]func() (*authn.Verifier, error){
		"no issuers":      func() (*authn.Verifier, error) { return authn.New(nil) },
		"an issuer twice": func() (*authn.Verifier, error) { return authn.New(twice) },
		"no clock":        func() (*authn.Verifier, error) { return authn.New(w.issuers(), authn.WithClock(nil)) },
		"no lifetime":     func() (*authn.Verifier, error) { return authn.New(w.issuers(), authn.WithMaxLifetime(0)) },
		"a cache of -1":   func() (*authn.Verifier, error) { return authn.New(w.issuers(), authn.WithCacheSize(-1)) },
	} {
		if _, err := refused(); !errors.Is(err, authn.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}

func TestNewRefusesKeys(t *testing.T) {
	w := theWorld()
	modulus := func(bits int) *big.Int { n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1)); return n.SetBit(n, 0, 1) }
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, p521 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)} //nolint:staticcheck // an unsound key cannot be made otherwise
	for name, key := range map[string]any{
		"nil": nil, "an HMAC secret": []byte("secret-canary"), "a string": "secret-canary", "a PEM": publicSecrets(w)["EC PEM"],
		"an ECDSA private key": w.aEC, "an RSA private key": w.aRSA, "an Ed25519 private key": private,
		"an ECDH key":           must(w.aEC.PublicKey.ECDH()),
		"an ECDSA key by value": w.aEC.PublicKey, "an RSA key by value": w.aRSA.PublicKey, "an Ed25519 key cut short": public[:31],
		"P-224": &p224.PublicKey, "P-521": &p521.PublicKey, "off the curve": offCurve, "no curve": &ecdsa.PublicKey{},
		"no point":        &ecdsa.PublicKey{Curve: elliptic.P256()},
		"a nil ECDSA key": (*ecdsa.PublicKey)(nil), "a nil RSA key": (*rsa.PublicKey)(nil),
		"an empty RSA key": &rsa.PublicKey{E: 65537},
		"RSA 1024":         &rsa.PublicKey{N: modulus(1024), E: 65537}, "RSA 2047": &rsa.PublicKey{N: modulus(2047), E: 65537},
		"RSA 16384": &rsa.PublicKey{N: modulus(16384), E: 65537}, "RSA with exponent 3": &rsa.PublicKey{N: modulus(2048), E: 3},
		"RSA with an even exponent": &rsa.PublicKey{N: modulus(2048), E: 65538},
		"RSA with an even modulus":  &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537},
	} {
		issuers := w.issuers()
		issuers[1].Keys = []authn.Key{{ID: "k", Public: key}}
		_, err := authn.New(issuers)
		if !errors.Is(err, authn.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

// The configuration is taken as it was: who holds the slices and maps that were
// given to New cannot add a tenant or a role later.
func TestConfigurationCannotChangeLater(t *testing.T) {
	w := theWorld()
	issuers := w.issuers()
	v, err := authn.New(issuers, authn.WithClock(func() time.Time { return w.now }))
	if err != nil {
		t.Fatal(err)
	}
	issuers[0].Tenants[0] = "globex"
	issuers[0].Algorithms[0] = "RS256"
	issuers[0].Keys[0].ID = "k9"
	issuers[1].RoleMap["Everybody"] = "operator"
	for _, tt := range acceptedOfB(w) {
		if got, err := v.Verify(t.Context(), tt.token); err != nil || len(got.Roles) != 1 {
			t.Errorf("%s: roles %v, error %v", tt.name, got.Roles, err)
		}
	}
	if _, err := v.Verify(t.Context(), w.signA(headerA(), with(w.claimsA(), "tenant", "globex"))); authn.ReasonOf(err) != authn.ReasonTenant {
		t.Errorf("a tenant added later: %v", err)
	}
	if _, err := v.Verify(t.Context(), w.good()); err != nil {
		t.Errorf("what was configured: %v", err)
	}
}

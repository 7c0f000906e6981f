package authn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func devIssuer(t *testing.T, opts ...authn.Option) *authn.DevIssuer {
	t.Helper()
	d, err := authn.CreateDevIssuer(filepath.Join(t.TempDir(), "data"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDevIssuerSignsWhatIsAccepted(t *testing.T) {
	d := devIssuer(t)
	v, err := authn.New([]authn.Issuer{d.Issuer()})
	if err != nil {
		t.Fatal(err)
	}
	base := authn.Claims{Subject: "svc-1", Tenant: "acme", Roles: []string{"gateway"}, TTL: time.Hour}
	for _, tt := range []struct {
		name   string
		client string
		extra  map[string]any
		want   vault.Caller
	}{
		{"plain", "", nil, vault.Caller{Subject: "svc-1", Client: "svc-1"}},
		{"client", "gw-1", nil, vault.Caller{Subject: "svc-1", Client: "gw-1"}},
		{"team", "", map[string]any{"team": "fraud"}, vault.Caller{Subject: "svc-1", Client: "svc-1", Attributes: map[string]string{"team": "fraud"}}},
		{"azp", "", map[string]any{"azp": "gw-2"}, vault.Caller{Subject: "svc-1", Client: "gw-2"}},
		{"person and acr", "", map[string]any{"person": "Alice", "acr": "silver"}, vault.Caller{Subject: "svc-1", Client: "svc-1", Person: "alice", ACR: "silver"}},
		{"amr typed", "", map[string]any{"amr": "mfa"}, vault.Caller{Subject: "svc-1", Client: "svc-1", MFA: true}},
		{"amr typed, two", "", map[string]any{"amr": "pwd,otp"}, vault.Caller{Subject: "svc-1", Client: "svc-1", MFA: true}},
		{"amr", "", map[string]any{"amr": []string{"pwd"}}, vault.Caller{Subject: "svc-1", Client: "svc-1"}},
		{"act typed", "", map[string]any{"act": "svc-2"}, vault.Caller{Subject: "svc-2", Client: "svc-2", EndUser: "svc-1", EndUserAssurance: vault.AssuranceToken}},
		{"act", "gw-1", map[string]any{"act": map[string]any{"sub": "svc-2"}}, vault.Caller{Subject: "svc-2", Client: "gw-1", EndUser: "svc-1", EndUserAssurance: vault.AssuranceToken}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			claims := base
			claims.Client, claims.Extra = tt.client, tt.extra
			token, err := d.Sign(claims)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Verify(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Tenant, tt.want.Roles = "acme", []string{"gateway"}
			if diff := differ(tt.want, got, cmpopts.IgnoreFields(vault.Caller{}, "JTIDigest")); diff != "" {
				t.Errorf("caller (-want +got):\n%s", diff)
			}
			if len(got.JTIDigest) != 64 {
				t.Errorf("JTI digest %q", got.JTIDigest)
			}
		})
	}
}

func TestDevIssuerRefusesToSign(t *testing.T) {
	d := devIssuer(t)
	for name, change := range map[string]func(*authn.Claims){
		"no subject":        func(c *authn.Claims) { c.Subject = "" },
		"no tenant":         func(c *authn.Claims) { c.Tenant = "" },
		"tenant _system":    func(c *authn.Claims) { c.Tenant = "_system" },
		"no ttl":            func(c *authn.Claims) { c.TTL = 0 },
		"negative ttl":      func(c *authn.Claims) { c.TTL = -time.Hour },
		"ttl of a month":    func(c *authn.Claims) { c.TTL = 720 * time.Hour },
		"iss":               func(c *authn.Claims) { c.Extra = map[string]any{"iss": "x"} },
		"aud":               func(c *authn.Claims) { c.Extra = map[string]any{"aud": "x"} },
		"sub":               func(c *authn.Claims) { c.Extra = map[string]any{"sub": "x"} },
		"Sub":               func(c *authn.Claims) { c.Extra = map[string]any{"Sub": "x"} },
		"exp":               func(c *authn.Claims) { c.Extra = map[string]any{"exp": 99999999999} },
		"nbf":               func(c *authn.Claims) { c.Extra = map[string]any{"nbf": 1} },
		"jti":               func(c *authn.Claims) { c.Extra = map[string]any{"jti": "x"} },
		"cnf":               func(c *authn.Claims) { c.Extra = map[string]any{"cnf": map[string]any{}} },
		"tenant as a claim": func(c *authn.Claims) { c.Extra = map[string]any{"tenant": "globex"} },
		"roles as a claim":  func(c *authn.Claims) { c.Extra = map[string]any{"roles": "operator"} },
		"client_id":         func(c *authn.Claims) { c.Extra = map[string]any{"client_id": "x"} },
		"azp that differs":  func(c *authn.Claims) { c.Client = "gw-1"; c.Extra = map[string]any{"azp": "gw-2"} },
		"act empty":         func(c *authn.Claims) { c.Extra = map[string]any{"act": ""} },
		"act a number":      func(c *authn.Claims) { c.Extra = map[string]any{"act": 1} },
		"acr empty":         func(c *authn.Claims) { c.Extra = map[string]any{"acr": ""} },
		"person a number":   func(c *authn.Claims) { c.Extra = map[string]any{"person": 1} },
		"a long claim":      func(c *authn.Claims) { c.Extra = map[string]any{"x": strings.Repeat("x", 9000)} },
	} {
		claims := authn.Claims{Subject: "svc-1", Tenant: "acme", Roles: []string{"gateway"}, TTL: time.Hour}
		change(&claims)
		if token, err := d.Sign(claims); !errors.Is(err, authn.ErrClaims) || token != "" {
			t.Errorf("%s: error %v, want ErrClaims and no token", name, err)
		}
	}
}

func TestDevIssuerClock(t *testing.T) {
	past := time.Now().Add(-2 * time.Hour)
	d := devIssuer(t, authn.WithClock(func() time.Time { return past }))
	token, err := d.Sign(authn.Claims{Subject: "svc-1", Tenant: "acme", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	v := must(authn.New([]authn.Issuer{d.Issuer()}))
	if _, err := v.Verify(t.Context(), token); authn.ReasonOf(err) != authn.ReasonExpired {
		t.Errorf("a token of two hours ago: %v", err)
	}
}

func TestDevKeySurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	if _, err := authn.OpenDevIssuer(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("opening none: %v", err)
	}
	first, err := authn.CreateDevIssuer(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authn.CreateDevIssuer(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating a second: %v", err)
	}
	second, err := authn.OpenDevIssuer(dir)
	if err != nil {
		t.Fatal(err)
	}
	token, err := first.Sign(authn.Claims{Subject: "svc-1", Tenant: "globex", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := must(authn.New([]authn.Issuer{second.Issuer()})).Verify(t.Context(), token); err != nil {
		t.Errorf("a token of before the restart: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, authn.DevKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file has mode %v (%v)", info.Mode(), err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("%d files beside the key (%v)", len(names)-1, err)
	}
}

func TestDevKeyIsMadeOnceInARace(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 8 {
		group.Go(func() {
			_, err := authn.CreateDevIssuer(dir)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.Is(err, fs.ErrExist) {
				t.Errorf("the loser got %v", err)
			}
		})
	}
	group.Wait()
	if made != 1 {
		t.Errorf("%d keys were made, want 1", made)
	}
}

func TestDevKeyFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := authn.CreateDevIssuer(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, authn.DevKeyFile)
	good := must(os.ReadFile(path))
	encode := func(key *ecdsa.PrivateKey) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})
	}
	sec1 := must(x509.MarshalECPrivateKey(theWorld().aEC))
	for name, content := range map[string][]byte{
		"empty": {}, "no PEM": []byte("key"), "cut": good[:len(good)/2], "two keys": append(append([]byte{}, good...), good...),
		"text before": append([]byte("x\n"), good...), "text after": append(append([]byte{}, good...), "x\n"...),
		"P-384":          encode(theWorld().b384),
		"RSA":            pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(theWorld().aRSA))}),
		"SEC 1":          pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}),
		"a public key":   publicSecrets(theWorld())["EC PEM"],
		"not PKCS #8":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: sec1}),
		"over the limit": append(append([]byte{}, good...), make([]byte, 5000)...),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := authn.OpenDevIssuer(dir); !errors.Is(err, authn.ErrDevKey) {
			t.Errorf("%s: %v, want ErrDevKey", name, err)
		}
	}
	if err := os.WriteFile(path, encode(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]error{0o600: nil, 0o400: nil, 0o640: authn.ErrDevKey, 0o604: authn.ErrDevKey, 0o644: authn.ErrDevKey, 0o620: authn.ErrDevKey} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := authn.OpenDevIssuer(dir); !errors.Is(err, want) {
			t.Errorf("mode %v: %v, want %v", mode, err, want)
		}
	}
}

package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// authority is a certificate, as PEM, that vouches for itself.
func authority() string {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// publicKey is a key of an issuer, as PEM.
func publicKey() string {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	der := must(x509.MarshalPKIXPublicKey(&key.PublicKey))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// most are the limits that the service has.
func most() config.Limits {
	body, bodies, requests := int64(httpapi.MaxBodyBytes), int64(httpapi.MaxBodyBytesInFlight), int64(httpapi.MaxInFlight)
	seconds := int64(httpapi.RequestTimeout / time.Second)
	return config.Limits{BodyBytes: &body, BodyBytesInFlight: &bodies, RequestsInFlight: &requests, RequestSeconds: &seconds}
}

// load reads a configuration beside the files that it names.
func load(t *testing.T, text string, files map[string]string) (*config.Serve, error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "counterfoil.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(path, func(string) string { return "" }, most())
}

// The examples are configurations that the service accepts and has no advice
// on, and their numbers are those that hold when they are left out.
func TestExamplesAreConfigurations(t *testing.T) {
	for _, name := range []string{"config.example.yaml", "config.production.yaml"} {
		cfg, err := load(t, read(t, name), map[string]string{"login-ca.pem": authority()})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(most(), cfg.Limits); diff != "" {
			t.Errorf("%s: limits (-default +example):\n%s", name, diff)
		}
		if advice := cfg.Advice(); len(advice) > 0 {
			t.Errorf("%s: %q", name, advice)
		}
	}
}

// sections are those of the examples that are left out of them.
var sections = []string{"rates", "webhooks", "detection", "policy", "export", "tiles"}

// uncommented puts one of these sections into force.
func uncommented(text, section string) string {
	var lines []string
	inside := false
	for line := range strings.Lines(text) {
		rest, commented := strings.CutPrefix(line, "# ")
		inside = commented && (inside || rest == section+":\n")
		if inside {
			line = rest
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// What the examples have as a comment is a configuration too.
func TestCommentsOfTheExamplesAreConfigurations(t *testing.T) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	files := map[string]string{"login-ca.pem": authority(), "on-call.secret": secret, "policy": "a tar, for all that is looked at here"}
	for _, name := range []string{"config.example.yaml", "config.production.yaml"} {
		whole := read(t, name)
		for _, section := range sections {
			text := uncommented(whole, section)
			if text == whole {
				t.Errorf("%s has no section %s", name, section)
			}
			whole = text
		}
		for _, setting := range []string{"person_claim: employee_number", "namespace: gateways"} {
			whole = strings.Replace(whole, "    # "+setting, "    "+setting, 1)
		}
		cfg, err := load(t, whole, files)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if cfg.Rates == nil || len(cfg.Webhooks.Config().Endpoints) != 1 || cfg.Policy == nil || cfg.Policy.AdministeredBy != "acme" {
			t.Errorf("%s: %+v %+v %+v", name, cfg.Rates, cfg.Webhooks, cfg.Policy)
		}
		all, tenants := cfg.Detection.Searches()
		if a := all.Analyzer; a == nil || a.Map["PER"] != "PERSON" || len(all.Options.Custom.Patterns) != 2 || tenants["acme"].Analyzer != nil {
			t.Errorf("%s: %+v %+v", name, all, tenants)
		}
		if e := cfg.Export; e == nil || e.S3.ObjectLock.RetainDays != 2555 || cfg.Tiles == nil || len(cfg.Advice()) > 0 {
			t.Errorf("%s: %+v %+v, advice %q", name, cfg.Export, cfg.Tiles, cfg.Advice())
		}
		if issuer := cfg.Trusted()[0]; issuer.PersonClaim != "employee_number" || issuer.Namespace != "gateways" {
			t.Errorf("%s: %+v", name, issuer)
		}
	}
}

// What serves in production has neither the owner of the tables nor the
// identity that rotates keys.
func TestProductionExampleServesWithoutMoreThanItNeeds(t *testing.T) {
	cfg, err := load(t, read(t, "config.production.yaml"), map[string]string{"login-ca.pem": authority()})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.Postgres == nil || cfg.Keys.Transit == nil || !cfg.Encrypted() {
		t.Fatal("the example is not on PostgreSQL, a key service and TLS")
	}
	if cfg.Store.Postgres.Owner != "" || cfg.Keys.Transit.Administration != nil {
		t.Error("the example names the owner or the administration of keys")
	}
}

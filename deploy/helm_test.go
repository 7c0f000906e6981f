//go:build tools

package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kubeVersion is the oldest that the chart is for.
const kubeVersion = "1.30.0"

// helm runs the program that the environment names, where no cluster and no
// settings of a user are.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program := os.Getenv("HELM")
	if program == "" {
		t.Fatal("HELM must name the program (make check-deploy)")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "KUBECONFIG=/dev/null"}
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	err := cmd.Run()
	if err != nil {
		return failed.String() + out.String(), err
	}
	return out.String(), nil
}

func render(t *testing.T, values ...string) (string, error) {
	t.Helper()
	args := []string{"template", "counterfoil", "helm/counterfoil", "--namespace", "vault", "--kube-version", kubeVersion}
	return helm(t, append(args, values...)...)
}

func TestChartLints(t *testing.T) {
	for _, name := range installations {
		if out, err := helm(t, "lint", "--strict", "--kube-version", kubeVersion, "helm/counterfoil", "--values", "helm/testdata/"+name+".values.yaml"); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// What is committed is what the chart renders; `make generate-deploy` writes it
// anew.
func TestChartRendersWhatIsCommitted(t *testing.T) {
	for _, name := range installations {
		out, err := render(t, "--values", "helm/testdata/"+name+".values.yaml")
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		golden := filepath.Join("helm/testdata", name+".golden.yaml")
		if os.Getenv("COUNTERFOIL_WRITE") == "1" {
			if err := os.WriteFile(golden, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(read(t, golden), out); diff != "" {
			t.Errorf("%s (-committed +rendered):\n%s", name, diff)
		}
	}
}

// refused are values that the chart must not render, beside those of the usual
// installation, and a part of what helm says.
var refused = map[string]struct{ values, says string }{
	"nobody's setting":        {"replica: 3", "additional properties 'replica' not allowed"},
	"one replica":             {"replicas: 1", "minimum: got 1, want 2"},
	"no image":                {"image: {digest: ''}", "/image"},
	"a tag for a digest":      {"image: {digest: latest}", "/image/digest"},
	"another environment":     {"environment: prod", "/environment"},
	"no prefix":               {"logPrefix: ''", "/logPrefix"},
	"no key backups":          {"finality: {keyBackupRetention: ''}", "/finality/keyBackupRetention"},
	"no issuer":               {"issuers: []", "/issuers"},
	"an algorithm of none":    {"issuers: [{issuer: 'https://a', audience: x, algorithms: [none], jwks: {url: 'https://a', ca: login-ca.pem}, tenant_claim: t, roles_claim: r, tenants: [acme]}]", "/issuers/0/algorithms/0"},
	"no audience":             {"issuers: [{issuer: 'https://a', algorithms: [ES256], jwks: {url: 'https://a', ca: login-ca.pem}, tenant_claim: t, roles_claim: r, tenants: [acme]}]", "missing property 'audience'"},
	"authorities of none":     {"issuers: [{issuer: 'https://a', audience: x, algorithms: [ES256], jwks: {url: 'https://a'}, tenant_claim: t, roles_claim: r, tenants: [acme]}]", "missing property 'ca'"},
	"a file that is not here": {"transit: {ca: other-ca.pem}", "transit.ca: there is no such name in files"},
	"clients' file not here":  {"tls: {clientCA: other-ca.pem}", "tls.clientCA: there is no such name in files"},
	"a private key":           {"files: {login-ca.pem: \"-----BEGIN PRIVATE KEY-----\"}", "/files/login-ca.pem"},
	"a private key behind":    {"files: {login-ca.pem: \"-----BEGIN CERTIFICATE-----\\nx\\n-----BEGIN PRIVATE KEY-----\"}", "/files/login-ca.pem"},
	"a file over ours":        {"files: {counterfoil.yaml: \"-----BEGIN CERTIFICATE-----\"}", "invalid propertyName 'counterfoil.yaml'"},
	"keys without TLS":        {"transit: {address: 'http://keys.example.com:8200'}", "/transit/address"},
	"nobody for the keys":     {"transit: {kubernetes: {role: ''}}", "/transit"},
	"two for the keys":        {"transit: {approle: {secret: x}}", "/transit"},
	"a token for anybody":     {"transit: {kubernetes: {audience: ''}}", "/transit/kubernetes/audience"},
	"no TLS":                  {"tls: {secret: ''}", "/tls"},
	"TLS here and there":      {"tls: {terminatedUpstream: true}", "/tls"},
	"no role to destroy":      {"postgres: {destroy: {secret: ''}}", "/postgres/destroy/secret"},
	"a connection string":     {"postgres: {app: {secret: 'postgres://app:x@db/x'}}", "/postgres/app/secret"},
	"many connections":        {"postgres: {maxConnections: 100}", "/postgres/maxConnections"},
	"an owner of none":        {"migrate: {owner: {secret: ''}}", "/migrate/owner/secret"},
	"jobs of nobody":          {"administration: {enabled: true, jobs: [{name: rotate, args: [keys, rotate]}]}", "/administration"},
	"no jobs":                 {"administration: {enabled: true, approle: {secret: x}}", "/administration/jobs"},
	"traces to anybody":       {"telemetry: {endpoint: 'https://collector.example.com'}", "/telemetry/ca"},
	"traces in the clear":     {"telemetry: {endpoint: 'http://collector.example.com'}", "/telemetry/plainHTTP"},
	"headers in the clear":    {"telemetry: {endpoint: 'http://collector.example.com', plainHTTP: true, headers: {secret: x}}", "/telemetry/headers/secret"},
	"a file of the collector": {"telemetry: {endpoint: 'https://collector.example.com', ca: other-ca.pem}", "telemetry.ca: there is no such name in files"},
	"a rate of none":          {"rates: {caller: {per_second: 0, burst: 1}}", "/rates/caller/per_second"},
	"rates of others":         {"rates: {client: {per_second: 1, burst: 1}}", "additional properties 'client' not allowed"},
	"a policy key of none":    {"policy: {signedBy: secret}", "/policy/signedBy"},
	"told in the clear":       {"webhooks: {allowHosts: [a], ca: login-ca.pem, endpoints: [{name: a, url: 'http://a', secret: a, tenants: [acme]}]}", "/webhooks/endpoints/0/url"},
	"told to any host":        {"webhooks: {ca: login-ca.pem, endpoints: [{name: a, url: 'https://a', secret: a, tenants: [acme]}]}", "/webhooks/allowHosts"},
	"told without a secret":   {"webhooks: {allowHosts: [a], ca: login-ca.pem, endpoints: [{name: a, url: 'https://a', tenants: [acme]}]}", "missing property 'secret'"},
	"told of all tenants":     {"webhooks: {allowHosts: [a], ca: login-ca.pem, endpoints: [{name: a, url: 'https://a', secret: a}]}", "missing property 'tenants'"},
	"a file of webhooks":      {"webhooks: {allowHosts: [a], ca: other-ca.pem, endpoints: [{name: a, url: 'https://a', secret: a, tenants: [acme]}]}", "webhooks.ca: there is no such name in files"},
	"no place for the state":  {"state: {kind: none}", "/state/kind"},
	"everybody may come":      {"networkPolicy: {ingressFrom: []}", "/networkPolicy/ingressFrom"},
	"unbounded memory":        {"resources: {limits: {memory: null}}", "/resources/limits"},
	"rights of a pod":         {"securityContext: {runAsUser: 0}", "additional properties 'securityContext' not allowed"},
}

func TestChartRefuses(t *testing.T) {
	for name, tt := range refused {
		file := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(file, []byte(tt.values+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := render(t, "--values", "helm/testdata/usual.values.yaml", "--values", file)
		if err == nil || !strings.Contains(out, tt.says) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if out, err := render(t); err == nil {
		t.Errorf("rendered without any value:\n%s", out)
	}
}

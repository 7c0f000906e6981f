package assembly_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// configured reads the section detection as a service does.
func configured(t *testing.T, section string) *config.Detection {
	t.Helper()
	path := filepath.Join(t.TempDir(), "counterfoil.yaml")
	text := `
listen: 127.0.0.1:8443
environment: staging
replica: vault-1
log_prefix: vault.example/log
data: data
anchors: anchors
store: {sqlite: {path: data/counterfoil.db}}
keys: {local: {file: secret/local.key}}
finality: {key_backup_retention: 0d}
tls: {terminated_upstream: true}
issuers:
  - {issuer: "https://a.example", audience: counterfoil, algorithms: [ES256], jwks: {url: "https://a.example/jwks"}, tenant_claim: tenant, roles_claim: roles, tenants: [acme, globex]}
detection:
` + section
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	most := int64(1)
	cfg, err := config.Load(path, func(string) string { return "" }, config.Limits{BodyBytes: &most, BodyBytesInFlight: &most, RequestsInFlight: &most, RequestSeconds: &most})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.Detection
}

func openWith(t *testing.T, section string) *vaulttest.Vault {
	t.Helper()
	d := configured(t, section)
	return vaulttest.New(t, vaulttest.With(func(o *assembly.Options) { o.Detect = d }))
}

// entities are what was found in a text of a tenant, with the rules.
func entities(t *testing.T, v *vaulttest.Vault, tenant, text string) string {
	t.Helper()
	call := v.Gateway()
	call.Caller.Tenant = tenant
	out, err := v.Service.Tokenize(context.Background(), call, vault.TokenizeRequest{
		Scope: "chat", Text: &text, DryRun: true, Detect: vault.DetectOptions{Explain: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tok := range out.Tokens {
		got = append(got, tok.Entity+" by "+tok.Rule)
	}
	return strings.Join(got, ", ")
}

// TestDetectionIsConfigured: from the file to the answer, for all tenants and for one, with an analyzer that speaks
// the contract.
func TestDetectionIsConfigured(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			t.Error(err)
		}
		asked++
		answer := "[]"
		if before, _, found := strings.Cut(q.Text, "Zoë"); found {
			start := utf8.RuneCountInString(before)
			text, _ := json.Marshal([]map[string]any{{"entity_type": "PER", "start": start, "end": start + 3, "score": 0.9}})
			answer = string(text)
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	v := openWith(t, `
  entities: [EMAIL_ADDRESS]
  patterns: [{name: contract, entity: CUSTOM_ID, expression: '\bV-\d{4}\b'}]
  analyzer: {url: "`+server.URL+`", map: {PER: PERSON}}
  overrides:
    - tenants: [globex]
      entities: [default]
      deny: [{name: projects, entity: CUSTOM_ID, phrases: [codename x-17]}]
      analyzer: {none: true}
`)
	const text = "Zoë, V-1234 and 192.0.2.7 about codename X-17"
	if got, want := entities(t, v, "acme", text), "PERSON by analyzer/PER, CUSTOM_ID by custom/contract"; got != want || asked != 1 {
		t.Errorf("acme: %q, want %q; asked %d times", got, want, asked)
	}
	if got, want := entities(t, v, "globex", text), "CUSTOM_ID by custom/contract, IP_ADDRESS by ip/v4, CUSTOM_ID by deny/projects"; got != want || asked != 1 {
		t.Errorf("globex: %q, want %q; asked %d times", got, want, asked)
	}
}

// TestDetectionOfNobodysEntities: a service that would fail requests later does not start.
func TestDetectionOfNobodysEntities(t *testing.T) {
	for name, section := range map[string]string{
		"of a pattern": `  patterns: [{name: p, entity: SHOE_SIZE, expression: 'x\d'}]`,
		"of a list":    `  deny: [{name: p, entity: SHOE_SIZE, phrases: [x]}]`,
		"of a map":     `  analyzer: {url: "https://a.example", map: {PER: SHOE_SIZE}}`,
		"of tokens":    `  deny: [{name: p, entity: TOKEN_LIKE, phrases: [x]}]`,
		"of one":       `  overrides: [{tenants: [acme], patterns: [{name: p, entity: SHOE_SIZE, expression: 'x\d'}]}]`,
	} {
		dir := t.TempDir()
		instance, err := assembly.Open(context.Background(), dir, assembly.Options{Detect: configured(t, section)})
		if err == nil {
			_ = instance.Close(context.Background())
			t.Errorf("%s: it starts", name)
		} else if !strings.Contains(err.Error(), "detection") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkNewDetection(b *testing.B) {
	for b.Loop() {
		if err := assembly.NewDetection(); err != nil {
			b.Fatal(err)
		}
	}
}

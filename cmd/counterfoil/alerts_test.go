package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestAlertsNameWhatIsServed: an alert on a metric that nobody serves never
// fires. Every metric that the rules name is on GET /metrics.
func TestAlertsNameWhatIsServed(t *testing.T) {
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil || len(file.Groups) == 0 {
		t.Fatalf("the rules: %v", err)
	}
	s := start(t, filepath.Join(t.TempDir(), "data"))
	gateway := credential(t, s.data, "--role", "gateway")
	for _, body := range []string{`{"scope":"s","text":"x"}`, `{"scope":"s","reason":{"code":"LLM_RESPONSE"},"tokens":["x"]}`} {
		send(t, s, gateway, "POST", "/v1/tokenize", body)
		send(t, s, gateway, "POST", "/v1/detokenize", body)
	}
	send(t, s, "none", "POST", "/v1/tokenize", "{}")
	_, served := send(t, s, gateway, "GET", "/metrics", "")
	named := regexp.MustCompile(`counterfoil_[a-z_]+`)
	for _, rule := range file.Groups[0].Rules {
		metrics := named.FindAllString(rule.Expr, -1)
		if len(metrics) == 0 {
			t.Errorf("%s names no metric of ours", rule.Alert)
		}
		for _, metric := range metrics {
			if !strings.Contains(string(served), "\n"+metric+"{") && !strings.Contains(string(served), "\n"+metric+" ") {
				t.Errorf("%s: nobody serves %s", rule.Alert, metric)
			}
		}
	}
}

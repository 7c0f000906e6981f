package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
)

// elsewhere are the families that the figures of other parts have, and those that
// only come with what happens: their own tests have them served.
func elsewhere() (names []string) {
	for _, f := range metrics.Families() {
		names = append(names, f.Name)
	}
	return append(names, "counterfoil_trace_spans_total", "counterfoil_limits_passed_total", "counterfoil_findings_not_tokenized_total")
}

// TestAlertsNameWhatIsServed: an alert on a metric that nobody serves never fires.
// Every metric of requests that rules and panels name is on GET /metrics of a
// service that was used.
func TestAlertsNameWhatIsServed(t *testing.T) {
	s := start(t, filepath.Join(t.TempDir(), "data"))
	gateway := credential(t, s.data, "--role", "gateway")
	for _, body := range []string{
		`{"scope":"s","text":"mail jane@example.com"}`, `{"scope":"s","values":[{"entity":"LOCATION","value":"Bonn"}],"destination":"default"}`,
		`{"scope":"s","reason":{"code":"LLM_RESPONSE"},"tokens":["x"]}`,
	} {
		send(t, s, gateway, "POST", "/v1/tokenize", body)
		send(t, s, gateway, "POST", "/v1/detokenize", body)
	}
	send(t, s, "none", "POST", "/v1/tokenize", "{}")
	_, text := send(t, s, gateway, "GET", "/metrics", "")
	served := append(metricstest.Names(string(text)), elsewhere()...)
	named := regexp.MustCompile(`counterfoil_[a-z_]+`)
	for _, file := range []string{"prometheus/rules.yaml", "prometheus/alerts.yaml", "grafana/counterfoil.json"} {
		rules, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		metrics := named.FindAllString(string(rules), -1)
		if len(metrics) < 5 {
			t.Errorf("%s names %d metrics", file, len(metrics))
		}
		for _, metric := range metrics {
			for _, suffix := range []string{"_bucket", "_count"} {
				metric = strings.TrimSuffix(metric, suffix)
			}
			if !slices.Contains(served, metric) {
				t.Errorf("%s: nobody serves %s", file, metric)
			}
		}
	}
	if wrong := beyond(t, string(text)); len(wrong) > 0 {
		t.Errorf("a service that was used serves what is in no list: %v", wrong)
	}
}

// beyond is what of an exposition is in no closed list.
func beyond(t testing.TB, text string) []string {
	t.Helper()
	policy, err := access.Load(authz.FS)
	if err != nil {
		t.Fatal(err)
	}
	var c metricstest.Catalogue
	for _, r := range policy.Reasons() {
		c.Reasons = append(c.Reasons, r.Code)
	}
	for _, e := range policy.Entities() {
		c.Entities = append(c.Entities, e.Name)
	}
	controls, err := controls.Load(authz.Controls)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range controls.Controls {
		c.Controls = append(c.Controls, one.ID)
	}
	list := metricstest.List(t, c)
	list["counterfoil_build_info"]["version"] = []string{version}
	return list.Check(text)
}

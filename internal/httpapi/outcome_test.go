package httpapi_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// catalogue is what the shipped policy names.
func catalogue(t testing.TB) (c metricstest.Catalogue) {
	t.Helper()
	policy, err := access.Load(authz.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range policy.Reasons() {
		c.Reasons = append(c.Reasons, r.Code)
	}
	for _, e := range policy.Entities() {
		c.Entities = append(c.Entities, e.Name)
	}
	return c
}

// lines looks for lines of an exposition.
func lines(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, line := range wanted {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func TestDetectionsAreCountedByWhatWasDone(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": "mail jane@example.com or john@example.com"}).Want(200).Decode(&out)
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": "again " + *out.Text}).Want(200) // both kept: nothing was found
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": "key AKIACANARYCANARY2345, mail jane@example.com"}).Want(422)
	w.Post("/v1/tokenize", m{"scope": "chat-1", "values": []m{{"entity": "PERSON", "value": "Ann"}}, "dry_run": true}).Want(200)
	text := w.metrics(t)
	lines(t, text,
		`counterfoil_detections_total{action="tokenize",entity="EMAIL_ADDRESS"} 2`,
		`counterfoil_detections_total{action="block",entity="API_KEY"} 1`,
		`counterfoil_detections_total{action="tokenize",entity="PERSON"} 1`,
		`counterfoil_tokens_total{origin="kept"} 2`)
	if wrong := metricstest.List(t, catalogue(t)).Check(text); len(wrong) > 0 {
		t.Errorf("beyond the list: %v", wrong)
	}
}

func TestRestorationsAreCountedByReasonAndDecision(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	restore := func(bearer, reason, reference, text string, want int) {
		t.Helper()
		given := m{"code": reason}
		if reference != "" {
			given["reference"] = reference
		}
		w.As(bearer).Post("/v1/detokenize", m{"scope": "chat-1", "reason": given, "text": text}).Want(want)
	}
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(200).Decode(&out)
	// Refused before anybody had anything back for the reason: nobody knows it here.
	restore("nobody", "LLM_RESPONSE", "", *out.Text, 403)
	restore("gateway", "LLM_RESPONSE", "", *out.Text, 200)
	restore("gateway", "LLM_RESPONSE", "", *out.Text+" see https://example.org/?q="+strings.Fields(*out.Text)[2], 200)
	restore("nobody", "LLM_RESPONSE", "", *out.Text, 403)
	restore("gateway", "MADE_UP", "", *out.Text, 422)
	// No tenant of theirs: refused with a reason that is a value of somebody.
	restore("stranger", "ERIKA_MUSTERMANN", "", *out.Text, 403)
	text := w.metrics(t)
	lines(t, text,
		`counterfoil_restoration_decisions_total{decision="allow",reason="LLM_RESPONSE"} 1`,
		`counterfoil_restoration_decisions_total{decision="partial",reason="LLM_RESPONSE"} 1`,
		`counterfoil_restoration_decisions_total{decision="deny",reason="LLM_RESPONSE"} 1`,
		`counterfoil_restoration_decisions_total{decision="deny",reason="other"} 2`)
	if wrong := metricstest.List(t, catalogue(t)).Check(text); len(wrong) > 0 {
		t.Errorf("beyond the list: %v", wrong)
	}
	if strings.Contains(text+w.log.String(), "ERIKA") {
		t.Error("a reason that was made up is noted")
	}
	var decisions []string
	for _, e := range w.log.events(t) {
		if d, is := e["decision"].(string); is {
			decisions = append(decisions, d)
		}
	}
	if got := strings.Join(decisions, " "); got != "deny allow partial deny deny" {
		t.Errorf("decisions in the events: %s", got)
	}
}

func TestLimitsThatWerePassedAreCountedByName(t *testing.T) {
	w := newWorld(t, httpapi.Limits{BodyBytes: 200})
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": strings.Repeat("x", 300)}).Want(413)
	w.Post("/v1/tokenize", []byte(strings.Repeat("[", 60)+strings.Repeat("]", 60))).Want(413)
	text := w.metrics(t)
	lines(t, text, `counterfoil_limits_passed_total{limit="http_body_bytes"} 1`, `counterfoil_limits_passed_total{limit="other"} 1`)
	if wrong := metricstest.List(t, catalogue(t)).Check(text); len(wrong) > 0 {
		t.Errorf("beyond the list: %v", wrong)
	}
}

// The twin of all that is held against the list: a counter by caller, as somebody
// might add it in the same registry, is found in what is served.
func TestNothingIsServedBeyondTheList_Twin(t *testing.T) {
	registry := prometheus.NewRegistry()
	careless := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "counterfoil_requests_by_caller_total"}, []string{"caller"})
	registry.MustRegister(careless)
	handler, err := httpapi.New(httpapi.Config{
		Service: vaulttest.New(t).Service, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), Registry: registry, Version: "test", Authenticate: known,
	})
	if err != nil {
		t.Fatal(err)
	}
	careless.WithLabelValues("gw-1").Inc()
	text := string(httpapitest.NewClient(t, handler, "gateway").Get("/metrics").Want(http.StatusOK).Body)
	wrong := metricstest.List(t, catalogue(t)).Check(text)
	if len(wrong) != 1 || wrong[0] != "family counterfoil_requests_by_caller_total" {
		t.Errorf("found: %v", wrong)
	}
}

package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// metrics have labels out of closed lists only: operations of the document,
// codes, statuses, reasons of the catalogue. No tenant, no caller.
type metrics struct {
	inFlight  prometheus.Gauge
	panics    prometheus.Counter
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	refused   *prometheus.CounterVec
	strays    *prometheus.CounterVec
	tokens    *prometheus.CounterVec
	untouched *prometheus.CounterVec
	restored  *prometheus.CounterVec
	decided   *prometheus.CounterVec
	found     *prometheus.CounterVec
	passed    *prometheus.CounterVec
	integrity prometheus.Counter

	// reasons are those that the service has accepted: what callers call a reason
	// beyond them is no label.
	reasons sync.Map
}

// objectives are the operations that an availability is promised for.
var objectives = []string{"tokenize", "detokenize", "redeemRestoration"}

// latencyBuckets go from a cached answer to the request timeout.
var latencyBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

func newMetrics(registry *prometheus.Registry, version string, tracer *telemetry.Tracer) (*metrics, error) {
	vector := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "counterfoil_http_requests_in_flight", Help: "Requests under way.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "counterfoil_http_panics_total", Help: "Requests that ended in a panic.",
		}),
		integrity: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "counterfoil_integrity_failures_total", Help: "Stored values that did not open under their key and place.",
		}),
		requests: vector("counterfoil_http_requests_total", "Requests by operation and status.", "operation", "status"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "counterfoil_http_request_seconds", Help: "Time from header to answer.", Buckets: latencyBuckets,
		}, []string{"operation"}),
		refused:   vector("counterfoil_refused_total", "Requests that ended in a problem, by code.", "operation", "code"),
		strays:    vector("counterfoil_unauthenticated_total", "Requests without a valid credential, by what was wrong.", "reason"),
		tokens:    vector("counterfoil_tokens_total", "Tokens in answers, by origin.", "origin"),
		untouched: vector("counterfoil_findings_not_tokenized_total", "Findings that were masked or let through.", "action"),
		decided:   vector("counterfoil_restoration_decisions_total", "Restorations by reason and what they came to.", "reason", "decision"),
		found:     vector("counterfoil_detections_total", "Findings in requests to tokenize, by entity and what was done.", "entity", "action"),
		passed:    vector("counterfoil_limits_passed_total", "Requests that were refused by a named limit, budgets and rates among them.", "limit"),
		restored:  vector("counterfoil_restorations_total", "Tokens that were asked for, by reason and what became of them.", "reason", "status"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "counterfoil_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	all := []prometheus.Collector{
		m.inFlight, m.panics, m.requests, m.seconds, m.refused, m.strays, m.tokens, m.untouched, m.restored, m.decided, m.found, m.passed, m.integrity, build,
	}
	for _, c := range append(all, spanCounters(tracer)...) {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("httpapi: register metrics: %w", err)
		}
	}
	// A counter that appears with its first failure never rose, to Prometheus: those
	// that objectives are about are there from the start.
	for _, operation := range objectives {
		for _, status := range []int{http.StatusOK, http.StatusInternalServerError, http.StatusServiceUnavailable} {
			m.requests.WithLabelValues(operation, strconv.Itoa(status))
		}
		m.seconds.WithLabelValues(operation)
	}
	return m, nil
}

// spanCounters say what became of the spans, where there are any.
func spanCounters(tracer *telemetry.Tracer) []prometheus.Collector {
	if tracer == nil {
		return nil
	}
	var counters []prometheus.Collector
	for outcome, of := range map[string]func(telemetry.Counts) uint64{
		"sent":    func(c telemetry.Counts) uint64 { return c.Sent },
		"failed":  func(c telemetry.Counts) uint64 { return c.Failed },
		"dropped": func(c telemetry.Counts) uint64 { return c.Dropped },
	} {
		counters = append(counters, prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "counterfoil_trace_spans_total", Help: "Spans of traces, by what became of them.",
			ConstLabels: prometheus.Labels{"outcome": outcome},
		}, func() float64 { return float64(of(tracer.Counts())) }))
	}
	return counters
}

// count counts a finished request.
func (m *metrics) count(e *event) {
	m.requests.WithLabelValues(e.operation, strconv.Itoa(e.status)).Inc()
	m.seconds.WithLabelValues(e.operation).Observe(e.latency.Seconds())
	if e.code != "" {
		m.refused.WithLabelValues(e.operation, string(e.code)).Inc()
	}
	for origin, n := range e.origins {
		m.tokens.WithLabelValues(string(origin)).Add(float64(n))
	}
	for action, n := range e.untouched {
		m.untouched.WithLabelValues(action).Add(float64(n))
	}
	for status, n := range e.statuses {
		m.restored.WithLabelValues(e.reason, string(status)).Add(float64(n))
	}
	m.integrity.Add(float64(e.statuses[vault.StatusIntegrityFailure]))
	for d, n := range e.found {
		m.found.WithLabelValues(d.entity, d.action).Add(float64(n))
	}
	if e.limit != "" {
		m.passed.WithLabelValues(limitLabel(e.limit)).Inc()
	}
	if e.reason != "" {
		m.reasons.Store(e.reason, true)
	}
	if e.decision != "" {
		m.decided.WithLabelValues(m.reasonLabel(e), e.decision).Inc()
	}
}

// other is the label of what has none of its own.
const other = "other"

// reasonLabel is the reason of a restoration. Of one that was refused whole nobody
// said that the reason is one: only what was accepted before is known to be.
func (m *metrics) reasonLabel(e *event) string {
	if e.reason != "" {
		return e.reason
	}
	if _, known := m.reasons.Load(e.refusedFor); known {
		return e.refusedFor
	}
	return other
}

// countedLimits are those that an operator acts on, each under its name. The others
// are about one request, whose sender has to act.
var countedLimits = []string{
	limitCallerRate, limitTenantRate, limitInFlight, limitBodyInFlight, limitBody, limitRequest, "commit_queue",
	"budget_caller", "budget_end_user", "budget_tenant", "overdue_reviews", "reason_max_tokens",
}

func limitLabel(limit string) string {
	if slices.Contains(countedLimits, limit) {
		return limit
	}
	return other
}

// exposition serves the registry. Errors of a collector are answered with a
// 500 and the name of the metric, nothing of a request.
func exposition(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true})
}

// exposed is the answer of /metrics: promhttp writes it itself.
type exposed struct {
	handler http.Handler
	ctx     context.Context
}

// Metrics serves the metrics.
func (a *api) Metrics(ctx context.Context, _ gen.MetricsRequestObject) (gen.MetricsResponseObject, error) {
	ctx, _ = begin(ctx)
	return exposed{a.exposition, ctx}, nil
}

// VisitMetricsResponse lets promhttp answer a request that asks for nothing
// but the text format, so that what is served is what the document says.
func (e exposed) VisitMetricsResponse(w http.ResponseWriter) error {
	r, err := http.NewRequestWithContext(e.ctx, http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return fmt.Errorf("httpapi: metrics: %w", err)
	}
	e.handler.ServeHTTP(w, r)
	return nil
}

// Package metricstest holds what is served at GET /metrics against a closed list:
// every family, every label and every value of a label that there may be. What is
// not in it is a decision that somebody has to write down here, not a habit. A name
// of a tenant, a caller or a person is in no list, so that none can become a label.
package metricstest

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/openapi"
)

// Labels are the labels of a family, and of each the values.
type Labels map[string][]string

// Closed is all that may be served, by the name of a family.
type Closed map[string]Labels

// Catalogue is what the policy and the controls name.
type Catalogue struct{ Reasons, Entities, Controls []string }

// List is all that the service may serve under a catalogue.
func List(t testing.TB, catalogue Catalogue) Closed {
	t.Helper()
	c := requests(operations(t), catalogue)
	for _, f := range metrics.Families() {
		labels := make(Labels)
		for i, name := range f.Labels {
			labels[name] = f.Values[i]
			if labels[name] == nil {
				labels[name] = append(slices.Clone(catalogue.Controls), metrics.OtherControl)
			}
		}
		c[f.Name] = labels
	}
	return c
}

// requests are the families of package httpapi.
func requests(operations []string, catalogue Catalogue) Closed {
	var statuses, codes, outcomes []string
	for status := http.StatusOK; status < 600; status++ {
		if http.StatusText(status) != "" || status == 499 { // of a client that went away
			statuses = append(statuses, strconv.Itoa(status))
		}
	}
	for _, code := range vault.Codes() {
		codes = append(codes, string(code))
	}
	for _, status := range vault.Statuses() {
		outcomes = append(outcomes, string(status))
	}
	strays := []string{"missing", "repeated", "scheme", "refused"}
	for _, reason := range authn.Reasons() {
		strays = append(strays, string(reason))
	}
	reasons := append(slices.Clone(catalogue.Reasons), "other")
	return Closed{
		"counterfoil_build_info":               {"version": {"test", "dev", "unknown", "example"}},
		"counterfoil_http_requests_in_flight":  {},
		"counterfoil_http_panics_total":        {},
		"counterfoil_integrity_failures_total": {},
		"counterfoil_http_requests_total":      {"operation": operations, "status": statuses},
		"counterfoil_http_request_seconds":     {"operation": operations},
		"counterfoil_refused_total":            {"operation": operations, "code": codes},
		"counterfoil_unauthenticated_total":    {"reason": strays},
		"counterfoil_limits_passed_total":      {"limit": Limits()},
		"counterfoil_tokens_total":             {"origin": {"new", "reused", "kept", "wrapped"}},
		"counterfoil_detections_total": {
			"entity": append(slices.Clone(catalogue.Entities), "other"), "action": {"tokenize", "mask", "warn", "allow", "block"},
		},
		"counterfoil_findings_not_tokenized_total": {"action": {"mask", "warn", "allow"}},
		"counterfoil_restorations_total":           {"reason": reasons, "status": outcomes},
		"counterfoil_restoration_decisions_total":  {"reason": reasons, "decision": {"allow", "partial", "deny"}},
		"counterfoil_trace_spans_total":            {"outcome": {"sent", "failed", "dropped"}},
	}
}

// Limits are the limits whose passing is counted by name.
func Limits() []string {
	return []string{
		"caller_rate", "tenant_rate", "http_requests_in_flight", "http_body_bytes_in_flight", "http_body_bytes",
		"http_request_seconds", "commit_queue", "budget_caller", "budget_end_user", "budget_tenant", "overdue_reviews", "reason_max_tokens", "other",
	}
}

func operations(t testing.TB) []string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"none"} // a path that nobody knows
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			names = append(names, op.OperationID)
		}
	}
	slices.Sort(names)
	return names
}

// Series is one line of the exposition.
type Series struct {
	Family string // without the suffixes of a histogram
	Labels map[string]string
	Value  float64
}

var (
	line  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	label = regexp.MustCompile(`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)`)
	typed = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
)

// Parse reads an exposition.
func Parse(text string) ([]Series, error) {
	histograms := make(map[string]bool)
	for _, found := range typed.FindAllStringSubmatch(text, -1) {
		histograms[found[1]] = found[2] == "histogram" || found[2] == "summary"
	}
	var all []Series
	for one := range strings.Lines(text) {
		if one = strings.TrimSuffix(one, "\n"); strings.HasPrefix(one, "#") || one == "" {
			continue
		}
		parts := line.FindStringSubmatch(one)
		if parts == nil {
			return nil, fmt.Errorf("metricstest: a line of %d bytes that is none", len(one))
		}
		s := Series{Family: parts[1], Labels: make(map[string]string)}
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, has := strings.CutSuffix(s.Family, suffix); has && histograms[base] {
				s.Family = base
			}
		}
		for _, found := range label.FindAllStringSubmatch(parts[2], -1) {
			s.Labels[found[1]] = found[2]
		}
		var err error
		if s.Value, err = strconv.ParseFloat(parts[3], 64); err != nil {
			return nil, fmt.Errorf("metricstest: a value that is no number: %w", err)
		}
		all = append(all, s)
	}
	return all, nil
}

// foreign are families of the Go runtime and of the process, whose names change with
// the version of Go. None of them can say anything of a request.
var foreign = regexp.MustCompile(`^(go|process)_[a-z0-9_]+$`)

// Check says what of an exposition is not in the list.
func (c Closed) Check(text string) []string {
	all, err := Parse(text)
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	for _, s := range all {
		labels, known := c[s.Family]
		if foreign.MatchString(s.Family) {
			labels, known = Labels{"version": {s.Labels["version"]}, "quantile": {s.Labels["quantile"]}}, true
		}
		if !known {
			wrong = append(wrong, "family "+s.Family)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			values, known := labels[name]
			switch {
			case name == "le": // a bound of a histogram: a number of ours
			case !known:
				wrong = append(wrong, "label "+name+" of "+s.Family)
			case !slices.Contains(values, s.Labels[name]):
				wrong = append(wrong, "a value of "+name+" of "+s.Family)
			}
		}
	}
	slices.Sort(wrong)
	return slices.Compact(wrong)
}

// Names are the families that an exposition has.
func Names(text string) []string {
	all, _ := Parse(text)
	var names []string
	for _, s := range all {
		names = append(names, s.Family)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

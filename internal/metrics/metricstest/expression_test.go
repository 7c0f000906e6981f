package metricstest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
)

// What can never be true is found, whatever part of it is misspelt.
func TestExpressionsNameWhatIsServed_Twin(t *testing.T) {
	list := metricstest.List(t, metricstest.Catalogue{Reasons: []string{"LLM_RESPONSE"}, Controls: []string{"keys_rotated"}})
	list["counterfoil:failures:ratio_rate1h"] = metricstest.Labels{"objective": {"latency"}}
	for expression, want := range map[string][]string{
		`increase(counterfoil_http_panics_total[10m]) > 0`:                                                             nil,
		`sum by (le, operation) (rate(counterfoil_http_request_seconds_bucket{operation=~"tokenize|detokenize"}[5m]))`: nil,
		`counterfoil:failures:ratio_rate1h{objective="latency"} > 14.4 * 0.01`:                                         nil,
		`counterfoil_http_requests_total{status=~"5..",instance=~"$replica"}`:                                          nil,
		`counterfoil_controls{result="fail",control="keys_rotated"}`:                                                   nil,
		`increase(counterfoil_http_panic_total[10m]) > 0`:                                                              {"nobody serves counterfoil_http_panic_total"},
		`counterfoil_http_panics_total_bucket`:                                                                         {"nobody serves counterfoil_http_panics_total_bucket"},
		`counterfoil:failures:ratio_rate2h`:                                                                            {"nobody serves counterfoil:failures:ratio_rate2h"},
		`counterfoil:failures:ratio_rate1h{objective="latncy"}`:                                                        {`the label objective of counterfoil:failures:ratio_rate1h is never ^(?:latncy)$`},
		`counterfoil_restorations_total{status="integrity-failure"}`:                                                   {`the label status of counterfoil_restorations_total is never ^(?:integrity-failure)$`},
		`counterfoil_restorations_total{tenant="acme"}`:                                                                {"counterfoil_restorations_total has no label tenant"},
		`counterfoil_http_requests_total{operation=~"tokenize|detokenise"}`:                                            {`the label operation of counterfoil_http_requests_total is never ^(?:detokenise)$`},
		`sum by (operations) (counterfoil_http_requests_total)`:                                                        {"no metric here has the label operations"},
		`up == 0`:                                {"no metric of ours"},
		`counterfoil_refused_total{code=denied}`: {"a selector of counterfoil_refused_total that cannot be read"},
	} {
		if diff := cmp.Diff(want, list.CheckExpression(expression)); diff != "" {
			t.Errorf("%s: %s", expression, diff)
		}
	}
}

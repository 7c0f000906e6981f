package main

import (
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
)

// TestFiguresOfAServiceAreServed: all that the rules are about is served by a service
// with an export and tiles, and nothing that is in no list. What needs a receiver of
// notices is served where there is one.
func TestFiguresOfAServiceAreServed(t *testing.T) {
	s := newSite(t, "environment: staging", "environment: staging\nexport: {dir: out}\ntiles: {dir: tiles}").ready()
	v := s.serve()
	client := s.client()
	if err := roundTrip(client, v.url, s.issuer.credential("acme", "llm-gateway"), "chat-1"); err != nil {
		t.Fatal(err)
	}
	var text string
	for !slices.Contains(metricstest.Names(text), "counterfoil_tenants") { // the first reading is under way
		status, raw, err := callWith(client, "GET", v.url+"/metrics", "", nil, nil)
		if err != nil || status != 200 {
			t.Fatalf("metrics: %d %v", status, err)
		}
		text = string(raw)
	}
	served := metricstest.Names(text)
	for _, f := range metrics.Families() {
		notices := f.Name == "counterfoil_notices_total" || f.Name == "counterfoil_notice_seconds"
		if slices.Contains(served, f.Name) == notices {
			t.Errorf("%s: served is %t", f.Name, !notices)
		}
	}
	if wrong := beyond(t, text); len(wrong) > 0 {
		t.Errorf("beyond the list: %v", wrong)
	}
	all, err := metricstest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	stages, committed := map[string]bool{}, 0.0
	for _, one := range all {
		switch one.Family {
		case "counterfoil_log_lag_seconds":
			stages[one.Labels["stage"]] = true
		case "counterfoil_commit_changes_total":
			if one.Labels["outcome"] == "committed" {
				committed = one.Value
			}
		}
	}
	if len(stages) != len(metrics.Stages()) || committed < 2 {
		t.Errorf("stages %v, %v changes committed", stages, committed)
	}
}

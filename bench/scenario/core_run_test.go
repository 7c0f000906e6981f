package scenario

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// TestCore runs every work of the core for a second, in which a busy machine still
// answers: no answer is wrong, each has its figures, and every goal is judged.
func TestCore(t *testing.T) {
	e := &Env{
		Site: siteOf(t), Report: &report.Report{}, Runs: 1, Warm: 50 * time.Millisecond, For: time.Second,
		Clients: []int{1, usual, 64}, Say: t.Logf,
	}
	if err := Core(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	for _, note := range e.Report.Notes {
		t.Error(note)
	}
	for _, m := range e.Report.Measurements {
		if m.Failed != 0 || len(m.PerSecond) != e.Runs || len(m.P999) != e.Runs || m.P50.Median() <= 0 || m.PerSecond.Median() <= 0 {
			t.Errorf("%s of %s, %s: %+v", m.Work, m.Of, m.Load, m)
		}
		if m.Of == system.Counterfoil && (m.Allocs.Median() <= 0 || m.CPU[system.Postgres] == nil || m.RSS[system.Counterfoil].Median() <= 0) {
			t.Errorf("%s, %s: there is no telling what it cost: %+v", m.Work, m.Load, m)
		}
	}
	for _, work := range []string{tokenizeWork, chatWork, growWork, restoreWork, restoreManyWork, refusedWork} {
		if service, floor := e.measured(work, loadOf(usual)); service == nil || floor == nil {
			t.Errorf("%s has no service or no floor", work)
		}
	}
	unmeasured := slices.DeleteFunc(slices.Clone(e.Report.Goals), func(g report.Goal) bool { return g.Verdict != report.NotMeasured })
	if len(unmeasured) != 0 || len(e.Report.Goals) == 0 {
		t.Errorf("not measured: %+v", unmeasured)
	}
}

// TestWrongAnswersFail: a service that gives another value back, or too few, is found out
// with every answer. The twin, one that does not lie, is not.
func TestWrongAnswersFail(t *testing.T) {
	right := []string{"v1", "v2"}
	for name, c := range map[string]struct {
		values []string
		status int
		failed int64
	}{
		"another value": {[]string{"v1", "v3"}, 200, 20},
		"too few":       {[]string{"v1"}, 200, 20},
		"refused":       {right, 503, 20},
		"twin":          {right, 200, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_ = json.NewEncoder(w).Encode(map[string][]string{"values": c.values})
			}))
			defer server.Close()
			f := &face{of: "liar", on: &system.Service{URL: server.URL}, client: load.NewClient(1)}
			got, err := load.Closed(t.Context(), load.Plan{Clients: 1, Requests: 20},
				f.restoring([]holding{{request: []byte(`{}`), values: right}}, 1))
			if err != nil || got.Failed != c.failed || got.Good != 20-c.failed {
				t.Errorf("%d good, %d failed, %v", got.Good, got.Failed, err)
			}
		})
	}
}

package metrics_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// exposed is what a scrape gets.
func exposed(t testing.TB, registry *prometheus.Registry) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{DisableCompression: true}).ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(recorder.Body)
	if err != nil || recorder.Code != 200 {
		t.Fatalf("%d, %v: %s", recorder.Code, err, text)
	}
	return string(text)
}

// everything are sources with all that there can be.
func everything(standing func(context.Context) (metrics.Standing, error)) metrics.Sources {
	closed := func() string { return "closed" }
	return metrics.Sources{
		Commits: func() commitqueue.Stats {
			return commitqueue.Stats{
				Sizes:     commitqueue.Histogram{Bounds: []float64{1, 2}, Counts: []uint64{3, 4}, Count: 5, Sum: 20},
				Committed: 18, Refused: 1, Unavailable: 1, Waiting: 7,
			}
		},
		KeyCache:   func() envelope.CacheStats { return envelope.CacheStats{Hits: 90, Misses: 10, Keys: 4, Most: 5} },
		Breakers:   map[metrics.Breaker]func() string{metrics.BreakerKeyService: func() string { return "half-open" }, metrics.BreakerExport: closed, metrics.BreakerWebhooks: closed},
		Deliveries: &metrics.Deliveries{}, Epoch: 7 * 24 * time.Hour, Standing: standing, Controls: []string{"keys_rotated", "log_consistent"},
	}
}

// stands is a reading with a figure of each kind.
var stands = metrics.Standing{
	Tenants: 2, Entries: 70, Backlog: 12, WrappingKeyAge: time.Hour, LogKeyAge: 2 * time.Hour,
	Lags: map[metrics.Stage]metrics.Lag{
		metrics.StageCheckpoint: {}, metrics.StageAnchor: {}, metrics.StageTiles: {}, metrics.StageExport: {Entries: 5, Age: 90 * time.Second},
	},
	Matters:  map[metrics.Matter]metrics.Count{metrics.MatterReview: {Open: 3, Soon: 1, Overdue: 2}},
	Controls: map[metrics.ControlResult]int{{Control: "keys_rotated", Result: "pass"}: 2, {Control: "gone", Result: "fail"}: 1},
}

func TestEveryFigureIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		c, err := metrics.Register(registry, everything(func(context.Context) (metrics.Standing, error) { return stands, nil }), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Watch(ctx)
		synctest.Wait()
		text := exposed(t, registry)
		served := metricstest.Names(text)
		for _, f := range metrics.Families() {
			if !slices.Contains(served, f.Name) {
				t.Errorf("nobody serves %s", f.Name)
			}
		}
		for _, want := range []string{
			`counterfoil_commit_batch_changes_bucket{le="2"} 4`, `counterfoil_commit_batch_changes_sum 20`,
			`counterfoil_commit_changes_total{outcome="committed"} 18`, `counterfoil_commit_queue_waiting 7`,
			`counterfoil_key_cache_lookups_total{result="miss"} 10`, `counterfoil_key_cache_keys_limit 5`,
			`counterfoil_breaker_state{breaker="key_service",state="half-open"} 1`,
			`counterfoil_breaker_state{breaker="key_service",state="closed"} 0`,
			`counterfoil_log_lag_entries{stage="export"} 5`, `counterfoil_log_lag_seconds{stage="export"} 90`,
			`counterfoil_log_lag_seconds{stage="checkpoint"} 0`, `counterfoil_log_entries 70`,
			`counterfoil_matters{matter="review",state="overdue"} 2`, `counterfoil_matters{matter="erasure",state="open"} 0`,
			`counterfoil_sweep_backlog 12`, `counterfoil_key_age_seconds{key="log"} 7200`, `counterfoil_key_epoch_seconds 604800`,
			`counterfoil_controls{control="keys_rotated",result="pass"} 2`, `counterfoil_controls{control="log_consistent",result="pass"} 0`,
			`counterfoil_controls{control="other",result="fail"} 1`, `counterfoil_figures_failures_total 0`,
		} {
			if !strings.Contains(text, "\n"+want+"\n") {
				t.Errorf("there is no line %s", want)
			}
		}
		list := metricstest.List(t, metricstest.Catalogue{Controls: []string{"keys_rotated", "log_consistent"}})
		if wrong := list.Check(text); len(wrong) > 0 {
			t.Errorf("beyond the list: %v", wrong)
		}
	})
}

// What somebody adds without a thought for whom it names is found.
func TestNoLabelBeyondTheList_Twin(t *testing.T) {
	list := metricstest.List(t, metricstest.Catalogue{Reasons: []string{"LLM_RESPONSE"}})
	for name, sample := range map[string]struct {
		line string
		want []string
	}{
		"nothing":      {`counterfoil_restorations_total{reason="LLM_RESPONSE",status="restored"} 1`, nil},
		"a tenant":     {`counterfoil_restorations_total{reason="LLM_RESPONSE",status="restored",tenant="acme"} 1`, []string{"label tenant of counterfoil_restorations_total"}},
		"a free value": {`counterfoil_restorations_total{reason="for Erika, she said \"yes\"",status="restored"} 1`, []string{"a value of reason of counterfoil_restorations_total"}},
		"a family":     {`counterfoil_subjects{subject="erika"} 1`, []string{"family counterfoil_subjects"}},
		"runtime":      {`go_info{version="go1.26"} 1`, nil},
		"of runtime":   {`go_info{tenant="acme"} 1`, []string{"label tenant of go_info"}},
		"no line":      {`erika@example.org`, []string{"metricstest: a line of 17 bytes that is none"}},
	} {
		if diff := cmp.Diff(sample.want, list.Check(sample.line+"\n")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A source that goes beyond the list of breakers or controls gets no label.
func TestSourcesDoNotMakeLabels(t *testing.T) {
	_, err := metrics.Register(prometheus.NewRegistry(), metrics.Sources{Breakers: map[metrics.Breaker]func() string{"acme": nil}}, time.Now)
	if !errors.Is(err, metrics.ErrSources) {
		t.Errorf("a breaker: %v", err)
	}
	_, err = metrics.Register(prometheus.NewRegistry(), metrics.Sources{Controls: make([]string, metrics.MaxControls+1)}, time.Now)
	if !errors.Is(err, metrics.ErrSources) {
		t.Errorf("controls: %v", err)
	}
	registry := prometheus.NewRegistry()
	if _, err := metrics.Register(registry, metrics.Sources{}, time.Now); err != nil {
		t.Fatal(err)
	}
	for _, name := range metricstest.Names(exposed(t, registry)) {
		if strings.HasPrefix(name, "counterfoil_") {
			t.Errorf("without any source there is %s", name)
		}
	}
}

// Figures that could not be read for long are not served as if they held.
func TestStaleFiguresEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, broken, reads := prometheus.NewRegistry(), errors.New("the store"), 0
		c, err := metrics.Register(registry, everything(func(ctx context.Context) (metrics.Standing, error) {
			if reads++; reads > 1 {
				<-ctx.Done() // of a store that hangs
				return metrics.Standing{}, broken
			}
			return stands, nil
		}), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(exposed(t, registry), "counterfoil_log_entries") {
			t.Error("figures before the first reading")
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Watch(ctx)
		synctest.Wait()
		if text := exposed(t, registry); !strings.Contains(text, "counterfoil_log_entries 70\n") {
			t.Error("no figures after the first reading")
		}
		time.Sleep(metrics.StaleAfter)
		synctest.Wait()
		if text := exposed(t, registry); !strings.Contains(text, "counterfoil_log_entries 70\n") {
			t.Error("the figures ended too early")
		}
		time.Sleep(time.Second)
		text := exposed(t, registry)
		if strings.Contains(text, "counterfoil_log_entries") {
			t.Error("figures of long ago are served")
		}
		if !strings.Contains(text, "counterfoil_figures_read_timestamp_seconds ") || strings.Contains(text, "counterfoil_figures_failures_total 0\n") {
			t.Error("nothing tells that there are none")
		}
		// Each hung for a minute and was rested after for as long as it may be.
		if most := 2 + int(metrics.StaleAfter/metrics.WatchSeldom); reads < 3 || reads > most {
			t.Errorf("%d readings", reads)
		}
	})
}

func TestDeliveriesAreCounted(t *testing.T) {
	var d metrics.Deliveries
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	failed := errors.New("no")
	outcomes := []vault.Delivery{{Done: true}, {Done: true}, {Again: at, Failed: failed}, {Done: true, Failed: failed}}
	deliver := d.Counted(func(context.Context, string, vault.Notice) vault.Delivery {
		one := outcomes[0]
		outcomes = outcomes[1:]
		return one
	}, func() time.Time { return at })
	for _, n := range []vault.Notice{{At: at.Add(-2 * time.Second)}, {At: at.Add(time.Second)}, {At: at}, {At: at}} {
		deliver(t.Context(), "acme", n)
	}
	registry := prometheus.NewRegistry()
	if _, err := metrics.Register(registry, metrics.Sources{Deliveries: &d}, time.Now); err != nil {
		t.Fatal(err)
	}
	text := exposed(t, registry)
	for _, want := range []string{
		`counterfoil_notices_total{outcome="delivered"} 2`, `counterfoil_notices_total{outcome="postponed"} 1`,
		`counterfoil_notices_total{outcome="given_up"} 1`, `counterfoil_notice_seconds_bucket{le="1"} 1`,
		`counterfoil_notice_seconds_bucket{le="2.5"} 2`, `counterfoil_notice_seconds_sum 2`, `counterfoil_notice_seconds_count 2`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("there is no line %s", want)
		}
	}
}

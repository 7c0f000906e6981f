package httpapi_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/rate"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// paced is a world with rates, and the clock that they go by.
func paced(t *testing.T, rates httpapi.Rates) (*world, *vaulttest.Clock) {
	t.Helper()
	w := newWorld(t, httpapi.Limits{})
	clock := vaulttest.NewClock()
	handler, err := httpapi.NewAt(httpapi.Config{
		Service: w.service, Logger: slog.New(slog.NewJSONHandler(w.log, nil)), Registry: prometheus.NewRegistry(),
		Version: "test", Rates: rates, Authenticate: known,
	}, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	w.handler, w.Client = handler, httpapitest.NewClient(t, handler, "gateway")
	return w, clock
}

// announced are the RateLimit headers of an answer: limit, remaining, reset.
func announced(r *httpapitest.Response) [3]string {
	return [3]string{r.Header.Get("RateLimit-Limit"), r.Header.Get("RateLimit-Remaining"), r.Header.Get("RateLimit-Reset")}
}

func TestInvariant17_ACallerIsBoundedByARate(t *testing.T) {
	w, clock := paced(t, httpapi.Rates{Caller: httpapi.Rate{PerSecond: 0.5, Burst: 2}})
	for i, want := range [][3]string{{"2", "1", "2"}, {"2", "0", "4"}} {
		if got := announced(w.Get("/v1/preamble").Want(http.StatusOK)); got != want {
			t.Errorf("request %d: %v, want %v", i, got, want)
		}
	}
	// Whatever it asks for, and before anything of it is read.
	for _, answer := range []*httpapitest.Response{
		w.Get("/v1/preamble"), w.Post("/v1/detokenize", "no JSON"), w.With("Counterfoil-End-User", "erika").Post("/v1/tokenize", m{}),
	} {
		p := answer.Want(http.StatusTooManyRequests).Problem()
		if p.Code != "exhausted" || p.Limit != "caller_rate" || p.RetryAfter != 2 || answer.Header.Get("Retry-After") != "2" ||
			announced(answer) != [3]string{"2", "0", "4"} {
			t.Errorf("refused: %s %v", answer.Body, announced(answer))
		}
	}
	// Another client of the tenant, and another person behind the same client.
	for _, other := range []string{"gateway2", "auditor"} {
		w.As(other).Get("/v1/preamble").Want(http.StatusOK)
	}
	clock.Advance(2 * time.Second)
	w.Get("/v1/preamble").Want(http.StatusOK)
	w.Get("/v1/preamble").Want(http.StatusTooManyRequests)

	if n := len(w.entriesOf(t, audit.KindRequestRefused)); n != 0 {
		t.Errorf("%d entries of what was too fast", n)
	}
	if want := `counterfoil_refused_total{code="exhausted",operation="preamble"} 2`; !strings.Contains(w.metrics(t), want+"\n") {
		t.Errorf("the metrics lack %s", want)
	}
}

// The twin: without rates nobody is bounded, and no answer says so.
func TestInvariant17_ACallerIsBoundedByARate_Twin(t *testing.T) {
	w, _ := paced(t, httpapi.Rates{})
	for range 10 {
		if got := announced(w.Get("/v1/preamble").Want(http.StatusOK)); got != [3]string{} {
			t.Errorf("without a rate: %v", got)
		}
	}
}

// All callers of a tenant share its rate; who is too fast alone takes nothing of it,
// and other tenants have their own.
func TestInvariant17_ATenantIsBoundedByARate(t *testing.T) {
	w, _ := paced(t, httpapi.Rates{Caller: httpapi.Rate{PerSecond: 1, Burst: 2}, Tenant: httpapi.Rate{PerSecond: 1, Burst: 3}})
	for range 2 {
		w.Get("/v1/preamble").Want(http.StatusOK)
	}
	for range 5 {
		if limit := w.Get("/v1/preamble").Want(http.StatusTooManyRequests).Problem().Limit; limit != "caller_rate" {
			t.Errorf("limit %s", limit)
		}
	}
	if got := announced(w.As("gateway2").Get("/v1/preamble").Want(http.StatusOK)); got != [3]string{"3", "0", "3"} {
		t.Errorf("what is left of the tenant: %v", got)
	}
	answer := w.As("auditor").Get("/v1/preamble").Want(http.StatusTooManyRequests)
	if answer.Problem().Limit != "tenant_rate" || announced(answer) != [3]string{"3", "0", "3"} {
		t.Errorf("refused: %s", answer.Body)
	}
	w.As("privacy2").Get("/v1/limits").Want(http.StatusOK)
}

// Strangers have no rate of their own and take nothing from those who are known;
// what needs no credential is not bounded at all.
func TestWhoIsNotKnownHasNoRate(t *testing.T) {
	w, _ := paced(t, httpapi.Rates{Caller: httpapi.Rate{PerSecond: 1, Burst: 1}, Tenant: httpapi.Rate{PerSecond: 1, Burst: 1}})
	for range 3 {
		if got := announced(w.As("nonsense").Get("/v1/preamble").Want(http.StatusUnauthorized)); got != [3]string{} {
			t.Errorf("a stranger is told %v", got)
		}
		w.Get("/healthz").Want(http.StatusOK)
		w.Get("/nowhere").Want(http.StatusNotFound)
	}
	w.Get("/v1/preamble").Want(http.StatusOK)
}

func TestRatesAreAmongTheLimits(t *testing.T) {
	w, _ := paced(t, httpapi.Rates{Caller: httpapi.Rate{PerSecond: 0.5, Burst: 30}, Tenant: httpapi.Rate{PerSecond: 200, Burst: 1000}})
	var answer struct {
		Limits []struct {
			Name  string
			Value int64
		}
	}
	w.Get("/v1/limits").Want(http.StatusOK).Decode(&answer)
	got := make(map[string]int64)
	for _, l := range answer.Limits {
		if strings.Contains(l.Name, "_rate") {
			got[l.Name] = l.Value
		}
	}
	want := map[string]int64{"caller_rate": 30, "caller_rate_seconds": 60, "tenant_rate": 1000, "tenant_rate_seconds": 5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("limits: %s", diff)
	}
}

func TestRatesThatAreNoneAreRefused(t *testing.T) {
	service := newWorld(t, httpapi.Limits{}).service
	for name, r := range map[string]httpapi.Rate{
		"no burst": {PerSecond: 1}, "nothing in a second": {Burst: 1}, "less than nothing": {PerSecond: -1, Burst: 1},
	} {
		_, err := httpapi.New(httpapi.Config{
			Service: service, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(), Version: "test",
			Authenticate: known, Rates: httpapi.Rates{Tenant: r},
		})
		if err == nil || !strings.Contains(err.Error(), "tenant_rate") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := rate.New(rate.Config{PerSecond: r.PerSecond, Burst: r.Burst}); err == nil {
			t.Errorf("%s is a rate", name)
		}
	}
}

// A hundred requests at once are not more than the rate allows.
func TestInvariant17_ARateHoldsForRequestsAtOnce(t *testing.T) {
	w, _ := paced(t, httpapi.Rates{Caller: httpapi.Rate{PerSecond: 1, Burst: 10}})
	var (
		wait    sync.WaitGroup
		mu      sync.Mutex
		allowed int
	)
	for range 100 {
		wait.Go(func() {
			recorder := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/preamble", http.NoBody)
			r.Header.Set("Authorization", "Bearer gateway")
			w.handler.ServeHTTP(recorder, r)
			if recorder.Code == http.StatusOK {
				mu.Lock()
				allowed++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if allowed != 10 {
		t.Errorf("%d of 100 were let through, 10 may", allowed)
	}
}

// A policy decides by the address of the connection, and by no header.
func TestTheAddressIsThatOfTheConnection(t *testing.T) {
	bundle := shippedWith(t, "overlays.yaml", "\ntenants: {}", "\ntenants: {acme: {reasons: {LLM_RESPONSE: {networks: [10.0.0.0/8]}}}}")
	w := newWorldOf(t, vaulttest.New(t, vaulttest.WithPolicy(bundle)).Service, httpapi.Limits{})
	token := w.tokenizedValues()[0]
	for from, want := range map[string]bool{
		"10.1.2.3:4711": true, "[::ffff:10.1.2.3]:4711": true, "192.0.2.1:4711": false, "[fe80::1%eth0]:4711": false, "": false, "10.1.2.3": false,
	} {
		recorder := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/detokenize",
			strings.NewReader(`{"scope":"chat-1","reason":{"code":"LLM_RESPONSE"},"tokens":["`+token+`"]}`))
		r.RemoteAddr = from
		r.Header = http.Header{
			"Authorization": {"Bearer gateway"}, "Content-Type": {"application/json"},
			"X-Forwarded-For": {"10.1.2.3"}, "X-Real-Ip": {"10.1.2.3"}, "Forwarded": {"for=10.1.2.3"},
		}
		w.handler.ServeHTTP(recorder, r)
		if got := strings.Contains(recorder.Body.String(), "jane@example.com"); got != want {
			t.Errorf("from %q: %d %s", from, recorder.Code, recorder.Body)
		}
	}
}

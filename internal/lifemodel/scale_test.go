//go:build unix

package lifemodel_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

const (
	// scaleRows are what is held and swept, unless COUNTERFOIL_ROWS says otherwise.
	scaleRows = 1_000_000
	scaleFill = 1000 // of one request
	// pace is that of the requests: 200 per second.
	pace = 5 * time.Millisecond
	// quiet is how long requests are served without anything else.
	quiet = 15 * time.Second
	// holdIn is how fast a hold is placed, however much it is about.
	holdIn = time.Second
)

// TestScale sweeps a million rows while 200 requests per second are served, and
// places a hold over them before. It prints figures.
func TestScale(t *testing.T) {
	if !long() {
		t.Skip("takes minutes: COUNTERFOIL_LONG=1")
	}
	rows := scaleRows
	if asked := os.Getenv("COUNTERFOIL_ROWS"); asked != "" {
		if _, err := fmt.Sscan(asked, &rows); err != nil {
			t.Fatal(err)
		}
	}
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			v := open(t)
			start := time.Now()
			for n := 0; n < rows; n += scaleFill {
				fill(t, v, n, min(scaleFill, rows-n))
			}
			t.Logf("%d rows were made in %s", rows, time.Since(start).Round(time.Second))
			alone := make(chan struct{})
			time.AfterFunc(quiet, func() { close(alone) })
			t.Logf("requests alone: %s", serve(t, v, "quiet", alone))

			start = time.Now()
			hold := must(v.Service.PlaceHold(ctx, counsel(), holdRequest(vault.HoldWords{Entities: []string{"EMAIL_ADDRESS"}})))(t).Hold
			took := time.Since(start)
			if t.Logf("a hold over %d mappings was placed in %s", rows, took); took > holdIn {
				t.Errorf("a hold took %s", took)
			}
			must(v.Service.ReleaseHold(ctx, counsel(), hold.ID, "ORDER-5", ""))(t)

			v.Clock.Advance(2 * shortLife)
			swept := make(chan struct{})
			var sweeping time.Duration
			go func() {
				defer close(swept)
				start := time.Now()
				for more := true; more; {
					var err error
					if more, err = v.Service.Sweep(ctx, "acme"); err != nil {
						t.Errorf("sweep: %v", err)
						return
					}
				}
				sweeping = time.Since(start)
			}()
			served := serve(t, v, "busy", swept)
			t.Logf("a sweep of %d rows took %s, %.0f rows/s; requests meanwhile: %s", rows, sweeping.Round(time.Millisecond),
				float64(rows)/sweeping.Seconds(), served)
			left := must(v.Service.RetentionReport(ctx, v.Auditor()))(t).Inventory
			for _, line := range left.Mappings {
				if line.Expired > 0 {
					t.Errorf("%d are left", line.Expired)
				}
			}
		})
	}
}

// fill makes rows that live for shortLife.
func fill(t *testing.T, v *vaulttest.Vault, from, n int) {
	t.Helper()
	req := vault.TokenizeRequest{Scope: fmt.Sprint("big-", from/100_000), TTL: shortLife}
	for i := range n {
		req.Values = append(req.Values, vault.Value{Entity: "EMAIL_ADDRESS", Value: fmt.Sprintf("%d@example.com", from+i)})
	}
	must(v.Service.Tokenize(ctx, v.Gateway(), req))(t)
}

// served are figures of requests.
type served struct {
	mu     sync.Mutex
	failed int
	took   []time.Duration
}

func (s *served) String() string {
	slices.Sort(s.took)
	at := func(share float64) time.Duration {
		return s.took[int(share*float64(len(s.took)-1))].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%d, p50 %s, p99 %s, slowest %s, %d failed", len(s.took), at(0.5), at(0.99), at(1), s.failed)
}

// serve asks at its pace, however long the answers take, until it is told to
// stop: of two requests one tokenizes and one restores what was tokenized first.
func serve(t *testing.T, v *vaulttest.Vault, scope string, stop <-chan struct{}) *served {
	t.Helper()
	value := vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}
	token := must(v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{Scope: scope, Values: []vault.Value{value}}))(t).Values[0]
	s := &served{}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	var group sync.WaitGroup
	for n := 0; ; n++ {
		select {
		case <-stop:
			group.Wait()
			return s
		case <-ticker.C:
		}
		group.Go(func() {
			start := time.Now()
			var err error
			if n%2 == 0 {
				value := vault.Value{Entity: "EMAIL_ADDRESS", Value: fmt.Sprintf("%s-%d@example.com", scope, n)}
				_, err = v.Service.Tokenize(ctx, v.Gateway(), vault.TokenizeRequest{Scope: scope, Values: []vault.Value{value}})
			} else {
				_, err = v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{
					Scope: scope, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: []string{token},
				})
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.took = append(s.took, time.Since(start)); err != nil {
				s.failed++
			}
		})
	}
}

package httpapi

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gin-gonic/gin"
)

// The twin of the tests of panics: the recovery that gin brings prints what
// was panicked with, so that an own one is needed.
func TestInvariant12_PanicsSayNothing_Twin(t *testing.T) {
	quiet()
	var printed bytes.Buffer
	engine := gin.New()
	engine.Use(gin.RecoveryWithWriter(&printed))
	engine.GET("/", func(*gin.Context) { panic(canary) })
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	if !strings.Contains(printed.String(), canary) {
		t.Error("gin's recovery would do")
	}
}

func TestInvariant17_ABudgetIsNeverPassed(t *testing.T) {
	b := budget{most: 10}
	for _, n := range []int64{4, 6} {
		if !b.take(n) {
			t.Errorf("%d of 10 refused", n)
		}
	}
	if b.take(1) {
		t.Error("11 of 10 taken")
	}
	b.give(6)
	b.give(4)

	const workers, rounds = 8, 2000
	var held atomic.Int64
	var most int64
	var mu sync.Mutex
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range rounds {
				if !b.take(3) {
					continue
				}
				now := held.Add(3)
				mu.Lock()
				most = max(most, now)
				mu.Unlock()
				held.Add(-3)
				b.give(3)
			}
		})
	}
	group.Wait()
	if most > 10 || b.out.Load() != 0 || !b.take(10) {
		t.Errorf("at most %d at a time, %d not given back", most, b.out.Load())
	}
}

//go:build unix

package assembly_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// TestFigures logs how long a trim and a recovery take over ten thousand keys of
// which a tenth was erased since the copy was made.
func TestFigures(t *testing.T) {
	if os.Getenv("COUNTERFOIL_LONG") != "1" {
		t.Skip("set COUNTERFOIL_LONG=1")
	}
	const keys, erased = 10_000, 1000
	e := newEstate(t, embedded)
	e.open()
	e.scope("docs")
	for n := 0; n < keys; n += 50 {
		values := make([]vault.Value, 50)
		for i := range values {
			values[i] = vault.Value{Entity: "CUSTOM_ID", Value: fmt.Sprint("V-", n+i), Subject: fmt.Sprint("crm:", n+i)}
		}
		_, err := e.in.Service.Tokenize(t.Context(), gateway(), vault.TokenizeRequest{Scope: "docs", Values: values})
		e.no(err)
	}
	older := e.backup()
	took := func(what string, do func()) {
		start := time.Now()
		do()
		t.Logf("%s: %s", what, time.Since(start).Round(time.Millisecond))
	}
	took("erase 1,000 people", func() {
		for n := range erased {
			e.erase(fmt.Sprint("crm:", n))
		}
	})
	e.close()
	older.putBack()
	took("recover", func() { e.recover(false) })
	e.open()
	took("rotate and re-wrap", e.epoch)
	e.clock.Advance(horizon + time.Hour)
	took("plan a trim", func() { e.plan(vault.TrimRequest{}) })
	took("trim", func() { e.trim(vault.TrimRequest{}) })
}

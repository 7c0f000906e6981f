package verify_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// BenchmarkLog verifies a log of 100,000 usual entries under one checkpoint.
func BenchmarkLog(b *testing.B) {
	const n = 100_000
	m := newLog(b, 1)
	leaves := make([][]byte, 0, n)
	for i := range n {
		e := audit.Entry{
			Tenant: "acme", Kind: audit.KindTokenize, ChangeID: fmt.Sprintf("01JD3V9Q7M8X2K4T6R5P%06d", i), Channel: "api",
			Client: audit.Client{ClientID: "svc-1", JTIDigest: "1f0c3a5e7b9d2468ace02468ace13579"}, Actor: "svc-1", Destination: "default",
			PolicyVersion: "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", RuleIDs: []string{"p12"}, Decision: audit.Allow,
			Entities: map[string]int{"EMAIL_ADDRESS": 2, "PHONE_NUMBER": 1}, Tokens: []string{"7K3QX9M2", "0A1B2C3D", "ZZ9Y8X7W"},
			Results: map[string]int{"tokenized": 3}, ScopeRefs: []string{"s_5JX0"}, RequestID: "r_9f8e7d6c", Replica: "cf-0", Environment: "prod",
		}
		m.clock = m.clock.Add(time.Millisecond)
		leaves = append(leaves, m.finish([]audit.Entry{e})...)
	}
	m.commit(leaves)
	opts := m.known()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verify.Log(b.Context(), of(m.entries), opts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
}

package access_test

import (
	"math/rand/v2"
	"testing"

	"github.com/counterfoil/counterfoil/internal/access"
)

// The target is 40 µs for a decision with 100 rules and 50 reasons.
func BenchmarkDecide(b *testing.B) {
	p := shipped(b)
	fraud := restorer("FRAUD_REVIEW")
	fraud.Attributes = map[string]string{"team": "fraud"}
	for name, r := range map[string]access.Request{
		"shipped/allow of five rules": gateway(),
		"shipped/allow of one rule":   fraud,
		"shipped/deny, binding":       with(gateway(), func(r *access.Request) { r.SameClient = false }),
		"shipped/deny, role":          restorer("LLM_RESPONSE"),
		"shipped/tokenize":            {Action: "tokenize", Roles: []string{"gateway"}, SameClient: true, EndUser: "unbound"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Decide(r)
			}
		})
	}
}

func BenchmarkDecide100Rules50Reasons(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := load(b, generated(b, rng, 50, 100))
	mixed := manyRequests(p, 10_000)
	var allowed []access.Request
	for _, r := range mixed {
		if p.Decide(r).Allow {
			allowed = append(allowed, r)
		}
	}
	for name, requests := range map[string][]access.Request{"mixed": mixed, "allowed": allowed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p.Decide(requests[i%len(requests)])
				i++
			}
		})
	}
}

// BenchmarkRestoreOf50 is all that is decided for 50 tokens of one request:
// whether the caller may restore anything, each token by its label, and each
// once more by its mapping.
func BenchmarkRestoreOf50(b *testing.B) {
	p, r := shipped(b), gateway()
	b.ReportAllocs()
	for b.Loop() {
		p.Best(r)
		for range 50 {
			p.Best(r)
			if d := p.Decide(r); !d.Allow {
				b.Fatal(d.Why)
			}
		}
	}
}

// BenchmarkCatalogue is what a request reads of the policy beside decisions.
func BenchmarkCatalogue(b *testing.B) {
	p := shipped(b)
	b.Run("entities", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.Entities()
		}
	})
	b.Run("reason", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p.ReasonOf("acme", "LLM_RESPONSE")
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	bundle := copyOfShipped(b)
	for b.Loop() {
		if _, err := access.Load(bundle); err != nil {
			b.Fatal(err)
		}
	}
}

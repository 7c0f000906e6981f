package stream_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/stream"
)

// benchStream is an answer in chat deltas, with a token in one of so many. No
// token at all for 0.
func benchStream(deltas, every int) string {
	var b strings.Builder
	words := strings.Fields("the quarterly report went out to every person on the list and most of them answered within a day")
	for i := range deltas {
		word := words[i%len(words)] + " "
		if every > 0 && i%every == 0 {
			word = "[PERSON_5JQ7BRW43B] "
		}
		fmt.Fprintf(&b, `data: {"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion.chunk","created":1741570283,`+
			`"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_fc9f1d7035","choices":[{"index":0,`+
			`"delta":{"content":"%s"},"logprobs":null,"finish_reason":null}]}`+"\n\n", word)
	}
	return b.String()
}

func bench(b *testing.B, input []byte, chunk int) {
	v := vocabulary(b)
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	var dst []byte
	var answers []*string
	value := "Ann"
	for b.Loop() {
		s := begin(b, v, stream.FormatChat)
		for at := 0; at < len(input); at += chunk {
			if err := s.Push(input[at:min(at+chunk, len(input))]); err != nil {
				b.Fatal(err)
			}
			answers = answers[:0]
			for range s.Pending() {
				answers = append(answers, &value)
			}
			dst = s.Drain(dst[:0], answers)
		}
	}
	frames := strings.Count(string(input), "\n\n")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*frames), "ns/frame")
}

func BenchmarkUntouched(b *testing.B) { bench(b, []byte(benchStream(1000, 0)), 32<<10) }

func BenchmarkUntouchedFrameByFrame(b *testing.B) {
	one := len(benchStream(1, 0))
	bench(b, []byte(strings.Repeat(benchStream(1, 0), 1000)), one)
}

func BenchmarkTokenInTen(b *testing.B) { bench(b, []byte(benchStream(1000, 10)), 32<<10) }

func BenchmarkEveryDeltaAToken(b *testing.B) { bench(b, []byte(benchStream(1000, 1)), 32<<10) }

package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

const (
	// promptSize is the length of a usual prompt with its history.
	promptSize = 4 << 10
	// latencyRounds is how often each prompt is timed: some thousand samples, so that the 99th percentile means something.
	latencyRounds = 20
)

// byModel are the entities that are found by the model of names and not by rules.
var byModel = []string{person, location, "ORGANIZATION"}

// writeSpeed measures one core and appends the part of the report that is another each time.
func writeSpeed(out io.Writer, data string) error {
	records, err := read(data, "fp_prompts.jsonl")
	if err != nil {
		return err
	}
	prompts := pieces(records)
	names, err := detect.New(detect.Options{})
	if err != nil {
		return err
	}
	rules, err := detect.New(detect.Options{Entities: slices.DeleteFunc(detect.Defaults().Entities, func(e string) bool {
		return slices.Contains(byModel, e)
	})})
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p50, p99 := latency(names, prompts)
	_, err = fmt.Fprintf(out, "%s\n\nOne core of this machine (%s/%s, %s), over the prompts in pieces of %d bytes.\n\n"+
		"| what | here | must |\n|---|--:|--:|\n"+
		"| rules only | %.0f MB/s | 50 MB/s |\n| with names and places | %.1f MB/s | 5 MB/s |\n"+
		"| a prompt of 4 kB, median | %v | – |\n| 99th percentile | %v | 5 ms |\n",
		speedHeading, runtime.GOOS, runtime.GOARCH, runtime.Version(), promptSize,
		throughput(rules, prompts), throughput(names, prompts), p50, p99)
	return err
}

// pieces cuts the prompts, put together, at the size of a usual prompt.
func pieces(records []record) []string {
	var all strings.Builder
	for _, r := range records {
		all.WriteString(r.Text)
		all.WriteString("\n\n")
	}
	text := all.String()
	var out []string
	for len(text) >= promptSize {
		out = append(out, strings.ToValidUTF8(text[:promptSize], ""))
		text = text[promptSize:]
	}
	return out
}

// throughput is in MB/s, measured as benchmarks are.
func throughput(d *detect.Detector, prompts []string) float64 {
	size := 0
	for _, p := range prompts {
		size += len(p)
	}
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			for _, p := range prompts {
				if _, err := d.Find(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	return float64(size) * float64(r.N) / 1e6 / r.T.Seconds()
}

// latency is the median and the 99th percentile of one prompt.
func latency(d *detect.Detector, prompts []string) (p50, p99 time.Duration) {
	var took []time.Duration
	for range latencyRounds {
		for _, p := range prompts {
			from := time.Now()
			_, _ = d.Find(context.Background(), p) // throughput has found that it works
			took = append(took, time.Since(from))
		}
	}
	slices.Sort(took)
	return took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond)
}

package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

const (
	// promptSize is the length of a usual prompt with its history.
	promptSize = 4 << 10
	// latencyRounds is how often each prompt is timed.
	latencyRounds = 20
	// throughputTime is long enough for the collector to take its usual part.
	throughputTime = 2 * time.Second
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
	_, err = fmt.Fprintf(out, "%s\n\nOne core of this machine (%s/%s, %s), processor time, over the prompts in pieces of %d bytes; a prompt stands\nwith the mean of %d runs.\n\n"+
		"| what | here | must |\n|---|--:|--:|\n"+
		"| rules only | %.0f MB/s | 50 MB/s |\n| with names and places | %.1f MB/s | 5 MB/s |\n"+
		"| a prompt of 4 kB, median | %v | – |\n| 99th percentile | %v | 5 ms |\n",
		speedHeading, runtime.GOOS, runtime.GOARCH, runtime.Version(), promptSize, latencyRounds,
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

// throughput is in MB/s of processor time, the collector's included.
func throughput(d *detect.Detector, prompts []string) float64 {
	size, from := 0, processorTime()
	for processorTime()-from < throughputTime {
		for _, p := range prompts {
			_, _ = d.Find(context.Background(), p) // the figures have found that it works
			size += len(p)
		}
	}
	return float64(size) / 1e6 / (processorTime() - from).Seconds()
}

// latency is the median and the 99th percentile of the prompts. Each stands with the mean of some runs, in processor time,
// so that the figures are of the prompts and not of what else the machine does.
func latency(d *detect.Detector, prompts []string) (p50, p99 time.Duration) {
	all := make([]time.Duration, 0, len(prompts))
	for _, p := range prompts {
		from := processorTime()
		for range latencyRounds {
			_, _ = d.Find(context.Background(), p) // the figures have found that it works
		}
		all = append(all, (processorTime()-from)/latencyRounds)
	}
	slices.Sort(all)
	return all[len(all)/2].Round(time.Microsecond), all[len(all)*99/100].Round(time.Microsecond)
}

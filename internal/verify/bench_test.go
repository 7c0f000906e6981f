//go:build unix

package verify_test

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// exportOfMany is an export of n entries of a usual mix, about 500 bytes each, under one
// checkpoint.
func exportOfMany(b *testing.B, n int) (path string, checkpoint []byte, key string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "log.jsonl")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	out := bufio.NewWriterSize(file, 1<<20)
	m := newLog(b, 1)
	var frontier audit.Frontier
	var root audit.Hash
	for written := 0; written < n; {
		var leaves [][]byte
		m.clock = m.clock.Add(time.Millisecond)
		for len(leaves) < 100 {
			parts := m.change()
			for i := range parts {
				parts[i].Client.JTIDigest, parts[i].RuleIDs = "1f0c3a5e7b9d2468ace02468ace13579", []string{"p12"}
				if parts[i].Actor == "" {
					parts[i].Client, parts[i].RuleIDs = audit.Client{}, nil
				}
			}
			leaves = append(leaves, m.finish(parts)...)
		}
		batch, err := frontier.Append(leaves)
		if err != nil {
			b.Fatal(err)
		}
		frontier, root, written = batch.Frontier, batch.Root, written+len(leaves)
		for _, leaf := range leaves {
			_, _ = out.Write(append(leaf, '\n'))
		}
	}
	if err := out.Flush(); err != nil || file.Close() != nil {
		b.Fatal(err)
	}
	return path, m.sign(frontier.Size, root), m.signer.VerifierKey()
}

func benchmarkLog(b *testing.B, n int) {
	path, checkpoint, key := exportOfMany(b, n)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	opts := verify.Options{VKeys: []string{key}, Checkpoints: [][]byte{checkpoint}, RequireSigned: true}
	b.ReportAllocs()
	runtime.GC()
	cpu, entries := processTime(b), int64(0)
	for b.Loop() {
		file, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		got, err := verify.Log(b.Context(), verify.Lines(file), opts)
		if err != nil {
			b.Fatal(err)
		}
		entries = got.Entries
		_ = file.Close()
	}
	total := float64(int64(b.N) * entries)
	b.ReportMetric(float64(info.Size())/float64(entries), "bytes/entry")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/total, "ns/entry")
	b.ReportMetric(float64((processTime(b)-cpu).Nanoseconds())/total, "cpu-ns/entry")
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapSys)/(1<<20), "heap-MiB")
}

// processTime is what the process has computed, which on a busy machine says more
// than how long it took.
func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkLog verifies an export of 100,000 entries, BenchmarkMillion of 10^6.
func BenchmarkLog(b *testing.B)     { benchmarkLog(b, 100_000) }
func BenchmarkMillion(b *testing.B) { benchmarkLog(b, 1_000_000) }

package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Usage is what a stretch of time cost.
type Usage struct {
	Elapsed time.Duration
	CPU     map[string]time.Duration // by process, children included
	RSS     map[string]int64         // bytes, at its end
	// Of the services, from their metrics.
	Allocs, AllocBytes int64
	Goroutines         int64 // at its end
	HeapInUse          int64 // bytes, at its end
	// VaultCalls are requests that the transit server wrote into its audit file; -1
	// where that could not be read.
	VaultCalls int64
	// Of PostgreSQL: WAL bytes, and how often WAL was made durable (pg_stat_wal).
	WALBytes, Fsyncs int64
}

// Sample is how far everything has come at one instant.
type Sample struct {
	at       time.Time
	cpu      map[string]time.Duration
	rss      map[string]int64
	runtime  runtimeFigures
	wal      int64 // position, in bytes
	fsyncs   int64
	auditLog string
	audited  int64 // bytes of it
}

// Sample reads what the services, PostgreSQL, the transit server and this process have
// used until now. A service that is not named is not in it, and another set of
// services in the next sample is another sum. One that the site did not start is
// left out.
//
// What counts up is read first and at once. Memory comes last: it takes the longest,
// and nobody divides it by the time.
func (s *Site) Sample(ctx context.Context, services ...*Service) (Sample, error) {
	all, err := processes()
	if err != nil {
		return Sample{}, err
	}
	a := Sample{at: time.Now(), cpu: map[string]time.Duration{}, rss: map[string]int64{}, auditLog: s.auditLog}
	if a.cpu[Load], err = ownCPU(); err != nil {
		return Sample{}, err
	}
	if a.wal, a.fsyncs, err = s.written(ctx); err != nil {
		return Sample{}, err
	}
	info, err := os.Stat(s.auditLog)
	if err != nil {
		return Sample{}, fmt.Errorf("system: audit file: %w", err)
	}
	a.audited = info.Size()
	trees := map[string][]int{Postgres: {s.postmaster}, Transit: {s.transit}}
	for _, v := range services {
		if v.process == nil {
			continue
		}
		trees[v.kind] = append(trees[v.kind], v.PID)
		if v.kind == Counterfoil {
			figures, err := v.figures(ctx)
			if err != nil {
				return Sample{}, err
			}
			a.runtime.add(figures)
		}
	}
	if a.rss[Load], err = resident(os.Getpid()); err != nil {
		return Sample{}, err
	}
	for name, pids := range trees {
		for _, pid := range pids {
			if err := a.add(all, name, pid); err != nil {
				return Sample{}, err
			}
		}
	}
	return a, nil
}

// add adds a process with its children.
func (a Sample) add(all table, name string, pid int) error {
	if _, found := all[pid]; !found {
		return fmt.Errorf("%w: %s", errGone, name)
	}
	read := resident
	if name == Postgres {
		read = proportional
	}
	for _, p := range all.tree(pid) {
		a.cpu[name] += p.cpu
		rss, err := read(p.pid)
		// A backend may have gone since; its parent has its CPU by the next time.
		if err != nil && (p.pid == pid || !errors.Is(err, errGone)) {
			return err
		}
		a.rss[name] += rss
	}
	return nil
}

// Until is what was used from a to b, which came later.
func (a Sample) Until(b Sample) Usage {
	u := Usage{
		Elapsed: b.at.Sub(a.at), CPU: map[string]time.Duration{}, RSS: maps.Clone(b.rss),
		Allocs: b.runtime.allocs - a.runtime.allocs, AllocBytes: b.runtime.allocBytes - a.runtime.allocBytes,
		Goroutines: b.runtime.goroutines, HeapInUse: b.runtime.heapInUse,
		WALBytes: b.wal - a.wal, Fsyncs: b.fsyncs - a.fsyncs, VaultCalls: -1,
	}
	for name, used := range b.cpu {
		u.CPU[name] = used - a.cpu[name]
	}
	if n, err := requests(a.auditLog, a.audited, b.audited); err == nil {
		u.VaultCalls = n
	}
	return u
}

// requestMark is in each line of the audit file that is a request, and in none that is
// the answer to one.
var requestMark = []byte(`"type":"request"`)

// requests counts the requests between two places of an audit file. It is read here and
// not at the samples, which are taken while something is measured.
func requests(path string, from, to int64) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("system: audit file: %w", err)
	}
	defer func() { _ = file.Close() }() // read only
	part := io.NewSectionReader(file, from, to-from)
	// A mark that two reads cut in half is seen in the second, which begins with the
	// end of the first.
	const chunk = 1 << 20
	overlap := len(requestMark) - 1
	buffer := make([]byte, overlap+chunk)
	var count int64
	for kept := 0; ; {
		n, err := part.Read(buffer[kept : kept+chunk])
		text := buffer[:kept+n]
		count += int64(bytes.Count(text, requestMark))
		kept = copy(buffer, text[max(0, len(text)-overlap):])
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return 0, fmt.Errorf("system: audit file: %w", err)
		}
	}
}

// watcher is the connection that samples read from: a new one would cost PostgreSQL a
// process each time.
func (s *Site) watcher(ctx context.Context) error {
	config, err := pgxpool.ParseConfig(s.AdminDSN())
	if err != nil {
		return fmt.Errorf("system: postgres: %w", err)
	}
	config.MaxConns = 1
	if s.watch, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("system: postgres: %w", err)
	}
	s.host.Cleanup(s.watch.Close)
	return nil
}

const sqlWritten = `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, wal_sync FROM pg_stat_wal`

// written is how far the WAL has come, and how often it was made durable.
func (s *Site) written(ctx context.Context) (position, fsyncs int64, err error) {
	if err := s.watch.QueryRow(ctx, sqlWritten).Scan(&position, &fsyncs); err != nil {
		return 0, 0, fmt.Errorf("system: postgres: %w", err)
	}
	return position, fsyncs, nil
}

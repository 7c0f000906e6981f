package system

import (
	"context"
	"os/exec"
	"time"
)

// What the tests look into.
var (
	Fill          = fill
	Requests      = requests
	ParseFigures  = parseFigures
	Address       = address
	OnDisk        = onDisk
	Folder        = folder
	Durable       = durable
	ErrMemory     = errMemory
	ErrNotDurable = errNotDurable
	ErrEnded      = errEnded
	ErrFigures    = errFigures
)

// ParseStat is what a line of /proc/PID/stat says.
func ParseStat(line string) (pid, parent int, cpu time.Duration, err error) {
	p, err := parseStat(line)
	return p.pid, p.parent, p.cpu, err
}

// Launch starts a program and returns its id and how it is stopped.
func Launch(log, program string, args ...string) (*process, error) {
	return launch(log, program, args...)
}

// PID is the id of a process.
func (p *process) PID() int { return p.pid }

// Done is closed once it is gone.
func (p *process) Done() <-chan struct{} { return p.done }

// Stop stops a process.
var Stop = (*process).stop

// Host stands where a test would.
type Host = host

// NewHost makes one.
var NewHost = newHost

// Do runs what may fail it.
func (h *host) Do(f func()) error { return h.do(f) }

// Close ends it.
func (h *host) Close() error { return h.close() }

// Dir is the folder of the site, PIDs are its servers.
func (s *Site) Dir() string { return s.dir }

// PIDs are those of the two servers.
func (s *Site) PIDs() []int { return []int{s.postmaster, s.transit} }

// PolicyDir is the folder of the policy.
func (s *Site) PolicyDir() string { return s.policy }

// PolicyTest runs `policy test` on the policy.
func (s *Site) PolicyTest(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, s.binary, "policy", "test", "--dir", s.policy).CombinedOutput()
	return string(out), err
}

// Figures makes some.
func Figures(allocs, allocBytes, goroutines, heapInUse int64) runtimeFigures {
	return runtimeFigures{allocs, allocBytes, goroutines, heapInUse}
}

package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// framesSpoken is how many frames each stream has carried when its memory is looked
// at: some words and two values, one of them cut, so that all that it will need is
// there.
const framesSpoken = 2 * valueEvery

// firstStreams are opened before the memory is read for the first time, and as many
// speak at a time later.
const firstStreams = 16

// settle is how long a process is left alone before its memory is read.
const settle = time.Second

// streamMemory measures what a stream keeps while it is open: the resident memory of a
// process with many of them, less that of the same process before, for each. The
// grants are made by another process, so that the measured one has no room left over
// from that which streams could use unseen. What the collector of garbage leaves lying
// counts.
func (e *Env) streamMemory(ctx context.Context) error {
	other, err := e.Site.Serve(ctx, "grants")
	if err != nil {
		return err
	}
	defer func() { _ = other.Stop(context.WithoutCancel(ctx)) }()
	var each, goroutines report.Figure
	for run := range e.Runs {
		kib, routines, err := e.openIdle(ctx, other, run)
		if err != nil {
			return fmt.Errorf("scenario: memory of streams: %w", err)
		}
		e.Say("%s: %.1f KiB and %.1f goroutines for each of %d", streamMemoryWork, kib, routines, idleStreams)
		each, goroutines = append(each, kib), append(goroutines, routines)
	}
	e.judgeMost(streamMemoryWork+" of each", each, mostStreamKiB, " KiB")
	e.Report.Notes = append(e.Report.Notes, fmt.Sprintf(
		"Memory of a stream: resident memory of a fresh process with %d streams open, less that before, for each; all have carried "+
			"%d frames with two values and pause. %s goroutines for each.", idleStreams, framesSpoken, goroutines))
	return nil
}

// openIdle opens many streams to a fresh process, lets each speak a little, and
// returns KiB and goroutines for each.
func (e *Env) openIdle(ctx context.Context, other *system.Service, run int) (kib, goroutines float64, err error) {
	service, err := e.Site.Serve(ctx, fmt.Sprintf("idle-%d", run+1))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, service.Stop(context.WithoutCancel(ctx))) }()
	caller := newGrantee(other, e.Site.Credential(e.Site.Tenants()[0], "gateway"))
	caller.conversations, caller.streamsAt = (run+1)*2*idleStreams, service.URL
	var open openStreams
	defer func() { err = errors.Join(err, open.close()) }()
	// The first ones pay for connections, keys and code that was not used before.
	if err := open.add(ctx, caller, firstStreams); err != nil {
		return 0, 0, err
	}
	before, start, err := e.idle(ctx, service)
	if err != nil {
		return 0, 0, err
	}
	if err := open.add(ctx, caller, idleStreams); err != nil {
		return 0, 0, err
	}
	after, end, err := e.idle(ctx, service)
	if err != nil {
		return 0, 0, err
	}
	return float64(after-before) / 1024 / idleStreams, float64(end-start) / idleStreams, nil
}

// openStreams are streams that stay open.
type openStreams struct{ lines []*streamLine }

// add opens some more and has each speak, some at a time.
func (o *openStreams) add(ctx context.Context, caller *grantee, n int) error {
	var all sync.WaitGroup
	failed := make(chan error, n)
	room := make(chan struct{}, firstStreams)
	for range n {
		l, err := caller.open(ctx, 0, framesSpoken)
		if err != nil {
			failed <- err
			break
		}
		o.lines = append(o.lines, l)
		room <- struct{}{}
		all.Go(func() {
			if err := l.converse(); err != nil {
				failed <- err
			}
			<-room
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

func (o *openStreams) close() error {
	var all error
	for _, l := range o.lines {
		all = errors.Join(all, l.close())
	}
	return all
}

// idle reads memory and goroutines of a process that has nothing to do.
func (e *Env) idle(ctx context.Context, service *system.Service) (rss, goroutines int64, err error) {
	time.Sleep(settle)
	now, err := e.Site.Sample(ctx, service)
	if err != nil {
		return 0, 0, err
	}
	rss, err = resident(service.PID)
	return rss, now.Until(now).Goroutines, err
}

// converse sends all frames, each when the one before has come back.
func (l *streamLine) converse() error {
	var frame []byte
	for n := range l.sent {
		frame = l.frame(frame[:0], n)
		if err := l.send(n, frame); err != nil {
			return err
		}
		if err := l.hear(); err != nil {
			return err
		}
	}
	return nil
}

// resident is the resident memory of a process in bytes.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, fmt.Errorf("scenario: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("scenario: statm has %d fields", len(fields))
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("scenario: statm: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is one that runs, or ran.
type process struct {
	pid   int
	log   string
	done  chan struct{} // closed once it is gone
	ended error         // how, once done is closed
}

// launch starts a program whose output goes into a file, not through this process,
// which would pay for every line. It ends when this process does: the kernel looks at
// the thread that started it, so that one is kept.
func launch(log, program string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("system: log: %w", err)
	}
	defer func() { _ = file.Close() }() // the program has its own
	cmd := exec.CommandContext(context.Background(), program, args...)
	cmd.Stdout, cmd.Stderr = file, file
	// A group of its own: an interrupt at the terminal is for the harness, which stops
	// the others in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p := &process{log: log, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.ended = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("system: start: %w", err)
	}
	p.pid = cmd.Process.Pid
	go p.trim()
	return p, nil
}

// run runs a command to its end, which comes at the latest with that of this process.
func run(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd.Run()
}

const (
	// maxLog is where a log begins anew: a long run would fill the disk with lines
	// that nobody reads.
	maxLog = 64 << 20
	// trimPause is so short that a log cannot grow by much more meanwhile.
	trimPause = 2 * time.Second
)

// trim empties the log whenever it is long. It is written by appending, so that what
// comes next stands at its beginning.
func (p *process) trim() {
	tick := time.NewTicker(trimPause)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		if info, err := os.Stat(p.log); err == nil && info.Size() > maxLog {
			_ = os.Truncate(p.log, 0) // the next tick tries again
		}
	}
}

var errEnded = errors.New("system: the process ended by itself")

// stop asks the process to end, waits until it has, and kills it when the context
// ends before.
func (p *process) stop(ctx context.Context) error {
	select {
	case <-p.done:
		err := errEnded
		if p.ended != nil {
			err = fmt.Errorf("%w: %w", errEnded, p.ended)
		}
		return fmt.Errorf("%w: %s", err, p.lastLine())
	default:
	}
	_ = syscall.Kill(p.pid, syscall.SIGTERM) // fails where it has just ended
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("system: %d did not stop: %w", p.pid, ctx.Err())
	}
	if p.ended != nil {
		return fmt.Errorf("system: %d: %w: %s", p.pid, p.ended, p.lastLine())
	}
	return nil
}

// lastLine is where a program says why it ends.
func (p *process) lastLine() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

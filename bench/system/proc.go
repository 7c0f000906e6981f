package system

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 on every architecture that Go
// runs on (proc(5), sysconf(3)).
const tick = 10 * time.Millisecond

// errGone is of a process that ended while it was looked at.
var errGone = errors.New("system: the process is gone")

// running is one process with its CPU and that of the children that it has reaped.
type running struct {
	pid, parent int
	cpu         time.Duration
}

// table is all processes by id.
type table map[int]running

// processes reads all of /proc once.
func processes() (table, error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("system: %w", err)
	}
	all := make(table, len(found))
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		p, err := parseStat(string(text))
		if err != nil {
			return nil, err
		}
		all[p.pid] = p
	}
	return all, nil
}

// Fields of /proc/PID/stat behind the name, counted from the state (proc(5)).
const (
	statParent = 1
	statUser   = 11 // and system, then both of the children that were waited for
	statCount  = 15
)

// parseStat reads a line of /proc/PID/stat. The name is in brackets and may have
// brackets and spaces in it, so what follows is counted from the last one.
func parseStat(line string) (running, error) {
	id, rest, _ := strings.Cut(line, " ")
	pid, err := strconv.Atoi(id)
	fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
	if err != nil || len(fields) < statCount {
		return running{}, errors.New("system: a stat file is not one")
	}
	parent, err := strconv.Atoi(fields[statParent])
	if err != nil {
		return running{}, fmt.Errorf("system: stat: %w", err)
	}
	p := running{pid: pid, parent: parent}
	for _, field := range fields[statUser:statCount] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return running{}, fmt.Errorf("system: stat: %w", err)
		}
		p.cpu += time.Duration(n) * tick
	}
	return p, nil
}

// tree is a process with all that it started.
func (t table) tree(root int) []running {
	found := []running{t[root]}
	for n := 0; n < len(found); n++ {
		for _, p := range t {
			if p.parent == found[n].pid {
				found = append(found, p)
			}
		}
	}
	return found
}

// ownCPU is that of this process, finer than /proc has it.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("system: getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// resident is the memory that a process has, in bytes.
func resident(pid int) (int64, error) { return kilobytes(pid, "status", "VmRSS:") }

// proportional is the same with what it shares divided among those who share it.
func proportional(pid int) (int64, error) { return kilobytes(pid, "smaps_rollup", "Pss:") }

// kilobytes reads a line of a file of /proc that is so many kB. A process that has
// ended and was not yet waited for has the file and not the line.
func kilobytes(pid int, file, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
		return 0, errGone
	case err != nil:
		return 0, fmt.Errorf("system: memory: %w", err)
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == name {
			n, err := strconv.ParseInt(string(fields[1]), 10, 64)
			return n << 10, err
		}
	}
	return 0, errGone
}

// findPostmaster reads which process PostgreSQL is.
func findPostmaster(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("system: postgres: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, fmt.Errorf("system: postgres: %w", err)
	}
	return pid, nil
}

// findServer is the process that was started with -dir and this folder.
func findServer(dir string) (int, error) {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, fmt.Errorf("system: %w", err)
	}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte("\x00-dir\x00"+dir+"\x00")) {
			continue
		}
		return strconv.Atoi(filepath.Base(filepath.Dir(path)))
	}
	return 0, errors.New("system: the transit server does not run")
}

package load

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm waits for an instant to some tens of microseconds, without spinning. The timers
// of the Go runtime are too coarse for an open loop: a process that is idle sleeps in
// epoll_wait, whose timeout is in whole milliseconds, and that much would be added to
// latencies which are not much longer. A timerfd is a file that becomes readable when it
// is time, by the kernel's high-resolution timers, and the runtime polls it like a socket.
type alarm struct {
	file *os.File
	fd   int
	stop func() bool
	read [8]byte // how often it went off; not needed
}

func newAlarm(ctx context.Context) (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("load: make a timer: %w", err)
	}
	// Not blocking, so the file is one of the poller's and can have a deadline.
	a := &alarm{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}
	a.stop = context.AfterFunc(ctx, func() {
		// Can fail only when the file is closed, and then nobody waits.
		_ = a.file.SetReadDeadline(time.Unix(1, 0))
	})
	return a, nil
}

func (a *alarm) wait(d time.Duration) bool {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d.Nanoseconds(), 1))} // 0 would disarm it
	if err := unix.TimerfdSettime(a.fd, 0, &at, nil); err != nil {
		return false
	}
	_, err := a.file.Read(a.read[:])
	return err == nil
}

func (a *alarm) close() {
	a.stop()
	_ = a.file.Close() // nothing was written
}

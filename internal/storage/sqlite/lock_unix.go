//go:build unix && !solaris && !illumos && !aix

package sqlite

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// processLock keeps a second process away from a database. It is a flock on a
// file of its own: the kernel releases it when the process dies in any way, and
// SQLite's locks on the database, which are lost when any descriptor of that
// file is closed, are left alone.
type processLock struct{ file *os.File }

func lockProcess(path string) (*processLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("sqlite: lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s is locked", ErrLocked, path)
		}
		return nil, fmt.Errorf("sqlite: lock %s: %w", path, err)
	}
	return &processLock{f}, nil
}

// release leaves the file where it is: removing it would let a process that
// has it open lock a file that nobody else finds.
func (l *processLock) release() error { return l.file.Close() }

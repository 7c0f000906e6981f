//go:build !unix || solaris || illumos || aix

package sqlite

import "errors"

// processLock has no implementation here, so the store does not open: two
// processes on one file would write two histories.
type processLock struct{}

func lockProcess(string) (*processLock, error) {
	return nil, errors.New("sqlite: there is no process lock on this system")
}

func (*processLock) release() error { return nil }

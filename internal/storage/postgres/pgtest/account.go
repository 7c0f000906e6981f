//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is who runs the server; nil is whoever runs the tests.
type account struct{ uid, gid uint32 }

// unprivileged finds somebody to run the server, which refuses to be root.
func unprivileged() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(uerr, gerr); err != nil {
			return nil, fmt.Errorf("pgtest: the account %s: %w", name, err)
		}
		return &account{uint32(uid), uint32(gid)}, nil
	}
	return nil, errors.New("pgtest: the tests run as root, and there is neither a user postgres nor nobody to run the server")
}

// binaries returns the folder of the newest PostgreSQL that Debian installed.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("pgtest: %w", err)
	}
	version := func(path string) int {
		n, err := strconv.Atoi(strings.Split(path, "/")[4])
		if err != nil {
			return 0
		}
		return n
	}
	if len(found) == 0 {
		return "", errors.New("pgtest: no PostgreSQL: install Debian's postgresql, or set POSTGRES_URL to a server for tests")
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// folder makes a folder that the server's user has. Its path is short, since
// that of a socket in it must not pass 107 bytes.
func folder(u *account) (string, error) {
	parent := os.TempDir()
	if len(parent) > maxParent {
		parent = "/tmp"
	}
	Sweep(parent, prefix, ownerFile)
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", fmt.Errorf("pgtest: folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return "", fmt.Errorf("pgtest: folder: %w", err)
	}
	if u != nil {
		if err := os.Chown(dir, int(u.uid), int(u.gid)); err != nil {
			return "", fmt.Errorf("pgtest: folder: %w", err)
		}
	}
	return dir, nil
}

const (
	// prefix is that of all folders of servers.
	prefix = "counterfoil-pg-"
	// ownerFile holds the process id of the tests that a folder is of.
	ownerFile = "tests.pid"
)

// Sweep removes the folders of a prefix whose owners were killed: a file in each has
// the process id of its owner. Their servers ended with them. What cannot be removed
// is of somebody else.
func Sweep(parent, prefix, ownerFile string) {
	left, err := filepath.Glob(filepath.Join(parent, prefix+"*", ownerFile))
	if err != nil {
		return
	}
	for _, path := range left {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		pid, err := strconv.Atoi(string(text))
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			// The name of the owner goes last: a server that is still ending may
			// write once more, and then the next sweep removes it.
			dir := filepath.Dir(path)
			if os.RemoveAll(filepath.Join(dir, "data")) == nil {
				_ = os.RemoveAll(dir)
			}
		}
	}
}

// maxParent leaves room for the folder's own name and the socket's.
const maxParent = 60

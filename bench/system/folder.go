package system

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

const (
	// prefix begins the names of all folders of sites.
	prefix = "counterfoil-bench-"
	// ownerFile holds the process id of the harness that a folder is of.
	ownerFile = "harness.pid"
)

// Magic numbers of file systems that have no disk below them (linux/magic.h).
const (
	magicTmpfs = 0x01021994
	magicRamfs = 0x858458f6
)

var errMemory = errors.New("system: a file system in memory: fsync costs nothing there")

// folder makes the folder of a site, after those were removed whose harness was killed.
func folder(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return "", fmt.Errorf("system: folder: %w", err)
	}
	// The service takes relative paths as relative to its own file.
	parent, err := filepath.Abs(parent)
	if err != nil {
		return "", fmt.Errorf("system: folder: %w", err)
	}
	if err := onDisk(parent); err != nil {
		return "", err
	}
	pgtest.Sweep(parent, prefix, ownerFile)
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", fmt.Errorf("system: folder: %w", err)
	}
	owner := []byte(strconv.Itoa(os.Getpid()))
	if err := os.WriteFile(filepath.Join(dir, ownerFile), owner, 0o600); err != nil {
		return "", fmt.Errorf("system: folder: %w", err)
	}
	return dir, nil
}

// onDisk refuses a folder that lies in memory.
func onDisk(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("system: %s: %w", dir, err)
	}
	if kind := uint32(fs.Type); kind == magicTmpfs || kind == magicRamfs { //nolint:gosec // magic numbers have 32 bits
		return fmt.Errorf("%w: %s", errMemory, dir)
	}
	return nil
}

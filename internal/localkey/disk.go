package localkey

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// step is called before each step of a write; tests make it fail to see what a
// crash at that point leaves behind.
type step func(name string) error

func noFault(string) error { return nil }

// readFile reads a key file after checking what it is and who may read it. The
// checks are made on the open file, so it cannot be exchanged in between.
func readFile(path string) (keyFile, error) {
	// Without O_NONBLOCK a named pipe would be waited for.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return keyFile{}, fmt.Errorf("%w: %s is a symbolic link", ErrFile, path)
	}
	if err != nil {
		return keyFile{}, fmt.Errorf("localkey: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	info, err := f.Stat()
	if err != nil {
		return keyFile{}, fmt.Errorf("localkey: %w", err)
	}
	if !info.Mode().IsRegular() {
		return keyFile{}, fmt.Errorf("%w: %s is not a regular file", ErrFile, path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return keyFile{}, fmt.Errorf("%w: others than its owner may use %s (mode %04o): run chmod 600 %s",
			ErrFile, path, perm, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return keyFile{}, fmt.Errorf("localkey: %w", err)
	}
	defer clear(text)
	if len(text) > maxFileSize {
		return keyFile{}, fmt.Errorf("%w: %s is larger than %d bytes", ErrFile, path, maxFileSize)
	}
	content, err := parseFile(text)
	if err != nil {
		return keyFile{}, fmt.Errorf("%w (%s)", err, path)
	}
	return content, nil
}

// replaceFile makes content durable under path, over a file that may be there.
// Until the rename the old file stands, from then on the new one; it is sure to
// survive a crash when replaceFile has returned.
func replaceFile(path string, content keyFile, before step) (err error) {
	if err := before("create the temporary file"); err != nil {
		return err
	}
	// CreateTemp makes it 0600 and never opens one that is there.
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	defer func() {
		if err != nil {
			// Best effort: a crash would leave it there too.
			_ = temp.Close()
			_ = os.Remove(temp.Name())
		}
	}()
	text := content.text()
	defer clear(text)
	steps := []struct {
		name string
		do   func() error
	}{
		{"write", func() error { _, err := temp.Write(text); return err }},
		{"sync the file", temp.Sync},
		{"close", temp.Close},
		{"rename", func() error { return os.Rename(temp.Name(), path) }},
		{"sync the folder", func() error { return syncFolder(filepath.Dir(path)) }},
	}
	for _, s := range steps {
		if err := before(s.name); err != nil {
			return err
		}
		if err := s.do(); err != nil {
			return fmt.Errorf("localkey: %s: %w", s.name, err)
		}
	}
	return nil
}

// syncFolder makes a rename durable.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// lockFolder lets one writer at a time at the key files of a folder: of two
// that read version 1 both would write a version 2, and what the first wrapped
// would be lost. It holds between goroutines too, since each call opens the
// folder anew, and ends with the process, so a crash leaves no lock behind.
func lockFolder(path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("localkey: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("localkey: locking the folder: %w", err), dir.Close())
	}
	return func() { _ = dir.Close() }, nil // closing unlocks, and cannot fail in a way that matters
}

// exists tells whether something is at path, a dangling link included.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// The folder and the files are for the service's own user alone. SQLite gives
// its side files the mode of the database.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// prepareFile makes the folder and an empty database file where there is none,
// and takes rights of others away where there are any.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	switch {
	case err == nil:
		return f.Close()
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("sqlite: make the database: %w", err)
	}
	// The file is not opened here: closing it would drop SQLite's own locks
	// of another connection in this process.
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, fileMode); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sqlite: rights of the database: %w", err)
		}
	}
	return nil
}

func makeDir(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return fmt.Errorf("sqlite: make the folder: %w", err)
	}
	return nil
}

// address is the driver's name for a file, with settings that hold for each of
// its connections.
func address(path string, mode string, pragmas ...string) string {
	query := url.Values{"mode": {mode}}
	for _, p := range pragmas {
		query.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

func writerAddress(path string) string {
	return address(path, "rw",
		// First of all, so that the others wait rather than fail.
		"busy_timeout("+strconv.FormatInt(busyTimeout.Milliseconds(), 10)+")",
		"journal_mode(wal)", "synchronous(full)", "foreign_keys(on)", "secure_delete(on)",
		"trusted_schema(off)", "temp_store(memory)",
		"cache_size(-"+strconv.Itoa(pageCache)+")", // negative: in KiB
		"journal_size_limit("+strconv.Itoa(journalLimit)+")",
	)
}

func readerAddress(path string) string {
	return address(path, "ro",
		"busy_timeout("+strconv.FormatInt(busyTimeout.Milliseconds(), 10)+")",
		"query_only(on)", "trusted_schema(off)", "temp_store(memory)",
	)
}

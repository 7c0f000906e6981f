package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Backup writes a copy of a database, as it stands at one commit, while a service
// has it or not. The copy is whole, checked and durable when Backup returns, and
// has its name only then; what is there under that name is never overwritten.
func Backup(ctx context.Context, path, to string) (err error) {
	to, err = filepath.Abs(to)
	if err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("sqlite: backup: %s stays as it is: %w", to, fs.ErrExist)
	}
	v, err := OpenReadOnly(ctx, path) // which looks whether it is one of ours
	if err != nil {
		return err
	}
	if err := v.Close(); err != nil {
		return err
	}
	// CreateTemp makes it 0600; VACUUM INTO takes an empty file for none.
	temp, err := os.CreateTemp(filepath.Dir(to), ".backup-*.tmp")
	if err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	name := temp.Name()
	defer func() { _ = os.Remove(name) }()
	if err := temp.Close(); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if err := vacuumInto(ctx, path, name); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if err := checkCopy(ctx, name); err != nil {
		return err
	}
	if err := errors.Join(syncPath(name), os.Link(name, to), syncPath(filepath.Dir(to))); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	return nil
}

// vacuumInto copies what one transaction reads. The file is open for reading only;
// query_only would forbid the copy, too.
func vacuumInto(ctx context.Context, path, to string) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	db, err := sql.Open(driverName, address(path, "ro", "busy_timeout("+strconv.FormatInt(busyTimeout.Milliseconds(), 10)+")"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?1", to)
	return errors.Join(err, db.Close())
}

// checkCopy reads the whole of a copy.
func checkCopy(ctx context.Context, path string) (err error) {
	db, err := sql.Open(driverName, address(path, "ro"))
	if err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var answer string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&answer); err != nil {
		return fmt.Errorf("sqlite: backup: %w", err)
	}
	if answer != "ok" {
		return fmt.Errorf("sqlite: backup: %w: the copy is damaged", ErrMalformed)
	}
	return checkSchema(ctx, db)
}

// syncPath makes a file, or the names in a folder, durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

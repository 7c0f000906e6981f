// Package durable writes whole files that a crash leaves whole: a temporary file
// beside the place, fsync, a rename or a link into the place, and fsync of every
// folder that has a new name in it.
//
// When a call returns nil, the file is there with all its bytes, also after power
// fails; the root of a folder is somebody else's to make durable. When it returns an
// error or the process dies in it, the place has what it had before or the whole new
// file, and a temporary file may be left over, whose name begins with
// [TemporaryPrefix]: no reader looks at it, and [Folder.Clear] takes it away.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// TemporaryPrefix begins the names of files that are not in their place yet. No
// name that is written may begin with it, nor any part of one.
const TemporaryPrefix = ".new-"

// The rights of what is written: the owner's, and for readers the group's. Nothing
// that is kept by this package is a secret, but neither is it for everybody.
const (
	folderMode fs.FileMode = 0o750
	fileMode   fs.FileMode = 0o640
)

// ErrName says that a name is no relative path of plain parts.
var ErrName = errors.New("durable: not a name below the folder")

// Folder is a folder whose files are written whole.
type Folder struct {
	Root string
	// Before, where it is set, is called before each step that changes the disk;
	// an error ends the write there. Tests stop at every step with it, or die.
	Before func(step string) error
}

// Create writes a file that is not there yet, and fails with fs.ErrExist where one
// is, whatever it holds. Of two that create at once one fails. What is there may
// have been left by a write that was cut off: see Settle.
func (f Folder) Create(name string, body []byte) error {
	// A link fails where the name is taken; a rename would replace what is there.
	err := f.write(name, body, func(temporary, place string) error {
		return errors.Join(os.Link(temporary, place), os.Remove(temporary))
	})
	if err != nil {
		return err
	}
	return f.Settle(name)
}

// Replace writes a file, whether or not there is one.
func (f Folder) Replace(name string, body []byte) error {
	if err := f.Place(name, body); err != nil {
		return err
	}
	return f.Settle(name)
}

// Place writes a file as Replace does, but for its name, which is not durable before
// Settle: for many files at once that takes much less.
func (f Folder) Place(name string, body []byte) error {
	return f.write(name, body, os.Rename)
}

func (f Folder) write(name string, body []byte, put func(temporary, place string) error) error {
	place, err := f.Path(name)
	if err != nil {
		return err
	}
	folder := filepath.Dir(place)
	if err := f.makeFolder(folder); err != nil {
		return fmt.Errorf("durable: %s: %w", name, err)
	}
	temporary, err := f.temporary(folder, body)
	if err == nil {
		if err = f.before("place"); err == nil {
			err = put(temporary, place)
		}
	}
	if err != nil {
		return fmt.Errorf("durable: %s: %w", name, err)
	}
	return nil
}

// temporary writes the bytes beside the place, and syncs them: a name must never
// come to the disk before what it names.
func (f Folder) temporary(folder string, body []byte) (name string, err error) {
	if err := f.before("write"); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(folder, TemporaryPrefix+"*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(file.Name()) // it is of no use to anybody, and may stay
		}
	}()
	if _, err := file.Write(body); err != nil {
		return "", err
	}
	if err := file.Chmod(fileMode); err != nil {
		return "", err
	}
	return file.Name(), file.Sync()
}

// makeFolder makes a folder below the root and those above it.
func (f Folder) makeFolder(folder string) error {
	if info, err := os.Stat(folder); err == nil && info.IsDir() {
		return nil
	}
	if err := f.before("folder"); err != nil {
		return err
	}
	return os.MkdirAll(folder, folderMode)
}

// Settle makes the names of files durable that are in their places: those of all
// folders on the way, too, since a write that was cut off may have made them and
// gone no further. It costs little where nothing is new.
func (f Folder) Settle(names ...string) error {
	if err := f.before("sync"); err != nil {
		return err
	}
	root := filepath.Clean(f.Root)
	settled := make(map[string]bool)
	for _, name := range names {
		place, err := f.Path(name)
		if err != nil {
			return err
		}
		for folder := filepath.Dir(place); !settled[folder]; folder = filepath.Dir(folder) {
			if err := syncFolder(folder); err != nil {
				return fmt.Errorf("durable: %s: %w", name, err)
			}
			if settled[folder] = true; folder == root {
				break
			}
		}
	}
	return f.before("end")
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Remove takes a file away, and its folder where it was the last in it. That is not
// durable: after a crash it may be there again.
func (f Folder) Remove(name string) error {
	place, err := f.Path(name)
	if err != nil {
		return err
	}
	if err := f.before("remove"); err != nil {
		return err
	}
	if err := os.Remove(place); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("durable: %w", err)
	}
	_ = os.Remove(filepath.Dir(place)) // fails where something else is in it, as it should
	return nil
}

func (f Folder) before(step string) error {
	if f.Before == nil {
		return nil
	}
	return f.Before(step)
}

// Path is where a name is. Parts are divided by slashes on every system.
func (f Folder) Path(name string) (string, error) {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || strings.HasPrefix(part, TemporaryPrefix) ||
			strings.ContainsAny(part, "\\\x00") || !filepath.IsLocal(part) {
			return "", ErrName
		}
	}
	return filepath.Join(f.Root, filepath.FromSlash(path.Clean(name))), nil
}

// Read returns a file, which has no more than limit bytes.
func (f Folder) Read(name string, limit int) ([]byte, error) {
	place, err := f.Path(name)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(place)
	if err != nil {
		return nil, fmt.Errorf("durable: %s: %w", name, err)
	}
	if !info.Mode().IsRegular() || info.Size() > int64(limit) {
		return nil, fmt.Errorf("durable: %s: %w: no file of at most %d bytes", name, fs.ErrInvalid, limit)
	}
	return os.ReadFile(place)
}

// Clear takes away what writes that were cut off have left. Nobody may be
// writing.
func (f Folder) Clear() error {
	var left []string
	err := filepath.WalkDir(f.Root, func(place string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasPrefix(entry.Name(), TemporaryPrefix) {
			left = append(left, place)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, place := range left {
		err = errors.Join(err, os.Remove(place))
	}
	return err
}

package access

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"time"
)

// FS gives the files as Load takes them.
func (b *Bundle) FS() fs.FS { return bundleFS(b.files) }

// bundleFS is a file system of files by name: those of a bundle. It has what
// fs.ReadDir, fs.Glob and Open of a file need.
type bundleFS map[string][]byte

// Open opens a file. A directory has nothing to read.
func (f bundleFS) Open(name string) (fs.File, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &bundleFile{bytes.NewReader(text), bundleEntry{name: path.Base(name), size: int64(len(text))}}, nil
}

// ReadDir lists a directory: one that no file is in does not exist.
func (f bundleFS) ReadDir(dir string) ([]fs.DirEntry, error) {
	found := map[string]bundleEntry{}
	for name, text := range f {
		in, base := path.Dir(name), path.Base(name)
		switch {
		case in == dir:
			found[base] = bundleEntry{name: base, size: int64(len(text))}
		case in != "." && path.Dir(in) == dir:
			found[path.Base(in)] = bundleEntry{name: path.Base(in), mode: fs.ModeDir}
		}
	}
	if len(found) == 0 && dir != "." {
		return nil, &fs.PathError{Op: "readdir", Path: dir, Err: fs.ErrNotExist}
	}
	out := make([]fs.DirEntry, 0, len(found))
	for _, entry := range found {
		out = append(out, fs.FileInfoToDirEntry(entry))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) })
	return out, nil
}

type bundleFile struct {
	*bytes.Reader
	info bundleEntry
}

func (f *bundleFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *bundleFile) Close() error               { return nil }

// bundleEntry is a file or directory of a bundle, which has no times.
type bundleEntry struct {
	name string
	size int64
	mode fs.FileMode
}

func (e bundleEntry) Name() string       { return e.name }
func (e bundleEntry) Size() int64        { return e.size }
func (e bundleEntry) Mode() fs.FileMode  { return e.mode | 0o444 }
func (e bundleEntry) ModTime() time.Time { return time.Time{} }
func (e bundleEntry) IsDir() bool        { return e.mode.IsDir() }
func (e bundleEntry) Sys() any           { return nil }

package verify

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
)

// Limits of an archive that somebody else made.
const (
	// maxFiles is the number of files in a bundle: the entries of a log of 10^8, and
	// thousands of others.
	maxFiles = 20_000
	// maxFileBytes is the size of one file: a table of 10^7 lines.
	maxFileBytes = 8 << 30
	// maxPath is the longest path: what a tar holds without an extension.
	maxPath = 100
)

// fileMode is the mode of every file of a bundle.
const fileMode = 0o644

func bundleFault(format string, args ...any) error {
	return &Fault{NoIndex, RuleBundle, fmt.Sprintf(format, args...)}
}

// walkArchive calls visit for each file of a tar, which may be compressed with
// gzip, and holds the tar against the one form in which a bundle is written: plain
// files, each once, by clean relative paths, of nobody, and not a byte that writing
// the same files with the same headers does not give. So nothing hides in padding,
// in headers that readers disagree on, or after the end.
//
// visit reads what it wants of a file.
func walkArchive(in io.Reader, visit func(name string, size int64, body io.Reader) error) error {
	raw, err := decompressed(in)
	if err != nil {
		return err
	}
	read, written := sha256.New(), sha256.New()
	tee := io.TeeReader(raw, read)
	archive, again := tar.NewReader(tee), tar.NewWriter(written)
	seen := make(map[string]bool)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return archiveError(err)
		}
		if err := plainFile(header, seen); err != nil {
			return err
		}
		if err := again.WriteHeader(header); err != nil {
			return bundleFault("a header is not one of a bundle")
		}
		body := io.TeeReader(archive, again)
		if err := visit(header.Name, header.Size, body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return archiveError(err)
		}
	}
	if err := again.Close(); err != nil {
		return bundleFault("a file is not as long as its header says")
	}
	// What follows the end is read too, and only counts as different.
	if _, err := io.Copy(io.Discard, io.LimitReader(tee, 1)); err != nil {
		return archiveError(err)
	}
	if !bytes.Equal(read.Sum(nil), written.Sum(nil)) {
		return bundleFault("the archive is not in the one form of a bundle")
	}
	return nil
}

// decompressed takes gzip off, where it is there.
func decompressed(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	magic, err := buffered.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("verify: the bundle: %w", err)
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return buffered, nil
	}
	plain, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, archiveError(err)
	}
	return plain, nil
}

// archiveError tells an archive that is broken from a file that cannot be read.
func archiveError(err error) error {
	for _, broken := range []error{tar.ErrHeader, io.ErrUnexpectedEOF, io.EOF, gzip.ErrHeader, gzip.ErrChecksum, tar.ErrWriteTooLong} {
		if errors.Is(err, broken) {
			return bundleFault("the archive is broken or cut")
		}
	}
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) {
		return bundleFault("the archive is broken or cut")
	}
	return fmt.Errorf("verify: the bundle: %w", err)
}

// plainFile refuses all but a file by a clean relative path that is there once.
func plainFile(h *tar.Header, seen map[string]bool) error {
	switch {
	case h.Typeflag != tar.TypeReg:
		return bundleFault("it holds something else than plain files")
	case h.Mode != fileMode || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || len(h.PAXRecords) > 0:
		return bundleFault("a header says more than a name, a size and a time")
	case !cleanPath(h.Name):
		return bundleFault("it holds a path that is not a clean relative one")
	case seen[h.Name]:
		return bundleFault("it holds a file twice")
	case len(seen) == maxFiles:
		return bundleFault("it holds more than %d files", maxFiles)
	case h.Size < 0 || h.Size > maxFileBytes:
		return bundleFault("it holds a file of more than %d bytes", int64(maxFileBytes))
	}
	seen[h.Name] = true
	return nil
}

// cleanPath tells whether a path means one place below the bundle, on any system.
func cleanPath(name string) bool {
	if name == "" || len(name) > maxPath || path.IsAbs(name) || path.Clean(name) != name || name == "." || name == ".." {
		return false
	}
	if len(name) > 2 && name[:3] == "../" {
		return false
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-', c == '/':
		default:
			return false
		}
	}
	return true
}

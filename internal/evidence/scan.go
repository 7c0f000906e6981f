package evidence

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// maxSmall bounds a file of a bundle that is read whole: the largest table that a
	// year of a busy tenant has, four times over.
	maxSmall = 1 << 30
	// maxTar bounds a bundle: a log of a hundred million usual entries.
	maxTar = 1 << 36
	// scanBuffer is read from a bundle at a time.
	scanBuffer = 1 << 20
)

var gzipMagic = []byte{0x1f, 0x8b}

// scan reads a bundle file by file. See gets each path once, with a reader that is
// good until it returns; an error of it ends the scan. Whatever is no plain file of a
// safe path, or is there twice, is an error, and so is anything after the end.
func scan(path string, see func(path string, size int64, body io.Reader) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was read only
	in := bufio.NewReaderSize(file, scanBuffer)
	var plain io.Reader = in
	if magic, _ := in.Peek(len(gzipMagic)); bytes.Equal(magic, gzipMagic) {
		if plain, err = gzip.NewReader(in); err != nil {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
	}
	limited := &io.LimitedReader{R: plain, N: maxTar}
	archive, seen := tar.NewReader(limited), make(map[string]bool)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return ends(limited)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
		switch name := header.Name; {
		case header.Typeflag != tar.TypeReg, header.Format != tar.FormatUSTAR:
			// Other formats have sparse files, which are longer than the bundle.
			return fmt.Errorf("%w: something in it is no plain file", ErrBundle)
		case !safePath(name), seen[name], len(seen) > maxFiles:
			return fmt.Errorf("%w: a path in it is unsafe, there twice or one too many", ErrBundle)
		}
		seen[header.Name] = true
		if err := see(header.Name, header.Size, archive); err != nil {
			return err
		}
	}
}

// ends refuses what follows the end of the tar: readers would disagree about it.
func ends(rest io.Reader) error {
	buffer := make([]byte, scanBuffer)
	for {
		n, err := rest.Read(buffer)
		if bytes.Trim(buffer[:n], "\x00") != nil {
			return fmt.Errorf("%w: something follows its end", ErrBundle)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBundle, err)
		}
	}
}

// whole reads a small file.
func whole(size int64, body io.Reader) ([]byte, error) {
	if size > maxSmall {
		return nil, fmt.Errorf("%w: a file of %d bytes", ErrBundle, size)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return b, nil
}

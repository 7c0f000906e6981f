package access

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxTarBytes is what the largest bundle has as a tar: a header and padding
	// for each file, and the end.
	maxTarBytes = maxBundleBytes + (maxBundleFiles+2)*1024
	// maxTarEntries leaves room for the directories beside the files.
	maxTarEntries = maxBundleFiles + 10
	tarFileMode   = 0o644
)

var gzipMagic = []byte{0x1f, 0x8b}

// ReadBundle reads a tar or a tar.gz. What packs and unpacks such files in
// other ways must see the same files: plain files and directories only, no name
// twice, none that is not a file of a bundle, and nothing after the end.
func ReadBundle(packed []byte) (*Bundle, error) {
	if len(packed) > maxBundleBytes {
		return nil, refused(errTooLarge)
	}
	var in io.Reader = bytes.NewReader(packed)
	if bytes.HasPrefix(packed, gzipMagic) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, refused(fmt.Errorf("not a gzip file: %w", err))
		}
		in = z
	}
	bounded := &io.LimitedReader{R: in, N: maxTarBytes}
	files, err := untar(bounded)
	if err == nil {
		err = readEnd(bounded)
	}
	if err != nil {
		return nil, refused(err)
	}
	return newBundle(files)
}

func untar(in io.Reader) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	archive := tar.NewReader(in)
	for range maxTarEntries {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not a tar file: %w", err)
		}
		// Archives of "." have its files as ./name. Nothing else is made of a
		// name: one that would need cleaning is not a file of a bundle.
		name := strings.TrimPrefix(header.Name, "./")
		if header.Typeflag == tar.TypeDir {
			if err := checkDirectory(name); err != nil {
				return nil, err
			}
			continue
		}
		if header.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%q is neither a plain file nor a directory", header.Name)
		}
		if !bundleName(name) {
			return nil, fmt.Errorf("%q is not a file of a bundle", header.Name)
		}
		if _, twice := files[name]; twice {
			return nil, fmt.Errorf("%q is there twice", header.Name)
		}
		text, err := io.ReadAll(io.LimitReader(archive, maxFileBytes+1))
		if err != nil {
			return nil, fmt.Errorf("%q: %w", header.Name, err)
		}
		if len(text) > maxFileBytes {
			return nil, fmt.Errorf("%s is larger than %d bytes", name, maxFileBytes)
		}
		files[name] = text
		if total += len(text); total > maxBundleBytes || len(files) > maxBundleFiles {
			return nil, errTooLarge
		}
	}
	return nil, errTooLarge
}

func checkDirectory(name string) error {
	switch strings.TrimSuffix(name, "/") {
	case "", ".", dirDecisions, dirTexts:
		return nil
	}
	return fmt.Errorf("%q is not a directory of a bundle", name)
}

// readEnd reads what follows the end of the archive, which makes the gzip
// reader check its sum. Only padding may follow.
func readEnd(in *io.LimitedReader) error {
	rest, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("after the end of the archive: %w", err)
	}
	if in.N == 0 {
		return errTooLarge
	}
	if len(bytes.Trim(rest, "\x00")) > 0 {
		return errors.New("something follows the end of the archive")
	}
	return nil
}

// Pack writes the bundle as a tar.gz. The same files give the same bytes.
func (b *Bundle) Pack() ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out) // with no name and no time
	archive := tar.NewWriter(z)
	for _, name := range b.names() {
		text := b.files[name]
		err := archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)),
			Mode: tarFileMode, Format: tar.FormatUSTAR,
		})
		if err == nil {
			_, err = archive.Write(text)
		}
		if err != nil {
			return nil, fmt.Errorf("access: pack %s: %w", name, err)
		}
	}
	if err := errors.Join(archive.Close(), z.Close()); err != nil {
		return nil, fmt.Errorf("access: pack: %w", err)
	}
	if out.Len() > maxBundleBytes {
		return nil, refused(errTooLarge)
	}
	return out.Bytes(), nil
}

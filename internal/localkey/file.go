package localkey

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// fileFormat names the format and its version.
const fileFormat = "counterfoil-local-key/1"

const (
	// maxVersions bounds a file: twenty years of weekly rotations.
	maxVersions = 1024
	// maxFileSize bounds what is read: a version takes less than 160 bytes.
	maxFileSize = 256 << 10
)

// ErrFile says that a key file is not what this package writes, or that others
// than its owner may read it.
var ErrFile = errors.New("localkey: the key file is refused")

// keyFile is the content of a key file.
type keyFile struct {
	Format     string       `json:"format"`
	Versions   []keyVersion `json:"versions"`
	MinVersion int          `json:"min_version"`
}

// keyVersion is one version of the root key.
type keyVersion struct {
	Version int    `json:"version"`
	Created string `json:"created"`
	Key     keyB64 `json:"key"`
}

// keyB64 is a root key that prints as a Secret everywhere but in the file.
type keyB64 struct{ envelope.Secret }

// MarshalText is called for the file only: keyFile is never printed or logged.
func (k keyB64) MarshalText() ([]byte, error) {
	return base64.StdEncoding.AppendEncode(nil, k.Reveal()), nil
}

// UnmarshalText decodes strictly; what it lets through the comparison with the
// one text form catches.
func (k *keyB64) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return errors.New("not base64")
	}
	k.Secret = envelope.NewSecret(b)
	return nil
}

// parseFile reads the one text form. Errors name places, never content.
func parseFile(text []byte) (keyFile, error) {
	var f keyFile
	if err := json.Unmarshal(text, &f); err != nil {
		// The decoder's own message may quote a byte of a key.
		return keyFile{}, fmt.Errorf("%w: it is cut short or not JSON", ErrFile)
	}
	if f.Format != fileFormat {
		return keyFile{}, fmt.Errorf("%w: its format is not %q", ErrFile, fileFormat)
	}
	if err := f.check(); err != nil {
		return keyFile{}, err
	}
	// Printing it again and comparing refuses unknown and repeated fields,
	// another order, other spellings and trailing bytes, all at once.
	if again := f.text(); !bytes.Equal(again, text) {
		return keyFile{}, fmt.Errorf("%w: it was edited; only this program writes it", ErrFile)
	}
	return f, nil
}

// text returns the one text form.
func (f keyFile) text() []byte {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic("localkey: a key file cannot be printed: " + err.Error())
	}
	return append(b, '\n')
}

// check refuses what no file of this package holds.
func (f keyFile) check() error {
	n := len(f.Versions)
	if n == 0 || n > maxVersions {
		return fmt.Errorf("%w: it holds between 1 and %d versions", ErrFile, maxVersions)
	}
	first := f.Versions[0].Version
	if first < 1 || f.MinVersion < first || f.MinVersion > first+n-1 {
		return fmt.Errorf("%w: min_version is none of its versions", ErrFile)
	}
	for i, v := range f.Versions {
		switch {
		case v.Version != first+i:
			return fmt.Errorf("%w: versions[%d] repeats or leaves out a version", ErrFile, i)
		case v.Key.Len() != envelope.KeySize:
			return fmt.Errorf("%w: the key of versions[%d] has not %d bytes", ErrFile, i, envelope.KeySize)
		}
		if _, err := time.Parse(time.RFC3339, v.Created); err != nil {
			return fmt.Errorf("%w: versions[%d] was created at no time", ErrFile, i)
		}
	}
	return nil
}

// newVersion makes a root key.
func newVersion(version int) keyVersion {
	created := time.Now().UTC().Format(time.RFC3339) // for people; nothing depends on it
	return keyVersion{Version: version, Created: created, Key: keyB64{envelope.RandomSecret()}}
}

// last is the current version.
func (f keyFile) last() int { return f.Versions[len(f.Versions)-1].Version }

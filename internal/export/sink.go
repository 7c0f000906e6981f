package export

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Sink is where objects go. Names are relative paths of letters, digits and the
// signs -._ with slashes between; objects have at most MaxObject bytes. Two
// implementations: Dir, and objectstore.Bucket.
type Sink interface {
	// Put creates an object and is nil once it is durable there. It never changes
	// one: where one of these bytes is there already it is nil, and where one of
	// others is, ErrDiffers. After another error the object may be there or not.
	Put(ctx context.Context, name string, body []byte) error
	// Get returns an object; where there is none the error is fs.ErrNotExist.
	Get(ctx context.Context, name string) ([]byte, error)
	// Ready tells whether objects can be put, and kept as they have to be.
	Ready(ctx context.Context) error
}

// What can be wrong. Others are of what gives the log, and pass by themselves when
// it is back.
var (
	// ErrDiffers says that a name is taken by other bytes.
	ErrDiffers = errors.New("export: the sink has other bytes under this name")
	// ErrPruned says that a leaf is gone that was never exported.
	ErrPruned = errors.New("export: a leaf was pruned before it was exported")
	// ErrLog says that what the log gave is not what it signed.
	ErrLog = errors.New("export: the log is not the one that was signed")
	// ErrCursor says that a cursor is none, or is of another log.
	ErrCursor = errors.New("export: the cursor is malformed")
	// ErrManifest says that a manifest or a listing is malformed.
	ErrManifest = errors.New("export: manifest is malformed")
	// ErrSink is every error of a sink but ErrDiffers: it may pass by itself, and is
	// that of all logs that go there.
	ErrSink = errors.New("export: the sink cannot be used")
)

// MaxObject is the size in bytes of the largest object: the largest batch in the
// longest of the formats, twice over.
const MaxObject = 64 << 20

// Folders of a tenant.
const (
	entriesFolder    = "entries/"
	checkpointFolder = "checkpoints/"
	manifestFolder   = "manifests/"
	listingFolder    = "listings/"
	keyFolder        = "keys/"
)

// number writes an index or a size so that names sort: audit.MaxSize has 15 digits.
func number(n int64) string { return fmt.Sprintf("%015d", n) }

// Object is what an export has written, named below the folder of its tenant.
type Object struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex
}

// maxObjectName is longer than any name of ours.
const maxObjectName = 128

// check tells whether an object may stand in a manifest.
func (o Object) check() error {
	if !isHex(o.SHA256) || !isObjectName(o.Name) {
		return fmt.Errorf("%w: an object is 64 hex digits and a name", ErrManifest)
	}
	return nil
}

func isHex(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isObjectName takes parts that are names, none of which leads elsewhere.
func isObjectName(s string) bool {
	if len(s) > maxObjectName {
		return false
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '/' {
			continue
		}
		if part := s[start:i]; !audit.IsName(part) || part[0] == '.' {
			return false
		}
		start = i + 1
	}
	return true
}

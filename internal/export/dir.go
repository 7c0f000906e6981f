package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/counterfoil/counterfoil/internal/durable"
)

// Dir is a folder as a sink. It never replaces or removes a file; whoever has the
// folder can, so it is worth as much as the place that it is carried to.
type Dir struct {
	files durable.Folder
}

// OpenDir uses a folder, and makes it where it is missing.
func OpenDir(path string) (*Dir, error) {
	d := &Dir{files: durable.Folder{Root: path}}
	return d, d.Ready(context.Background())
}

// Put implements Sink.
func (d *Dir) Put(ctx context.Context, name string, body []byte) error {
	if err := checkObject(ctx, name, body); err != nil {
		return err
	}
	err := d.files.Create(name, body)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, err := d.Get(ctx, name)
	if err != nil {
		return err
	}
	if !bytes.Equal(there, body) {
		return fmt.Errorf("%w: %s", ErrDiffers, name)
	}
	// It may be from a call that was cut off before the name was durable.
	return d.files.Settle(name)
}

// Get implements Sink.
func (d *Dir) Get(ctx context.Context, name string) ([]byte, error) {
	if err := checkObject(ctx, name, nil); err != nil {
		return nil, err
	}
	return d.files.Read(name, MaxObject)
}

// Ready implements Sink.
func (d *Dir) Ready(context.Context) error {
	if err := os.MkdirAll(d.files.Root, 0o750); err != nil {
		return fmt.Errorf("%w: %w", ErrSink, err)
	}
	file, err := os.CreateTemp(d.files.Root, durable.TemporaryPrefix+"*")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSink, err)
	}
	if err := errors.Join(file.Close(), os.Remove(file.Name())); err != nil {
		return fmt.Errorf("%w: %w", ErrSink, err)
	}
	return nil
}

// checkObject holds a call to the contract of a sink.
func checkObject(ctx context.Context, name string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !isObjectName(name) {
		return fmt.Errorf("%w: no such name", ErrSink)
	}
	if len(body) > MaxObject {
		return fmt.Errorf("%w: an object of %d bytes, at most %d", ErrSink, len(body), MaxObject)
	}
	return nil
}

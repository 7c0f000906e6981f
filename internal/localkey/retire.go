package localkey

import (
	"context"
	"fmt"
)

// Retire destroys every version below the given one, for every tenant: nothing
// opens what they wrapped any more, unless a copy of the file was kept. To retire
// what is retired already changes nothing.
//
// The file with those versions is replaced as by a rotation. Its blocks may stay
// readable on the disk for a while; who can read a disk like that can also read
// the copies.
func (k *Key) Retire(ctx context.Context, below int) error { return k.retire(ctx, below, noFault) }

func (k *Key) retire(ctx context.Context, below int, before step) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	unlock, err := lockFolder(k.path)
	if err != nil {
		return err
	}
	defer unlock()
	f, err := readFile(k.path)
	if err != nil {
		return err
	}
	if below > f.last() {
		f.wipe()
		return fmt.Errorf("localkey: version %d cannot be the oldest: the current one is %d", below, f.last())
	}
	if below > f.Versions[0].Version {
		// They are wiped here only once the file is durable without them: until
		// then this process must go on opening what the file still can.
		f.Versions = f.Versions[below-f.Versions[0].Version:]
		f.MinVersion = below
		if err := replaceFile(k.path, f, before); err != nil {
			f.wipe()
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		f.wipe()
		return errClosed
	}
	k.adopt(f)
	return nil
}

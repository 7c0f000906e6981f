package scenario

import (
	"fmt"
	"os"
	"syscall"
)

// What a row takes at most while it is filled in, in bytes, with indexes, what goes with it,
// and what building indexes needs meanwhile.
const (
	roomOfMapping    = 1400
	roomOfEntry      = 6000
	roomOfBareEntry  = 1500
	roomForWAL       = 6 << 30 // with what building an index sorts on the disk
	roomIsToBeSpared = 2 << 30 // for whoever else has this disk
)

// roomFor is what a size of an axis takes.
func roomFor(axis string, size int64) int64 {
	if axis == "mappings" {
		return size * roomOfMapping
	}
	return min(size, wholeEntries)*roomOfEntry + max(0, size-wholeEntries)*roomOfBareEntry
}

// room leaves out the sizes of an axis for which the disk is too small, and says so: a
// full disk stops PostgreSQL, and whatever else is on it.
func (g *growth) room() error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(os.TempDir(), &fs); err != nil {
		return fmt.Errorf("scenario: room on the disk: %w", err)
	}
	free := int64(fs.Bavail) * fs.Bsize //nolint:gosec // no disk has 2^63 bytes
	sizes, left := fitting(g.name, g.sizes, free)
	if left > 0 {
		g.Report.Notes = append(g.Report.Notes, fmt.Sprintf("The disk had %d GiB free: %d of %d sizes of %s were left out.",
			free>>30, left, len(g.sizes), g.name))
	}
	g.sizes = sizes
	return nil
}

// fitting are the sizes that a disk has room for, the smallest first.
func fitting(axis string, sizes []int64, free int64) (some []int64, left int) {
	for i, size := range sizes {
		if roomFor(axis, size)+roomForWAL+roomIsToBeSpared > free {
			return sizes[:i], len(sizes) - i
		}
	}
	return sizes, 0
}

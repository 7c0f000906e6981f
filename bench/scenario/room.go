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
	roomOfSoaked     = 1400    // of a request of a soak
	roomForSoak      = 4 << 30 // its WAL, its mappings, and terms until they are thrown away
	roomIsToBeSpared = 2 << 30 // for whoever else has this disk
)

// roomFor is what a size of an axis takes.
func roomFor(axis string, size int64) int64 {
	if axis == "mappings" {
		return size * roomOfMapping
	}
	return min(size, wholeEntries)*roomOfEntry + max(0, size-wholeEntries)*roomOfBareEntry
}

// freeRoom is what the disk has on which sites are made.
func freeRoom() (int64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(os.TempDir(), &fs); err != nil {
		return 0, fmt.Errorf("scenario: room on the disk: %w", err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil //nolint:gosec // no disk has 2^63 bytes
}

// room leaves out the sizes of an axis for which the disk is too small, and says so: a
// full disk stops PostgreSQL, and whatever else is on it.
func (g *growth) room() error {
	free, err := freeRoom()
	if err != nil {
		return err
	}
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

// room is how many of so many requests of a soak the disk has room for; it says so where
// that is less.
func (s *soak) room(requests int64) (int64, error) {
	free, err := freeRoom()
	if err != nil {
		return 0, err
	}
	most := lasting(free)
	if most < 1 {
		return 0, fmt.Errorf("scenario: no room for a soak: %d GiB on the disk are free", free>>30)
	}
	if requests > most {
		s.Report.Notes = append(s.Report.Notes, fmt.Sprintf("The disk had %d GiB free: the soak ends after %s requests.", free>>30, grouped(most)))
	}
	return min(requests, most), nil
}

// lasting is how many requests of a soak fit into so much: each leaves an entry, without
// the terms that are thrown away.
func lasting(free int64) int64 { return (free - roomForSoak - roomIsToBeSpared) / roomOfSoaked }

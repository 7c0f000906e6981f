package sqlite

import "time"

const (
	// readers is the number of connections that read. Reads are short and
	// come from the page cache; more would only wait for the same two cores.
	readers = 4
	// busyTimeout is how long a statement waits for a lock of somebody who
	// opened the file with another tool.
	busyTimeout = 5 * time.Second
	// journalLimit is what the write-ahead log is cut back to after a
	// checkpoint, should a long read have let it grow.
	journalLimit = 64 << 20
	// pageCache bounds the pages in memory, in KiB, of the connection that writes:
	// those of 10^5 values with their ties, which an erasure walks in one commit.
	// With the 2 MB that SQLite has by itself each of them is read again and again.
	pageCache = 64 << 10
	// maxID is the longest identifier that the tables take.
	maxID = 64
	// maxNote bounds a note; a checkpoint has a few hundred bytes.
	maxNote = 1 << 20
	// defaultPage is how many entries are read where no limit is given.
	defaultPage = 1000
)

// Package system starts what is measured, and reads from the outside what it costs:
// PostgreSQL with fsync on, a real transit server with its file audit on, the service
// as the release binary, and the floor.
//
// # What runs
//
// [Open] builds the two programs as `make build` does (no cgo, trimmed, stripped), and
// makes one site: a PostgreSQL of its own (package pgtest: Debian's binaries, fsync and
// synchronous_commit on, checked with SHOW before anything is measured), a HashiCorp
// Vault with transit, KV, AppRole and the file audit device (package transittest), an
// issuer that publishes its keys, the keys and the tenants, and a policy of 100 rules.
// The site is set up by the commands that an operator uses. Service and floor are
// processes of their own and share the one PostgreSQL, in two databases: what one of
// them finds (settings, disk, socket) the other finds too.
//
// Nothing in between is missing but TLS: service and floor listen with plain HTTP on
// 127.0.0.1, which the service allows there, and speak with PostgreSQL by its socket and
// with the transit server by loopback. A handshake is a cost of connections, not of
// requests, and both sides would pay the same for their records. No rates are
// configured; the other limits are the defaults.
//
// # Where it lies
//
// Data has to be on a disk: a file system in memory is refused, since fsync costs nothing
// there. PostgreSQL's folder is made under TMPDIR (the path of its socket must be short),
// all else under Options.Dir. Everything ends with this process, also when it is killed
// (PR_SET_PDEATHSIG, and a pipe to the transit server); the folder that is left then is
// removed by the next Open. So the package is for Linux alone, as is /proc, from which
// CPU and memory are read.
//
// # What the figures are
//
// CPU is utime and stime of a process, its children and those it has reaped, in ticks of
// 10 ms; of this process by getrusage, in microseconds. Memory is what is resident; of
// PostgreSQL the proportional share (PSS) over all its processes, so that shared buffers
// count once. Allocations and goroutines are what the service says at /metrics. WAL bytes
// are the difference of two positions in it, which is exact. Fsyncs are pg_stat_wal's: a
// backend hands in its counts at most once a second, so a stretch that begins and ends
// under the same load is right to about its rate, and one of less than some seconds
// is not. Vault calls are counted in the audit file, whose every request is one line.
package system

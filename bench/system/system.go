// Package system starts what is measured, and reads from the outside what it costs:
// PostgreSQL with fsync on, a real transit server with its file audit on, the service
// as the release binary, and the floor.
package system

import "time"

// The names of processes in samples and reports.
const (
	Counterfoil = "counterfoil"
	Floor       = "floor"
	Postgres    = "postgres"
	Transit     = "transit"
	Load        = "load" // this process
)

// Usage is what a stretch of time cost.
type Usage struct {
	Elapsed time.Duration
	CPU     map[string]time.Duration // by process, children included
	RSS     map[string]int64         // bytes, at its end
	// Of the service, from its metrics.
	Allocs, AllocBytes int64
	Goroutines         int64 // at its end
	// VaultCalls are requests that the transit server wrote into its audit file.
	VaultCalls int64
	// Of PostgreSQL (pg_stat_wal): WAL bytes, and how often WAL was made durable.
	WALBytes, Fsyncs int64
}

// Site is all that runs.
type Site struct{}

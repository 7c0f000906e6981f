package postgres

import "time"

// The limits, each with the reason for its number. None of the timeouts of the
// server is in force around COMMIT: a COMMIT that is cancelled while it waits
// for a standby is committed here, and perhaps nowhere else.
const (
	// AppConns is how many connections serve: half of them for the commits of
	// as many tenants at a time, the rest for reads, which take a millisecond.
	AppConns = 16
	// DestroyConns is the same of the role that destroys. Destruction of one
	// tenant is serial, and rare.
	DestroyConns = 4
	// Workers is how many tenants commit at the same time.
	Workers = AppConns / 2
	// auditConns is for verification, which reads one log after the other.
	auditConns = 2

	// connectTimeout is how long a new connection may take. A server that is
	// there answers in milliseconds.
	connectTimeout = 3 * time.Second
	// acquireTimeout is how long a batch waits for a connection of the pool.
	acquireTimeout = 3 * time.Second
	// statementTimeout bounds one statement. The largest batch takes a tenth
	// of a second.
	statementTimeout = 10 * time.Second
	// reportTimeout is that of counting all that a tenant has, or what a match is
	// about: a million mappings take six seconds, and twenty on a busy machine.
	reportTimeout = 2 * time.Minute
	// lockTimeout bounds the wait for the head of a log: another replica has
	// it for the length of a commit.
	lockTimeout = 5 * time.Second
	// idleTimeout ends a transaction whose client went silent between two
	// statements, and with it the lock on the head.
	idleTimeout = 5 * time.Second
	// stepTimeout bounds a round trip as seen from here, should the network
	// swallow the answer. It is longer than all that the server allows.
	stepTimeout = statementTimeout + lockTimeout
	// commitPatience is how long the answer to COMMIT is waited for. After it
	// the outcome is unknown, and is looked up.
	commitPatience = 30 * time.Second
	// lookupPatience is how long it is tried to look up an unknown outcome: a
	// server that crashed is back after its recovery.
	lookupPatience = 30 * time.Second
	// lookupPause is between two such attempts.
	lookupPause = 50 * time.Millisecond
	// replanAfter is how long a connection keeps its plans. To make them anew
	// takes some milliseconds; in so long a table grows by what a busy tenant
	// writes in as long, which is quickly read. Beside a table that was empty that is
	// much: the first plans of a connection are kept for replanFirst, and the next
	// each twice as long.
	replanAfter = 10 * time.Second
	replanFirst = time.Second
	// maxShared is how many reads share one: more would make the first wait for the
	// last, and save little.
	maxShared = 64
	// attempts is how often a transaction is begun that failed before its
	// COMMIT for a reason that passes: the second has a new connection.
	attempts = 2

	// breakAfter attempts in a row without any answer have the server left
	// alone; every breakFor it is asked whether it is back.
	breakAfter = 3
	breakFor   = 2 * time.Second
	// silentAfter is how long an attempt must have waited for an answer to
	// count where its caller gave up on it. An answer takes milliseconds.
	silentAfter = time.Second

	// maxSkew is how far this machine's clock may be from the database's: keys
	// in memory and tokens of callers live by the one, entries by the other.
	maxSkew = 2 * time.Second
	// sweepWindow is how many expired mappings one statement asks the holds
	// about. Each costs some microseconds for each hold, so beside fifty that is
	// half of statementTimeout; a smaller window is skipped more often on the
	// way to the last.
	sweepWindow = 50_000
	// maxNote bounds a note; a checkpoint has a few hundred bytes.
	maxNote = 1 << 20
	// defaultPage is how many entries are read where no limit is given.
	defaultPage = 1000

	// minServer is the oldest PostgreSQL that the statements are written for.
	minServer = 15_00_00
)

// The limits of the columns, which the tables check too: a change that breaks
// one fails alone, before anything is written.
const (
	maxID         = 64
	maxClient     = 256
	maxIdentifier = 256 // of a matter and who is in charge of it
	maxWrapped    = 64 << 10
)

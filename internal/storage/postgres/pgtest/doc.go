// Package pgtest gives tests a real PostgreSQL. A package that uses it has a
// TestMain of one line:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m).Run()) }
//
// and its tests take a database each:
//
//	db := pgtest.New(t) // migrated, empty, with a DSN for each role
//
// The server is started when the first test asks for it, from Debian's
// binaries (the newest under /usr/lib/postgresql), in a temporary folder, by
// an unprivileged user where the tests run as root, with fsync on: what a test
// shows of durability is shown of the real thing. It ends with the test
// binary, also when that is killed; what that leaves is removed by the next. Databases are copies of a migrated
// template, so that a new one costs a few milliseconds.
//
// The databases sort by ICU rules unless told otherwise, on purpose: a column
// or a comparison that forgot to be byte-wise is noticed.
//
// Where POSTGRES_URL is set that server is used instead. The URL must be that
// of a superuser; the roles of the service are made there, with passwords that
// everybody knows: it must be a server for tests. Nothing but the roles is left
// there; a process that is killed leaves its databases. Where neither exists, or
// the URL does not answer, the test fails, with the reason: it is not skipped.
package pgtest

// Package fill makes the database of a service large, so that what grows with it can
// be measured without waiting until it has grown.
//
// What it writes is like what stands: it copies a mapping, its scope, its key and an
// entry that the service wrote for the tenant, each time with ids and digests of their
// own, so that rows and index keys are as long as real ones. Values are random bytes
// under keys that do not open: they are there to be walked past, not to be restored.
//
// The log that it appends is a real one. Entries are made and hashed by package audit,
// follow the head that the service left, and take their terms, nodes and frontier with
// them; a chunk of them is one transaction. So the log is sound at any moment, the
// service goes on with it, and the verifier finds nothing to complain of.
//
// It works as the superuser, with no trigger and no foreign key in force, without
// waiting for the disk, and while no service is running: nothing that it does is what
// is measured. Large steps are written without indexes, which are built again at the
// end, no fuller than those that grew row by row. A process that dies in such a step
// leaves a database without indexes, which is of no more use.
package fill

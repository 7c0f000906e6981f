// Package objectstoretest starts a real S3 server for tests: versitygw on a folder,
// with TLS, versions and Object Lock.
//
// It is installed once, outside the tree, which takes some minutes the first time.
// A test that needs it is skipped where it cannot be had, and says why.
package objectstoretest

// Package embedded is the whole service in one folder: an SQLite file, a local
// key file, a development issuer, the shipped policy, and the tenants of the
// development mode. The command's development mode, its tests and its offline
// verification all open the folder through here, so that none of them can
// disagree on where things are or on what is refused.
//
// What is lost on failure: nothing that was acknowledged. The database commits
// durably; the key file, the issuer and the anchors are written once or
// replaced atomically. Losing the key file loses every value: it is never made
// anew beside a database that exists.
package embedded

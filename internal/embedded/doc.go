// Package embedded is a service whose parts are on one machine: an SQLite file,
// a local key file, anchors and public log keys in folders. [Open] is the
// development mode: all of it in one folder, which it makes, with a development
// issuer and two tenants. [OpenService] is a configured service: its key file is
// made by [CreateKey] and its tenants by [CreateTenant], each on purpose and
// never by starting or by a request, and its issuers are those of the
// configuration. Commands, tests and offline verification all come through here,
// so that none of them can disagree on where things are or on what is refused.
//
// What is lost on failure: nothing that was acknowledged. The database commits
// durably; the key file, the issuer and the anchors are written once or
// replaced atomically. Losing the key file loses every value: it is never made
// anew beside a database that exists.
package embedded

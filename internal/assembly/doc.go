// Package assembly puts a service together: a store, a key wrapper, anchors,
// issuers, the domain over them. [Open] is the development mode: an SQLite
// file, a local key file and all the rest in one folder, which it makes, with a
// development issuer and two tenants. [OpenService] is a configured service,
// on the backends that [Backends] names: its key file is made by [CreateKey] and
// its tenants by [CreateTenant], each on purpose and never by starting or by a
// request, and its issuers are those of the configuration. Commands, tests and
// offline verification all come through here, so that none of them can disagree
// on where things are or on what is refused.
//
// What is lost on failure: nothing that was acknowledged. The store commits
// durably; the key file, the issuer and the anchors are written once or
// replaced atomically. Losing the key file loses every value: it is never made
// anew beside a database that exists.
//
// A database that is older than what is kept outside it is refused: a head behind
// its anchor, or a journal with an erasure that is not in it. [Recover] takes such
// a copy up where no newer one is left.
package assembly

// Package objectstore is an export.Sink on S3, or on what speaks as S3 does. It is
// the only importer of the AWS SDK.
//
// # What is promised
//
// Every object is put with Object Lock in compliance mode, where that is configured:
// until the date that goes with it nobody can delete that version of it or shorten
// the time, not the account's owner either. A bucket that has no Object Lock is
// refused at the start, since such a promise could not be kept there. An object is
// created if there is none of its name (If-None-Match), and its SHA-256 goes with it,
// so that what arrives is what was sent or nothing.
//
// Put is nil only after the store has acknowledged, or has an object of these very
// bytes; in that case the lock is looked at, too, and put where it was missing.
// Where a store does not know conditions, the name is looked up before and after: of
// two that create an object at once one may then hide the other behind a newer
// version, and both versions stay.
//
// As in every bucket with versions, whoever may write can put a newer version, or a
// marker of deletion, before a locked one. The locked one stays beneath, for whoever
// asks for versions, and a manifest tells by its hashes which one is right.
//
// # What is lost on failure
//
// Nothing: a call that was cut off may have created its object, which the same call
// then finds. Calls are not repeated here; see export.Attempts. Errors carry the
// name of the object and the code of the store, never a credential.
package objectstore

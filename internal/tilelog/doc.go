// Package tilelog keeps the log of a tenant as a folder in the layout of
// https://c2sp.org/tlog-tiles, behind the head of the database: any web server that
// serves files can serve it, and every tool that reads such logs can read it.
//
//	checkpoint                  the head, signed
//	tile/0/x001/234             256 leaf hashes; tile/1/... the levels above
//	tile/entries/x001/234       the leaves of a tile of level 0
//	tile/0/x001/235.p/17        a partial one, at the right edge
//
// # Life of an advance
//
//  1. The folder's own checkpoint says how far it is; its signature is checked, and
//     that the database has the same root there. Nothing else is believed of it.
//  2. What the new head has and the old one has not is written: each file whole,
//     under a name that the old head never leads to, or with the bytes that are
//     there already. The old checkpoint stands, and all that it leads to.
//  3. All new hashes are read back, through the tiles, up to the root that is
//     signed, and the names of all files are made durable.
//  4. The new checkpoint takes the place of the old one, by one rename.
//  5. Partial tiles that neither of the two heads leads to are taken away: readers
//     that took the old checkpoint a moment ago still find theirs.
//
// Killed at any point, power failing included, the folder is a whole log of the old
// head or of the new one, and the next advance ends as this would have. A file that
// was written for a head that never came to be is used, or replaced, or taken away.
//
// # What is promised
//
// A reader who follows a checkpoint of the folder finds every tile below its size,
// and every entry whose leaf was not pruned before it came here: a bundle that cannot
// be whole is left out, which a reader of such logs takes for entries that are gone.
// What is in the folder stays in it, for whoever prunes to take away. A database that
// lost entries, or has others, is ErrBehind or ErrFork, and the folder stays as it is.
package tilelog

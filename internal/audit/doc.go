// Package audit is the format of the audit log: what an entry is, which bytes
// of it are hashed, and how a log of them proves itself.
//
// # Entry and leaf
//
// An Entry says who did what, for which reason, under which policy. It holds
// identifiers, digests, counts and decisions, never a value and never free
// text: every string is held to a charset without spaces, quotes or control
// characters, so a sentence or a JSON fragment cannot be written at all.
// The leaf is the entry in canonical JSON (RFC 8785: keys sorted, no white
// space, integers only). It is stored as it was hashed; nothing ever encodes
// an entry a second time to check a hash. ParseLeaf accepts exactly the bytes
// that Leaf writes: one entry, one leaf.
//
// A request that names more than MaxTokens tokens, or would not fit into
// MaxLeaf bytes, becomes several linked entries of one change: same change_id,
// seq 0..parts-1, and prev holding the leaf hash of the one before. They stand
// next to one another in the log, in the order of seq.
//
// # Tree
//
// The leaves are those of an RFC 6962 Merkle tree (SHA-256, prefix 0x00 for
// leaves and 0x01 for nodes), in the coordinates of golang.org/x/mod/sumdb/tlog:
// node (level, n) covers the leaves [n<<level, (n+1)<<level). Only complete
// subtrees are stored, once and for ever. The Frontier (the maximal complete
// subtrees, at most one per bit of the size) is all that a writer needs to
// append: it lives in the head row and moves in the same commit as the entries.
//
// # Head, receipt, anchor
//
// A head is signed as a C2SP tlog-checkpoint inside a C2SP signed-note, with
// Ed25519. A Receipt carries one entry's index and leaf hash, the inclusion
// proof and that checkpoint: it verifies with the public key alone. An Anchor
// is what is put outside the database, so that an older copy of the database
// is noticed at the next start.
//
// # Tiles, statements, handovers
//
// Other tools read a log as C2SP tlog-tiles: Tile names hash tiles and entry bundles
// by their paths, Tiles lists what a log that grew has more. Whatever the key of a
// log signs beside checkpoints is a Statement: the list of files of an export or of a
// bundle of evidence, and the Handover by which a key vouches for the next. Its first
// line holds a space and that of a checkpoint never does, so neither passes as the
// other.
//
// # What is promised, and what is lost on failure
//
// Given one checkpoint, no leaf below its size can be changed, dropped, moved
// or invented without RuleRoot or an earlier rule of package verify going red;
// given two, neither can history be rewritten between them. Entries that were
// committed but not yet signed when the process died are in the tree (the
// frontier moved with them) and come under the next checkpoint; until then no
// signature speaks for them. Who holds the signing key can write a second
// history; anchors, receipts and checkpoints that others keep are what shows it.
//
// Formats: RFC 6962 section 2.1, RFC 8785, RFC 3339,
// https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note,
// https://c2sp.org/tlog-tiles.
package audit

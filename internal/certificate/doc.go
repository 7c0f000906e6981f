// Package certificate is what the service shows of itself at the TLS door, and
// whom it lets through: a certificate with its key, and the authorities of
// clients where clients must show one.
//
// It promises TLS 1.3 and nothing older, and that files which are replaced
// take effect without a restart: they are read again every [CheckEvery] and
// when [Keeper.Check] is called. Every handshake sees one whole state, the old
// one or the new one. What does not fit together (a certificate whose key is
// not written yet), cannot be read, or is not valid now is not taken; the last
// good state stays, and the logger is told. At the start there is no good state
// to keep, so that [Open] fails.
//
// Sessions are not resumed: every connection is judged by the files as they are
// now, not by a ticket from before. A connection that stands is not cut by new
// files.
//
// Formats: RFC 8446 (TLS 1.3), RFC 5280 (certificates), RFC 7468 (PEM).
package certificate

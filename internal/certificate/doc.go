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
// Sessions are not resumed: a resumed one would skip the certificate, and a
// client whose authority was taken out would come back with its ticket. A
// connection that stands is not cut by new files.
//
// Formats: RFC 8446 (TLS 1.3), RFC 5280 (certificates), RFC 7468 (PEM).
package certificate

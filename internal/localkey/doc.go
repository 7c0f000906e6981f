// Package localkey is an [envelope.KeyWrapper] whose root keys are in a file:
// for development, for tests, and for one node without a key service.
//
// # What it promises
//
// Each tenant has a wrapping key of its own, derived from the root key, so a
// key that was wrapped for one tenant does not open for another:
//
//	wrapping key = HKDF-SHA-256 (RFC 5869) (root key of the version, no salt,
//	               "counterfoil/local-key/1/wrap" ‖ 0x00 ‖ tenant, 32 bytes)
//	wrapped key  = 0x01 ‖ AES-256-GCM nonce (12, random) ‖ ciphertext ‖ tag (16)
//	associated data = "counterfoil/local-wrap" ‖ 0x01 ‖ version (8 bytes, big endian)
//	                  ‖ length of tenant (8 bytes, big endian) ‖ tenant
//
// NIST SP 800-38D allows 2^32 such wraps per key and version; a busy tenant
// needs some thousands per minute, so a version would last for years and is
// replaced every few days.
//
// A rotation gives every tenant a new version. Older versions stay in the file
// and open what they wrapped, down to the minimum version; what is below it
// answers [envelope.ErrVersionGone]. [Key.Retire] destroys those, for every
// tenant, by a file without them.
//
// # The file
//
// JSON in one text form, written by this package only: two blanks of
// indentation, the fields in this order, a newline at the end. A file that was
// cut, extended or edited is refused, not guessed at.
//
//	{
//	  "format": "counterfoil-local-key/1",
//	  "versions": [
//	    {
//	      "version": 1,
//	      "created": "2026-01-02T03:04:05Z",
//	      "key": "32 bytes in standard base64"
//	    }
//	  ],
//	  "min_version": 1
//	}
//
// Versions are numbered without a gap. Nobody but the owner may read or write
// the file, and its path is not a symbolic link.
//
// It is written to a temporary file in the same folder, which is synced,
// renamed over the old one, and the folder synced. A crash at any point leaves
// the old file or the new one, whole, and at most a temporary file beside it,
// which holds keys, is readable by the owner only, and may be deleted. A new
// version wraps nothing before its file is durable.
//
// # What is lost
//
// Whoever has the file and the database has every value. Without the file the
// values are gone, for good; so the file needs a backup, in another place than
// the database's. Copies of the file undo the destruction of versions: erasure
// reaches as far as the oldest copy.
//
// One process uses a key file at a time. Rotations by another process are
// never lost, but are seen only when the file is opened again. The package
// needs a Unix: file modes and locks mean nothing elsewhere.
package localkey

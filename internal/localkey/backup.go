package localkey

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// ErrBackup says that a backup of a key file is not what this package writes, or
// that the shares do not open it.
var ErrBackup = errors.New("localkey: the backup is refused")

// backupFormat names the format of a backup, which is JSON in one text form, as the
// key file is:
//
//	{
//	  "format": "counterfoil-local-key-backup/1",
//	  "id": "16 hex digits, random",
//	  "shares": 5,
//	  "threshold": 3,
//	  "sealed": "standard base64"
//	}
//
//	recovery key = a random scalar of the group P-256, 32 bytes, split by Shamir
//	sealing key  = HKDF-SHA-256 (recovery key, no salt,
//	               "counterfoil/local-key-backup/1/seal" ‖ 0x00 ‖ id, 32 bytes)
//	sealed       = AES-256-GCM nonce (12, random) ‖ ciphertext of the key file ‖ tag (16)
//	associated data = all of the JSON text with an empty "sealed"
const backupFormat = "counterfoil-local-key-backup/1"

const backupInfo = "counterfoil/local-key-backup/1/seal\x00"

// backupIDSize is that of an id in bytes: it only tells backups apart.
const backupIDSize = 8

// backupFile is the content of a backup.
type backupFile struct {
	Format    string `json:"format"`
	ID        string `json:"id"`
	Shares    int    `json:"shares"`
	Threshold int    `json:"threshold"`
	Sealed    []byte `json:"sealed"`
}

func (f backupFile) text() []byte {
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic("localkey: a backup cannot be printed: " + err.Error())
	}
	return append(b, '\n')
}

// Backup seals a key file under a recovery key, of which it returns the shares: any
// threshold of them open the backup. They are kept nowhere. What is at to is never
// overwritten. A backup is a copy of the key file: it brings back versions that are
// retired later, and counts for the time that such copies are kept.
func Backup(path, to string, shares, threshold int) ([]string, error) {
	content, err := readFile(path)
	if err != nil {
		return nil, err
	}
	defer content.wipe()
	id := make([]byte, backupIDSize)
	_, _ = rand.Read(id) // it never fails
	f := backupFile{Format: backupFormat, ID: hex.EncodeToString(id), Shares: shares, Threshold: threshold}
	key, lines, err := split(f.ID, shares, threshold)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	plain := content.text()
	defer clear(plain)
	f.Sealed = f.aead(key).Seal(nil, nil, plain, f.text()) //nolint:gosec // GCM with random nonces draws its own; the key seals this once
	if err := writeNew(to, f.text()); err != nil {
		return nil, err
	}
	return lines, nil
}

// Restore opens a backup with shares of its recovery key and writes the key file,
// where there is none.
func Restore(from, to string, shares []string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	f, err := parseBackup(text)
	if err != nil {
		return err
	}
	key, err := join(f.ID, f.Threshold, shares)
	if err != nil {
		return err
	}
	defer clear(key)
	bound := f
	bound.Sealed = nil
	plain, err := f.aead(key).Open(nil, nil, f.Sealed, bound.text())
	if err != nil {
		return fmt.Errorf("%w: the shares do not open it, or it was altered", ErrBackup)
	}
	defer clear(plain)
	content, err := parseFile(plain)
	if err != nil {
		return err
	}
	defer content.wipe()
	unlock, err := lockFolder(to)
	if err != nil {
		return err
	}
	defer unlock()
	taken, err := exists(to)
	if err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	if taken {
		return fmt.Errorf("localkey: %s stays as it is: %w", to, fs.ErrExist)
	}
	return replaceFile(to, content, noFault)
}

// parseBackup reads the one text form.
func parseBackup(text []byte) (backupFile, error) {
	var f backupFile
	if len(text) > 2*maxFileSize || json.Unmarshal(text, &f) != nil || f.Format != backupFormat || !bytes.Equal(f.text(), text) {
		return backupFile{}, fmt.Errorf("%w: it is no backup, or was edited", ErrBackup)
	}
	if len(f.ID) != 2*backupIDSize || f.Threshold < 2 || f.Threshold > f.Shares || f.Shares > MaxShares {
		return backupFile{}, fmt.Errorf("%w: it was edited", ErrBackup)
	}
	return f, nil
}

// aead is the cipher of a recovery key for this backup.
func (f backupFile) aead(recovery []byte) cipher.AEAD {
	// No salt: a scalar is uniformly random but for a part in 2^32, and HKDF takes
	// care of that (RFC 5869, 3.1).
	key, err := hkdf.Key(sha256.New, recovery, nil, backupInfo+f.ID, envelope.KeySize)
	if err != nil {
		panic("localkey: HKDF refused 32 bytes: " + err.Error())
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("localkey: AES refused 32 bytes: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("localkey: GCM refused AES: " + err.Error())
	}
	return aead
}

// writeNew writes a file that is not there, whole and durable, or none.
func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("localkey: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close(), syncFolder(filepath.Dir(path))); err != nil {
		_ = os.Remove(path) // of which no share was given out
		return fmt.Errorf("localkey: %w", err)
	}
	return nil
}

package localkey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
)

// MaxShares bounds the shares of a recovery key: more people than that are not
// found on a bad day.
const MaxShares = 16

// ErrShare says that a share is mistyped, of another backup, or given twice, or
// that there are too few. It never holds the share.
var ErrShare = errors.New("localkey: the shares are refused")

// shareGroup is where the recovery key is a scalar: of 256 bits, with a
// well-kept implementation.
var shareGroup = group.P256

// scalarSize is that of a scalar in bytes.
const scalarSize = 32

// share is one of the shares of a recovery key. Its line is
//
//	counterfoil-share-1 <id of the backup> <number> <64 hex digits> <checksum>
//
// where the checksum is the first 8 hex digits of SHA-256 of all before it, without
// the blank: it tells a share that was mistyped, and no more.
type share struct {
	backup string
	number int
	value  group.Scalar
}

const shareTitle = "counterfoil-share-1"

func (s share) String() string {
	value, err := s.value.MarshalBinary()
	if err != nil {
		panic("localkey: a scalar cannot be written: " + err.Error())
	}
	defer clear(value)
	line := fmt.Sprintf("%s %s %d %s", shareTitle, s.backup, s.number, hex.EncodeToString(value))
	return line + " " + checksum(line)
}

func checksum(line string) string {
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:4])
}

func parseShare(line string) (share, error) {
	before, sum, _ := cutLast(line)
	if sum != checksum(before) {
		return share{}, fmt.Errorf("%w: it is mistyped or cut", ErrShare)
	}
	parts := strings.Split(before, " ")
	if len(parts) != 4 || parts[0] != shareTitle {
		return share{}, fmt.Errorf("%w: it is none of this format", ErrShare)
	}
	number, err := strconv.Atoi(parts[2])
	value, hexErr := hex.DecodeString(parts[3])
	defer clear(value)
	s := share{backup: parts[1], number: number, value: shareGroup.NewScalar()}
	if err != nil || hexErr != nil || number < 1 || number > MaxShares || len(value) != scalarSize ||
		s.value.UnmarshalBinary(value) != nil || s.String() != line {
		return share{}, fmt.Errorf("%w: it is none of this format", ErrShare)
	}
	return s, nil
}

// cutLast cuts a line at its last blank.
func cutLast(line string) (before, after string, found bool) {
	n := strings.LastIndexByte(line, ' ')
	if n < 0 {
		return line, "", false
	}
	return line[:n], line[n+1:], true
}

// split makes a recovery key and its shares, any threshold of which give it back
// (Shamir, How to share a secret, 1979). Fewer tell nothing of it.
func split(backup string, shares, threshold int) (key []byte, lines []string, err error) {
	if threshold < 2 || shares < threshold || shares > MaxShares {
		return nil, nil, fmt.Errorf("localkey: of %d to %d shares at least 2 and at most all are needed", threshold, MaxShares)
	}
	secret := shareGroup.RandomNonZeroScalar(rand.Reader)
	key, err = secret.MarshalBinary()
	if err != nil {
		return nil, nil, fmt.Errorf("localkey: recovery key: %w", err)
	}
	sharing := secretsharing.New(rand.Reader, uint(threshold-1), secret)
	for n, part := range sharing.Share(uint(shares)) {
		lines = append(lines, share{backup: backup, number: n + 1, value: part.Value}.String())
	}
	return key, lines, nil
}

// join gives the recovery key back.
func join(backup string, threshold int, lines []string) ([]byte, error) {
	var parts []secretsharing.Share
	seen := make(map[int]bool)
	for n, line := range lines {
		s, err := parseShare(line)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w (the one in line %d)", err, n+1)
		case s.backup != backup:
			return nil, fmt.Errorf("%w: the one in line %d is of another backup", ErrShare, n+1)
		case seen[s.number]:
			return nil, fmt.Errorf("%w: the one in line %d was given before", ErrShare, n+1)
		}
		seen[s.number] = true
		id := shareGroup.NewScalar()
		id.SetUint64(uint64(s.number)) //nolint:gosec // between 1 and MaxShares
		parts = append(parts, secretsharing.Share{ID: id, Value: s.value})
	}
	if len(parts) < threshold {
		return nil, fmt.Errorf("%w: %d are needed, %d were given", ErrShare, threshold, len(parts))
	}
	secret, err := secretsharing.Recover(uint(threshold-1), parts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrShare, err)
	}
	return secret.MarshalBinary()
}

package sqlite

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// micros is a time or a duration as the tables hold it. Times are cut here,
// once, on their way in.
func micros(t time.Time) int64 { return t.UnixMicro() }

// ceilMicros is the first time that the tables hold at a time or after it.
func ceilMicros(t time.Time) int64 { return micros(t.Add(time.Microsecond - 1)) }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// instant is NULL for no time.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}

// moment is no time for NULL.
func moment(column sql.NullInt64) time.Time {
	if !column.Valid {
		return time.Time{}
	}
	return fromMicros(column.Int64)
}

// present is a body, which is never absent: nil and empty are the same.
func present(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}

// storable tells whether identifiers can be stored and compared byte for byte
// in every store: PostgreSQL takes neither NUL nor broken UTF-8, and encoding
// them as JSON would turn two different ones into the same.
func storable(ids ...string) bool {
	for _, id := range ids {
		if !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0 {
			return false
		}
	}
	return true
}

// list encodes identifiers for json_each. Those that cannot be stored are left
// out: no row has them.
func list(ids []string) string { return encode(storableOf(ids)) }

func storableOf(ids []string) []string {
	kept := make([]string, 0, len(ids))
	for _, id := range ids {
		if storable(id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// digestList encodes digests in hexadecimal, for unhex.
func digestList(digests []vault.Digest) string {
	kept := make([]string, len(digests))
	for i, d := range digests {
		kept[i] = hex.EncodeToString(d[:])
	}
	return encode(kept)
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		// Lists of strings, and lists of those, always encode.
		panic("sqlite: " + err.Error())
	}
	return string(b)
}

func decodeList(text string) ([]string, error) {
	var ids []string
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		return nil, fmt.Errorf("sqlite: a list of identifiers: %w", err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return ids, nil
}

// decodeDigests reads digests in hexadecimal.
func decodeDigests(text string) ([]vault.Digest, error) {
	ids, err := decodeList(text)
	if err != nil {
		return nil, err
	}
	var digests []vault.Digest
	for _, id := range ids {
		var d vault.Digest
		if _, err := hex.Decode(d[:], []byte(id)); err != nil {
			return nil, fmt.Errorf("sqlite: a digest: %w", err)
		}
		digests = append(digests, d)
	}
	return digests, nil
}

// optional is NULL for what is empty.
func optional[T string | []byte](v T) any {
	if len(v) == 0 {
		return nil
	}
	return v
}

package postgres

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// micros is a time as the tables hold it. Times are cut here, once, on their
// way in.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// storable tells whether identifiers can be stored and compared byte for byte:
// PostgreSQL takes neither NUL nor broken UTF-8.
func storable(ids ...string) bool {
	for _, id := range ids {
		if !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0 {
			return false
		}
	}
	return true
}

// named tells whether identifiers fit their columns: storable, there, and not
// too long.
func named(ids ...string) bool {
	for _, id := range ids {
		if len(id) == 0 || len(id) > maxID {
			return false
		}
	}
	return storable(ids...)
}

// wrappable tells whether a wrapped key fits its columns.
func wrappable(w envelope.Wrapped) bool {
	return len(w.Bytes) > 0 && len(w.Bytes) <= maxWrapped && w.Version > 0
}

// list leaves out what cannot be stored, since no row has it, and what is named
// again. It is never nil, which would be NULL.
func list(ids []string) []string {
	var kept distinct[string]
	for _, id := range ids {
		if storable(id) {
			kept.add(id)
		}
	}
	return append([]string{}, kept.items...)
}

// digestList has each digest once.
func digestList(digests []vault.Digest) [][]byte {
	var kept distinct[vault.Digest]
	for _, d := range digests {
		kept.add(d)
	}
	return column(kept.items, func(d vault.Digest) []byte { return d[:] })
}

// optional is NULL for what is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func optionalBytes(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// column collects one parameter of a statement on many rows.
func column[R, V any](rows []R, value func(R) V) []V {
	values := make([]V, len(rows))
	for i, r := range rows {
		values[i] = value(r)
	}
	return values
}

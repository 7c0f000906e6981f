package main

import "context"

// store keeps mappings and records: PostgreSQL or SQLite.
type store interface {
	// apply makes all changes durable in one transaction, or none of them.
	apply(ctx context.Context, batch []*change) error
	// read calls found for each of these mappings that is there, in no order. The bytes
	// are the callee's until found returns.
	read(ctx context.Context, scope string, ids []string, found func(id string, sealed []byte)) error
	close() error
}

// mapping is a row.
type mapping struct {
	scope, id, entity string
	sealed            []byte
}

// change is what one request writes: its mappings, if any, and one record.
type change struct {
	mappings []mapping
	record   []byte
	done     chan error // has room for one
}

const (
	// overhead is what sealing adds to a value: key id, nonce and tag.
	overhead = 40
	// recordSize is that of a usual entry of the log.
	recordSize = 500
)

// seal gives a value the size that it would have if it were sealed.
func seal(value string) []byte {
	sealed := make([]byte, len(value)+overhead)
	copy(sealed, value)
	return sealed
}

func open(sealed []byte) string { return string(sealed[:len(sealed)-overhead]) }

// record says what was asked for, in the size of an entry.
func record(operation, scope string, ids []string) []byte {
	b := make([]byte, 0, recordSize)
	b = append(b, operation...)
	b = append(append(b, ' '), scope...)
	for _, id := range ids {
		b = append(append(b, ' '), id...)
	}
	for len(b) < recordSize {
		b = append(b, ' ')
	}
	return b
}

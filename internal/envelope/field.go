package envelope

import (
	"encoding/binary"
	"fmt"
)

// lengthSize is the size of a field's length prefix. See the package comment
// for why it is eight bytes.
const lengthSize = 8

// appendField appends one length-prefixed field.
func appendField[T string | []byte](dst []byte, field T) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(len(field)))
	return append(dst, field...)
}

// cutField splits the first field off; ok is false if b does not begin with a
// whole one.
func cutField(b []byte) (field, rest []byte, ok bool) {
	if len(b) < lengthSize {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint64(b)
	b = b[lengthSize:]
	if n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// checkName refuses what cannot be a tenant or a key id.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: an empty %s", ErrInvalid, what)
	case len(name) > MaxField:
		return fmt.Errorf("%w: a %s of more than %d bytes", ErrInvalid, what, MaxField)
	}
	return nil
}

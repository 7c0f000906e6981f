package envelope

import (
	"bytes"
	"fmt"
)

// Purpose says what a wrapped key is for. A key wrapped for one purpose does
// not unwrap for another.
type Purpose string

// The purposes of wrapped keys. The strings are part of the stored format.
const (
	PurposeData  Purpose = "data-key"
	PurposeIndex Purpose = "index-key"
	PurposeLog   Purpose = "log-signing-key"
)

// frameMagic begins every framed key; its last byte is the format version.
const frameMagic = "counterfoil/key\x01"

// place is where a wrapped key belongs. It is framed with the key, so that the
// key opens nowhere else.
type place struct {
	purpose Purpose
	tenant  string
	id      string
}

// check refuses a place that no key can have.
func (p place) check() error {
	switch p.purpose {
	case PurposeData, PurposeIndex, PurposeLog:
	default:
		return fmt.Errorf("%w: no such key purpose", ErrInvalid)
	}
	if err := checkName("tenant", p.tenant); err != nil {
		return err
	}
	return checkName("key id", p.id)
}

// frame returns the framed key. The caller wipes it.
func (p place) frame(key []byte) []byte {
	size := len(frameMagic) + 4*lengthSize + len(p.purpose) + len(p.tenant) + len(p.id) + len(key)
	b := make([]byte, 0, size) // exact: growing would leave a copy of the key behind
	b = append(b, frameMagic...)
	b = appendField(b, string(p.purpose))
	b = appendField(b, p.tenant)
	b = appendField(b, p.id)
	return appendField(b, key)
}

// unframe returns the key of a frame that was made for exactly this place. The
// key is a part of framed.
func (p place) unframe(framed []byte) ([]byte, error) {
	got, key, err := parseFrame(framed)
	if err != nil {
		return nil, err
	}
	if got != p {
		return nil, fmt.Errorf("%w: the wrapped key belongs to another place", ErrAuthentication)
	}
	return key, nil
}

// parseFrame takes a frame apart. It accepts exactly what frame makes.
func parseFrame(framed []byte) (place, []byte, error) {
	rest, ok := bytes.CutPrefix(framed, []byte(frameMagic))
	if !ok {
		return place{}, nil, fmt.Errorf("%w: not a framed key", ErrAuthentication)
	}
	var fields [4][]byte
	for i := range fields {
		if fields[i], rest, ok = cutField(rest); !ok {
			return place{}, nil, fmt.Errorf("%w: a framed key is cut short", ErrAuthentication)
		}
	}
	if len(rest) != 0 {
		return place{}, nil, fmt.Errorf("%w: a framed key is too long", ErrAuthentication)
	}
	p := place{purpose: Purpose(fields[0]), tenant: string(fields[1]), id: string(fields[2])}
	return p, fields[3], nil
}

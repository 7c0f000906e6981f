package names

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Model is what training made. It is immutable and safe for concurrent use.
type Model struct {
	weights []uint64 // a bucket: one byte for each tag, weight+weightZero
	trans   [tags][tags]int32
	lists   *listTable
	hash    string
}

// The format of a model file, all numbers little endian: magic; int16 transitions row by row; the buckets;
// the 16-bit prints of the table of lists; its flags.
const (
	magic      = "counterfoil names 1\n"
	weightZero = 128
	headerSize = len(magic) + 2*tags*tags
	modelSize  = headerSize + 8<<featureBits + 2<<listBits + 1<<listBits
)

// ErrModel says that a file is no model of this version.
var ErrModel = errors.New("names: not a model of this version")

// ReadModel takes a model apart.
func ReadModel(data []byte) (*Model, error) {
	if len(data) != modelSize || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: %d bytes", ErrModel, len(data))
	}
	m := &Model{hash: hashOfModel(data)}
	data = data[len(magic):]
	number := func() int32 {
		n := int16(binary.LittleEndian.Uint16(data)) //nolint:gosec // the two's complement is what is wanted
		data = data[2:]
		return int32(n)
	}
	for a := range tags {
		for b := range tags {
			m.trans[a][b] = number()
			if !follows(tag(a), tag(b)) {
				m.trans[a][b] = impossible
			}
		}
	}
	m.weights = make([]uint64, 1<<featureBits)
	for i := range m.weights {
		m.weights[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	data = data[8<<featureBits:]
	m.lists = &listTable{prints: make([]uint16, 1<<listBits), flags: make([]lists, 1<<listBits)}
	used := 0
	for i := range m.lists.prints {
		m.lists.prints[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	for i, f := range data[2<<listBits:] {
		m.lists.flags[i] = lists(f)
		if f != 0 {
			used++
		}
	}
	if used > maxFill {
		return nil, fmt.Errorf("%w: the table of lists is too full", ErrModel)
	}
	return m, nil
}

// bytes is the model as ReadModel takes it.
func (m *Model) bytes() []byte {
	out := make([]byte, 0, modelSize)
	out = append(out, magic...)
	for a := range tags {
		for b := range tags {
			v := m.trans[a][b]
			if v == impossible {
				v = 0
			}
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		}
	}
	for _, w := range m.weights {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	for _, p := range m.lists.prints {
		out = binary.LittleEndian.AppendUint16(out, p)
	}
	for _, f := range m.lists.flags {
		out = append(out, byte(f))
	}
	return out
}

// Hash names the model: two models with the same hash find the same.
func (m *Model) Hash() string { return m.hash }

const lanes = 0x00ff00ff00ff00ff

// score adds the weights of the features up: four tags at a time in lanes of 16 bits, which 256 bytes of 255 fit.
func (m *Model) score(f *featureSet) row {
	var even, odd uint64
	for _, at := range f.at[:f.n] {
		w := m.weights[at]
		even += w & lanes
		odd += w >> 8 & lanes
	}
	zero := int32(f.n) * weightZero //nolint:gosec // at most maxFeatures
	var r row
	for t := range tags {
		sum := even
		if t%2 == 1 {
			sum = odd
		}
		r[t] = int32(sum>>(t/2*16)&0xffff) - zero
	}
	return r
}

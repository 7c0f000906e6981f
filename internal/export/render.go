package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Formats are written beside the lines of leaves, which always are.
type Formats struct {
	CSV  bool
	OCSF bool
}

// extensions are the ends of names, one for each format there is.
var extensions = [...]string{".jsonl", ".csv", ".ocsf.jsonl"}

// record is an entry that was read and checked.
type record struct {
	index int64
	leaf  []byte
	hash  audit.Hash
	entry audit.Entry
}

// rendered is an object and its bytes.
type rendered struct {
	Object
	body []byte
}

// render writes a batch in all formats. It depends on the entries alone, so that
// it gives the same bytes whenever it is done.
func (f Formats) render(origin string, d day, batch []record) ([]rendered, error) {
	name := entriesFolder + d.folder() + "/" + number(batch[0].index) + "-" + number(batch[len(batch)-1].index)
	var lines bytes.Buffer
	for _, r := range batch {
		lines.Write(r.leaf)
		lines.WriteByte('\n')
	}
	objects := []rendered{seal(name+extensions[0], lines.Bytes())}
	if f.CSV {
		body, err := csvOf(batch)
		if err != nil {
			return nil, err
		}
		objects = append(objects, seal(name+extensions[1], body))
	}
	if f.OCSF {
		body, err := ocsfOf(origin, batch)
		if err != nil {
			return nil, err
		}
		objects = append(objects, seal(name+extensions[2], body))
	}
	for _, object := range objects {
		if len(object.body) > MaxObject {
			return nil, fmt.Errorf("%w: %s has %d bytes", ErrSink, object.Name, len(object.body))
		}
	}
	return objects, nil
}

func seal(name string, body []byte) rendered {
	sum := sha256.Sum256(body)
	return rendered{Object{Name: name, SHA256: hex.EncodeToString(sum[:])}, body}
}

func names(objects []rendered) []Object {
	list := make([]Object, len(objects))
	for i, object := range objects {
		list[i] = object.Object
	}
	return list
}

package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// state is the body of a cursor: what is out, and what is about to be.
type state struct {
	V      int    `json:"v"`
	Origin string `json:"origin"`
	// Next is the first entry that is not known to be out, and Frontier the tree of
	// those before it.
	Next     int64  `json:"next"`
	Frontier []byte `json:"frontier"`
	// Keys and Checkpoint are how many keys, and which checkpoint, are out.
	Keys       int   `json:"keys"`
	Checkpoint int64 `json:"checkpoint"`
	// Day is the first one without a manifest, and First its first index. The rest is
	// what its manifest will say.
	Day     day            `json:"day"`
	First   int64          `json:"first"`
	Kinds   map[string]int `json:"kinds"`
	Objects []Object       `json:"objects"`
	// Closing says that the manifest of Day may be out, with the entries up to Next:
	// none that comes later is of that day, whatever its time.
	Closing bool `json:"closing,omitempty"`
	// Intent is the batch that may be out in part.
	Intent *intent `json:"intent,omitempty"`
}

// intent is a batch that is about to be written: the entries from Next to below
// To, and the objects that they make.
type intent struct {
	To      int64    `json:"to"`
	Objects []Object `json:"objects"`
}

const stateVersion = 1

func (l Log) load(ctx context.Context) (*state, error) {
	cursor, err := l.Cursor(ctx)
	if err != nil {
		return nil, fmt.Errorf("export: cursor: %w", err)
	}
	if len(cursor.Body) == 0 {
		frontier, err := audit.Frontier{}.MarshalBinary()
		return &state{V: stateVersion, Origin: l.Origin, Frontier: frontier, Checkpoint: -1}, err
	}
	s := &state{}
	read := json.NewDecoder(bytes.NewReader(cursor.Body))
	read.DisallowUnknownFields()
	if err := read.Decode(s); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON of a cursor", ErrCursor)
	}
	if _, err := read.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows it", ErrCursor)
	}
	return s, s.check(l, cursor.Next)
}

func (s *state) check(l Log, next int64) error {
	switch frontier, err := s.frontier(); {
	case err != nil:
		return err
	case s.V != stateVersion:
		return fmt.Errorf("%w: it is of another version", ErrCursor)
	case s.Origin != l.Origin:
		return fmt.Errorf("%w: it is of another log", ErrCursor)
	case s.Next != next || frontier.Size != next || s.First > next || s.First < 0:
		return fmt.Errorf("%w: its indexes do not fit together", ErrCursor)
	case s.Day == "" && next > 0 || s.Day != "" && !s.Day.valid():
		return fmt.Errorf("%w: it has no day", ErrCursor)
	case s.Closing && (s.Day == "" || s.Intent != nil):
		return fmt.Errorf("%w: no day is closed like that", ErrCursor)
	case s.Intent != nil && (s.Intent.To <= next || s.Intent.To-next > MaxBatchEntries):
		return fmt.Errorf("%w: no batch is like the one that it intends", ErrCursor)
	}
	return nil
}

func (s *state) frontier() (audit.Frontier, error) {
	var f audit.Frontier
	if err := f.UnmarshalBinary(s.Frontier); err != nil {
		return f, fmt.Errorf("%w: %w", ErrCursor, err)
	}
	return f, nil
}

func (l Log) save(ctx context.Context, s *state) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("export: cursor: %w", err)
	}
	if len(body) > MaxCursor {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrCursor, len(body), MaxCursor)
	}
	if err := l.SetCursor(ctx, Cursor{Next: s.Next, Body: body}); err != nil {
		return fmt.Errorf("export: cursor: %w", err)
	}
	return nil
}

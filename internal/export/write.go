package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// begin says what is about to be written, and writes it.
func (s *step) begin(ctx context.Context, batch []record) error {
	batch = batch[:s.sameDay(batch)]
	if s.state.Day == "" {
		s.state.Day = s.day(batch[0])
	}
	if _, err := s.grown(batch); err != nil {
		return err
	}
	objects, err := s.Formats.render(s.log.Origin, s.state.Day, batch)
	if err != nil {
		return err
	}
	s.state.Intent = &intent{To: batch[len(batch)-1].index + 1, Objects: names(objects)}
	if err := s.log.save(ctx, s.state); err != nil {
		return err
	}
	return s.write(ctx, batch, objects)
}

// finish writes the batch that is intended: whatever of it is out already is what
// is written now.
func (s *step) finish(ctx context.Context, batch []record) error {
	formats := Formats{}
	for _, object := range s.state.Intent.Objects {
		formats.CSV = formats.CSV || strings.HasSuffix(object.Name, extensions[1])
		formats.OCSF = formats.OCSF || strings.HasSuffix(object.Name, extensions[2])
	}
	objects, err := formats.render(s.log.Origin, s.state.Day, batch)
	if err != nil {
		return err
	}
	if len(objects) != len(s.state.Intent.Objects) {
		return fmt.Errorf("%w: its batch has other objects", ErrCursor)
	}
	return s.write(ctx, batch, objects)
}

// write puts the objects of the intent, then the checkpoint that covers them, and
// goes on to the next batch.
func (s *step) write(ctx context.Context, batch []record, objects []rendered) error {
	frontier, err := s.grown(batch)
	if err != nil {
		return err
	}
	for i, object := range objects {
		if err := s.putIntended(ctx, i, object); err != nil {
			return err
		}
	}
	// The batch is out. A crash from here to the end writes it once more, which
	// changes nothing.
	if err := s.putCheckpoint(ctx); err != nil {
		return err
	}
	next := s.state
	if next.Kinds == nil {
		next.Kinds = make(map[string]int)
	}
	for _, r := range batch {
		next.Kinds[string(r.entry.Kind)]++
	}
	next.Objects = append(next.Objects, next.Intent.Objects...)
	next.Next, next.Frontier, next.Intent = next.Intent.To, frontier, nil
	if len(next.Objects) >= ListAfter {
		if err := s.list(ctx); err != nil {
			return err
		}
	}
	if err := s.log.save(ctx, next); err != nil {
		return err
	}
	s.tell()
	s.progress.Oldest, s.progress.More = time.Time{}, true
	return nil
}

// putIntended puts an object of the intent. After an update of the program it may
// look otherwise than it was intended: then what is out counts, and nothing else
// is written under its name.
func (s *step) putIntended(ctx context.Context, i int, object rendered) error {
	intended := &s.state.Intent.Objects[i]
	if intended.Name != object.Name {
		return fmt.Errorf("%w: its batch has other names", ErrCursor)
	}
	if intended.SHA256 != object.SHA256 {
		there, err := s.get(ctx, object.Name)
		switch {
		case err == nil && seal(object.Name, there).Object == *intended:
			return nil
		case err == nil:
			return fmt.Errorf("%w: %s", ErrDiffers, object.Name)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		*intended = object.Object
		if err := s.log.save(ctx, s.state); err != nil {
			return err
		}
	}
	return s.put(ctx, object.Name, object.body)
}

// grown is the tree with a batch. Where the batch ends with what is signed, the
// root must be the one that is: a log that was changed is not exported.
func (s *step) grown(batch []record) ([]byte, error) {
	frontier, err := s.state.frontier()
	if err != nil {
		return nil, err
	}
	leaves := make([][]byte, len(batch))
	for i, r := range batch {
		leaves[i] = r.leaf
	}
	added, err := frontier.Append(leaves)
	if err != nil {
		return nil, err
	}
	if added.Frontier.Size == s.head.Size && added.Root != s.head.Root {
		return nil, fmt.Errorf("%w: the entries up to %d have another root", ErrLog, s.head.Size)
	}
	return added.Frontier.MarshalBinary()
}

// putKeys puts the keys that are not out.
func (s *step) putKeys(ctx context.Context) error {
	for n := s.state.Keys; n < len(s.keys); n++ {
		name := keyFolder + strconv.Itoa(n+1)
		if err := s.put(ctx, name, []byte(s.keys[n].VerifierKey+"\n")); err != nil {
			return err
		}
		if s.keys[n].Handover != nil {
			if err := s.put(ctx, name+".handover", s.keys[n].Handover); err != nil {
				return err
			}
		}
	}
	// Kept with the next batch; until then it is done again, which changes nothing.
	s.state.Keys = len(s.keys)
	return nil
}

// putCheckpoint puts the head as it was signed.
func (s *step) putCheckpoint(ctx context.Context) error {
	if s.state.Checkpoint == s.head.Size {
		return nil
	}
	name := checkpointFolder + number(s.head.Size)
	err := s.put(ctx, name, s.head.Checkpoint)
	if errors.Is(err, ErrDiffers) {
		// Another key of the log may have signed it before.
		var there []byte
		if there, err = s.get(ctx, name); err != nil {
			return err
		}
		stated, openErr := audit.OpenCheckpoint(there, verifierKeys(s.keys)...)
		if openErr != nil || stated != (audit.TreeHead{Origin: s.log.Origin, Size: s.head.Size, Root: s.head.Root}) {
			return fmt.Errorf("%w: %s", ErrDiffers, name)
		}
	}
	if err == nil {
		s.state.Checkpoint = s.head.Size
	}
	return err
}

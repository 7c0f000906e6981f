package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Limits of a batch: what is held in memory, several times over for the formats.
const (
	// MaxBatchEntries is how many entries a batch has: seconds of a busy log.
	MaxBatchEntries = 5000
	// MaxBatchBytes bounds their leaves; 5,000 of the usual size are 3 MiB. As events
	// they take eight times as much at most, where an entry is nothing but short ids.
	MaxBatchBytes = 4 << 20
	// pageEntries is how many entries are asked for at a time.
	pageEntries = 500
)

// Exporter writes logs to a sink. Only one at a time may export a log to a place:
// two would do no harm but write much twice.
type Exporter struct {
	Sink    Sink
	Formats Formats
	// Every is how old the first entry of a batch that is not full is let become, so
	// that a quiet log is not exported entry by entry. Zero waits for nothing.
	Every time.Duration
	// Now tells the time for Every.
	Now func() time.Time
}

// Progress says how far the export of a log is.
type Progress struct {
	Next int64 // index of the first entry that is not out
	Size int64 // of the last checkpoint that was published
	// Oldest is the time of the entry Next; zero where there is none below Size.
	Oldest time.Time
	Day    string // the first day without a manifest; "" before the first entry
	// More tells that there is more to do at once.
	More bool
}

// Lag is how many entries are signed and not out.
func (p Progress) Lag() int64 { return p.Size - p.Next }

// A step is one Step on its way.
type step struct {
	*Exporter
	log      Log
	state    *state
	keys     []Key
	head     Head
	progress Progress
}

// Step writes the next batch, or the manifest of a day that is over, or nothing.
// It may be called again after any error, and after a crash; see the package
// comment. Progress is told as far as it is known, also with an error.
func (x *Exporter) Step(ctx context.Context, log Log) (Progress, error) {
	s := &step{Exporter: x, log: log}
	err := s.run(ctx)
	return s.progress, err
}

func (s *step) run(ctx context.Context) (err error) {
	if s.state, err = s.log.load(ctx); err != nil {
		return err
	}
	s.tell()
	if s.keys, err = s.log.Keys(ctx); err != nil {
		return fmt.Errorf("export: keys: %w", err)
	}
	if s.head, err = s.log.head(ctx, s.keys); err != nil {
		return err
	}
	if s.head.Checkpoint == nil && s.state.Next == 0 {
		return nil // nothing was signed yet
	}
	s.progress.Size = s.head.Size
	if s.head.Size < s.state.Next || s.state.Intent != nil && s.head.Size < s.state.Intent.To {
		return fmt.Errorf("%w: it has %d entries, of which %d are out", ErrLog, s.head.Size, s.state.Next)
	}
	batch, err := s.read(ctx)
	if err != nil {
		return err
	}
	var do func() error
	switch {
	case s.state.Intent != nil:
		do = func() error { return s.finish(ctx, batch) }
	case s.dayIsOver(batch):
		do = func() error { return s.closeDay(ctx) }
	case len(batch) == 0 || s.waits(batch):
		return nil
	default:
		do = func() error { return s.begin(ctx, batch) }
	}
	// Who has an object has the key that its checkpoint was signed with.
	if err := s.putKeys(ctx); err != nil {
		return err
	}
	return do()
}

// tell makes known where the state is.
func (s *step) tell() {
	s.progress.Next, s.progress.Day = s.state.Next, string(s.state.Day)
}

// name puts an object below the folder of the tenant.
func (s *step) name(object string) string { return s.log.Tenant + "/" + object }

func (s *step) put(ctx context.Context, name string, body []byte) error {
	return ofSink(s.Sink.Put(ctx, s.name(name), body))
}

func (s *step) get(ctx context.Context, name string) ([]byte, error) {
	body, err := s.Sink.Get(ctx, s.name(name))
	return body, ofSink(err)
}

// ofSink marks what is wrong with a sink, as against what is wrong with the log or
// with the objects of one.
func ofSink(err error) error {
	if err == nil || errors.Is(err, ErrDiffers) || errors.Is(err, ErrSink) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSink, err)
}

// read returns the entries that come next, those of the intent where there is one.
func (s *step) read(ctx context.Context) ([]record, error) {
	to := min(s.head.Size, s.state.Next+MaxBatchEntries)
	if s.state.Intent != nil {
		to = s.state.Intent.To
	}
	var batch []record
	size := 0
	for at := s.state.Next; at < to; {
		page, err := s.log.Entries(ctx, at, int(min(pageEntries, to-at)))
		if err != nil {
			return nil, fmt.Errorf("export: entries from %d: %w", at, err)
		}
		if len(page) == 0 || int64(len(page)) > to-at {
			return nil, fmt.Errorf("%w: asked for entries from %d, it gave %d", ErrLog, at, len(page))
		}
		for _, entry := range page {
			r, err := s.check(entry, at)
			if err != nil {
				return nil, err
			}
			if at == s.state.Next {
				s.progress.Oldest = r.entry.Time
			}
			batch, size, at = append(batch, r), size+len(r.leaf), at+1
			if size >= MaxBatchBytes && s.state.Intent == nil {
				return batch, nil
			}
		}
	}
	return batch, nil
}

// check holds an entry to its index and its hash, and reads it.
func (s *step) check(entry Entry, index int64) (record, error) {
	switch {
	case entry.Index != index:
		return record{}, fmt.Errorf("%w: index %d stands where %d should", ErrLog, entry.Index, index)
	case entry.Leaf == nil:
		return record{}, fmt.Errorf("%w: %d", ErrPruned, index)
	case audit.LeafHash(entry.Leaf) != entry.LeafHash:
		return record{}, fmt.Errorf("%w: entry %d does not have its hash", ErrLog, index)
	}
	read, err := audit.ParseLeaf(entry.Leaf)
	if err != nil {
		return record{}, fmt.Errorf("%w: entry %d: %w", ErrLog, index, err)
	}
	if read.Tenant != s.log.Tenant {
		return record{}, fmt.Errorf("%w: entry %d is of another tenant", ErrLog, index)
	}
	return record{index: index, leaf: entry.Leaf, hash: entry.LeafHash, entry: read}, nil
}

// day is the day that an entry counts for: its own, but none that is closed.
func (s *step) day(r record) day { return max(dayOf(r.entry.Time), s.state.Day) }

// sameDay is how many of the entries, from the first on, are of one day.
func (s *step) sameDay(batch []record) int {
	first := s.day(batch[0])
	if n := slices.IndexFunc(batch, func(r record) bool { return s.day(r) != first }); n > 0 {
		return n
	}
	return len(batch)
}

// dayIsOver tells whether nothing more comes of the open day: a later one has
// begun, or the clock says so and all is out.
func (s *step) dayIsOver(batch []record) bool {
	if s.state.Day == "" || s.state.Closing {
		return s.state.Closing
	}
	if len(batch) > 0 {
		return s.day(batch[0]) > s.state.Day
	}
	return s.state.Day.over(s.head.At)
}

// waits tells whether more entries are waited for, to go out in one batch.
func (s *step) waits(batch []record) bool {
	full := s.sameDay(batch) < len(batch) || batch[len(batch)-1].index+1 < s.head.Size
	if s.Every == 0 || full || s.day(batch[0]).over(s.head.At) {
		return false
	}
	return s.Now().Sub(batch[0].entry.Time) < s.Every
}

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

package export

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"
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

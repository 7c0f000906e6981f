package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Errors of Find. All of them mean: nothing is known about this text, do not let it through.
var (
	// ErrFailed says that a recogniser broke, or that the caller went away before the end.
	ErrFailed = errors.New("detect: detection failed")
	// ErrTimeout says that the deadline passed before the whole text was seen.
	ErrTimeout = errors.New("detect: deadline passed")
	// ErrTooLarge says that the text is above Options.MaxText.
	ErrTooLarge = errors.New("detect: text too large")
	// ErrOptions says that New was given something it does not know.
	ErrOptions = errors.New("detect: bad options")
)

const (
	// DefaultMaxText is 4 MiB: four times the longest context window in use, as text.
	DefaultMaxText = 4 << 20
	// DefaultTimeout is far above what DefaultMaxText needs: 0.6 s at 7 MB/s for names, 1.4 s for the worst text known.
	// Only a defect or a starved machine meets it.
	DefaultTimeout = 10 * time.Second
	// ScoreReserved marks a span that Resolve keeps whatever overlaps it.
	ScoreReserved = 2.0
)

// Span is one finding. Start and End are byte offsets of the text that was given to Find.
type Span struct {
	Start, End int
	Entity     string
	Score      float64 // above 0, at most 1: how sure the rule is
	Rule       string  // recogniser/rule, for explanations
}

// Options of a Detector. The zero value is the default set at default thresholds and limits.
type Options struct {
	Entities   []string           // entities wanted; nil means all that are not opt-in
	Thresholds map[string]float64 // lowest score reported, by entity; others keep their default
	MaxText    int                // bytes; 0 means DefaultMaxText
	Timeout    time.Duration      // for one Find; 0 means DefaultTimeout
	Custom     Custom             // what a customer looks for besides, and never wants reported
}

// Detector finds spans. It is immutable and safe for concurrent use.
type Detector struct {
	plan       plan
	thresholds map[string]float64
	maxText    int
	timeout    time.Duration
	version    string
	custom     custom
}

// New builds a Detector, or says which option is wrong.
func New(opts Options) (*Detector, error) {
	return build(opts, shipped())
}

func build(opts Options, all []recogniser) (*Detector, error) {
	if opts.MaxText < 0 || opts.Timeout < 0 {
		return nil, fmt.Errorf("%w: negative limit", ErrOptions)
	}
	if opts.Entities == nil {
		opts.Entities = slices.Sorted(maps.Keys(defaults()))
	}
	thresholds, err := chooseThresholds(opts)
	if err != nil {
		return nil, err
	}
	d := &Detector{
		thresholds: thresholds,
		maxText:    cmp.Or(opts.MaxText, DefaultMaxText),
		timeout:    cmp.Or(opts.Timeout, DefaultTimeout),
		version:    fingerprint(thresholds),
	}
	var wanted []recogniser
	for _, r := range all {
		if slices.Contains(opts.Entities, r.entity) {
			wanted = append(wanted, r)
		}
	}
	d.plan = newPlan(wanted, thresholds)
	if err := d.customise(opts.Custom); err != nil {
		return nil, err
	}
	return d, nil
}

// chooseThresholds returns the threshold of every entity wanted.
func chooseThresholds(opts Options) (map[string]float64, error) {
	known := Everything().Thresholds
	maps.Copy(known, defaults())
	chosen := make(map[string]float64, len(opts.Entities))
	for _, e := range opts.Entities {
		t, ok := known[e]
		if !ok {
			return nil, fmt.Errorf("%w: unknown entity %q", ErrOptions, e)
		}
		chosen[e] = t
	}
	for e, t := range opts.Thresholds {
		if _, ok := known[e]; !ok {
			return nil, fmt.Errorf("%w: threshold for unknown entity %q", ErrOptions, e)
		}
		if !(t > 0 && t <= 1) {
			return nil, fmt.Errorf("%w: threshold of %s must be above 0 and at most 1", ErrOptions, e)
		}
		if _, ok := chosen[e]; ok {
			chosen[e] = t
		}
	}
	return chosen, nil
}

// Find reports what it found in the text: sorted, not overlapping, or an error and nothing.
func (d *Detector) Find(ctx context.Context, text string) ([]Span, error) {
	return d.FindReserved(ctx, text, nil)
}

// FindReserved is Find on a text of which some byte ranges [start, end) are already spoken for, as
// live tokens are. Nothing reported overlaps them, and no value continues across one. Ranges may come in
// any order and overlap; one that is not inside the text is ErrFailed.
func (d *Detector) FindReserved(ctx context.Context, text string, reserved [][2]int) ([]Span, error) {
	found, err := d.Search(ctx, text, reserved, nil)
	if err != nil || len(found.Denied) == 0 {
		return found.Spans, err
	}
	return Resolve(slices.Concat(found.Spans, found.Denied)), nil
}

// Search is FindReserved that settles what more was found in the text by others with its own findings, and tells
// apart what the lists of Options.Custom speak of. A span of more that is not possible is ErrFailed.
func (d *Detector) Search(ctx context.Context, text string, reserved [][2]int, more []Span) (Found, error) {
	if len(text) > d.maxText {
		return Found{}, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(text), d.maxText)
	}
	holes, err := normaliseRanges(text, reserved)
	if err != nil {
		return Found{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	s := &scan{d: d, view: fold(text, holes)}
	s.text = s.view.text
	if err := s.guarded(ctx); err != nil {
		return Found{}, err
	}
	spans, err := s.collect(text, holes)
	if err != nil {
		return Found{}, err
	}
	return s.settle(text, holes, spans, more)
}

// guarded runs the pass. Whatever goes wrong in a recogniser ends here as an error that names it; the value
// of a panic is dropped, since it may quote the text.
func (s *scan) guarded(ctx context.Context) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%w: recogniser %s panicked", ErrFailed, s.active)
		}
	}()
	if err := s.pass(ctx); err != nil {
		return err
	}
	return s.d.custom.run(ctx, s)
}

// collect maps the findings back to the text and checks each of them. A finding that cannot be is an
// error, since the recogniser that made it cannot be trusted for the rest of the text either.
func (s *scan) collect(text string, holes [][2]int) ([]Span, error) {
	out := s.spans[:0]
	for _, sp := range s.spans {
		if sp.Start < 0 || sp.End > len(s.text) || sp.Start >= sp.End || !(sp.Score > 0 && sp.Score <= 1) {
			return nil, fmt.Errorf("%w: rule %s reported an impossible span", ErrFailed, sp.Rule)
		}
		sp.Start, sp.End = s.view.origin(sp.Start, sp.End)
		if !onBoundary(text, sp.Start) || !onBoundary(text, sp.End) {
			return nil, fmt.Errorf("%w: rule %s cut a character", ErrFailed, sp.Rule)
		}
		if touches(holes, sp.Start, sp.End) {
			return nil, fmt.Errorf("%w: rule %s reached into a reserved range", ErrFailed, sp.Rule)
		}
		threshold, known := s.d.thresholds[sp.Entity]
		if !known {
			return nil, fmt.Errorf("%w: rule %s reported an entity that is not its own", ErrFailed, sp.Rule)
		}
		if sp.Score >= threshold {
			out = append(out, sp)
		}
	}
	return out, nil
}

// Version names the rules, tables and thresholds in use. It changes when any of them does.
func (d *Detector) Version() string { return d.version + d.custom.version }

func contextError(ctx context.Context) error {
	err := ctx.Err()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	default:
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
}

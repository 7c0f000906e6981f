package vault

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/stream"
)

// StreamRequest says under which grant a stream is restored, and what it is.
type StreamRequest struct {
	GrantID string
	Format  string // of package stream; empty where its frames tell
}

// Stream restores an answer while it streams. It gives what the whole-text call
// would give (invariant 19), as long as the grant stands: from the next flush after
// it ends the tokens stay tokens. It is for one goroutine at a time, and needs
// memory for what package stream holds back and a few bytes for each different
// token.
type Stream struct {
	use    *grantUse
	engine *stream.Stream
	over   string // why it gives nothing any more; empty while it does
	end    StreamEnd
	told   map[string]bool
}

// StreamEnd is what became of a stream.
type StreamEnd struct {
	// Over says why nothing was given any more at its end, empty where it was: closed,
	// expired, suspended or unavailable, or unreadable since some frame.
	Over string
	// Results count the tokens by what became of them, each time they came.
	Results map[Status]int
}

// OpenStream begins a stream under a grant of the caller's that stands.
func (s *Service) OpenStream(ctx context.Context, call Call, req StreamRequest) (*Stream, error) {
	s = s.under(call)
	engine, err := stream.New(stream.Options{Words: s.words, Format: stream.Format(req.Format)})
	if err != nil {
		return nil, Invalid("/format", "is not in the list of formats").Because(err)
	}
	use, err := s.useGrant(ctx, call, req.GrantID)
	if err != nil {
		return nil, err
	}
	// A stream may outlast a policy: each flush is decided under the one in force.
	use.s, use.call.policy = s.unpinned(), nil
	return &Stream{use: use, engine: engine, end: StreamEnd{Results: make(map[Status]int)}, told: make(map[string]bool)}, nil
}

// Push takes the next bytes of the model's stream and returns those that are free
// to go. It fails after Close only.
func (st *Stream) Push(ctx context.Context, chunk []byte) ([]byte, error) {
	// What was given is out by now: it is noted before anything else is.
	st.note(ctx)
	if err := st.engine.Push(chunk); err != nil {
		return nil, public(err)
	}
	return st.flush(ctx), nil
}

// Close says that the model's stream ended. It returns the rest, and what became of
// the stream. A grant that is not renewable ends with it.
func (st *Stream) Close(ctx context.Context) ([]byte, StreamEnd, error) {
	if err := st.engine.Close(); err != nil {
		return nil, st.end, public(err)
	}
	rest := st.flush(ctx)
	st.note(ctx)
	if st.end.Over = st.over; st.over == "" && st.engine.Blind() {
		st.end.Over = overUnreadable
	}
	st.recordRefused(ctx)
	if st.over == "" && !st.use.body.Renewable {
		s := st.use.s.under(st.use.call)
		_, closing := s.closeGrant(ctx, st.use, s.entry(st.use.call, audit.KindGrantClose, st.use.keys), closeEnded)
		// Somebody else may have closed it since, and the process closes it later.
		if closing != nil && CodeOf(closing) != CodeConflict {
			st.end.Over = overUnavailable
		}
	}
	return rest, st.end, nil
}

// Reason is why the grant was given.
func (st *Stream) Reason() string { return st.use.body.Reason }

// flush answers what the stream has decided by now.
func (st *Stream) flush(ctx context.Context) []byte {
	pending := st.engine.Pending()
	if len(pending) == 0 {
		return st.engine.Drain(nil, nil)
	}
	answers := make([]*string, len(pending))
	if st.over != "" {
		return st.engine.Drain(nil, answers)
	}
	found := make([]occurrence, len(pending))
	for i, c := range pending {
		found[i] = occurrence{
			written: c.Written, token: c.Token, readable: true, strict: c.Strict, place: access.Place(c.Place), tool: c.Tool,
		}
	}
	if err := st.use.flush(ctx, found); err != nil {
		st.over = whyOver(err)
		return st.engine.Drain(st.tell(nil, st.over), answers)
	}
	var out []byte
	for i := range found {
		o := &found[i]
		st.end.Results[o.status]++
		if o.gives() {
			answers[i] = &o.value
			continue
		}
		switch o.status {
		case StatusErased, StatusExpired, StatusSuspended, StatusOverBudget:
			out = st.tell(out, string(o.status))
		}
	}
	return st.engine.Drain(out, answers)
}

// whyOver is why a flush failed, as far as the other side may know.
func whyOver(err error) string {
	var over *overError
	switch {
	case errors.As(err, &over):
		return over.why
	case errors.Is(err, ErrSuspended):
		return overSuspended
	default:
		return overUnavailable
	}
}

// tell says once, between two frames of an event stream, that tokens stay tokens,
// and why. Readers of such a stream pass over it.
func (st *Stream) tell(out []byte, why string) []byte {
	if st.told[why] {
		return out
	}
	st.told[why] = true
	return st.engine.Note(out, `counterfoil {"kept":"`+why+`"}`)
}

// note keeps what was given, for the closing entry. Where that fails the entry of
// the grant still says that it may have been given, which is too much rather than
// too little.
func (st *Stream) note(ctx context.Context) {
	if len(st.use.fresh) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, FlushTimeout)
	defer cancel()
	_ = st.use.note(ctx)
}

// recordRefused writes down what was refused (invariant 10): a denial, once for the
// stream.
func (st *Stream) recordRefused(ctx context.Context) {
	refused := make(map[string]int)
	for status, n := range st.end.Results {
		if !status.gives() {
			refused[string(status)] = n
		}
	}
	st.use.recordRefused(ctx, refused)
}

// recordRefused writes the denial of tokens that a grant did not give.
func (u *grantUse) recordRefused(ctx context.Context, refused map[string]int) {
	if len(refused) == 0 || u.s.faults.forgetDenials {
		return
	}
	s := u.s.under(u.call)
	entry := u.entry(s)
	entry.Results, entry.Code = refused, "stream"
	for _, scope := range u.body.Scopes {
		entry.ScopeRefs = append(entry.ScopeRefs, scope.ID)
	}
	_ = s.deny(ctx, u.call.Caller.Tenant, entry, Errorf(CodeDenied, "tokens of a stream are not restored"))
}

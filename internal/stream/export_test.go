package stream

// Fault is a guard that a twin takes out.
type Fault func(*faults)

// The guards.
var (
	Eager    Fault = func(f *faults) { f.eager = true }
	OneLevel Fault = func(f *faults) { f.oneLevel = true }
	Certain  Fault = func(f *faults) { f.certain = true }
	Trusting Fault = func(f *faults) { f.trusting = true }
)

// Without takes guards out of a stream that has not begun.
func (s *Stream) Without(guards ...Fault) *Stream {
	for _, guard := range guards {
		guard(&s.faults)
	}
	return s
}

// Event is a frame as a client reads it.
type Event struct{ Raw, Name, Data string }

// Events cuts texts that come one after the other into whole frames.
func Events(texts ...string) (out []Event, rest string) {
	var f framer
	for _, text := range texts {
		for text != "" {
			n, whole := f.end(text)
			f.buf = append(f.buf, text[:n]...)
			text = text[n:]
			if whole {
				parsed := f.parse(string(f.buf), nil)
				out = append(out, Event{parsed.raw, parsed.event, parsed.data})
				f.reset()
			}
		}
	}
	return out, string(f.buf)
}

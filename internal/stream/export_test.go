package stream

// Fault is a guard that a twin takes out.
type Fault func(*faults)

// The guards.
var (
	Eager    Fault = func(f *faults) { f.eager = true }
	OneLevel Fault = func(f *faults) { f.oneLevel = true }
)

// Without takes guards out of a stream that has not begun.
func (s *Stream) Without(guards ...Fault) *Stream {
	for _, guard := range guards {
		guard(&s.faults)
	}
	return s
}

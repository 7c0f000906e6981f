package payload

// Fault is a guard that a twin takes out.
type Fault func(*faults)

// The guards.
var (
	PlainEscape Fault = func(f *faults) { f.plainEscape = true }
	RawOffsets  Fault = func(f *faults) { f.rawOffsets = true }
	TrustAll    Fault = func(f *faults) { f.trustAll = true }
	AnyKeys     Fault = func(f *faults) { f.anyKeys = true }
	Joining     Fault = func(f *faults) { f.joining = true }
)

// ParseWithout is Parse without some of its guards.
func ParseWithout(body []byte, opts Options, guards ...Fault) (*Document, error) {
	var broken faults
	for _, fault := range guards {
		fault(&broken)
	}
	return parse(body, opts, broken)
}

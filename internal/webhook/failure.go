package webhook

import (
	"fmt"
	"strings"
	"time"
)

// Reason says what was wrong with an attempt.
type Reason string

// The reasons, a closed list.
const (
	ReasonStatus    Reason = "status"    // the answer is not 2xx
	ReasonGone      Reason = "gone"      // the answer is 410: the endpoint does not want any more
	ReasonAddress   Reason = "address"   // the name of the host resolves to an address that is refused
	ReasonConnect   Reason = "connect"   // no connection, or it broke
	ReasonTLS       Reason = "tls"       // nobody vouches for the server, or it speaks no TLS
	ReasonTimeout   Reason = "timeout"   // no answer in time
	ReasonCancelled Reason = "cancelled" // the caller did not wait
	ReasonNotice    Reason = "notice"    // the notice cannot be sent: too large, no JSON, no id
)

// Refusal is what became of an attempt at one endpoint.
type Refusal struct {
	Endpoint string // its name; "" is the notice itself
	Reason   Reason
	Status   int // of the answer, 0 where there was none
	after    time.Duration
	cause    error
}

// Failure is every error of [Sender.Deliver].
type Failure struct {
	// GiveUp says that no further attempt helps.
	GiveUp bool
	// RetryAfter is what the receivers asked for, the longest; 0 is nothing. The
	// next attempt is the later of it and [Next].
	RetryAfter time.Duration
	Refusals   []Refusal
}

// Error holds names, reasons and statuses.
func (f *Failure) Error() string {
	var parts []string
	for _, r := range f.Refusals {
		text := strings.TrimSpace(r.Endpoint + " " + string(r.Reason))
		if r.Status != 0 {
			text = fmt.Sprintf("%s %d", text, r.Status)
		}
		parts = append(parts, text)
	}
	return "webhook: not delivered: " + strings.Join(parts, ", ")
}

// Unwrap returns the causes that a caller may ask for: that of its context.
func (f *Failure) Unwrap() []error {
	var causes []error
	for _, r := range f.Refusals {
		if r.cause != nil {
			causes = append(causes, r.cause)
		}
	}
	return causes
}

// failure adds the refusals up: as long as one endpoint may still be reached,
// the notice is kept.
func failure(refusals []Refusal) error {
	if len(refusals) == 0 {
		return nil
	}
	f := &Failure{GiveUp: true, Refusals: refusals}
	for _, r := range refusals {
		f.GiveUp = f.GiveUp && r.final()
		f.RetryAfter = max(f.RetryAfter, r.after)
	}
	return f
}

func (r Refusal) final() bool { return r.Reason == ReasonGone || r.Reason == ReasonNotice }

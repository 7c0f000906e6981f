package webhook

import (
	"crypto/rand"
	"math/big"
	"time"
)

// schedule is that of the specification: the first attempt is made at once, and
// the tenth, three days later, is the last.
var schedule = [MaxAttempts - 1]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// MaxAttempts is how often a notice is tried.
const MaxAttempts = 10

// jitter is the part of a wait by which it may be longer, so that what failed
// together is not tried again together.
const jitter = 4

// Next returns when to try again after so many attempts, the last of them just
// now, or the zero time where there is no next one.
func Next(attempts int, now time.Time) time.Time {
	if attempts >= MaxAttempts {
		return time.Time{}
	}
	wait := schedule[max(attempts, 1)-1]
	// The reader of crypto/rand never fails since Go 1.24.
	more, err := rand.Int(rand.Reader, big.NewInt(int64(wait/jitter)+1))
	if err != nil {
		panic("webhook: no random numbers: " + err.Error())
	}
	return now.Add(wait + time.Duration(more.Int64()))
}

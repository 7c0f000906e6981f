package webhook

import "time"

// The limits of a delivery.
const (
	// MaxEndpoints bounds what one notice can set going.
	MaxEndpoints = 16
	// MaxSecrets is the one in use, the one before it and the one after it.
	MaxSecrets = 3
	// MinSecretBytes and MaxSecretBytes are those of the specification.
	MinSecretBytes = 24
	MaxSecretBytes = 64
	// MaxBodyBytes is what the specification advises not to pass.
	MaxBodyBytes = 20 << 10
	// MaxIDBytes bounds webhook-id; ids of changes have 32 characters.
	MaxIDBytes = 64
	// DefaultTimeout and MaxTimeout are the span that the specification
	// recommends for one attempt, from the first packet to the end of the answer.
	DefaultTimeout = 15 * time.Second
	MaxTimeout     = 30 * time.Second
	// MaxResponseBytes is how much of an answer is read: enough for a receiver
	// that greets before it closes.
	MaxResponseBytes = 16 << 10
	// maxResponseHeaderBytes is four times what common servers send.
	maxResponseHeaderBytes = 32 << 10
	// MaxRetryAfter is how long a receiver may put a notice off: with it a
	// receiver cannot keep one for ever.
	MaxRetryAfter = 24 * time.Hour
	// Tolerance is how far the clocks of both sides may differ, and for how long
	// an attempt that was overheard can be repeated.
	Tolerance = 5 * time.Minute
	// maxSettled bounds the memory of what was delivered: a day of one notice a
	// minute to three endpoints.
	maxSettled = 4096
)

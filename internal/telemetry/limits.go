package telemetry

import "time"

const (
	// MaxQueued bounds the spans that wait to be sent or are on their way:
	// two seconds of a busy replica, a few MiB.
	MaxQueued = 4096
	// MaxBatch is the most that is sent at once; some 200 KiB before
	// compression.
	MaxBatch = 512
	// BatchEvery is how long a span waits for others.
	BatchEvery = 2 * time.Second
	// ExportTimeout bounds the sending of one batch, retries included. The
	// queue fills meanwhile.
	ExportTimeout = 10 * time.Second
	// RetryAfter is the first pause after an answer that says to try again.
	RetryAfter = time.Second
	// RetryMost is the longest; a collector that needs more has lost the batch.
	RetryMost = 5 * time.Second
	// MaxAnswerBytes bounds the answer of a collector, which is a few bytes.
	MaxAnswerBytes = 64 << 10
)

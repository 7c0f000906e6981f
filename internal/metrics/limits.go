package metrics

import "time"

const (
	// WatchEvery is how often the figures that need the store are read: twice in the
	// minute that Prometheus usually waits before an alert.
	WatchEvery = 30 * time.Second
	// WatchRest is the multiple of the time of a reading that is waited at least, so
	// that it never takes more than a twentieth of one connection.
	WatchRest = 20
	// WatchSeldom is the longest pause, whatever a reading took.
	WatchSeldom = 5 * time.Minute
	// ReadTimeout ends a reading of a store that hangs.
	ReadTimeout = time.Minute
	// StaleAfter is how long figures are served: twice the longest time between two.
	StaleAfter = 2 * (WatchSeldom + ReadTimeout)
	// DueSoon is how long before its time a matter is due soon: the working days of
	// a week, in which somebody can still do something.
	DueSoon = 5 * 24 * time.Hour
	// MaxCounted bounds the matters of one kind and tenant that a reading counts;
	// more is more than any graph needs to tell.
	MaxCounted = 1000
	// MaxControls bounds the names that a label may have.
	MaxControls = 200
	// controlEntries are the newest results of a log that a reading looks through:
	// those of all controls, with some that were tried again.
	controlEntries = 2 * MaxControls
)

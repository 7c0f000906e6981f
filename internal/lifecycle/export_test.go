package lifecycle

import "time"

// SetNow replaces the clock by which sweeps are timed.
func (w *Worker) SetNow(now func() time.Time) { w.now = now }

package transit

// BreakerState says whether the key service is asked: closed, half-open or open.
func (w *Wrapper) BreakerState() string { return w.calls.breaker.State().String() }

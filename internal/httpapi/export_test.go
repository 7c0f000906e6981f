package httpapi

import "net/http"

// NewExposing makes an interface whose /metrics is somebody else's, to have a
// handler that fails in the middle of its answer.
func NewExposing(cfg Config, exposition http.Handler) (http.Handler, error) {
	a, err := newAPI(cfg)
	if err != nil {
		return nil, err
	}
	a.exposition = exposition
	return a.engine()
}

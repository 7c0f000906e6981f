package httpapi

import (
	"log/slog"
	"net/http"
)

// NewServer returns a server with the named timeouts. Address and TLS are the
// caller's. What net/http has to say goes to the logger as a warning; it does
// not know the bodies of requests.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: ReadHeaderTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

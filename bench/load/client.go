package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Client calls a service over HTTP/1.1, on connections that are kept. Several goroutines
// may use it at once.
//
// It does as little as net/http allows: no cookies, no redirects, no compression. Nothing
// that may have reached the service is sent again: net/http itself repeats a request
// whose kept connection turns out to be closed, but a POST only when nothing of it was
// written.
type Client struct{ transport *http.Transport }

// The limits of a client besides those of load.go.
const (
	// dialTimeout is enough for a full queue of connections on the same machine.
	dialTimeout = 5 * time.Second
	// wireBuffer takes a request of 2 KB or an answer with 50 tokens in one piece.
	wireBuffer = 16 << 10
)

// NewClient keeps up to so many idle connections to each service: as many as clients, or
// some are opened anew all the time.
func NewClient(connections int) *Client {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &Client{&http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		Protocols:           http1,
		MaxIdleConnsPerHost: connections,
		DisableCompression:  true,
		ReadBufferSize:      wireBuffer,
		WriteBufferSize:     wireBuffer,
	}}
}

// Call sends one request and reads the whole answer into into, which it resets first;
// with a nil into the answer is read and dropped. A body, if not nil, is sent as JSON; a
// bearer, if not empty, as the credential. An answer of any status is no error. The
// answer has to be there within a minute.
func (c *Client) Call(ctx context.Context, method, url, bearer string, body []byte, into *bytes.Buffer) (status int, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	var sent io.Reader
	if body != nil {
		sent = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, sent)
	if err != nil {
		return 0, nil, fmt.Errorf("load: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := c.transport.RoundTrip(req) //nolint:bodyclose // read closes it
	if err != nil {
		return 0, nil, fmt.Errorf("load: %s %s: %w", method, req.URL.Path, err)
	}
	if err := read(res.Body, into); err != nil {
		return res.StatusCode, res.Header, fmt.Errorf("load: answer to %s %s: %w", method, req.URL.Path, err)
	}
	return res.StatusCode, res.Header, nil
}

// read drains a body to its end, without which its connection could not be kept.
func read(body io.ReadCloser, into *bytes.Buffer) error {
	var err error
	if into == nil {
		_, err = io.Copy(io.Discard, body)
	} else {
		into.Reset()
		_, err = into.ReadFrom(body)
	}
	if closed := body.Close(); err == nil {
		err = closed
	}
	return err
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

package httpapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Transport checks each exchange that goes through it.
type Transport struct {
	t       testing.TB
	base    http.RoundTripper
	checker *Checker
}

// NewTransport wraps a transport. Faults fail the test.
func NewTransport(t testing.TB, base http.RoundTripper) *Transport {
	t.Helper()
	checker, err := NewChecker()
	if err != nil {
		t.Fatal(err)
	}
	return &Transport{t: t, base: base, checker: checker}
}

// RoundTrip sends the request on and checks the answer.
func (tr *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, fmt.Errorf("httpapitest: read a request: %w", err)
		}
		_ = r.Body.Close()
	}
	forward := r.Clone(r.Context())
	forward.Body = io.NopCloser(bytes.NewReader(sent))
	response, err := tr.base.RoundTrip(forward)
	if err != nil {
		return nil, err
	}
	received, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, fmt.Errorf("httpapitest: read an answer: %w", err)
	}
	response.Body = io.NopCloser(bytes.NewReader(received))
	err = tr.checker.Check(Exchange{
		Request: r, RequestBody: sent, Status: response.StatusCode, Header: response.Header, ResponseBody: received,
	})
	if err != nil {
		tr.t.Errorf("httpapitest: %s %s: %v", r.Method, r.URL.Path, err)
	}
	return response, nil
}

// inProcess calls a handler without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip serves the request.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, served)
	return recorder.Result(), nil
}

// Client speaks to a handler, as somebody, and checks each exchange.
type Client struct {
	t      testing.TB
	http   *http.Client
	bearer string
	header http.Header
}

// NewClient returns a client of a handler. An empty bearer sends none.
func NewClient(t testing.TB, handler http.Handler, bearer string) *Client {
	t.Helper()
	return &Client{t: t, http: &http.Client{Transport: NewTransport(t, inProcess{handler})}, bearer: bearer}
}

// As returns a client with another credential.
func (c *Client) As(bearer string) *Client {
	other := *c
	other.bearer = bearer
	return &other
}

// With returns a client that sends one more header.
func (c *Client) With(name, value string) *Client {
	other := *c
	other.header = c.header.Clone()
	if other.header == nil {
		other.header = make(http.Header)
	}
	other.header.Add(name, value)
	return &other
}

// Get asks for a path with its query.
func (c *Client) Get(path string) *Response {
	c.t.Helper()
	return c.Send(http.MethodGet, path, nil)
}

// Post sends a body: bytes and raw JSON as they are, anything else as JSON.
func (c *Client) Post(path string, body any) *Response {
	c.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case []byte:
		raw = b
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			c.t.Fatalf("httpapitest: encode a request: %v", err)
		}
	}
	return c.Send(http.MethodPost, path, raw)
}

// Send sends a request of any method. A body is sent as application/json,
// unless With has said otherwise.
func (c *Client) Send(method, path string, body []byte) *Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, "http://counterfoil.test"+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatalf("httpapitest: %v", err)
	}
	if body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	response, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("httpapitest: %s %s: %v", method, path, err)
	}
	defer func() { _ = response.Body.Close() }()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("httpapitest: %s %s: %v", method, path, err)
	}
	return &Response{t: c.t, Status: response.StatusCode, Header: response.Header, Body: received}
}

// Response is an answer that was checked.
type Response struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   []byte
}

// Want fails the test if the status is another one.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("status %d, want %d: %s", r.Status, status, r.Body)
	}
	return r
}

// Decode reads the body into v.
func (r *Response) Decode(v any) {
	r.t.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		r.t.Fatalf("decode an answer: %v", err)
	}
}

// Problem is an error as it is answered.
type Problem struct {
	Type, Title, Detail, Instance, Code, Limit string

	Status     int
	RetryAfter int `json:"retry_after"`
	Errors     []struct{ Field, Rule string }
}

// Problem reads the body as a problem.
func (r *Response) Problem() Problem {
	r.t.Helper()
	var p Problem
	r.Decode(&p)
	return p
}

// Fields are the places that the problem names, in its order.
func (p Problem) Fields() []string {
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
	}
	return fields
}

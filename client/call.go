package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Errors of an exchange that is neither an answer nor a Problem.
var (
	// ErrToken says that the token source gave no bearer token.
	ErrToken = errors.New("client: no bearer token")
	// ErrRedirect says that the service wanted the request to go elsewhere.
	ErrRedirect = errors.New("client: the answer is a redirect, which is refused")
	// ErrAnswer says that the answer is not one of a Counterfoil service, or
	// does not fit the request. What the request did is not known.
	ErrAnswer = errors.New("client: the answer cannot be used")
)

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
	htmlType    = "text/html"
	// maxToken is the longest credential that the service looks at.
	maxToken = 8 << 10
	// maxProblem bounds an answer that says no: 32 broken rules take 8 KiB.
	maxProblem = 256 << 10
)

// exchange is one request, as each of its attempts sends it.
type exchange struct {
	method, path string
	query        string
	media        string // of the answer
	body         []byte
	key          string // Idempotency-Key
	endUser      string
}

// post sends a request and reads the answer into out. It returns the size of
// the newest head that was known before: the answer's entry comes after it.
func (c *Client) post(ctx context.Context, path string, b encoder, endUser, key string, out any) (seen int64, err error) {
	x := exchange{method: http.MethodPost, path: path, media: jsonType, key: key, endUser: endUser}
	if err := x.write(b); err != nil {
		return 0, err
	}
	if err := c.trust(ctx); err != nil {
		return 0, err
	}
	seen = c.log.newest()
	answer, err := c.call(ctx, x)
	if err != nil {
		return 0, err
	}
	return seen, decode(answer, out)
}

// write puts a body into the request, and checks what comes with it.
func (x *exchange) write(b encoder) (err error) {
	if x.body, err = b.encode(); err != nil {
		return err
	}
	if err := onBehalfOf(x.endUser); err != nil {
		return err
	}
	x.key, err = idempotencyKey(x.key)
	return err
}

// change sends what changes something, or is written down, and holds the
// answer's receipt against the log. Asked before under the caller's own key, the
// entry is the one of then.
func (c *Client) change(ctx context.Context, path string, b encoder, key string, out any, receipt **Receipt) error {
	seen, err := c.post(ctx, path, b, "", key, out)
	if err != nil {
		return err
	}
	if key != "" {
		seen = 0
	}
	return c.accept(ctx, *receipt, seen)
}

func (c *Client) get(ctx context.Context, path string, out any) error {
	return c.list(ctx, path, nil, out)
}

func (c *Client) list(ctx context.Context, path string, query url.Values, out any) error {
	answer, err := c.call(ctx, exchange{method: http.MethodGet, path: path, query: query.Encode(), media: jsonType})
	if err != nil {
		return err
	}
	return decode(answer, out)
}

// decode drops the text of the decoder, which quotes what it read.
func decode(answer []byte, out any) error {
	if json.Unmarshal(answer, out) != nil {
		return badAnswer("it cannot be read")
	}
	return nil
}

// attempt sends a request once.
func (c *Client) attempt(ctx context.Context, x exchange) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	request, err := c.request(ctx, x)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := c.answered(response, x.media); err != nil {
		return nil, err
	}
	return readAtMost(response.Body, c.cfg.MaxAnswer)
}

// answered tells whether it is an answer of the kind that was asked for.
func (c *Client) answered(response *http.Response, wanted string) error {
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch status := response.StatusCode; {
	case status >= 400:
		return problemOf(response, media, c.now())
	case status >= 300:
		return ErrRedirect
	case status != http.StatusOK && status != http.StatusCreated && status != http.StatusAccepted, media != wanted:
		return badAnswer("it is of another kind")
	}
	return nil
}

func (c *Client) request(ctx context.Context, x exchange) (*http.Request, error) {
	bearer, err := c.bearer(ctx)
	if err != nil {
		return nil, err
	}
	var sent io.Reader = http.NoBody
	if x.body != nil {
		sent = bytes.NewReader(x.body)
	}
	address := c.base.JoinPath("v1", x.path)
	address.RawQuery = x.query
	request, err := http.NewRequestWithContext(ctx, x.method, address.String(), sent)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	header := request.Header
	header.Set("Authorization", "Bearer "+bearer)
	header.Set("Accept", x.media+", "+problemType)
	header.Set("User-Agent", c.cfg.UserAgent)
	if x.body != nil {
		header.Set("Content-Type", jsonType)
		header.Set("Idempotency-Key", x.key)
	}
	if x.endUser != "" {
		header.Set("Counterfoil-End-User", x.endUser)
	}
	return request, nil
}

// bearer asks the source. What is not a credential by RFC 6750 goes no
// further: net/http would put parts of it into an error or into the request.
func (c *Client) bearer(ctx context.Context) (string, error) {
	token, err := c.cfg.Token(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	b68 := func(r rune) bool { return alphanumeric(r) || strings.ContainsRune("-._~+/=", r) }
	if token == "" || len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return !b68(r) }) {
		return "", fmt.Errorf("%w: the source gave what is not one", ErrToken)
	}
	return token, nil
}

func readAtMost(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, fmt.Errorf("client: read the answer: %w", err)
	}
	if int64(len(b)) > most {
		return nil, badAnswer("it is larger than MaxAnswer")
	}
	return b, nil
}

// matches holds the answer against what was sent: exactly the same kind.
func matches(sent Content, text *string, into *string, values []string, payload json.RawMessage) error {
	wantText, wantValues, wantPayload := false, 0, false
	switch s := sent.(type) {
	case Text, SpannedText:
		wantText = true
	case Values:
		wantValues = len(s)
	case Tokens:
		wantValues = len(s)
	case Payload:
		wantPayload = true
	}
	if wantText != (text != nil) || wantValues != len(values) || wantPayload != (len(payload) > 0 && payload[0] == '{') {
		return badAnswer("it holds something else than was sent")
	}
	if text != nil {
		*into = *text
	}
	return nil
}

func badAnswer(why string) error { return fmt.Errorf("%w: %s", ErrAnswer, why) }

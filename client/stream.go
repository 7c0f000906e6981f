package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sync"
)

// The content types of streams.
const (
	EventStream = "text/event-stream" // of OpenAI, Anthropic, Gemini
	NDJSON      = "application/x-ndjson"
	PlainText   = "text/plain; charset=utf-8"
)

// StreamComplete is the outcome of a stream that was restored to its end.
const StreamComplete = "complete"

// Restorer restores the streams of a model under a grant. Grant is required; the rest
// is for event streams whose events tell what they are.
type Restorer struct {
	Grant       string // its id
	ContentType string // EventStream where it is empty
	Format      string // openai-chat, openai-responses, anthropic-messages, gemini; its events tell where it is empty
	OnBehalfOf  string // the end user for whom the grant is

	client *Client
	ctx    context.Context //nolint:containedctx // a reader has no parameter for it
}

// Restorer makes one. The context ends the streams that it restores.
func (c *Client) Restorer(ctx context.Context, grant string) *Restorer {
	return &Restorer{Grant: grant, client: c, ctx: ctx}
}

// Stream returns the stream of a model, restored: what comes in goes out as soon as it
// is decided. The model's stream is read by another goroutine from the first Read on,
// to its end or to an error of the service; nothing of it is given out but what the
// service gave back. A stream that ends without its trailer is io.ErrUnexpectedEOF, a
// refusal of the service a *Problem. Close ends it early.
func (r *Restorer) Stream(model io.Reader) *RestoredStream {
	ctx, cancel := context.WithCancel(r.ctx)
	return &RestoredStream{of: r, ctx: ctx, cancel: cancel, model: model}
}

// RestoredStream is a stream of a model, restored.
type RestoredStream struct {
	of     *Restorer
	ctx    context.Context //nolint:containedctx // see Restorer
	cancel context.CancelFunc
	model  io.Reader

	once     sync.Once
	response *http.Response
	err      error
}

// Read gives what is restored.
func (s *RestoredStream) Read(p []byte) (int, error) {
	s.once.Do(s.open)
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.response.Body.Read(p)
	switch {
	case errors.Is(err, io.EOF) && s.response.Trailer.Get(streamTrailer) == "":
		s.err = io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		s.err = io.EOF
	case err != nil:
		s.err = fmt.Errorf("client: read a stream: %w", err)
	default:
		return n, nil
	}
	return n, s.err
}

// Outcome tells after the end whether the stream was restored to it (StreamComplete),
// or why tokens stayed tokens from some point on: closed, expired, suspended,
// unavailable. It is empty before the end.
func (s *RestoredStream) Outcome() string {
	if s.response == nil || !errors.Is(s.err, io.EOF) {
		return ""
	}
	return s.response.Trailer.Get(streamTrailer)
}

// Close ends the stream, and the reading of the model's.
func (s *RestoredStream) Close() error {
	s.once.Do(func() { s.err = io.ErrClosedPipe })
	s.cancel()
	if s.response == nil {
		return nil
	}
	if err := s.response.Body.Close(); err != nil {
		return fmt.Errorf("client: close a stream: %w", err)
	}
	return nil
}

const streamTrailer = "Counterfoil-Stream"

// open sends the request. Its answer begins before its body has ended.
func (s *RestoredStream) open() {
	r, c := s.of, s.of.client
	if s.err = onBehalfOf(r.OnBehalfOf); s.err != nil {
		return
	}
	contentType := r.ContentType
	if contentType == "" {
		contentType = EventStream
	}
	query := url.Values{"grant": {r.Grant}}
	if r.Format != "" {
		query.Set("format", r.Format)
	}
	request, err := c.request(s.ctx, exchange{
		method: http.MethodPost, path: "detokenize/stream", query: query.Encode(), media: contentType, endUser: r.OnBehalfOf,
	})
	if err != nil {
		s.err = err
		return
	}
	// A reader that can be closed would be closed by net/http; it is the caller's.
	request.Body, request.ContentLength = io.NopCloser(s.model), -1
	request.Header.Set("Content-Type", contentType)
	response, err := c.http.Do(request)
	if err != nil {
		s.err = fmt.Errorf("client: %w", err)
		return
	}
	media, _, _ := mime.ParseMediaType(contentType)
	if s.err = c.answered(response, media); s.err != nil {
		_ = response.Body.Close()
		return
	}
	s.response = response
}

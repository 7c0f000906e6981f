package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// The content types of streams; what is restored has that of what came.
var streamTypes = map[string]string{
	"text/event-stream":    "",
	"application/x-ndjson": "ndjson",
	"text/plain":           "text",
}

// streamTrailer says at the end of a stream what became of it: complete, or why
// tokens stayed tokens from some point on.
const (
	streamTrailer  = "Counterfoil-Stream"
	streamComplete = "complete"
)

// DetokenizeStream restores an answer while it streams.
func (a *api) DetokenizeStream(ctx context.Context, r gen.DetokenizeStreamRequestObject) (gen.DetokenizeStreamResponseObject, error) {
	ctx, x := begin(ctx)
	format, contentType, err := streamFormat(x.streamType, string(value(r.Params.Format)))
	if err != nil {
		return nil, err
	}
	stream, err := a.service.OpenStream(ctx, x.call, vault.StreamRequest{GrantID: r.Params.Grant, Format: format})
	if err != nil {
		return nil, err
	}
	// A stream lasts as long as the model speaks. What ends it is that the client goes
	// away, StreamTimeout, or a pause of StreamIdle on either side.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), StreamTimeout)
	stop := context.AfterFunc(x.arrived, cancel)
	return &streaming{
		ctx: ctx, end: func() { stop(); cancel() }, x: x, body: x.stream, stream: stream, contentType: contentType,
	}, nil
}

// streamFormat tells what a stream is from its content type and the parameter.
func streamFormat(contentType, format string) (string, string, error) {
	media, params, err := mime.ParseMediaType(contentType)
	implied, known := streamTypes[media]
	if charset, has := params["charset"]; err != nil || !known || has && charset != "utf-8" && charset != "UTF-8" {
		return "", "", edge(http.StatusUnsupportedMediaType,
			vault.Errorf(vault.CodeInvalid, "the body must be text/event-stream, application/x-ndjson or text/plain in UTF-8"))
	}
	if implied == "" {
		return format, media, nil
	}
	if format != "" {
		return "", "", vault.Invalid("query:format", "goes with text/event-stream only")
	}
	return implied, media, nil
}

// streaming is an answer that goes out while its request comes in.
type streaming struct {
	ctx         context.Context
	end         func()
	x           *exchange
	body        io.Reader
	stream      *vault.Stream
	contentType string
	control     *http.ResponseController
}

// VisitDetokenizeStreamResponse copies the stream through the domain. One buffer is
// read, answered and written before the next is read: a reader that is slow slows
// the model's stream, and nothing piles up here.
func (s *streaming) VisitDetokenizeStreamResponse(w http.ResponseWriter) error {
	defer s.end()
	s.control = http.NewResponseController(w)
	// HTTP/2 needs no leave to answer before the request has ended, and says so.
	_ = s.control.EnableFullDuplex()
	s.pace()
	header := w.Header()
	header.Set("Content-Type", s.contentType)
	header.Set("X-Accel-Buffering", "no") // for proxies that would collect the answer
	header.Set("Trailer", streamTrailer)
	w.WriteHeader(http.StatusOK)
	_ = s.control.Flush()
	err := s.copy(w)
	// Also where nobody reads it any more: what was given is noted, and the grant ends.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), vault.FlushTimeout)
	defer cancel()
	rest, end, closing := s.stream.Close(ctx)
	s.x.reason, s.x.statuses = s.stream.Reason(), end.Results
	header.Set(streamTrailer, streamComplete)
	if end.Over != "" {
		header.Set(streamTrailer, end.Over)
	}
	switch {
	case err != nil:
		return err
	case closing != nil:
		return fmt.Errorf("%w: %w", errCut, closing)
	}
	return s.write(w, rest)
}

func (s *streaming) copy(w io.Writer) error {
	buffer := make([]byte, firstStreamBuffer)
	for {
		n, err := s.body.Read(buffer)
		if n > 0 {
			s.x.bytesIn += int64(n)
			out, failed := s.stream.Push(s.ctx, buffer[:n])
			if failed != nil {
				return fmt.Errorf("%w: %w", errCut, failed)
			}
			if failed := s.write(w, out); failed != nil {
				return failed
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("httpapi: read a stream: %w", err)
		case s.ctx.Err() != nil:
			return fmt.Errorf("httpapi: a stream: %w", s.ctx.Err())
		}
		// Who sends more at a time than a model says is no model that speaks.
		if n == len(buffer) && n < StreamBuffer {
			buffer = make([]byte, min(2*n, StreamBuffer))
		}
		s.pace()
	}
}

func (s *streaming) write(w io.Writer, out []byte) error {
	if len(out) == 0 {
		return nil
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("httpapi: write an answer: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("httpapi: write an answer: %w", err)
	}
	return nil
}

// pace moves the deadlines of the connection on. Where it has none there is none to
// be moved.
func (s *streaming) pace() {
	until := time.Now().Add(StreamIdle)
	_ = s.control.SetReadDeadline(until)
	_ = s.control.SetWriteDeadline(until)
}

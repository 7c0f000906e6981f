package scenario

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// streamLine is one stream: an answer goes in frame by frame, and comes out meanwhile, over
// one connection of HTTP/1.1. It is written by hand, since net/http's client hands
// each piece from goroutine to goroutine, which would be measured too.
type streamLine struct {
	answerScript
	conn    net.Conn
	answer  *http.Response
	in      *bufio.Reader // of its body
	outcome string        // the trailer that must come, empty where there is none
	sent    []atomic.Int64
	took    []time.Duration // 0 for what did not come
	heard   strings.Builder
	scratch []byte
	began   time.Time
}

// streamPlace is where streams go to: a service, under a grant, or a raw copy.
type streamPlace struct {
	url, bearer string
	outcome     string
}

// The trailer with which a service says how a stream ended, and what it says of one
// that was restored to its end.
const (
	streamTrailer  = "Counterfoil-Stream"
	streamComplete = "complete"
)

// dialTimeout is plenty on one machine.
const dialTimeout = 5 * time.Second

// openLine begins a stream, and returns when the header of its answer is there.
func openLine(ctx context.Context, to streamPlace, s answerScript) (*streamLine, error) {
	at, err := url.Parse(to.url)
	if err != nil {
		return nil, fmt.Errorf("scenario: where a stream goes: %w", err)
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", at.Host)
	if err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	l := &streamLine{
		answerScript: s, conn: conn, outcome: to.outcome,
		sent: make([]atomic.Int64, s.frames), took: make([]time.Duration, s.frames), began: time.Now(),
	}
	// A service that refuses a stream may first wait for what it would have held.
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	head := "POST " + at.RequestURI() + " HTTP/1.1\r\nHost: " + at.Host + "\r\nAuthorization: Bearer " + to.bearer +
		"\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	l.answer, err = http.ReadResponse(bufio.NewReader(conn), nil) //nolint:bodyclose // the connection is closed, and with it what is left of the body
	if err != nil {
		return nil, errors.Join(fmt.Errorf("scenario: the answer of a stream: %w", err), conn.Close())
	}
	if l.answer.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("scenario: a stream is refused: %d", l.answer.StatusCode), conn.Close())
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	l.in = bufio.NewReader(l.answer.Body)
	return l, nil
}

// close hangs up. What is left of the answer is not read: a stream that has not ended
// has no end.
func (l *streamLine) close() error { return l.conn.Close() }

// chunk writes a piece of the body.
func (l *streamLine) chunk(piece []byte) error {
	l.scratch = fmt.Appendf(l.scratch[:0], "%x\r\n", len(piece))
	l.scratch = append(append(l.scratch, piece...), "\r\n"...)
	_, err := l.conn.Write(l.scratch)
	return err
}

// speak sends frames at their pace, the first at a time, until there are none left or
// the context ends, and then the end.
func (l *streamLine) speak(ctx context.Context, first time.Time, every time.Duration) error {
	var frame []byte
	pause := time.NewTimer(time.Until(first))
	defer pause.Stop()
	for n := range l.sent {
		pause.Reset(time.Until(first.Add(time.Duration(n) * every)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
		}
		frame = l.frame(frame[:0], n)
		if err := l.send(n, frame); err != nil {
			return err
		}
	}
	return l.finish()
}

// send sends frame n now.
func (l *streamLine) send(n int, frame []byte) error {
	l.sent[n].Store(int64(time.Since(l.began)))
	if err := l.chunk(frame); err != nil {
		return fmt.Errorf("scenario: frame %d: %w", n, err)
	}
	return nil
}

// finish ends the stream as models do.
func (l *streamLine) finish() error {
	if err := l.chunk([]byte(lastFrame)); err != nil {
		return fmt.Errorf("scenario: the end of a stream: %w", err)
	}
	if _, err := io.WriteString(l.conn, "0\r\n\r\n"); err != nil {
		return fmt.Errorf("scenario: the end of a stream: %w", err)
	}
	return nil
}

// listen reads the answer to its end, and checks that it says what it must.
func (l *streamLine) listen() error {
	for {
		err := l.hear()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if got := l.answer.Trailer.Get(streamTrailer); got != l.outcome {
		return fmt.Errorf("scenario: a stream ended %q", got)
	}
	if l.heard.String() != l.said() {
		return errors.New("scenario: a stream said something else than it must")
	}
	return nil
}

// hear reads one frame of the answer and notes when it came. At the end it is io.EOF.
func (l *streamLine) hear() error {
	for {
		raw, err := l.in.ReadSlice('\n')
		now := time.Since(l.began)
		if errors.Is(err, io.EOF) && len(raw) == 0 {
			return io.EOF
		}
		if err != nil {
			return fmt.Errorf("scenario: read a stream: %w", err)
		}
		if len(raw) == 1 || strings.HasPrefix(string(raw), lastFrame[:len(lastFrame)-2]) {
			continue
		}
		n, text, err := readFrame(string(raw))
		if err != nil || n >= len(l.sent) {
			return errors.Join(err, fmt.Errorf("scenario: frame %d", n))
		}
		l.took[n] = now - time.Duration(l.sent[n].Load())
		l.heard.WriteString(text)
		return nil
	}
}

// rawCopy answers a stream with itself, each piece when it comes: what the same way
// takes without a service at its end. It is served by this process, which flatters
// it: the service has the switch to another process, too.
func rawCopy(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	w.Header().Set("Content-Type", "text/event-stream")
	if err := control.Flush(); err != nil {
		return
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buffer)
		if _, failed := w.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
	}
}

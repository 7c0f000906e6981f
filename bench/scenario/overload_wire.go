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
	"strconv"
	"sync"
	"time"
)

// wires are connections of HTTP/1.1, one for each client, that are written and read by
// whoever sends: net/http's client has two goroutines for each, and at five times the peak
// these would take from the service a good part of what there is.
type wires struct {
	address string
	head    []byte // of every request, without its length
	all     []wire
}

// wire is one of them. The lock is for hangUp: a client has its wire for itself.
type wire struct {
	mu     sync.Mutex
	conn   net.Conn // nil while there is none
	in     *bufio.Reader
	out    []byte
	closed bool
}

// wirePatience is longer than a service lets a request take.
const wirePatience = 60 * time.Second

func newWires(f *face, path string, clients int) (*wires, error) {
	at, err := url.Parse(f.on.URL)
	if err != nil {
		return nil, fmt.Errorf("scenario: where requests go: %w", err)
	}
	return &wires{
		address: at.Host, all: make([]wire, clients),
		head: []byte("POST " + path + " HTTP/1.1\r\nHost: " + at.Host + "\r\nAuthorization: Bearer " + f.bearer +
			"\r\nContent-Type: application/json\r\nContent-Length: "),
	}, nil
}

// call sends one request and reads its answer into into. A connection on which something
// failed is not used again.
func (w *wires) call(ctx context.Context, client int, body []byte, into io.ReaderFrom) (status int, header http.Header, err error) {
	one := &w.all[client]
	conn, err := one.open(ctx, w.address)
	if err != nil {
		return 0, nil, err
	}
	defer func() {
		if err != nil {
			one.drop()
		}
	}()
	one.out = strconv.AppendInt(append(one.out[:0], w.head...), int64(len(body)), 10)
	one.out = append(append(one.out, "\r\n\r\n"...), body...)
	if _, err := conn.Write(one.out); err != nil {
		return 0, nil, fmt.Errorf("scenario: send: %w", err)
	}
	answer, err := http.ReadResponse(one.in, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("scenario: receive: %w", err)
	}
	_, err = into.ReadFrom(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return 0, nil, fmt.Errorf("scenario: receive: %w", err)
	}
	if answer.Close {
		one.drop()
	}
	return answer.StatusCode, answer.Header, nil
}

// errHungUp is what is left for those who would send after hangUp.
var errHungUp = errors.New("scenario: nobody sends any more")

func (one *wire) open(ctx context.Context, address string) (net.Conn, error) {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.closed {
		return nil, errHungUp
	}
	if one.conn == nil {
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("scenario: %w", err)
		}
		one.conn, one.in = conn, bufio.NewReader(conn)
	}
	if err := one.conn.SetDeadline(time.Now().Add(wirePatience)); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return one.conn, nil
}

func (one *wire) drop() {
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.conn != nil {
		_ = one.conn.Close() // nothing is lost that was not lost before
		one.conn = nil
	}
}

// hangUp closes all connections, under way or not, for good.
func (w *wires) hangUp() {
	for i := range w.all {
		one := &w.all[i]
		one.mu.Lock()
		one.closed = true
		one.mu.Unlock()
		one.drop()
	}
}

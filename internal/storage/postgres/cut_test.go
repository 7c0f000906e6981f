package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
)

// cutter makes connections that break in COMMIT, as a network does: before the
// server has it, or after it has answered and before the answer is here.
type cutter struct {
	landed bool         // break after the answer, else before the question
	times  atomic.Int64 // how many COMMITs are still to be broken
	cut    atomic.Int64 // how many were
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c *cutter
}

// commitMessage is a simple query of the wire protocol: Q, its length, COMMIT.
var commitMessage = []byte("Q\x00\x00\x00\x0bCOMMIT\x00")

var errCut = errors.New("the connection was cut")

func (c *cutConn) Write(b []byte) (int, error) {
	if !bytes.Contains(b, commitMessage) || c.c.times.Add(-1) < 0 {
		return c.Conn.Write(b)
	}
	c.c.cut.Add(1)
	defer func() { _ = c.Close() }()
	if !c.c.landed {
		return 0, errCut
	}
	if _, err := c.Conn.Write(b); err != nil {
		return 0, err
	}
	// The answer comes, and is lost: the first byte of it is enough.
	if _, err := io.ReadFull(c.Conn, make([]byte, 1)); err != nil {
		return 0, err
	}
	return 0, errCut
}

package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// How far evidence is.
const (
	EvidencePending = "pending"
	EvidenceRunning = "running"
	EvidenceDone    = "done"
	EvidenceFailed  = "failed"
)

// Evidence is what the log proves of a period, and how far it is put together.
type Evidence struct {
	ID          string     `json:"id"`
	From        time.Time  `json:"from"`
	To          time.Time  `json:"to"`
	Status      string     `json:"status"`
	Progress    int        `json:"progress"` // per cent
	RequestedBy string     `json:"requested_by"`
	RequestedAt time.Time  `json:"requested_at"`
	DoneAt      *time.Time `json:"done_at,omitempty"`
	SHA256      string     `json:"sha256,omitempty"` // of the bundle, in hex
	Bytes       int64      `json:"bytes,omitempty"`
	TreeSize    int64      `json:"tree_size,omitempty"` // entries of the log that are in it
	Proof
}

const evidences = "evidence"

// RequestEvidence asks for the evidence of [from, to), which is over, for callers
// who may read the log. It is put together in the background. The key may be empty.
func (c *Client) RequestEvidence(ctx context.Context, from, to time.Time, idempotencyKey string) (*Evidence, error) {
	return send[Evidence](ctx, c, evidences, plain{value: between(&from, &to)}, idempotencyKey)
}

// Evidence returns it as it stands.
func (c *Client) Evidence(ctx context.Context, id string) (*Evidence, error) {
	path, err := pathOf(evidences, id)
	if err != nil {
		return nil, err
	}
	return fetch[Evidence](ctx, c, path, nil)
}

// EvidencePage is a page of evidence, the newest first.
type EvidencePage struct {
	Evidence   []Evidence `json:"evidence"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Evidences returns a page after a cursor, "" for the first.
func (c *Client) Evidences(ctx context.Context, cursor string) (*EvidencePage, error) {
	return fetch[EvidencePage](ctx, c, evidences, pageAfter(cursor))
}

// ErrNotDone says that there is no bundle of the evidence, or not yet.
var ErrNotDone = errors.New("client: the evidence is not done")

// DownloadEvidence writes the bundle of evidence that is done. Its size and digest
// are held against those that the service has for it, while it is written: where
// there is an error, what was written is no bundle. It is fetched once, without
// retries; [Config.Timeout] bounds the wait for each part of it. Who made it, its
// manifest says, which package verify and counterfoil-verify check.
func (c *Client) DownloadEvidence(ctx context.Context, id string, w io.Writer) (*Evidence, error) {
	evidence, err := c.Evidence(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case evidence.Status != EvidenceDone:
		return nil, ErrNotDone
	}
	hash := sha256.New()
	path, _ := pathOf(evidences, id, "bundle") // the id was one before
	n, err := c.stream(ctx, exchange{method: http.MethodGet, path: path, media: "application/x-tar"}, io.MultiWriter(w, hash), evidence.Bytes)
	if err != nil {
		return nil, err
	}
	if n != evidence.Bytes || hex.EncodeToString(hash.Sum(nil)) != evidence.SHA256 {
		return nil, badAnswer("the bundle is not the one that was put together")
	}
	return evidence, nil
}

// stream writes an answer that is too large for memory, and at most one byte more
// than it should have.
func (c *Client) stream(ctx context.Context, x exchange, w io.Writer, size int64) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var stalled atomic.Bool
	watch := time.AfterFunc(c.cfg.Timeout, func() {
		stalled.Store(true)
		cancel()
	})
	defer watch.Stop()
	request, err := c.request(ctx, x)
	if err != nil {
		return 0, err
	}
	// The time of a client that the caller brought is for whole answers; here each
	// part has its own.
	patient := *c.http
	patient.Timeout = 0
	n := int64(0)
	response, err := patient.Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		if err := c.answered(response, x.media); err != nil {
			return 0, err
		}
		n, err = io.Copy(w, io.LimitReader(watched{response.Body, watch, c.cfg.Timeout}, size+1))
	}
	switch {
	case stalled.Load():
		return n, fmt.Errorf("client: %w", context.DeadlineExceeded)
	case err != nil:
		return n, fmt.Errorf("client: %w", err)
	}
	return n, nil
}

// watched gives each read its own time; what is done with what was read has as
// long as it needs.
type watched struct {
	io.Reader
	watch *time.Timer
	each  time.Duration
}

func (r watched) Read(p []byte) (int, error) {
	r.watch.Reset(r.each)
	n, err := r.Reader.Read(p)
	r.watch.Stop()
	return n, err
}

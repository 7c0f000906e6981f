package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// errCut says that an answer broke off through a fault of ours, after a part of it
// was sent.
var errCut = errors.New("httpapi: an answer broke off")

// EvidenceBundle serves the bundle of evidence, as it is read.
func (a *api) EvidenceBundle(ctx context.Context, r gen.EvidenceBundleRequestObject) (gen.EvidenceBundleResponseObject, error) {
	ctx, x := begin(ctx)
	// A bundle is larger than what RequestTimeout is for. What ends it is that the
	// client goes away, or BundleTimeout.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), BundleTimeout)
	stop := context.AfterFunc(x.arrived, cancel)
	end := func() { stop(); cancel() }
	body, info, err := a.service.EvidenceBundle(ctx, x.call, r.EvidenceId)
	if err != nil {
		end()
		return nil, err
	}
	return bundle{body: body, info: info, end: end}, nil
}

// bundle is an answer that is not in memory as a whole.
type bundle struct {
	body io.ReadCloser
	info vault.EvidenceInfo
	end  func()
}

// VisitEvidenceBundleResponse copies the bundle. Before the first byte of it is
// read nothing is sent, so that a bundle that cannot be read is a problem and not
// half an answer.
func (b bundle) VisitEvidenceBundleResponse(w http.ResponseWriter) error {
	defer b.end()
	defer func() { _ = b.body.Close() }() // it was only read
	source := &faultReader{source: b.body}
	buffered := bufio.NewReader(source)
	if _, err := buffered.Peek(1); err != nil {
		return fmt.Errorf("httpapi: read a bundle: %w", err)
	}
	// Where the connection has no deadline there is none to be moved.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(BundleTimeout))
	header := w.Header()
	header.Set("Content-Type", "application/x-tar")
	header.Set("Content-Length", strconv.FormatInt(b.info.Bytes, 10))
	header.Set("Content-Disposition", `attachment; filename="evidence-`+b.info.ID+`.tar"`)
	w.WriteHeader(http.StatusOK)
	n, err := io.Copy(w, io.LimitReader(buffered, b.info.Bytes))
	switch {
	case source.fault != nil:
		return fmt.Errorf("%w: %w", errCut, source.fault)
	case err != nil:
		return fmt.Errorf("httpapi: write an answer: %w", err)
	case n < b.info.Bytes:
		return fmt.Errorf("%w: %w", errCut, io.ErrUnexpectedEOF)
	}
	return nil
}

// faultReader remembers that it was the reading that failed, and not the writing.
type faultReader struct {
	source io.Reader
	fault  error
}

func (r *faultReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.fault = err
	}
	return n, err //nolint:wrapcheck // a reader passes io.EOF on as it is
}

package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/vault"
)

var errDisk = errors.New("test: the disk is gone")

// failing gives some bytes and then fails, or ends where there is no fault.
type failing struct {
	io.Reader
	fault  error
	closed *bool
}

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) && f.fault != nil {
		err = f.fault
	}
	return n, err
}

func (f failing) Close() error {
	*f.closed = true
	return nil
}

// fetched is what became of a bundle: what the client has of it, how its reading
// ended, and what the server knows.
type fetched struct {
	body   []byte
	status int
	header http.Header
	read   error
	sent   error
	x      *exchange
}

// fetch serves a bundle that is said to have so many bytes over a network, by the
// way of every answer.
func fetch(t *testing.T, body io.Reader, fault error, size int64) (f fetched) {
	t.Helper()
	quiet()
	var closed, ended bool
	a := &api{logger: slog.New(slog.DiscardHandler)}
	engine := gin.New()
	engine.GET("/", func(c *gin.Context) {
		f.x = &exchange{arrived: c.Request.Context()}
		c.Set(exchangeKey, f.x)
		b := bundle{
			body: failing{body, fault, &closed}, info: vault.EvidenceInfo{ID: "5d41", Bytes: size}, end: func() { ended = true },
		}
		if f.sent = b.VisitEvidenceBundleResponse(c.Writer); f.sent != nil {
			a.unsent(c, f.sent)
		}
		if f.x.broken {
			panic(http.ErrAbortHandler)
		}
	})
	server := httptest.NewServer(engine)
	response, err := http.Get(server.URL) //nolint:noctx // a test server, which ends with the test
	if err != nil {
		t.Fatal(err)
	}
	f.status, f.header = response.StatusCode, response.Header
	f.body, f.read = io.ReadAll(response.Body)
	_ = response.Body.Close()
	server.Close() // waits for the handler, so that what it wrote can be read
	if !closed || !ended {
		t.Errorf("the bundle was closed %v, its context ended %v", closed, ended)
	}
	return f
}

// large is more than any buffer on the way.
var large = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)

func TestABundleArrivesAsItIs(t *testing.T) {
	f := fetch(t, bytes.NewReader(large), nil, int64(len(large)))
	if f.status != http.StatusOK || f.sent != nil || f.read != nil || !bytes.Equal(f.body, large) || f.x.broken || f.x.gone {
		t.Errorf("status %d, %d bytes, sent %v, read %v", f.status, len(f.body), f.sent, f.read)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/x-tar", "Content-Length": fmt.Sprint(len(large)),
		"Content-Disposition": `attachment; filename="evidence-5d41.tar"`,
	} {
		if f.header.Get(name) != want {
			t.Errorf("%s: %q", name, f.header.Get(name))
		}
	}
}

// A bundle that breaks off must not look whole: fewer bytes arrive than were said,
// and the client is told so by its own library.
func TestABundleThatBreaksOffIsNotWhole(t *testing.T) {
	for name, fault := range map[string]error{"the reading fails": errDisk, "it is too short": nil} {
		size := int64(len(large)) + 1
		f := fetch(t, bytes.NewReader(large), fault, size)
		if f.status != http.StatusOK || !errors.Is(f.read, io.ErrUnexpectedEOF) || int64(len(f.body)) >= size {
			t.Errorf("%s: status %d, %d bytes, read %v", name, f.status, len(f.body), f.read)
		}
		if !errors.Is(f.sent, errCut) || !f.x.broken || f.x.gone || f.x.code != vault.CodeInternal || !errors.Is(f.x.cause, errCut) {
			t.Errorf("%s: sent %v, event %+v", name, f.sent, f.x.event)
		}
		if fault != nil && !errors.Is(f.sent, fault) {
			t.Errorf("%s: the cause is lost: %v", name, f.sent)
		}
	}
}

// The twin: without the length that was said, a bundle that breaks off looks whole.
func TestABundleThatBreaksOffIsNotWhole_Twin(t *testing.T) {
	f := fetch(t, bytes.NewReader(large[:len(large)-1]), nil, int64(len(large))-1)
	if f.read != nil || f.x.broken || bytes.Equal(f.body, large) {
		t.Errorf("a bundle of another length was noticed: read %v", f.read)
	}
}

// What cannot be read at all is a problem, since nothing was sent yet.
func TestABundleThatCannotBeReadIsAProblem(t *testing.T) {
	f := fetch(t, bytes.NewReader(nil), errDisk, 5)
	if f.status != http.StatusInternalServerError || f.header.Get("Content-Type") != problemType || f.header.Get("Content-Disposition") != "" ||
		!errors.Is(f.sent, errDisk) || f.read != nil || f.x.broken || bytes.Contains(f.body, []byte("disk")) {
		t.Errorf("status %d, %s, sent %v: %s", f.status, f.header, f.sent, f.body)
	}
}

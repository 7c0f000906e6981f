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

// fetch serves a bundle that is said to have so many bytes over a network, by the
// way of every answer, and says what the client has of it.
func fetch(t *testing.T, body io.Reader, fault error, bytes int64) (got []byte, status int, header http.Header, sent, read error, x *exchange) {
	t.Helper()
	quiet()
	var closed, ended bool
	a := &api{logger: slog.New(slog.DiscardHandler)}
	engine := gin.New()
	engine.GET("/", func(c *gin.Context) {
		x = &exchange{arrived: c.Request.Context()}
		c.Set(exchangeKey, x)
		b := bundle{
			body: failing{body, fault, &closed}, info: vault.EvidenceInfo{ID: "5d41", Bytes: bytes}, end: func() { ended = true },
		}
		if sent = b.VisitEvidenceBundleResponse(c.Writer); sent != nil {
			a.unsent(c, sent)
		}
		if x.broken {
			panic(http.ErrAbortHandler)
		}
	})
	server := httptest.NewServer(engine)
	defer server.Close()
	response, err := http.Get(server.URL) //nolint:noctx // a test server, which ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, read = io.ReadAll(response.Body)
	if !closed || !ended {
		t.Errorf("the bundle was closed %v, its context ended %v", closed, ended)
	}
	return got, response.StatusCode, response.Header, sent, read, x
}

// large is more than any buffer on the way.
var large = bytes.Repeat([]byte("0123456789abcdef"), 1<<16)

func TestABundleArrivesAsItIs(t *testing.T) {
	got, status, header, sent, read, x := fetch(t, bytes.NewReader(large), nil, int64(len(large)))
	if status != http.StatusOK || sent != nil || read != nil || !bytes.Equal(got, large) || x.broken || x.gone {
		t.Errorf("status %d, %d bytes, sent %v, read %v", status, len(got), sent, read)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/x-tar", "Content-Length": fmt.Sprint(len(large)),
		"Content-Disposition": `attachment; filename="evidence-5d41.tar"`,
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q", name, header.Get(name))
		}
	}
}

// A bundle that breaks off must not look whole: fewer bytes arrive than were said,
// and the client is told so by its own library.
func TestABundleThatBreaksOffIsNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		fault error
		bytes int64
	}{
		"the reading fails": {errDisk, int64(len(large)) + 1},
		"it is too short":   {nil, int64(len(large)) + 1},
	} {
		got, status, _, sent, read, x := fetch(t, bytes.NewReader(large), c.fault, c.bytes)
		if status != http.StatusOK || !errors.Is(read, io.ErrUnexpectedEOF) || int64(len(got)) >= c.bytes {
			t.Errorf("%s: status %d, %d bytes, read %v", name, status, len(got), read)
		}
		if !errors.Is(sent, errCut) || !x.broken || x.gone || x.code != vault.CodeInternal || !errors.Is(x.cause, errCut) {
			t.Errorf("%s: sent %v, event %+v", name, sent, x.event)
		}
		if c.fault != nil && !errors.Is(sent, c.fault) {
			t.Errorf("%s: the cause is lost: %v", name, sent)
		}
	}
}

// What cannot be read at all is a problem, since nothing was sent yet.
func TestABundleThatCannotBeReadIsAProblem(t *testing.T) {
	got, status, header, sent, read, x := fetch(t, bytes.NewReader(nil), errDisk, 5)
	if status != http.StatusInternalServerError || header.Get("Content-Type") != problemType || header.Get("Content-Disposition") != "" ||
		!errors.Is(sent, errDisk) || read != nil || x.broken || bytes.Contains(got, []byte("disk")) {
		t.Errorf("status %d, %s, sent %v: %s", status, header, sent, got)
	}
}

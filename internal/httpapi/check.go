package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const jsonType = "application/json"

// checkedBody hands the value that was checked to the generated code, which
// binds it as it is. There are no bytes left to read.
type checkedBody struct {
	io.ReadCloser
	value any
}

// ValidatedValue is what the generated code asks a body for.
func (b checkedBody) ValidatedValue() any { return b.value }

// check reads the request strictly and holds it against the document.
func (a *api) check(c *gin.Context) {
	x := exchangeOf(c)
	if x.op == nil {
		return
	}
	if err := a.checkParameters(c, x.op); err != nil {
		a.fail(c, err)
		return
	}
	if x.op.stream {
		// The generated code would read it whole.
		x.stream, x.streamType = c.Request.Body, strings.Join(c.Request.Header.Values("Content-Type"), ",")
		c.Request.Body = http.NoBody
		return
	}
	if x.op.body == nil {
		return
	}
	size := c.Request.ContentLength
	if size < 0 {
		size = a.limits.BodyBytes // chunked: as much as it may become
	}
	if err := a.checkHead(c.Request, size); err != nil {
		a.refuse(c, x, err)
		return
	}
	if !a.bodies.take(size) {
		a.fail(c, overloaded(limitBodyInFlight))
		return
	}
	// Held until the answer is out: so long the values are in memory.
	defer a.bodies.give(size)
	if err := a.decode(c, x); err != nil {
		a.refuse(c, x, err)
		return
	}
	c.Next()
}

// decode reads the body and puts the value that was checked in its place.
func (a *api) decode(c *gin.Context, x *exchange) error {
	_, end := stage.Start(c.Request.Context(), stage.Decode)
	defer end()
	body, err := a.readBody(c)
	x.bytesIn = int64(len(body))
	if err != nil {
		return err
	}
	if x.call.Idempotency, err = idempotencyOf(c.Request, x.op.id, c.Params, body); err != nil {
		return err
	}
	body, x.payload = cutPayload(body)
	return a.checkBody(c, x.op, body)
}

// restoring are the operations that give values or names back.
var restoring = []string{"detokenize", "restoreNames", "reportOnRequest", "requestRestoration", "redeemRestoration"}

// refuse ends a request whose body is refused. A restoration that was asked
// for in a way that cannot be decided on is recorded, since somebody known
// wanted values; what cannot be read at all says nothing of that and is only
// counted.
func (a *api) refuse(c *gin.Context, x *exchange, err error) {
	if p := problemOf(err, ""); slices.Contains(restoring, x.op.id) && p.Status != http.StatusBadRequest {
		a.service.RecordRefused(c.Request.Context(), x.call, x.op.id, string(p.Code))
	}
	a.fail(c, err)
}

// checkParameters checks path, query and headers. A parameter that is not
// known or comes twice is refused: a filter that is silently dropped shows
// more than was asked for.
func (a *api) checkParameters(c *gin.Context, op *operation) error {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return malformed("the query cannot be read")
	}
	for name, values := range query {
		if !op.query[name] {
			return vault.Invalid("query", "has a parameter that is not known"+listWords("; known are ", op.query))
		}
		if len(values) > 1 {
			return vault.Invalid("query:"+name, "must be given once")
		}
	}
	params := make(map[string]string, len(c.Params))
	for i := range c.Params {
		// All that follows in a path begins with a slash, to gin. The document and the
		// handlers have it without.
		p := &c.Params[i]
		p.Value = strings.TrimPrefix(p.Value, "/")
		params[p.Key] = p.Value
	}
	// The validator reads a body whole, however long it is, before it looks whether it
	// is to be looked at. It is given none.
	bare := *c.Request
	bare.Body = http.NoBody
	err = openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: &bare, PathParams: params, QueryParams: query, Route: op.route,
		Options: &openapi3filter.Options{
			ExcludeRequestBody: true, SkipSettingDefaults: true, MultiError: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, // authenticate has done it
		},
	})
	return a.translate(err)
}

// checkHead refuses a body by what its headers say.
func (a *api) checkHead(r *http.Request, size int64) error {
	types := r.Header.Values("Content-Type")
	media, params, err := mime.ParseMediaType(strings.Join(types, ","))
	charset, hasCharset := params["charset"]
	switch {
	case err != nil, len(types) != 1, media != jsonType, hasCharset && !strings.EqualFold(charset, "utf-8"):
		return edge(http.StatusUnsupportedMediaType,
			vault.Errorf(vault.CodeInvalid, "the body must be application/json in UTF-8"))
	case len(r.Header.Values("Content-Encoding")) > 0:
		return edge(http.StatusUnsupportedMediaType,
			vault.Errorf(vault.CodeInvalid, "the body must not have a content encoding"))
	case size > a.limits.BodyBytes:
		return beyond(limitBody, "the body is too large")
	}
	return nil
}

func (a *api) readBody(c *gin.Context) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, a.limits.BodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, beyond(limitBody, "the body is too large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, malformed("the body did not arrive in time")
	default:
		return nil, malformed("the body cannot be read")
	}
}

func (a *api) checkBody(c *gin.Context, op *operation, body []byte) error {
	value, err := readStrict(body, a.words)
	if err != nil {
		return err
	}
	// MultiErrors tells all that is wrong at once. What it can allocate is
	// bounded by MaxNodes.
	if err := op.body.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsRequest()); err != nil {
		return a.translate(err)
	}
	c.Request.Body = checkedBody{ReadCloser: http.NoBody, value: value}
	return nil
}

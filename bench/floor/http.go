package main

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

const (
	// maxBody is more than any payload of the benchmark.
	maxBody = 1 << 20
	// maxValues is what the service allows in one request.
	maxValues = 1024
	// idBytes of randomness make ids that do not meet: 2^80 against 10^7 rows. One that
	// did would fail its commit.
	idBytes = 10
	idChars = 16
)

type tokenizeRequest struct {
	Scope  string `json:"scope"`
	Values []struct {
		Entity string `json:"entity"`
		Value  string `json:"value"`
	} `json:"values"`
}

type tokenizeAnswer struct {
	Tokens []string `json:"tokens"`
}

type restoreRequest struct {
	Scope  string   `json:"scope"`
	Tokens []string `json:"tokens"`
}

type restoreAnswer struct {
	Values []string `json:"values"`
}

type problem struct {
	Error string `json:"error"`
}

var (
	errInvalid  = errors.New("the request is not valid")
	errUnknown  = errors.New("a token is not known")
	errDenied   = errors.New("denied")
	errInternal = errors.New("the request could not be done")
)

type service struct {
	store store
	group *group
}

// handler is gin without any middleware.
func handler(s store, g *group) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	f := &service{store: s, group: g}
	engine := gin.New()
	engine.POST("/echo", f.echo)
	engine.POST("/tokenize", func(c *gin.Context) { answer(c, f.tokenize) })
	engine.POST("/restore", func(c *gin.Context) { answer(c, f.restore) })
	engine.POST("/deny", func(c *gin.Context) { answer(c, f.deny) })
	return engine
}

// answer reads a request, has it done, and writes what came of it.
func answer[Q, A any](c *gin.Context, do func(*gin.Context, *Q) (A, error)) {
	var q Q
	body, err := read(c)
	if err == nil {
		if json.Unmarshal(body, &q) != nil {
			err = errInvalid
		}
	}
	if err == nil {
		var a A
		if a, err = do(c, &q); err == nil {
			write(c, http.StatusOK, a)
			return
		}
	}
	switch {
	case errors.Is(err, errInvalid):
		write(c, http.StatusBadRequest, problem{err.Error()})
	case errors.Is(err, errUnknown):
		write(c, http.StatusNotFound, problem{err.Error()})
	case errors.Is(err, errDenied):
		write(c, http.StatusForbidden, problem{err.Error()})
	default:
		// The cause may quote what the database was given.
		write(c, http.StatusInternalServerError, problem{errInternal.Error()})
	}
}

func read(c *gin.Context) ([]byte, error) {
	n := c.Request.ContentLength
	if n < 0 || n > maxBody {
		return nil, fmt.Errorf("%w: its length", errInvalid)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(c.Request.Body, body); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return body, nil
}

func write(c *gin.Context, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Data(status, "application/json", body)
}

func (f *service) echo(c *gin.Context) {
	body, err := read(c)
	if err != nil {
		write(c, http.StatusBadRequest, problem{err.Error()})
		return
	}
	c.Data(http.StatusOK, "application/json", body)
}

func (f *service) tokenize(_ *gin.Context, q *tokenizeRequest) (a tokenizeAnswer, err error) {
	if !q.valid() {
		return a, errInvalid
	}
	a.Tokens = newIDs(len(q.Values))
	mappings := make([]mapping, len(q.Values))
	for i, v := range q.Values {
		mappings[i] = mapping{scope: q.Scope, id: a.Tokens[i], entity: v.Entity, sealed: seal(v.Value)}
	}
	return a, f.group.commit(&change{mappings: mappings, record: record("tokenize", q.Scope, a.Tokens)})
}

func newIDs(n int) []string {
	random := make([]byte, n*idBytes)
	_, _ = rand.Read(random) // it never fails
	text := base32.StdEncoding.EncodeToString(random)
	ids := make([]string, n)
	for i := range ids {
		ids[i] = text[i*idChars : (i+1)*idChars]
	}
	return ids
}

// restore reads before it commits, as the service does: what it gives away is not
// known before, and the record must be durable when it does.
func (f *service) restore(c *gin.Context, q *restoreRequest) (a restoreAnswer, err error) {
	if !q.valid() {
		return a, errInvalid
	}
	values := make(map[string]string, len(q.Tokens))
	err = f.store.read(c.Request.Context(), q.Scope, q.Tokens, func(id string, sealed []byte) { values[id] = open(sealed) })
	if err != nil {
		return a, err
	}
	a.Values = make([]string, len(q.Tokens))
	for i, id := range q.Tokens {
		value, ok := values[id]
		if !ok {
			return restoreAnswer{}, errUnknown
		}
		a.Values[i] = value
	}
	return a, f.group.commit(&change{record: record("restore", q.Scope, q.Tokens)})
}

func (f *service) deny(_ *gin.Context, q *restoreRequest) (a problem, err error) {
	if !q.valid() {
		return a, errInvalid
	}
	if err := f.group.commit(&change{record: record("deny", q.Scope, q.Tokens)}); err != nil {
		return a, err
	}
	return a, errDenied
}

func (q *tokenizeRequest) valid() bool {
	for i := range q.Values {
		if !storable(q.Values[i].Entity) {
			return false
		}
	}
	return storable(q.Scope) && len(q.Values) > 0 && len(q.Values) <= maxValues
}

func (q *restoreRequest) valid() bool {
	for _, id := range q.Tokens {
		if !storable(id) {
			return false
		}
	}
	return storable(q.Scope) && len(q.Tokens) > 0 && len(q.Tokens) <= maxValues
}

// storable is false for what PostgreSQL refuses as a text: it would fail the commit
// that others share. JSON leaves no invalid UTF-8.
func storable(s string) bool { return s != "" && strings.IndexByte(s, 0) < 0 }

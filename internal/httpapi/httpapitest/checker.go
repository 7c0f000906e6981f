// Package httpapitest holds every exchange of a test against the OpenAPI
// document, in both directions, so that no test of the project can pass with
// an answer that the document does not describe.
//
//	c := httpapitest.NewClient(t, handler, bearer)
//	var out struct{ Text string }
//	c.Post("/v1/tokenize", map[string]any{"scope": "chat-1", "text": "..."}).Want(200).Decode(&out)
//
// A test with a client of its own puts a Transport under it:
//
//	client := &http.Client{Transport: httpapitest.NewTransport(t, http.DefaultTransport)}
//
// What is demanded of each exchange: the operation lists the status; headers
// and body fit their schemas, and objects have no field that the document does
// not know; an answer of 2xx belongs to a request that the document allows;
// whatever is no 2xx is a problem whose status and instance are those of the
// answer; Request-Id, no-store and nosniff are there.
package httpapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/counterfoil/counterfoil/openapi"
)

// Pages and tables are texts to the validator, and a bundle is bytes: it knows none
// of them.
func init() {
	for _, media := range []string{"text/html", "text/markdown", "text/csv"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.RegisteredBodyDecoder("text/plain"))
	}
	openapi3filter.RegisterBodyDecoder("application/x-tar", openapi3filter.FileBodyDecoder)
}

// Checker holds exchanges against the document.
type Checker struct {
	router  routers.Router
	problem *openapi3.Schema
}

// NewChecker loads the document.
func NewChecker() (*Checker, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		return nil, fmt.Errorf("httpapitest: load: %w", err)
	}
	// The document serves from wherever it is; the router wants an address.
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("httpapitest: router: %w", err)
	}
	// Readers must ignore fields that they do not know, so the document leaves
	// answers open. The tests do not: a field that nobody described may be one
	// that should not have left.
	for _, s := range doc.Components.Schemas {
		closeObjects(s.Value, make(map[*openapi3.Schema]bool))
	}
	return &Checker{router: router, problem: doc.Components.Schemas["Problem"].Value}, nil
}

func closeObjects(s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if s.Properties != nil && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		no := false
		s.AdditionalProperties.Has = &no
	}
	for _, p := range s.Properties {
		closeObjects(p.Value, seen)
	}
	if s.Items != nil {
		closeObjects(s.Items.Value, seen)
	}
}

// Exchange is a request and its answer, with the bodies read.
type Exchange struct {
	Request      *http.Request
	RequestBody  []byte
	Status       int
	Header       http.Header
	ResponseBody []byte
}

var requestID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Check returns everything that is wrong with the exchange.
func (c *Checker) Check(x Exchange) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !requestID.MatchString(x.Header.Get("Request-Id")) {
		fault("no Request-Id")
	}
	if x.Header.Get("Cache-Control") != "no-store" || x.Header.Get("X-Content-Type-Options") != "nosniff" {
		fault("no Cache-Control: no-store or X-Content-Type-Options: nosniff")
	}
	if x.Status >= http.StatusBadRequest {
		if err := c.checkProblem(x); err != nil {
			fault("problem: %w", err)
		}
	}
	request := x.Request.Clone(context.Background())
	request.Body = io.NopCloser(bytes.NewReader(x.RequestBody))
	// The validator reads GetBody rather than Body where both are there.
	request.GetBody, request.ContentLength = nil, int64(len(x.RequestBody))
	route, params, err := c.router.FindRoute(request)
	switch {
	case err == nil:
		if err := checkRouted(x, request, route, params); err != nil {
			fault("%w", err)
		}
	case x.Status != http.StatusNotFound && x.Status != http.StatusMethodNotAllowed:
		fault("the document has no %s %s: %w", request.Method, request.URL.Path, err)
	}
	return errors.Join(faults...)
}

func checkRouted(x Exchange, request *http.Request, route *routers.Route, params map[string]string) error {
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true,
	}
	input := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route, Options: options}
	if x.Status < http.StatusBadRequest {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("status %d for a request that the document does not allow: %w", x.Status, err)
		}
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: x.Status, Header: x.Header,
		Body: io.NopCloser(bytes.NewReader(x.ResponseBody)), Options: options,
	})
	if err != nil {
		return fmt.Errorf("%s %s: status %d: %w", request.Method, route.Path, x.Status, err)
	}
	return nil
}

func (c *Checker) checkProblem(x Exchange) error {
	if got := x.Header.Get("Content-Type"); got != "application/problem+json" {
		return fmt.Errorf("content type %q", got)
	}
	var value map[string]any
	if err := json.Unmarshal(x.ResponseBody, &value); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if err := c.problem.VisitJSON(value); err != nil {
		return err
	}
	if value["status"] != float64(x.Status) {
		return fmt.Errorf("says status %v, is %d", value["status"], x.Status)
	}
	if value["instance"] != x.Header.Get("Request-Id") {
		return errors.New("instance is not the Request-Id")
	}
	code, _ := value["code"].(string)
	if problemType, _ := value["type"].(string); !strings.HasSuffix(problemType, ":"+code) {
		return fmt.Errorf("type and code %q do not agree", code)
	}
	_, advice := value["retry_after"]
	if wants := code == "unavailable" || code == "exhausted"; wants != advice || wants != (x.Header.Get("Retry-After") != "") {
		return fmt.Errorf("code %s: advice when to ask again: body %v, header %q", code, advice, x.Header.Get("Retry-After"))
	}
	if (x.Status == http.StatusUnauthorized) != (x.Header.Get("WWW-Authenticate") != "") {
		return errors.New("a challenge goes with 401, and only with it")
	}
	return nil
}

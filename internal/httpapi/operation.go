package httpapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/openapi"
)

// operation is one operation of the OpenAPI document.
type operation struct {
	id      string
	span    telemetry.Operation
	secured bool
	route   *routers.Route
	// query are the names of its query parameters.
	query map[string]bool
	// body is the schema of its body, nil where it takes none or a stream.
	body *openapi3.Schema
	// stream says that its body is read while the answer is written.
	stream bool
}

// words are the names of fields in requests: what of a path in a body may be
// repeated.
type words map[string]bool

// description is the document, ready for use.
type description struct {
	operations map[string]*operation // by method and path, as gin writes it
	words      words
	rest       map[string]string // paths that end in all that follows, by how they are generated
}

func describe() (description, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		return description{}, fmt.Errorf("httpapi: load the OpenAPI document: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return description{}, fmt.Errorf("httpapi: the OpenAPI document: %w", err)
	}
	d := description{operations: make(map[string]*operation), words: make(words), rest: make(map[string]string)}
	for path, item := range doc.Paths.Map() {
		if served := ginPath(path); strings.Contains(served, "*") {
			d.rest[strings.ReplaceAll(served, "*", ":")] = served
		}
		for method, op := range item.Operations() {
			o := &operation{
				id: op.OperationID, span: telemetry.NewOperation(op.OperationID), secured: secured(doc, op), query: make(map[string]bool),
				route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: op},
			}
			for _, p := range op.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					o.query[p.Value.Name] = true
				}
			}
			o.stream, _ = op.Extensions["x-stream"].(bool)
			if op.RequestBody != nil && !o.stream {
				if o.body, err = bodySchema(op); err != nil {
					return description{}, err
				}
				d.words.learn(o.body, make(map[*openapi3.Schema]bool))
			}
			d.operations[method+" "+ginPath(path)] = o
		}
	}
	return d, nil
}

func secured(doc *openapi3.T, op *openapi3.Operation) bool {
	if op.Security != nil {
		return len(*op.Security) > 0
	}
	return len(doc.Security) > 0
}

func bodySchema(op *openapi3.Operation) (*openapi3.Schema, error) {
	media := op.RequestBody.Value.Content.Get(jsonType)
	if media == nil || media.Schema == nil || !op.RequestBody.Value.Required {
		return nil, fmt.Errorf("httpapi: the body of %s is not required JSON", op.OperationID)
	}
	return media.Schema.Value, nil
}

// learn collects the names of fields of a schema and of those below it.
func (w words) learn(s *openapi3.Schema, seen map[*openapi3.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	for name, property := range s.Properties {
		w[name] = true
		w.learn(property.Value, seen)
	}
	if s.Items != nil {
		w.learn(s.Items.Value, seen)
	}
}

// segment is a name as a path may hold it: one that only the caller knows
// becomes a segment at which every pointer ends. It may be digits, and would
// otherwise pass for an index.
func (w words) segment(name string) string {
	if w[name] {
		return name
	}
	return ""
}

// maxIndexDigits is that of MaxNodes: a longer number was never an index.
const maxIndexDigits = 5

// pointer makes a JSON pointer (RFC 6901) of a path, as far as it is made of
// known words and indexes. Known words need no escaping.
func (w words) pointer(path []string) string {
	var b strings.Builder
	for _, segment := range path {
		if !w[segment] && !isIndex(segment) {
			break
		}
		b.WriteByte('/')
		b.WriteString(segment)
	}
	return b.String()
}

func isIndex(s string) bool {
	return s != "" && len(s) <= maxIndexDigits && strings.Trim(s, "0123456789") == ""
}

// ginPath writes the path of the document as gin does: {index} is :index, and
// {path*}, which is all that follows, is *path.
func ginPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		name, isName := strings.CutPrefix(strings.TrimSuffix(segment, "}"), "{")
		rest := strings.TrimSuffix(name, "*")
		switch {
		case isName && rest != name:
			segments[i] = "*" + rest
		case isName:
			segments[i] = ":" + name
		}
	}
	return strings.Join(segments, "/")
}

// restPaths registers what is generated with gin, which does not know that a
// parameter of the document may be all that follows in a path.
type restPaths struct {
	gin.IRouter
	rest map[string]string // by the path as it is generated
}

// GET registers an operation.
func (r restPaths) GET(path string, handlers ...gin.HandlerFunc) gin.IRoutes {
	if rest, is := r.rest[path]; is {
		path = rest
	}
	return r.IRouter.GET(path, handlers...)
}

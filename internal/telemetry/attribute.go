package telemetry

import (
	"regexp"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Attribute is one fact about a request. The zero Attribute states nothing.
type Attribute struct{ fact attribute.KeyValue }

// The keys of all attributes that there are. A key that is not in this list is
// a decision, not a habit.
const (
	keyStatus        attribute.Key = "http.response.status_code"
	keyBytesIn       attribute.Key = "http.request.body.size"
	keyBytesOut      attribute.Key = "http.response.body.size"
	keyCode          attribute.Key = "counterfoil.code"
	keyRequestID     attribute.Key = "counterfoil.request_id"
	keyTenant        attribute.Key = "counterfoil.tenant"
	keyPolicyVersion attribute.Key = "counterfoil.policy_version"
	keyTokens        attribute.Key = "counterfoil.tokens"
	keyNotTokenized  attribute.Key = "counterfoil.not_tokenized"
	keyResults       attribute.Key = "counterfoil.results"
	keyRestored      attribute.Key = "counterfoil.restored"
	keyEntries       attribute.Key = "counterfoil.entries"
)

// Keys lists the keys of all attributes.
func Keys() []string {
	return []string{
		string(keyStatus), string(keyBytesIn), string(keyBytesOut), string(keyCode), string(keyRequestID),
		string(keyTenant), string(keyPolicyVersion), string(keyTokens), string(keyNotTokenized),
		string(keyResults), string(keyRestored), string(keyEntries),
	}
}

// Status is the HTTP status of the answer.
func Status(status int) Attribute { return Attribute{keyStatus.Int(status)} }

// BytesIn is the size of the request's body.
func BytesIn(n int64) Attribute { return Attribute{keyBytesIn.Int64(n)} }

// BytesOut is the size of the answer's body.
func BytesOut(n int64) Attribute { return Attribute{keyBytesOut.Int64(n)} }

// Tokens is the number of tokens in the answer.
func Tokens(n int) Attribute { return count(keyTokens, n) }

// NotTokenized is the number of findings that were masked or let through.
func NotTokenized(n int) Attribute { return count(keyNotTokenized, n) }

// Results is the number of tokens that were asked for.
func Results(n int) Attribute { return count(keyResults, n) }

// Restored is the number of tokens of which the answer shows something.
func Restored(n int) Attribute { return count(keyRestored, n) }

// Entries is the number of entries of the log in the answer.
func Entries(n int) Attribute { return count(keyEntries, n) }

// count states nothing where there is nothing: most operations count nothing.
func count(key attribute.Key, n int) Attribute {
	if n == 0 {
		return Attribute{}
	}
	return Attribute{key.Int(n)}
}

// Code is the code of the problem that the request ended in.
func Code(code vault.Code) Attribute {
	if !slices.Contains(vault.Codes(), code) {
		return Attribute{}
	}
	return Attribute{keyCode.String(string(code))}
}

// The shapes of texts. Each is that of something that the service has made or
// was configured with.
var (
	requestIDShape     = regexp.MustCompile(`^[0-9a-f]{32}$`)
	policyVersionShape = regexp.MustCompile(`^[0-9a-f]{64}$`)
	tenantShape        = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	operationShape     = regexp.MustCompile(`^[a-z][A-Za-z]{0,31}$`)
)

// RequestID is the id that the service has drawn for the request.
func RequestID(id string) Attribute { return shaped(keyRequestID, id, requestIDShape) }

// Tenant is the name of the tenant that a verified credential speaks for.
func Tenant(name string) Attribute { return shaped(keyTenant, name, tenantShape) }

// PolicyVersion is the version of the policy that the request was decided under.
func PolicyVersion(version string) Attribute {
	return shaped(keyPolicyVersion, version, policyVersionShape)
}

func shaped(key attribute.Key, text string, shape *regexp.Regexp) Attribute {
	if !shape.MatchString(text) {
		return Attribute{}
	}
	return Attribute{key.String(text)}
}

// Operation is the name of a request's span. It is made at the start, of the
// names that the interface has, and not of what a request says.
type Operation struct{ name string }

// NewOperation makes an operation. It panics where the name is none.
func NewOperation(name string) Operation {
	if !operationShape.MatchString(name) {
		panic("telemetry: an operation with a name that is none")
	}
	return Operation{name}
}

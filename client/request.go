package client

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrRequest is a request that was not sent, because it cannot be sent as it is
// meant. The text says which field breaks which rule, and not what it holds.
var ErrRequest = errors.New("client: the request cannot be sent")

const (
	// maxName bounds the name of an end user; the service takes no longer one.
	maxName = 256
	// maxKey bounds an idempotency key of the caller's own, as the service does.
	maxKey = 128
	// keyBytes is the length of one that is made: 128 bits never meet again.
	keyBytes = 16
)

// Content is what a request is about. The types that implement it are those
// that this package has.
type Content interface {
	// put writes the content into the body of a request.
	put(b *body) error
}

// Tokenizable is what Tokenize takes: Text, SpannedText, Values or Payload.
type Tokenizable interface {
	Content
	tokenizable()
}

// Restorable is what Detokenize takes: Text, Tokens or Payload.
type Restorable interface {
	Content
	restorable()
}

// Text is a prompt, or the answer of a model.
type Text string

// SpannedText is a text in which the caller has found something itself.
type SpannedText struct {
	Text  string
	Spans []Span
}

// Span is a part of a text, from Start up to but not including End, counted in
// Unicode code points.
type Span struct {
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Entity  string `json:"entity"`
	Subject string `json:"subject,omitempty"`
}

// Values are tokenized one by one.
type Values []Value

// Value is one value and what it is.
type Value struct {
	Entity  string `json:"entity"`
	Value   string `json:"value"`
	Subject string `json:"subject,omitempty"`
}

// Tokens are restored one by one.
type Tokens []string

// Payload is the JSON body of a model provider, an object. Its bytes are sent
// as they are; white space before and after it is not part of it. Shape says
// what kind of body it is; without it its structure tells.
type Payload struct {
	JSON  json.RawMessage
	Shape string
}

func (Text) tokenizable()        {}
func (SpannedText) tokenizable() {}
func (Values) tokenizable()      {}
func (Payload) tokenizable()     {}
func (Text) restorable()         {}
func (Tokens) restorable()       {}
func (Payload) restorable()      {}

// body is a request as the service reads it, all operations in one.
type body struct {
	Scope       string       `json:"scope"`
	Subject     string       `json:"subject,omitempty"`
	Destination string       `json:"destination,omitempty"`
	SourceRef   string       `json:"source_ref,omitempty"`
	TTL         int64        `json:"ttl,omitempty"`
	Format      string       `json:"format,omitempty"`
	Detect      *detectField `json:"detect,omitempty"`
	Existing    string       `json:"existing_tokens,omitempty"`
	DryRun      bool         `json:"dry_run,omitempty"`
	Reason      *Reason      `json:"reason,omitempty"`
	Recipient   string       `json:"recipient,omitempty"`
	OnRefused   string       `json:"on_refused,omitempty"`
	Kind        string       `json:"kind,omitempty"`
	IdleTTL     int64        `json:"idle_ttl,omitempty"`
	EndUser     string       `json:"end_user,omitempty"`
	ReadScopes  []string     `json:"read_scopes,omitempty"`
	Text        *string      `json:"text,omitempty"`
	Spans       []Span       `json:"spans,omitempty"`
	Values      []Value      `json:"values,omitempty"`
	Tokens      []string     `json:"tokens,omitempty"`
	Shape       string       `json:"shape,omitempty"`
	Grant       any          `json:"grant,omitempty"` // that is asked for, or the id of the one that it goes by
	Partial     bool         `json:"partial,omitempty"`

	payload json.RawMessage
}

type detectField struct {
	Enabled  bool     `json:"enabled"`
	Entities []string `json:"entities,omitempty"`
	Explain  bool     `json:"explain,omitempty"`
}

func (t Text) put(b *body) error {
	text := string(t)
	b.Text = &text
	return nil
}

func (t SpannedText) put(b *body) error {
	b.Text, b.Spans = &t.Text, t.Spans
	return nil
}

func (v Values) put(b *body) error {
	b.Values = v
	return notEmpty(len(v), "values")
}

func (t Tokens) put(b *body) error {
	b.Tokens = t
	return notEmpty(len(t), "tokens")
}

// put refuses what is not exactly one object: the bytes are pasted into the
// request, and others could bring fields of their own.
func (p Payload) put(b *body) error {
	b.payload, b.Shape = bytes.Trim(p.JSON, " \t\r\n"), p.Shape
	if len(b.payload) == 0 || b.payload[0] != '{' || !json.Valid(b.payload) {
		return refuse("payload", "must be a JSON object")
	}
	return nil
}

func notEmpty(n int, field string) error {
	if n == 0 {
		return refuse(field, "must not be empty")
	}
	return nil
}

// encoder is the body of a request that can be sent.
type encoder interface{ encode() ([]byte, error) }

// plain is a body without a content, and the strings in it.
type plain struct {
	value any
	texts []string
}

func (p plain) encode() ([]byte, error) {
	for _, s := range p.texts {
		if !utf8.ValidString(s) {
			return nil, refuse("text", "must be valid UTF-8, as must all other strings")
		}
	}
	encoded, err := json.Marshal(p.value)
	if err != nil {
		return nil, refuse("body", "must be JSON")
	}
	return encoded, nil
}

// content puts the content of a request, which the caller may have left out.
func (b *body) content(c Content) error {
	if c == nil {
		return refuse("content", "is required")
	}
	return c.put(b)
}

// encode writes the request. What is not UTF-8 is refused, since the encoder
// would write something else for it; a payload is pasted as it is.
func (b *body) encode() ([]byte, error) {
	if !b.utf8() {
		return nil, refuse("text", "must be valid UTF-8, as must all other strings")
	}
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(b); err != nil {
		return nil, refuse("body", "must be JSON")
	}
	encoded := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if b.payload == nil {
		return encoded, nil
	}
	// There is always a scope before it, so a comma fits.
	whole := append(encoded[:len(encoded)-1], `,"payload":`...)
	return append(append(whole, b.payload...), '}'), nil
}

func (b *body) utf8() bool {
	all := []string{
		b.Scope, b.Subject, b.Destination, b.SourceRef, b.Format, b.Existing,
		b.Recipient, b.OnRefused, b.Kind, b.EndUser, b.Shape,
	}
	if b.Text != nil {
		all = append(all, *b.Text)
	}
	if b.Reason != nil {
		all = append(all, b.Reason.Code, b.Reason.Reference, b.Reason.Note)
	}
	if b.Detect != nil {
		all = append(all, b.Detect.Entities...)
	}
	if w, asks := b.Grant.(*wishField); asks {
		all = append(all, w.texts()...)
	}
	all = append(append(all, b.ReadScopes...), b.Tokens...)
	for _, s := range b.Spans {
		all = append(all, s.Entity, s.Subject)
	}
	for _, v := range b.Values {
		all = append(all, v.Entity, v.Value, v.Subject)
	}
	for _, s := range all {
		if !utf8.ValidString(s) {
			return false
		}
	}
	return true
}

// seconds are how durations are sent. A part of one is refused and not
// rounded: rounding up would keep a value longer than was asked.
func seconds(field string, d time.Duration) (int64, error) {
	if d < 0 || d%time.Second != 0 {
		return 0, refuse(field, "must be whole seconds")
	}
	return int64(d / time.Second), nil
}

// onBehalfOf checks the name of an end user. HTTP takes spaces around a header
// away, which would name somebody else.
func onBehalfOf(name string) error {
	if len(name) > maxName || !headerValue(name) {
		return refuse("on_behalf_of", "must be at most 256 bytes of UTF-8 without control characters or outer spaces")
	}
	return nil
}

// idempotencyKey is the caller's own key, or 128 random bits.
func idempotencyKey(own string) (string, error) {
	if own == "" {
		var random [keyBytes]byte
		_, _ = rand.Read(random[:]) // crypto/rand never fails: it ends the process
		return hex.EncodeToString(random[:]), nil
	}
	if len(own) > maxKey || strings.ContainsFunc(own, func(r rune) bool { return !alphanumeric(r) && !strings.ContainsRune("._:-", r) }) {
		return "", refuse("idempotency_key", "must be at most 128 letters, digits and any of . _ : -")
	}
	return own, nil
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func headerValue(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && strings.Trim(s, " ") == s
}

func refuse(field, rule string) error { return fmt.Errorf("%w: %s %s", ErrRequest, field, rule) }

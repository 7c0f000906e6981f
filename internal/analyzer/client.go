package analyzer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// Errors of Analyze. Both mean: nothing is known about this text.
var (
	// ErrUnavailable says that there was no answer.
	ErrUnavailable = errors.New("analyzer: unavailable")
	// ErrAnswer says that there was one that cannot be right.
	ErrAnswer = errors.New("analyzer: bad answer")
)

// Client asks one analyzer. It is safe for concurrent use.
type Client struct {
	config  Config
	url     string
	http    *http.Client
	breaker *gobreaker.CircuitBreaker[[]finding]
	faults  faults
}

// faults takes guards out, for tests; the zero value is the product.
type faults struct {
	tellReserved bool // what is reserved leaves
	anyRedirect  bool // redirects are followed
}

// New makes a client, or says what is wrong with its configuration.
func New(c Config) (*Client, error) { return newClient(c, BreakFor) }

func newClient(c Config, breakFor time.Duration) (*Client, error) {
	if faults := c.Check(); len(faults) > 0 {
		return nil, faults[0]
	}
	if len(c.Languages) == 0 {
		c.Languages = []string{"en"}
	}
	c.MinScore = cmp.Or(c.MinScore, DefaultMinScore)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	client := &Client{config: c, url: strings.TrimSuffix(c.URL, "/") + "/analyze"}
	client.http = &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: c.Timeout}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			MaxConnsPerHost:     MaxConnections,
			MaxIdleConnsPerHost: MaxConnections,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true, // the limit of an answer counts what is read
		},
		// A redirect is the analyzer's word for somebody whom nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			if client.faults.anyRedirect {
				return nil
			}
			return http.ErrUseLastResponse
		},
	}
	client.breaker = gobreaker.NewCircuitBreaker[[]finding](gobreaker.Settings{
		Name: "analyzer", MaxRequests: 1, Timeout: breakFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= BreakAfter },
		// A caller that has gone away says nothing about the analyzer.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
	})
	return client, nil
}

// Close lets go of connections that nobody uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Version changes with whatever is configured that decides what is found.
func (c *Client) Version() string {
	f := c.config
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %v", c.url, f.Languages, f.Entities, f.Map, f.MinScore))
	return hex.EncodeToString(sum[:8])
}

// Analyze returns what the analyzer finds outside the reserved byte ranges: spans of the text with rules that
// begin with "analyzer/". They may overlap one another.
func (c *Client) Analyze(ctx context.Context, text string, reserved [][2]int) ([]detect.Span, error) {
	reserved = joined(reserved)
	said := masked(text, reserved)
	if c.faults.tellReserved {
		said = text
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	var spans []detect.Span
	for _, language := range c.config.Languages {
		found, err := c.breaker.Execute(func() ([]finding, error) { return c.ask(ctx, said, language) })
		if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
			return nil, fmt.Errorf("%w: it failed before", ErrUnavailable)
		}
		if err != nil {
			return nil, err
		}
		more, err := c.spans(text, reserved, found)
		if err != nil {
			return nil, err
		}
		spans = append(spans, more...)
	}
	return spans, nil
}

type question struct {
	Text      string   `json:"text"`
	Language  string   `json:"language"`
	Threshold float64  `json:"score_threshold"`
	Entities  []string `json:"entities,omitempty"`
}

// finding is one of an answer. What is missing is no position.
type finding struct {
	Entity string   `json:"entity_type"`
	Start  *int     `json:"start"`
	End    *int     `json:"end"`
	Score  *float64 `json:"score"`
}

// ask makes one call. Errors of the transport may show the address, and say what went wrong by their kind only.
func (c *Client) ask(ctx context.Context, text, language string) (_ []finding, err error) {
	body, err := json.Marshal(question{Text: text, Language: language, Threshold: c.config.MinScore, Entities: c.config.Entities})
	if err != nil {
		return nil, fmt.Errorf("analyzer: question: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the address cannot be used", ErrUnavailable)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if c.config.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+c.config.Bearer)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, unavailable(ctx)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, answer.StatusCode)
	}
	said, err := io.ReadAll(io.LimitReader(answer.Body, MaxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, unavailable(ctx)
	case len(said) > MaxAnswerBytes:
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, MaxAnswerBytes)
	}
	return parse(said)
}

func parse(answer []byte) ([]finding, error) {
	var found []finding
	// null would be no findings by mistake.
	if err := json.Unmarshal(answer, &found); err != nil || found == nil {
		return nil, fmt.Errorf("%w: no list of findings", ErrAnswer)
	}
	if len(found) > MaxFindings {
		return nil, fmt.Errorf("%w: more than %d findings", ErrAnswer, MaxFindings)
	}
	for _, f := range found {
		if f.Start == nil || f.End == nil || f.Score == nil || !theirEntity.MatchString(f.Entity) {
			return nil, fmt.Errorf("%w: a finding without entity, start, end or score", ErrAnswer)
		}
	}
	return found, nil
}

// unavailable tells the caller's own end from a time that ran out.
func unavailable(ctx context.Context) error {
	switch err := ctx.Err(); {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case err != nil:
		return fmt.Errorf("%w: it does not answer in time", ErrUnavailable)
	}
	return fmt.Errorf("%w: it does not answer", ErrUnavailable)
}

// spans turns findings into spans of the text.
func (c *Client) spans(text string, reserved [][2]int, found []finding) ([]detect.Span, error) {
	at, err := byteOffsets(text, found)
	if err != nil {
		return nil, err
	}
	var out []detect.Span
	for _, f := range found {
		entity, known := c.entity(f.Entity)
		switch {
		case !known:
			return nil, fmt.Errorf("%w: the entity %s is neither of the catalogue nor mapped", ErrAnswer, f.Entity)
		case !(*f.Score >= 0 && *f.Score <= 1):
			return nil, fmt.Errorf("%w: a score that is not from 0 to 1", ErrAnswer)
		case entity == "" || *f.Score < c.config.MinScore:
			continue
		}
		for _, piece := range pieces(text, at[*f.Start], at[*f.End], reserved) {
			out = append(out, detect.Span{
				Start: piece[0], End: piece[1], Entity: entity, Score: *f.Score, Rule: "analyzer/" + f.Entity,
			})
		}
	}
	return out, nil
}

// entity is ours for one of the analyzer's, "" for one that does not count.
func (c *Client) entity(theirs string) (ours string, known bool) {
	if ours, known = c.config.Map[theirs]; known {
		return ours, true
	}
	if slices.Contains(c.config.Known, theirs) {
		return theirs, true
	}
	ours, known = c.config.Map[Others]
	return ours, known
}

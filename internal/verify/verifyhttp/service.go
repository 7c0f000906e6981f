// Package verifyhttp reads a log from the API of a running service, for package
// verify. It trusts nothing that it reads: whether a checkpoint is signed and
// entries lead to its root is for the verifier to say, and what a service answers
// to a failure is repeated nowhere.
//
// With a checkpoint that was verified before, and the service's proof that the log
// of now continues it, the entries before it are not read again.
package verifyhttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// Limits of what is taken from a service, which may be hostile.
const (
	pageEntries = 1000
	// maxPage holds a page of the largest leaves, twice: an answer may be
	// indented or escaped.
	maxPage = 2 * pageEntries * audit.MaxLeaf
	// maxProof holds a consistency proof of the largest log, and its checkpoint.
	maxProof = 2*audit.MaxCheckpoint + 64<<10
	// requestTimeout is that of one page, over a slow line.
	requestTimeout = 2 * time.Minute
)

// ErrAddress says that a bearer token may not be sent to an address.
var ErrAddress = errors.New("verifyhttp: not an address that a token may be sent to")

// Address takes an address that a bearer token may be sent to: https, or plain http
// on this machine, or anywhere where plain says so.
func Address(address string, plain bool) (*url.URL, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%w: it must be like https://host[:port][/path]", ErrAddress)
	}
	switch {
	case base.Scheme == "https":
	case base.Scheme == "http" && (plain || isThisMachine(base.Hostname())):
	case base.Scheme == "http":
		return nil, fmt.Errorf("%w: it is plain http to another machine", ErrAddress)
	default:
		return nil, fmt.Errorf("%w: it must be https or http", ErrAddress)
	}
	return base, nil
}

func isThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A Service is the API of a running Counterfoil, as far as an auditor needs it.
type Service struct {
	base   *url.URL
	bearer string
	client *http.Client
}

// New returns the service at an address that Address took.
func New(base *url.URL, bearer string) *Service {
	return &Service{base: base, bearer: bearer, client: &http.Client{
		Timeout: requestTimeout,
		// The token is for this host and no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirects are not followed") },
	}}
}

// Verify verifies the log up to the checkpoint that the service gives; what is
// appended meanwhile is left for next time. Since is an earlier checkpoint at which
// the reading begins, nil for the beginning.
func (s *Service) Verify(ctx context.Context, opts verify.Options, since []byte) (verify.Result, error) {
	newest, err := s.get(ctx, "/v1/audit/checkpoint", nil, audit.MaxCheckpoint)
	if err != nil {
		return verify.Result{}, err
	}
	// The sizes are not believed yet: they say what to ask for, and the verifier
	// says whether they are signed.
	head, err := opts.Head(newest, "the checkpoint of the service")
	if err != nil {
		return verify.Result{}, err
	}
	opts.Checkpoints = append(append([][]byte{}, opts.Checkpoints...), newest)
	from := int64(0)
	if since != nil {
		old, err := opts.Head(since, "the checkpoint to begin at")
		if err != nil {
			return verify.Result{}, err
		}
		opts.From = &verify.Start{Checkpoint: since, Newest: newest}
		if from = old.Size; from > 0 && from < head.Size {
			if opts.From.Proof, err = s.consistency(ctx, from, head.Size); err != nil {
				return verify.Result{}, err
			}
		}
	}
	return verify.Log(ctx, s.entries(ctx, from, head.Size), opts)
}

// consistency asks for the proof that the log of one size begins that of another.
// What it proves, and whether, is not judged here.
func (s *Service) consistency(ctx context.Context, from, to int64) ([]audit.Hash, error) {
	const path = "/v1/audit/consistency"
	query := url.Values{"from": {strconv.FormatInt(from, 10)}, "to": {strconv.FormatInt(to, 10)}}
	b, err := s.get(ctx, path, query, maxProof)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Proof []audit.Hash `json:"proof"`
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, errNotProof)
	}
	return answer.Proof, nil
}

// get returns the body of a successful answer. Errors name the path and the
// status; what the service says about a failure stays out of them.
func (s *Service) get(ctx context.Context, path string, query url.Values, limit int64) ([]byte, error) {
	u := s.base.JoinPath(path)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+s.bearer)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, cause(err))
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: the service answered %d", path, resp.StatusCode)
	}
	b, err := readAtMost(resp.Body, limit)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return b, nil
}

// cause drops the address from an error of the client: it holds the cursor.
func cause(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

var errTooLong = errors.New("longer than allowed")

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: at most %d bytes", errTooLong, limit)
	}
	return b, nil
}

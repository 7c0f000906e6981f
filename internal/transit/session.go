package transit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// session holds the token of one identity and keeps it alive.
type session struct {
	client *api.Client
	hangUp func() // closes the connections that nobody uses
	login  Login

	mu    sync.Mutex   // held while logging in, so that one does it for all
	taken atomic.Int64 // counts logins: who failed with an old token need not log in again
	over  bool         // after close
	stop  context.CancelFunc
	done  chan struct{}
}

// connect logs in, and renews ahead of expiry until close. The configuration
// that it returns has every default.
func connect(ctx context.Context, c Config) (Config, *session, error) {
	c, err := c.withDefaults()
	if err != nil {
		return c, nil, err
	}
	client, hangUp, err := newClient(c)
	if err != nil {
		return c, nil, err
	}
	s := &session{client: client, hangUp: hangUp, login: c.Login, done: make(chan struct{})}
	life, err := s.enter(ctx)
	if err != nil {
		hangUp()
		return c, nil, err
	}
	running, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.renew(running, life)
	return c, s, nil
}

func (s *session) close() {
	s.stop()
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true // a call that is under way still must not log in again
	s.client.ClearToken()
	s.hangUp()
}

var errClosed = fmt.Errorf("%w: it was closed", envelope.ErrUnavailable)

// again logs in, unless somebody did since the count was read.
func (s *session) again(ctx context.Context, seen int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken.Load() != seen {
		return nil
	}
	_, err := s.enterLocked(ctx)
	return err
}

// check asks whether the server takes the token, and logs in where it does not.
func (s *session) check(ctx context.Context) error {
	seen := s.taken.Load()
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	_, err := s.client.Auth().Token().LookupSelfWithContext(ctx)
	var refused *api.ResponseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden:
		return s.again(ctx, seen)
	default:
		return fmt.Errorf("%w: it does not say whether it knows the identity (%s)", envelope.ErrUnavailable, kindOf(err))
	}
}

func (s *session) enter(ctx context.Context) (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enterLocked(ctx)
}

// enterLocked logs in and returns how long the token lives; 0 is for ever.
func (s *session) enterLocked(ctx context.Context) (time.Duration, error) {
	if s.over {
		return 0, errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	life, err := s.obtain(ctx)
	if err != nil {
		// What the server or a file said may name paths, and ids.
		return 0, fmt.Errorf("%w: the key service takes no login (%s)", envelope.ErrUnavailable, kindOf(err))
	}
	s.taken.Add(1)
	return life, nil
}

func (s *session) obtain(ctx context.Context) (time.Duration, error) {
	if s.login.TokenFile != "" {
		token, err := secretFile(s.login.TokenFile)
		if err != nil {
			return 0, err
		}
		before := s.client.Token()
		s.client.SetToken(token)
		self, err := s.client.Auth().Token().LookupSelfWithContext(ctx)
		if err != nil {
			s.client.SetToken(before) // which may be good still, where the file is half written
			return 0, err
		}
		return self.TokenTTL()
	}
	method, err := s.method()
	if err != nil {
		return 0, err
	}
	// Login itself sets the token.
	secret, err := s.client.Auth().Login(ctx, method)
	switch {
	case err != nil:
		return 0, err
	case secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "":
		return 0, errors.New("no token")
	}
	return time.Duration(secret.Auth.LeaseDuration) * time.Second, nil
}

func (s *session) method() (api.AuthMethod, error) {
	if k := s.login.Kubernetes; k != nil {
		options := []kubernetes.LoginOption{kubernetes.WithServiceAccountTokenPath(k.JWTFile)}
		if k.Mount != "" {
			options = append(options, kubernetes.WithMountPath(k.Mount))
		}
		return kubernetes.NewKubernetesAuth(k.Role, options...)
	}
	a := s.login.AppRole
	role, err := secretFile(a.RoleIDFile)
	if err != nil {
		return nil, err
	}
	var options []approle.LoginOption
	if a.Mount != "" {
		options = append(options, approle.WithMountPath(a.Mount))
	}
	return approle.NewAppRoleAuth(role, &approle.SecretID{FromFile: a.SecretIDFile}, options...)
}

// renewShare is the part of a token's life after which it is renewed, and
// renewPause the wait after a failure: a call that meets an expired token logs
// in anyhow.
const (
	renewShare = 0.6
	renewPause = 2 * time.Second
)

// renew keeps the token alive until the context ends: by renewal, and where the
// server gives no more time, by a new login.
func (s *session) renew(ctx context.Context, life time.Duration) {
	defer close(s.done)
	for {
		pause := time.Duration(renewShare * float64(life))
		if life <= 0 {
			pause = 24 * time.Hour // a token that lives for ever; still it may be replaced
		}
		if !sleep(ctx, max(pause, time.Second/2)) {
			return
		}
		left, err := s.extend(ctx)
		if err != nil || left < life/2 {
			left, err = s.enter(ctx)
		}
		for err != nil {
			if !sleep(ctx, renewPause) {
				return
			}
			left, err = s.enter(ctx)
		}
		life = left
	}
}

func (s *session) extend(ctx context.Context) (time.Duration, error) {
	if s.login.TokenFile != "" {
		if token, err := secretFile(s.login.TokenFile); err != nil || token != s.client.Token() {
			return 0, errors.Join(err, errors.New("the file holds another token")) // which is taken instead
		}
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	secret, err := s.client.Auth().Token().RenewSelfWithContext(ctx, 0)
	if err != nil || secret == nil || secret.Auth == nil {
		return 0, errors.Join(err, errors.New("not renewed"))
	}
	return time.Duration(secret.Auth.LeaseDuration) * time.Second, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// secretFile reads a file that holds one secret.
func secretFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", errors.New("a file of the login cannot be read")
	}
	return strings.TrimSpace(string(text)), nil
}

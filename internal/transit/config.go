package transit

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/vault/api"
)

const (
	// CallTimeout bounds one call: a batch of a thousand keys takes some ten
	// milliseconds, so a server that needs two seconds is ill.
	CallTimeout = 2 * time.Second
	// MaxBatch bounds the items of one call; larger ones are divided.
	MaxBatch = 1000
	// MaxWaiting bounds the callers of one tenant that wait for the next call.
	MaxWaiting = 1024
	// BreakAfter failures in a row open the breaker.
	BreakAfter = 3
	// BreakFor is how long the breaker stays open before one call tries.
	BreakFor = 2 * time.Second
	// RetryPause is how long the one retry waits after a broken connection.
	RetryPause = 20 * time.Millisecond
	// maxAnswer bounds an answer: MaxBatch items of the longest key and
	// base64's third.
	maxAnswer = 128 << 20
)

// Config says where the server is and who asks. Address and one login are
// required.
type Config struct {
	Address   string // https://host:port
	CAFile    string // PEM; empty means the system's authorities
	Namespace string
	Mount     string // of the engine; "transit" if it is empty
	KeyPrefix string // of the names of keys; "counterfoil-" if it is empty
	Login     Login
}

// Login is how a process identifies itself: exactly one of the three. The
// files are read anew at each login, so that what they hold may rotate.
type Login struct {
	AppRole    *AppRole
	Kubernetes *Kubernetes
	TokenFile  string
}

// AppRole is a role id and a secret id in files.
type AppRole struct {
	Mount                    string // "approle" if it is empty
	RoleIDFile, SecretIDFile string
}

// Kubernetes is the token of a service account.
type Kubernetes struct {
	Mount   string // "kubernetes" if it is empty
	Role    string
	JWTFile string
}

// ErrConfig is every refusal of a configuration.
var ErrConfig = errors.New("transit: the configuration")

func (c Config) withDefaults() (Config, error) {
	if c.Mount == "" {
		c.Mount = "transit"
	}
	if c.KeyPrefix == "" {
		c.KeyPrefix = "counterfoil-"
	}
	logins := 0
	for _, given := range []bool{c.Login.AppRole != nil, c.Login.Kubernetes != nil, c.Login.TokenFile != ""} {
		if given {
			logins++
		}
	}
	switch {
	case c.Address == "":
		return c, fmt.Errorf("%w: an address is required", ErrConfig)
	case logins != 1:
		return c, fmt.Errorf("%w: exactly one login is required", ErrConfig)
	}
	return c, nil
}

// newClient makes a client that does nothing by itself: no retries, no
// environment, no redirects to elsewhere.
func newClient(c Config) (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, config.Error)
	}
	config.Address = c.Address
	config.MaxRetries = 0
	config.DisableRedirects = true
	if c.CAFile != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: c.CAFile}); err != nil {
			return nil, fmt.Errorf("%w: the authorities of the server cannot be read", ErrConfig)
		}
	}
	if transport, ok := config.HttpClient.Transport.(*http.Transport); ok {
		transport.MaxIdleConnsPerHost = 16
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("%w: the address cannot be used", ErrConfig)
	}
	// The client would end its own time before the body of an answer is read.
	// Every call here has a context that ends.
	client.SetClientTimeout(0)
	client.ClearToken() // VAULT_TOKEN is nobody's login here
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	return client, nil
}

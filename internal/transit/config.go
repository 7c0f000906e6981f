package transit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/vault/api"
)

const (
	// CallTimeout bounds one call: a batch of a thousand keys takes some ten
	// milliseconds, so a server that needs two seconds is ill.
	CallTimeout = 2 * time.Second
	// MaxBatch bounds the items of one call; larger ones are divided.
	MaxBatch = 1000
	// MaxBatchBytes bounds their size, likewise. A server takes 32 MiB, and
	// base64 adds a third; at 4 MiB a call is far from CallTimeout on a slow
	// machine too.
	MaxBatchBytes = 4 << 20
	// MaxWaiting bounds the callers of one tenant that wait for the next call.
	MaxWaiting = 1024
	// BreakAfter failures in a row open the breaker.
	BreakAfter = 3
	// BreakFor is how long the breaker stays open before one call tries.
	BreakFor = 2 * time.Second
	// RetryPause is how long the one retry waits after a broken connection.
	RetryPause = 20 * time.Millisecond
	// maxAnswer bounds an answer: MaxBatchBytes, base64's third, what stands
	// around each item, and one item beyond.
	maxAnswer = 8 << 20
	// maxIdle connections are kept for the tenants that call at the same time.
	maxIdle = 16
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

// newClient makes a client that does nothing by itself: no retries, no redirects
// to elsewhere, and nothing of the environment. VAULT_SKIP_VERIFY,
// VAULT_AGENT_ADDR or a proxy would hand the keys to whoever sets them.
func newClient(c Config) (client *api.Client, hangUp func(), err error) {
	trusted, err := authorities(c.CAFile)
	if err != nil {
		return nil, nil, err
	}
	// HTTP/1.1: a connection that fell silent is given up with its call, and not
	// kept for the next one.
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trusted},
		MaxIdleConns:    maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute,
	}
	client, err = api.NewClient(&api.Config{
		Address: c.Address, DisableRedirects: true,
		HttpClient: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the address cannot be used", ErrConfig)
	}
	// The client would end its own time before the body of an answer is read.
	// Every call here has a context that ends.
	client.SetClientTimeout(0)
	// NewClient takes these three from the environment whatever it is given.
	client.ClearToken()
	client.SetHeaders(http.Header{api.RequestHeaderName: {"true"}}) // VAULT_HEADERS and VAULT_NAMESPACE
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	return client, transport.CloseIdleConnections, nil
}

// authorities reads who may vouch for the server; nil is the system's.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%w: the authorities of the server cannot be read", ErrConfig)
	}
	return pool, nil
}

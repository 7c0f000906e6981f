package objectstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Limits of a call, and of what is read.
const (
	// callTimeout is for the largest object at half a megabyte a second.
	callTimeout = 2 * time.Minute
	dialTimeout = 10 * time.Second
	// headerTimeout is how long the store may take until it answers.
	headerTimeout = 30 * time.Second
	idleTimeout   = time.Minute
	// credentialLife is how long credentials that were read from files are used, so
	// that they can be changed under a service that runs.
	credentialLife = 5 * time.Minute
	// maxCredential is longer than any credential.
	maxCredential = 4096
	// MaxRetainDays is what S3 takes at most: a hundred years.
	MaxRetainDays = 36500
)

// Options say where objects go.
type Options struct {
	// Endpoint is https://host:port of the store; empty for AWS.
	Endpoint string
	Region   string
	Bucket   string
	// Prefix begins every name, without a slash at its end.
	Prefix string
	// PathStyle asks for https://host/bucket, not https://bucket.host.
	PathStyle bool
	// AccessKeyFile and SecretKeyFile hold a credential each; without them it is found
	// as the SDK does: environment, shared files, the identity of the machine.
	AccessKeyFile, SecretKeyFile string
	// Roots may vouch for the store; nil for those of the system.
	Roots *x509.CertPool
	// RetainDays is how long each object is locked; 0 locks nothing.
	RetainDays int
	// Now tells the time from which days are counted; nil is the clock.
	Now func() time.Time
}

// ErrOptions says that options cannot be.
var ErrOptions = errors.New("objectstore: options")

func (o Options) check() error {
	switch {
	case o.Bucket == "" || o.Region == "":
		return fmt.Errorf("%w: bucket and region are required", ErrOptions)
	case (o.AccessKeyFile == "") != (o.SecretKeyFile == ""):
		return fmt.Errorf("%w: the two files of a credential go together", ErrOptions)
	case o.RetainDays < 0 || o.RetainDays > MaxRetainDays:
		return fmt.Errorf("%w: days are from 0 to %d", ErrOptions, MaxRetainDays)
	case strings.HasPrefix(o.Prefix, "/") || strings.HasSuffix(o.Prefix, "/"):
		return fmt.Errorf("%w: a prefix neither begins nor ends with a slash", ErrOptions)
	}
	return nil
}

// client makes the client of the SDK. It speaks with nobody yet.
func (o Options) client(ctx context.Context) (*s3.Client, error) {
	provider, err := o.credentials(ctx)
	if err != nil {
		return nil, err
	}
	return s3.New(s3.Options{
		Region: o.Region, UsePathStyle: o.PathStyle, BaseEndpoint: endpoint(o.Endpoint),
		Credentials: provider, HTTPClient: o.http(),
		// An export tries again by itself, with waits of its own.
		Retryer: aws.NopRetryer{},
		// The checksum of each object is given; others say nothing.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}), nil
}

func endpoint(url string) *string {
	if url == "" {
		return nil
	}
	return aws.String(strings.TrimSuffix(url, "/"))
}

func (o Options) http() *http.Client {
	return &http.Client{
		Timeout: callTimeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout, IdleConnTimeout: idleTimeout,
		},
		// A store that sends a signed call elsewhere is misconfigured or worse.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (o Options) credentials(ctx context.Context) (aws.CredentialsProvider, error) {
	if o.AccessKeyFile == "" {
		found, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.Region))
		if err != nil {
			return nil, fmt.Errorf("%w: no credentials: %w", ErrOptions, err)
		}
		return found.Credentials, nil
	}
	read := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		id, err := readCredential(o.AccessKeyFile)
		if err != nil {
			return aws.Credentials{}, err
		}
		secret, err := readCredential(o.SecretKeyFile)
		return aws.Credentials{
			AccessKeyID: id, SecretAccessKey: secret, Source: "files", CanExpire: true, Expires: time.Now().Add(credentialLife),
		}, err
	})
	if _, err := read.Retrieve(ctx); err != nil {
		return nil, err
	}
	return aws.NewCredentialsCache(read), nil
}

// readCredential reads a file that holds one credential. Errors do not show it.
func readCredential(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("%w: a credential cannot be read: %w", ErrOptions, err)
	}
	text := []byte(nil)
	if info.Size() <= maxCredential {
		if text, err = os.ReadFile(path); err != nil {
			return "", fmt.Errorf("%w: a credential cannot be read: %w", ErrOptions, err)
		}
	}
	credential := strings.TrimSpace(string(text))
	if credential == "" || strings.ContainsAny(credential, " \t\r\n") {
		return "", fmt.Errorf("%w: a file of a credential holds one, and nothing else", ErrOptions)
	}
	return credential, nil
}

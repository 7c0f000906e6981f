package objectstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/counterfoil/counterfoil/internal/export"
)

var (
	// ErrStore is every refusal of the store, with its code.
	ErrStore = errors.New("objectstore: the store refused")
	// ErrNoLock says that a bucket cannot lock objects.
	ErrNoLock = errors.New("objectstore: the bucket has no Object Lock")
)

// Bucket is a bucket, or what lies below a prefix in it. It is safe for concurrent
// use.
type Bucket struct {
	client  *s3.Client
	options Options
	// unconditional is set where the store does not know conditions.
	unconditional atomic.Bool
}

// Open makes the client of a bucket. Whether the store is there, and can lock, is
// what Ready tells.
func Open(ctx context.Context, options Options) (*Bucket, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	client, err := options.client(ctx)
	if err != nil {
		return nil, err
	}
	return &Bucket{client: client, options: options}, nil
}

// Ready implements export.Sink: a bucket without Object Lock is refused where
// objects have to be locked.
func (b *Bucket) Ready(ctx context.Context) error {
	if b.options.RetainDays == 0 {
		_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.options.Bucket})
		return refusal("bucket", err)
	}
	found, err := b.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &b.options.Bucket})
	if codeOf(err) == "ObjectLockConfigurationNotFoundError" {
		return ErrNoLock
	}
	if err != nil {
		return refusal("object lock of the bucket", err)
	}
	if c := found.ObjectLockConfiguration; c == nil || c.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return ErrNoLock
	}
	return nil
}

// Put implements export.Sink.
func (b *Bucket) Put(ctx context.Context, name string, body []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(body) > export.MaxObject {
		return fmt.Errorf("%w: an object of %d bytes", export.ErrSink, len(body))
	}
	if !b.unconditional.Load() {
		switch err := b.create(ctx, name, body, aws.String("*")); codeOf(err) {
		case "PreconditionFailed": // what is there, if it can be seen, decides
		case "NotImplemented":
			b.unconditional.Store(true)
		default:
			return refusal(name, err)
		}
	}
	if err := b.same(ctx, name, body); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Also where somebody has put a marker of deletion before the locked version.
	if err := b.create(ctx, name, body, nil); err != nil {
		return refusal(name, err)
	}
	return b.same(ctx, name, body)
}

// create puts an object; with a condition, if there is none.
func (b *Bucket) create(ctx context.Context, name string, body []byte, ifNoneMatch *string) error {
	sum := sha256.Sum256(body)
	put := &s3.PutObjectInput{
		Bucket: &b.options.Bucket, Key: b.key(name), Body: bytes.NewReader(body), IfNoneMatch: ifNoneMatch,
		ContentLength: aws.Int64(int64(len(body))),
		// The store compares it with what arrived; a lock demands one.
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ChecksumSHA256:    aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}
	if b.options.RetainDays > 0 {
		put.ObjectLockMode, put.ObjectLockRetainUntilDate = types.ObjectLockModeCompliance, b.until()
	}
	_, err := b.client.PutObject(ctx, put)
	return err
}

// until is the date up to which an object that is put now is locked.
func (b *Bucket) until() *time.Time {
	return aws.Time(b.options.Now().UTC().AddDate(0, 0, b.options.RetainDays).Truncate(time.Second))
}

// same tells whether an object is there with these bytes, and sees to its lock.
func (b *Bucket) same(ctx context.Context, name string, body []byte) error {
	there, locked, err := b.get(ctx, name)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(there, body):
		return fmt.Errorf("%w: %s", export.ErrDiffers, name)
	case locked || b.options.RetainDays == 0:
		return nil
	}
	// Somebody else put it, or another service that locks nothing.
	_, err = b.client.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
		Bucket: &b.options.Bucket, Key: b.key(name),
		Retention: &types.ObjectLockRetention{Mode: types.ObjectLockRetentionModeCompliance, RetainUntilDate: b.until()},
	})
	return refusal(name, err)
}

// Get implements export.Sink.
func (b *Bucket) Get(ctx context.Context, name string) ([]byte, error) {
	body, _, err := b.get(ctx, name)
	return body, err
}

func (b *Bucket) get(ctx context.Context, name string) (body []byte, locked bool, err error) {
	found, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.options.Bucket, Key: b.key(name)})
	if code := codeOf(err); code == "NoSuchKey" || code == "NotFound" {
		return nil, false, fmt.Errorf("objectstore: %s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, false, refusal(name, err)
	}
	defer func() { err = errors.Join(err, found.Body.Close()) }()
	body, err = io.ReadAll(io.LimitReader(found.Body, export.MaxObject+1))
	if err != nil {
		return nil, false, refusal(name, err)
	}
	if len(body) > export.MaxObject {
		return nil, false, fmt.Errorf("%w: %s is longer than %d bytes", export.ErrSink, name, export.MaxObject)
	}
	return body, found.ObjectLockMode == types.ObjectLockModeCompliance, nil
}

func (b *Bucket) key(name string) *string {
	if b.options.Prefix == "" {
		return &name
	}
	return aws.String(b.options.Prefix + "/" + name)
}

// codeOf is the code of an error of the store; "" of others.
func codeOf(err error) string {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	return ""
}

// refusal keeps of an error of the store its code: the message is the store's, and
// may hold what was sent. Errors of the line stay as they are.
func refusal(what string, err error) error {
	switch code := codeOf(err); {
	case err == nil:
		return nil
	case code != "":
		return fmt.Errorf("%w: %s: %s", ErrStore, what, code)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("objectstore: %s: %w", what, context.Canceled)
	default:
		return fmt.Errorf("objectstore: %s: %w", what, err)
	}
}

package objectstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/objectstore"
	"github.com/counterfoil/counterfoil/internal/objectstore/objectstoretest"
)

func open(t *testing.T, o objectstore.Options) *objectstore.Bucket {
	t.Helper()
	b, err := objectstore.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBucketIsASink(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "locked", true)
	s.Bucket(t, "plain", false)
	locked := s.Options("locked")
	locked.RetainDays, locked.Prefix = 1, "some/where"
	exporttest.TestSink(t, open(t, locked), "acme")
	exporttest.TestSink(t, open(t, s.Options("plain")), "acme")

	// A store that does not know conditions is looked up instead.
	plain := open(t, s.Options("plain"))
	objectstore.Unconditional(plain)
	ctx := context.Background()
	for range 2 {
		if err := plain.Put(ctx, "other/a", []byte("x")); err != nil {
			t.Error(err)
		}
	}
	if err := plain.Put(ctx, "other/a", []byte("y")); !errors.Is(err, export.ErrDiffers) {
		t.Error(err)
	}

	// Twin: what has to be locked is not put where it cannot be.
	withoutLock := s.Options("plain")
	withoutLock.RetainDays = 1
	if err := open(t, withoutLock).Ready(ctx); !errors.Is(err, objectstore.ErrNoLock) {
		t.Errorf("a bucket without Object Lock: %v", err)
	}
	for name, o := range map[string]objectstore.Options{"no bucket": s.Options("none"), "other credentials": other(t, s)} {
		err := open(t, o).Ready(ctx)
		if !errors.Is(err, objectstore.ErrStore) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Without files the credential is the one that the environment of the SDK has.
func TestCredentialOfTheEnvironment(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "plain", false)
	o := s.Options("plain")
	id, err := os.ReadFile(o.AccessKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", strings.TrimSpace(string(id)))
	t.Setenv("AWS_SECRET_ACCESS_KEY", objectstoretest.Secret)
	o.AccessKeyFile, o.SecretKeyFile = "", ""
	if err := open(t, o).Ready(context.Background()); err != nil {
		t.Error(err)
	}
	// Twin: with another secret the store refuses, so that it was this one.
	t.Setenv("AWS_SECRET_ACCESS_KEY", "canary-of-another")
	if err := open(t, o).Ready(context.Background()); !errors.Is(err, objectstore.ErrStore) || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

// other are options with a secret that is not the server's.
func other(t *testing.T, s *objectstoretest.Server) objectstore.Options {
	t.Helper()
	o := s.Options("plain")
	o.SecretKeyFile = filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(o.SecretKeyFile, []byte("canary-of-another"), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// refused tells whether a store did not do what a lock forbids, and said why.
func refused(err error) bool {
	var said smithy.APIError
	return errors.As(err, &said) && slices.Contains([]string{"AccessDenied", "InvalidRequest", "ObjectLocked"}, said.ErrorCode())
}

// What is locked stays: no version of it is deleted, none replaced, and the time
// not shortened, by the owner of the store and with bypass neither.
func TestLockedObjectsStay(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "log", true)
	o := s.Options("log")
	o.RetainDays = 2555
	b, root, ctx := open(t, o), s.Root(t), context.Background()
	if err := b.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	const name = "acme/manifests/2026-01-02"
	if err := b.Put(ctx, name, []byte("as it was")); err != nil {
		t.Fatal(err)
	}
	head, err := root.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("log"), Key: aws.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	if days := time.Until(*head.ObjectLockRetainUntilDate).Hours() / 24; head.ObjectLockMode != types.ObjectLockModeCompliance || days < 2554 {
		t.Errorf("locked in mode %s for %.0f days", head.ObjectLockMode, days)
	}
	for _, bypass := range []bool{false, true} {
		if _, err := root.DeleteObject(ctx, &s3.DeleteObjectInput{
			Bucket: aws.String("log"), Key: aws.String(name), VersionId: head.VersionId, BypassGovernanceRetention: &bypass,
		}); !refused(err) {
			t.Errorf("deleted, bypass %t: %v", bypass, err)
		}
		for mode, until := range map[types.ObjectLockRetentionMode]time.Time{
			types.ObjectLockRetentionModeCompliance: time.Now().Add(time.Minute),
			types.ObjectLockRetentionModeGovernance: time.Now().AddDate(8, 0, 0),
		} {
			if _, err := root.PutObjectRetention(ctx, &s3.PutObjectRetentionInput{
				Bucket: aws.String("log"), Key: aws.String(name), VersionId: head.VersionId, BypassGovernanceRetention: &bypass,
				Retention: &types.ObjectLockRetention{Mode: mode, RetainUntilDate: &until},
			}); !refused(err) {
				t.Errorf("shortened to %s until %v, bypass %t: %v", mode, until, bypass, err)
			}
		}
	}
	if _, err := root.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String("log")}); err == nil {
		t.Error("the bucket was deleted")
	}
	// A store may refuse these, or put a version or a marker before what is locked.
	if _, err := root.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("log"), Key: aws.String(name), Body: strings.NewReader("changed")}); err == nil {
		if err := b.Put(ctx, name, []byte("as it was")); !errors.Is(err, export.ErrDiffers) {
			t.Errorf("behind a newer version: %v", err)
		}
	}
	if _, err := root.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("log"), Key: aws.String(name)}); err == nil {
		for range 2 {
			if err := b.Put(ctx, name, []byte("as it was")); err != nil {
				t.Errorf("behind a marker of deletion: %v", err)
			}
		}
	}
	kept, err := root.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("log"), Key: aws.String(name), VersionId: head.VersionId})
	if err != nil {
		t.Fatalf("the version that was locked: %v", err)
	}
	defer func() { _ = kept.Body.Close() }()
	text := make([]byte, 100)
	if n, _ := kept.Body.Read(text); string(text[:n]) != "as it was" {
		t.Errorf("the version that was locked is %q", text[:n])
	}
}

// Twin: what is not locked goes at once, with the same calls.
func TestTwinOfLockedObjects(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "log", true)
	b, root, ctx := open(t, s.Options("log")), s.Root(t), context.Background() // RetainDays is 0
	if err := b.Put(ctx, "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	head, err := root.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("log"), Key: aws.String("a")})
	if err != nil {
		t.Fatal(err)
	}
	// What was put without a lock is locked as soon as the same is put with one.
	o := s.Options("log")
	o.RetainDays = 1
	if err := open(t, o).Put(ctx, "a", []byte("x")); err != nil {
		t.Fatal(err)
	}
	remove := &s3.DeleteObjectInput{Bucket: aws.String("log"), Key: aws.String("a"), VersionId: head.VersionId}
	if _, err := root.DeleteObject(ctx, remove); !refused(err) {
		t.Errorf("deleted although it was locked: %v", err)
	}
	if err := b.Put(ctx, "b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	head, err = root.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("log"), Key: aws.String("b")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("log"), Key: aws.String("b"), VersionId: head.VersionId}); err != nil {
		t.Errorf("what is not locked stays: %v", err)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "two")
	if err := os.WriteFile(path, []byte("canary one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]objectstore.Options{
		"no bucket":          {Region: "r"},
		"no region":          {Bucket: "b"},
		"half a credential":  {Bucket: "b", Region: "r", AccessKeyFile: "x"},
		"days back":          {Bucket: "b", Region: "r", RetainDays: -1},
		"too many days":      {Bucket: "b", Region: "r", RetainDays: objectstore.MaxRetainDays + 1},
		"a prefix of a root": {Bucket: "b", Region: "r", Prefix: "/x"},
		"a prefix and slash": {Bucket: "b", Region: "r", Prefix: "x/"},
		"no such files":      {Bucket: "b", Region: "r", AccessKeyFile: filepath.Join(dir, "x"), SecretKeyFile: filepath.Join(dir, "x")},
		"two in a file":      {Bucket: "b", Region: "r", AccessKeyFile: path, SecretKeyFile: path},
	} {
		if _, err := objectstore.Open(context.Background(), o); !errors.Is(err, objectstore.ErrOptions) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

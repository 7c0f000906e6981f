package objectstore_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
	"github.com/counterfoil/counterfoil/internal/objectstore/objectstoretest"
)

// recorded is a sink that takes down what it was given, in order.
type recorded struct {
	export.Sink
	entries []string
}

func (r *recorded) Put(ctx context.Context, name string, body []byte) error {
	err := r.Sink.Put(ctx, name, body)
	if err == nil && strings.Contains(name, "/entries/") {
		r.entries = append(r.entries, name)
	}
	return err
}

// stored reads the objects of a tenant.
func stored(t *testing.T, root *s3.Client, bucket, tenant string) exporttest.Objects {
	t.Helper()
	ctx := context.Background()
	objects := exporttest.Objects{}
	pages := s3.NewListObjectsV2Paginator(root, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(tenant + "/")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			found, err := root.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: object.Key})
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			if _, err := io.Copy(&body, found.Body); err != nil {
				t.Fatal(err)
			}
			_ = found.Body.Close() // it was read to its end
			objects[strings.TrimPrefix(*object.Key, tenant+"/")] = body.Bytes()
		}
	}
	return objects
}

// The store is down for ten minutes while entries come. Nothing is asked of it more
// often than the attempts allow, what comes is served as ever, and when the store is
// back all is there, in order. The clock is an injected one; the long variant waits.
func TestStoreDownForTenMinutes(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "log", true)
	o := s.Options("log")
	o.RetainDays = 1
	log := exporttest.NewLog("acme")
	sink := &recorded{Sink: open(t, o)}
	x := export.Exporter{Sink: sink}
	attempts := export.NewAttempts()
	begin := time.Date(2026, 1, 2, 23, 55, 0, 0, time.UTC)
	now, calls := begin, 0
	var last export.Progress
	turn := func() error {
		if !attempts.Due(now) {
			return nil
		}
		for {
			calls++
			progress, err := x.Step(context.Background(), log.Log())
			attempts.Done(now, err)
			last = progress
			if err != nil || !progress.More {
				return err
			}
		}
	}
	minutes := func(n int, down bool) {
		for end := now.Add(time.Duration(n) * time.Minute); now.Before(end); now = now.Add(5 * time.Second) {
			log.Append(now, audit.KindTokenize)
			log.Quiet(now)
			if err := turn(); err != nil != down && attempts.Failed() == 0 {
				t.Fatalf("at %v: %v", now, err)
			}
			if os.Getenv("COUNTERFOIL_LONG") != "" && down {
				time.Sleep(5 * time.Second)
			}
		}
	}
	minutes(1, false)
	if last.Lag() != 0 || attempts.Failed() != 0 {
		t.Fatalf("before it was down: %+v", last)
	}
	s.Stop()
	calls = 0
	minutes(10, true)
	if calls > 40 || attempts.Failed() == 0 {
		t.Errorf("%d calls in ten minutes, %d failed", calls, attempts.Failed())
	}
	if last.Lag() < 100 || last.Oldest.After(begin.Add(2*time.Minute)) {
		t.Errorf("while it was down: %+v", last)
	}
	s.Run(t)
	minutes(2, false)
	if last.Lag() != 0 || attempts.Failed() != 0 {
		t.Errorf("after it was back: %+v, %d failed", last, attempts.Failed())
	}
	objects := stored(t, s.Root(t), "log", "acme")
	found, err := objects.Check(log.VerifierKeys()[0])
	if err != nil || found.Lines != log.Lines() || found.Repeated != 0 || len(found.Days) != 1 {
		t.Errorf("%d of %d entries, %d twice, %d days, %v", found.Entries, log.Size(), found.Repeated, len(found.Days), err)
	}
	if len(sink.entries) < 20 || !slices.IsSorted(sink.entries) {
		t.Errorf("written in the order %q", sink.entries)
	}
}

// Killed in the midst of writing, the store has an object whole or not at all, and
// what is written again is the same.
func TestStoreKilledWhileItIsWrittenTo(t *testing.T) {
	s := objectstoretest.Start(t)
	s.Bucket(t, "log", true)
	o := s.Options("log")
	o.RetainDays = 1
	log := exporttest.NewLog("acme")
	x := export.Exporter{Sink: open(t, o), Formats: export.Formats{CSV: true, OCSF: true}}
	at := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for round := range 5 {
		for n := range 10 {
			log.Append(at.Add(time.Duration(round*24+n)*time.Hour), audit.KindTokenize, audit.KindRestore)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				if p, err := x.Step(context.Background(), log.Log()); err != nil || !p.More {
					return
				}
			}
		}()
		s.Stop() // somewhere in the steps
		<-done
		s.Run(t)
		for {
			p, err := x.Step(context.Background(), log.Log())
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if !p.More {
				break
			}
		}
	}
	objects := stored(t, s.Root(t), "log", "acme")
	if found, err := objects.Check(log.VerifierKeys()[0]); err != nil || found.Lines != log.Lines() || found.Repeated != 0 {
		t.Errorf("%d of %d entries, %d twice, %v", found.Entries, log.Size(), found.Repeated, err)
	}
}

package config_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/objectstore"
)

const exported = good + `export:
  s3:
    endpoint: https://s3.example.com:9000
    region: eu-central-1
    bucket: acme-logs
    prefix: counterfoil/eu
    path_style: true
    access_key_file: access.key
    secret_key_file: secret.key
    ca: ca.pem
    object_lock: {retain_days: 2555}
  formats: [csv, ocsf]
tiles: {dir: /srv/tiles}
`

var credentials = map[string]string{"access.key": "id\n", "secret.key": "canary-secret\n"}

func TestExportToABucket(t *testing.T) {
	if s, err := config.Load(folder(t, good), noEnvironment, most); err != nil || s.Export != nil || s.Tiles != nil {
		t.Errorf("without the sections: %v", err)
	}
	s, err := loadBeside(t, exported, credentials)
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Export.S3; !filepath.IsAbs(c.AccessKey) || !filepath.IsAbs(c.SecretKey) || !filepath.IsAbs(c.CA) || !c.PathStyle {
		t.Errorf("%+v", c)
	}
	if diff := cmp.Diff(export.Formats{CSV: true, OCSF: true}, s.Export.Kept()); diff != "" {
		t.Error(diff)
	}
	if s.Tiles.Dir != "/srv/tiles" || len(s.Advice()) != 0 {
		t.Errorf("%+v, advice %q", s.Tiles, s.Advice())
	}
	sink, err := s.Export.Sink(context.Background())
	if _, is := sink.(*objectstore.Bucket); err != nil || !is {
		t.Errorf("%T, %v", sink, err)
	}
	// Twin: the options are those that were read, or they would not be refused.
	s.Export.S3.ObjectLock.RetainDays = -1
	if _, err := s.Export.Sink(context.Background()); !errors.Is(err, objectstore.ErrOptions) {
		t.Error(err)
	}
}

func TestExportToAFolder(t *testing.T) {
	s, err := loadBeside(t, good+"export: {dir: out}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := s.Export.Sink(context.Background())
	if _, is := sink.(*export.Dir); err != nil || !is {
		t.Errorf("%T, %v", sink, err)
	}
	if s.Export.Kept() != (export.Formats{}) {
		t.Errorf("%+v", s.Export.Kept())
	}
}

func TestExportAdvice(t *testing.T) {
	for text, want := range map[string]string{
		"export: {dir: data/out}\n":                      "export.dir:",
		"export: {dir: data}\n":                          "export.dir:",
		"export: {s3: {region: r, bucket: acme-logs}}\n": "export.s3.object_lock:",
		"tiles: {dir: data/tiles}\n":                     "tiles.dir:",
		"export: {dir: out}\ntiles: {dir: /srv/tiles}\n": "",
	} {
		s, err := loadBeside(t, good+text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if advice := strings.Join(s.Advice(), "\n"); !strings.HasPrefix(advice, want) || want == "" && advice != "" {
			t.Errorf("%s: %q", text, advice)
		}
	}
}

func TestExportFaults(t *testing.T) {
	const bucket = "must match ^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
	for name, tt := range map[string]struct{ old, new, faults string }{
		"both places":           {"export:\n", "export:\n  dir: out\n", "export: must have exactly one of dir and s3"},
		"no bucket":             {"    bucket: acme-logs\n", "", "export.s3.bucket: " + bucket},
		"a bucket in capitals":  {"acme-logs", "Canary-Logs", "export.s3.bucket: " + bucket},
		"no region":             {"    region: eu-central-1\n", "", "export.s3.region: is required"},
		"plain http":            {"https://s3.example.com:9000", "http://s3.example.com", "export.s3.endpoint: must be https, off the loopback interface"},
		"a user in it":          {"https://s3", "https://canary:canary@s3", "export.s3.endpoint: must be https://host:port"},
		"a path in it":          {"com:9000", "com:9000/acme-logs", "export.s3.endpoint: must be https://host:port"},
		"a prefix from above":   {"counterfoil/eu", "../eu", "export.s3.prefix: must be names of letters, digits or any of -._ with slashes between"},
		"a prefix of nothing":   {"counterfoil/eu", "counterfoil//eu", "export.s3.prefix: must be names of letters, digits or any of -._ with slashes between"},
		"half a credential":     {"    secret_key_file: secret.key\n", "", "export.s3: needs both access_key_file and secret_key_file, or neither"},
		"a credential in it":    {"secret_key_file: secret.key", "secret_key: canary", "export.s3.secret_key: is no setting\nexport.s3: needs both access_key_file and secret_key_file, or neither"},
		"a CA of text":          {"ca: ca.pem\n    object", "ca: ec.pem\n    object", "export.s3.ca: must hold certificates as PEM"},
		"a lock of no days":     {"2555", "0", "export.s3.object_lock.retain_days: must be from 1 to 36500"},
		"a lock for ever":       {"2555", "36501", "export.s3.object_lock.retain_days: must be from 1 to 36500"},
		"a lock of words":       {"2555", "canary", "export.s3.object_lock.retain_days: must be a whole number"},
		"another mode":          {"{retain_days: 2555}", "{mode: governance, retain_days: 2555}", "export.s3.object_lock.mode: is no setting"},
		"another format":        {"[csv, ocsf]", "[csv, parquet]", "export.formats[1]: must be csv or ocsf"},
		"a format twice":        {"[csv, ocsf]", "[csv, csv]", "export.formats[1]: is given twice"},
		"tiles of nowhere":      {"{dir: /srv/tiles}", "{}", "tiles.dir: is required"},
		"another setting of it": {"{dir: /srv/tiles}", "{dir: /srv/tiles, url: x}", "tiles.url: is no setting"},
	} {
		text := strings.Replace(exported, tt.old, tt.new, 1)
		if text == exported {
			t.Errorf("%s: nothing changed", name)
		}
		_, err := loadBeside(t, text, credentials)
		wantFaults(t, name, err, tt.faults)
	}
	for _, text := range []string{"export: {formats: [csv]}\n", "export: {}\n"} {
		_, err := loadBeside(t, good+text, nil)
		wantFaults(t, text, err, "export: must have exactly one of dir and s3")
	}
	for _, dirs := range [][2]string{{"out", "out"}, {"out", "out/tiles"}, {"out/logs", "out"}} {
		_, err := loadBeside(t, good+"export: {dir: "+dirs[0]+"}\ntiles: {dir: "+dirs[1]+"}\n", nil)
		wantFaults(t, dirs[0], err, "tiles.dir: must be another folder than export.dir, neither in the other")
	}
}

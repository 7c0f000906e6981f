package config

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/objectstore"
)

// Export says where the logs of all tenants go as they grow: exactly one of a folder
// and a bucket. See package export for what goes there.
type Export struct {
	Dir string `yaml:"dir"`
	S3  *S3    `yaml:"s3"`
	// Formats are written beside the lines of entries: csv, ocsf.
	Formats []string `yaml:"formats"`
}

// S3 is a bucket of a store that speaks as S3 does.
type S3 struct {
	Endpoint  string `yaml:"endpoint"` // https://host:port; of AWS itself if it is left out
	Region    string `yaml:"region"`
	Bucket    string `yaml:"bucket"`
	Prefix    string `yaml:"prefix"`
	PathStyle bool   `yaml:"path_style"`
	// AccessKey and SecretKey are files with one credential each. Without them it is
	// that of the machine, or what the environment of the SDK says.
	AccessKey string `yaml:"access_key_file"`
	SecretKey string `yaml:"secret_key_file"`
	CA        string `yaml:"ca"`
	// ObjectLock locks every object, in compliance mode. The bucket must be able to.
	ObjectLock *ObjectLock `yaml:"object_lock"`

	roots *x509.CertPool
}

// ObjectLock is how long nobody can delete an object.
type ObjectLock struct {
	RetainDays int64 `yaml:"retain_days"`
}

// Tiles says where the logs are as folders of tiles, one for each tenant.
type Tiles struct {
	Dir string `yaml:"dir"`
}

// The formats of Export.
const (
	formatCSV  = "csv"
	formatOCSF = "ocsf"
)

// Kept is which formats are written beside the lines.
func (e *Export) Kept() export.Formats {
	return export.Formats{CSV: slices.Contains(e.Formats, formatCSV), OCSF: slices.Contains(e.Formats, formatOCSF)}
}

// Sink opens the place. Of a bucket nobody is asked yet: see its Ready.
func (e *Export) Sink(ctx context.Context) (export.Sink, error) {
	if e.S3 == nil {
		return export.OpenDir(e.Dir)
	}
	return objectstore.Open(ctx, e.S3.options())
}

func (c *S3) options() objectstore.Options {
	o := objectstore.Options{
		Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix, PathStyle: c.PathStyle,
		AccessKeyFile: c.AccessKey, SecretKeyFile: c.SecretKey, Roots: c.roots,
	}
	if c.ObjectLock != nil {
		o.RetainDays = int(c.ObjectLock.RetainDays)
	}
	return o
}

// exportPaths are the settings of this file that name a file or a folder.
func (s *Serve) exportPaths() []*string {
	var paths []*string
	if s.Export != nil {
		paths = append(paths, &s.Export.Dir)
		if c := s.Export.S3; c != nil {
			paths = append(paths, &c.AccessKey, &c.SecretKey, &c.CA)
		}
	}
	if s.Tiles != nil {
		paths = append(paths, &s.Tiles.Dir)
	}
	return paths
}

func (s *Serve) validateExport(report func(path, rule string)) {
	if s.Tiles != nil && s.Tiles.Dir == "" {
		report("tiles.dir", ruleRequired)
	}
	e := s.Export
	if e == nil {
		return
	}
	if (e.Dir == "") == (e.S3 == nil) {
		report("export", "must have exactly one of dir and s3")
	}
	if s.Tiles != nil && e.Dir != "" && s.Tiles.Dir != "" && (within(e.Dir, s.Tiles.Dir) || within(s.Tiles.Dir, e.Dir)) {
		report("tiles.dir", "must be another folder than export.dir, neither in the other")
	}
	for n, format := range e.Formats {
		place := fmt.Sprintf("export.formats[%d]", n)
		switch {
		case format != formatCSV && format != formatOCSF:
			report(place, "must be csv or ocsf")
		case slices.Contains(e.Formats[:n], format):
			report(place, "is given twice")
		}
	}
	if e.S3 != nil {
		e.S3.validate("export.s3", report)
	}
}

// bucketName is what S3 takes for the name of a bucket.
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (c *S3) validate(path string, report func(path, rule string)) {
	if !bucketName.MatchString(c.Bucket) {
		report(path+".bucket", "must match "+bucketName.String())
	}
	if c.Region == "" {
		report(path+".region", ruleRequired)
	}
	if c.Endpoint != "" {
		c.validateEndpoint(path+".endpoint", report)
	}
	if c.Prefix != "" && slices.ContainsFunc(strings.Split(c.Prefix, "/"), func(part string) bool {
		return !audit.IsName(part) || part[0] == '.'
	}) {
		report(path+".prefix", "must be names of letters, digits or any of -._ with slashes between")
	}
	if (c.AccessKey == "") != (c.SecretKey == "") {
		report(path, "needs both access_key_file and secret_key_file, or neither")
	}
	if c.CA != "" {
		roots, err := readAuthorities(c.CA)
		if err != nil {
			report(path+".ca", err.Error())
		}
		c.roots = roots
	}
	if l := c.ObjectLock; l != nil && (l.RetainDays < 1 || l.RetainDays > objectstore.MaxRetainDays) {
		report(path+".object_lock.retain_days", fmt.Sprintf("must be from 1 to %d", objectstore.MaxRetainDays))
	}
}

func (c *S3) validateEndpoint(path string, report func(path, rule string)) {
	switch u, err := url.Parse(c.Endpoint); {
	case err != nil, u.Host == "", u.User != nil, u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		report(path, "must be https://host:port")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(hostPort(u))):
		report(path, "must be https, off the loopback interface")
	}
}

// exportAdvice is what can be taken back of what was exported.
func (s *Serve) exportAdvice() []string {
	var advice []string
	files := s.Files()
	if e := s.Export; e != nil && e.Dir != "" && (within(e.Dir, s.Data) || beside(e.Dir, files.Database)) {
		advice = append(advice, "export.dir: better on another disk than the data: who can change the one can change the other")
	}
	if e := s.Export; e != nil && e.S3 != nil && e.S3.ObjectLock == nil {
		advice = append(advice, "export.s3.object_lock: better with it: without, whoever has the credential can delete what was exported")
	}
	if t := s.Tiles; t != nil && (within(t.Dir, s.Data) || beside(t.Dir, files.Database)) {
		advice = append(advice, "tiles.dir: better not beside the data: a web server that serves the one could serve the other")
	}
	return advice
}

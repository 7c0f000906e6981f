package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Finality says how long it takes until what was erased opens nowhere, no
// backup either. [Load] fills in what has a default.
type Finality struct {
	// KeyEpoch is the time between two rotations of the wrapping keys.
	KeyEpoch *Period `yaml:"key_epoch"`
	// BackupHorizon is how long backups of the database are kept. A version of
	// a wrapping key is destroyed when it has passed.
	BackupHorizon *Period `yaml:"backup_horizon"`
	// KeyBackups is how long the key service's own backups are kept, or copies
	// of the key file: they bring back what was destroyed. It has no default,
	// since nobody here can know it, and a receipt tells it to a person.
	KeyBackups *Period `yaml:"key_backup_retention"`
}

// The defaults of Finality.
const (
	DefaultKeyEpoch      = 7 * day
	DefaultBackupHorizon = 21 * day
)

const (
	day = 24 * time.Hour
	// maxPeriod is longer than anybody may keep what was erased.
	maxPeriod = 3650 * day
	// adviceFinality is the month that an erasure may take (GDPR Art. 12(3)).
	adviceFinality = 30 * day
)

// Period is a time span, written as 36h or as 21d.
type Period time.Duration

// Duration is the span.
func (p Period) Duration() time.Duration { return time.Duration(p) }

// UnmarshalYAML reads a number of days, or what time.ParseDuration reads. Its
// error is one of those after which the rest of the file is read all the same.
func (p *Period) UnmarshalYAML(node *yaml.Node) error {
	if days, found := strings.CutSuffix(node.Value, "d"); found {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return &yaml.TypeError{Errors: []string{"no number of days"}}
		}
		*p = Period(time.Duration(n) * day)
		return nil
	}
	d, err := time.ParseDuration(node.Value)
	if err != nil {
		return &yaml.TypeError{Errors: []string{"no time span"}}
	}
	*p = Period(d)
	return nil
}

// Times are the three spans: all are set once the configuration was validated.
func (f *Finality) Times() (epoch, backupHorizon, keyBackups time.Duration) {
	return f.KeyEpoch.Duration(), f.BackupHorizon.Duration(), f.KeyBackups.Duration()
}

func (s *Serve) validateFinality(report func(path, rule string)) {
	const path = "finality"
	f := s.Finality
	if f == nil {
		report(path+".key_backup_retention", ruleKeyBackups)
		return
	}
	if f.KeyEpoch == nil {
		f.KeyEpoch = new(Period(DefaultKeyEpoch))
	}
	if f.BackupHorizon == nil {
		f.BackupHorizon = new(Period(DefaultBackupHorizon))
	}
	if f.KeyBackups == nil {
		report(path+".key_backup_retention", ruleKeyBackups)
		return
	}
	if f.KeyEpoch.Duration() < time.Hour || f.KeyEpoch.Duration() > maxPeriod {
		report(path+".key_epoch", "must be from 1h to 3650d")
	}
	for name, p := range map[string]*Period{"backup_horizon": f.BackupHorizon, "key_backup_retention": f.KeyBackups} {
		if p.Duration() < 0 || p.Duration() > maxPeriod {
			report(path+"."+name, "must be from 0d to 3650d")
		}
	}
}

// ruleKeyBackups says what the setting is, since it has to be found out.
const ruleKeyBackups = "is required: how long backups of the key service, or copies of the key file, are kept; 0d where there are none"

// advice tells where an erasure takes longer than a person may be
// kept waiting.
func (f *Finality) advice() []string {
	epoch, horizon, keys := f.Times()
	if total := epoch + horizon + keys; total > adviceFinality {
		return []string{fmt.Sprintf("finality: better at most 30 days in all: what was erased may be opened from backups for %d days",
			(total+day-1)/day)}
	}
	return nil
}

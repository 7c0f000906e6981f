package access_test

import (
	"errors"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// hoursOf is a policy with these hours, read back.
func hoursOf(t *testing.T, text string) access.Hours {
	t.Helper()
	bundle := copyOfShipped(t)
	edit(t, bundle, "reasons.yaml#LLM_RESPONSE", "    acr: []\n", "    acr: []\n    hours: "+text+"\n")
	r, ok := load(t, bundle).Reason("LLM_RESPONSE")
	if !ok || r.Hours == nil {
		t.Fatal("the reason has no hours")
	}
	return *r.Hours
}

func TestHours(t *testing.T) {
	office := "{zone: Europe/Berlin, days: [mon, fri], from: '08:00', to: '18:00'}"
	night := "{zone: Europe/Berlin, days: [fri, sat], from: '22:00', to: '06:00'}"
	for name, test := range map[string]struct {
		hours, at string
		want      bool
	}{
		"at the opening":                           {office, "2026-01-05T07:00:00Z", true},
		"a second before":                          {office, "2026-01-05T06:59:59Z", false},
		"a second before the end":                  {office, "2026-01-05T16:59:59Z", true},
		"at the end":                               {office, "2026-01-05T17:00:00Z", false},
		"another day":                              {office, "2026-01-06T10:00:00Z", false},
		"Monday there, Sunday in UTC":              {"{zone: Asia/Tokyo, days: [mon], from: '00:00', to: '08:00'}", "2026-01-04T16:00:00Z", true},
		"in summer an hour earlier":                {office, "2026-07-06T06:00:00Z", true},
		"in summer, an hour earlier still":         {office, "2026-07-06T05:59:59Z", false},
		"over midnight, before":                    {night, "2026-01-09T22:00:00Z", true},
		"over midnight, after":                     {night, "2026-01-11T04:59:00Z", true}, // Sunday, begun on Saturday
		"over midnight, the end":                   {night, "2026-01-11T05:00:00Z", false},
		"over midnight, begun on no day of theirs": {night, "2026-01-09T02:00:00Z", false},
		"until midnight":                           {"{zone: UTC, days: [mon], from: '12:00', to: '24:00'}", "2026-01-05T23:59:59Z", true},
		"and not on":                               {"{zone: UTC, days: [mon], from: '12:00', to: '24:00'}", "2026-01-06T00:00:00Z", false},
		"the whole of a day":                       {"{zone: UTC, days: [mon], from: '00:00', to: '24:00'}", "2026-01-05T00:00:00Z", true},
		"Saturday to Sunday over the week's end":   {"{zone: UTC, days: [sat], from: '20:00', to: '02:00'}", "2026-01-11T01:00:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := hoursOf(t, test.hours).Contain(at); got != test.want {
			t.Errorf("%s: got %t, want %t", name, got, test.want)
		}
	}
	if hoursOf(t, "{zone: UTC, days: [mon], from: '00:00', to: '23:59'}").Contain(time.Time{}) {
		t.Error("no time is within some hours: 1 January of year 1 was a Monday")
	}
	if got, want := hoursOf(t, night).String(), "fri, sat 22:00-06:00 Europe/Berlin"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHoursAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no zone":       "{days: [mon], from: '08:00', to: '18:00'}",
		"local":         "{zone: Local, days: [mon], from: '08:00', to: '18:00'}",
		"unknown zone":  "{zone: Europe/Atlantis, days: [mon], from: '08:00', to: '18:00'}",
		"a path":        "{zone: ../../etc/passwd, days: [mon], from: '08:00', to: '18:00'}",
		"no days":       "{zone: UTC, days: [], from: '08:00', to: '18:00'}",
		"unknown day":   "{zone: UTC, days: [monday], from: '08:00', to: '18:00'}",
		"a day twice":   "{zone: UTC, days: [mon, mon], from: '08:00', to: '18:00'}",
		"no from":       "{zone: UTC, days: [mon], to: '18:00'}",
		"25 o'clock":    "{zone: UTC, days: [mon], from: '25:00', to: '18:00'}",
		"one digit":     "{zone: UTC, days: [mon], from: '8:00', to: '18:00'}",
		"from 24:00":    "{zone: UTC, days: [mon], from: '24:00', to: '18:00'}",
		"after 24:00":   "{zone: UTC, days: [mon], from: '08:00', to: '24:01'}",
		"none":          "{zone: UTC, days: [mon], from: '08:00', to: '08:00'}",
		"the week":      "{zone: UTC, days: [sun, mon, tue, wed, thu, fri, sat], from: '00:00', to: '24:00'}",
		"unknown field": "{zone: UTC, days: [mon], from: '08:00', until: '18:00', to: '19:00'}",
	} {
		bundle := copyOfShipped(t)
		edit(t, bundle, "reasons.yaml#LLM_RESPONSE", "    acr: []\n", "    acr: []\n    hours: "+text+"\n")
		if _, err := access.Load(bundle); !errors.Is(err, access.ErrBundle) {
			t.Errorf("%s: got %v, want the bundle refused", name, err)
		}
	}
}

package access

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are named in the policy, and a container may have none
)

// Hours are the hours of a week in which a reason may be used, by the clock on
// the wall of a zone.
type Hours struct {
	Zone     string         // IANA
	Days     []time.Weekday // on which the hours begin
	From, To int            // minutes of the day; where To is not after From they end on the next day

	location *time.Location
}

const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

// Contain says whether the time is within the hours. The zero time never is.
func (h Hours) Contain(at time.Time) bool {
	if at.IsZero() {
		return false
	}
	local := at.In(h.location)
	return h.onWall(local.Weekday(), local.Hour()*60+local.Minute())
}

// some is a time within the hours, for asking about them: in a week in which
// clocks are not changed.
func (h Hours) some() time.Time {
	for i := range minutesOfWeek {
		if at := time.Date(2026, 1, 4, 0, i, 0, 0, h.location); h.Contain(at) {
			return at
		}
	}
	return time.Time{}
}

func (h Hours) onWall(weekday time.Weekday, minute int) bool {
	if h.From < h.To {
		return slices.Contains(h.Days, weekday) && h.From <= minute && minute < h.To
	}
	yesterday := (weekday + 6) % 7
	return slices.Contains(h.Days, weekday) && minute >= h.From || slices.Contains(h.Days, yesterday) && minute < h.To
}

// within says whether every minute of these hours is one of the others', which
// can be told for one and the same zone only: two zones change their clocks on
// different days.
func (h Hours) within(other Hours) bool {
	if h.Zone != other.Zone {
		return false
	}
	for i := range minutesOfWeek {
		weekday, minute := time.Weekday(i/minutesOfDay), i%minutesOfDay
		if h.onWall(weekday, minute) && !other.onWall(weekday, minute) {
			return false
		}
	}
	return true
}

// whole says whether the hours leave nothing out.
func (h Hours) whole() bool {
	for i := range minutesOfWeek {
		if !h.onWall(time.Weekday(i/minutesOfDay), i%minutesOfDay) {
			return false
		}
	}
	return true
}

func (h Hours) clone() Hours {
	h.Days = slices.Clone(h.Days)
	return h
}

// String says when: "mon, tue 22:00-06:00 Europe/Berlin".
func (h Hours) String() string {
	var days []string
	for _, d := range h.Days {
		days = append(days, dayNames[d])
	}
	return fmt.Sprintf("%s %02d:%02d-%02d:%02d %s",
		strings.Join(days, ", "), h.From/60, h.From%60, h.To/60, h.To%60, h.Zone)
}

// dayNames are the words of the file, by time.Weekday.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var clockTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`)

type hoursDoc struct {
	Zone string   `yaml:"zone"`
	Days []string `yaml:"days"`
	From string   `yaml:"from"`
	To   string   `yaml:"to"`
}

func (d *hoursDoc) hours() (*Hours, error) {
	if d == nil {
		return nil, nil
	}
	// "Local" is wherever the process happens to run, and "" is UTC unsaid.
	if d.Zone == "" || d.Zone == "Local" {
		return nil, errors.New("zone must be a name of the IANA database")
	}
	location, err := time.LoadLocation(d.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone: %w", err)
	}
	out := &Hours{Zone: d.Zone, location: location}
	for _, name := range d.Days {
		day := time.Weekday(slices.Index(dayNames, name))
		if day < 0 || slices.Contains(out.Days, day) {
			return nil, fmt.Errorf("days: unknown or repeated %q", name)
		}
		out.Days = append(out.Days, day)
	}
	if len(out.Days) == 0 {
		return nil, errors.New("days may not be empty")
	}
	if out.From, err = minuteOf(d.From); err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if out.To, err = minuteOf(d.To); err != nil {
		return nil, fmt.Errorf("to: %w", err)
	}
	if out.From == out.To || out.From == minutesOfDay || out.whole() {
		return nil, errors.New("the hours are none or all of the week")
	}
	return out, nil
}

func minuteOf(text string) (int, error) {
	if !clockTime.MatchString(text) {
		return 0, errors.New("a time is HH:MM, 24:00 at most")
	}
	hour, errHour := strconv.Atoi(text[:2])
	minute, errMinute := strconv.Atoi(text[3:])
	return hour*60 + minute, errors.Join(errHour, errMinute)
}

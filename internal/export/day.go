package export

import "time"

// day is a day of UTC as 2006-01-02, so that comparing texts compares days.
type day string

func dayOf(t time.Time) day { return day(t.UTC().Format(time.DateOnly)) }

func (d day) start() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{} // valid tells
	}
	return t
}

func (d day) valid() bool {
	t := d.start()
	return !t.IsZero() && dayOf(t) == d
}

func (d day) next() day { return dayOf(d.start().AddDate(0, 0, 1)) }

// folder is the day as folders.
func (d day) folder() string { return string(d[:4] + "/" + d[5:7] + "/" + d[8:]) }

// DayGrace is how long after midnight a day is over by the clock. Clocks of
// replicas differ by two seconds at most, and a commit takes one at most.
const DayGrace = time.Minute

// over tells whether a day is over at an instant.
func (d day) over(at time.Time) bool {
	return !at.IsZero() && !at.Before(d.next().start().Add(DayGrace))
}

package rate

import "time"

// cell is the state of one key.
type cell struct {
	key     string
	arrival time.Duration // the theoretical arrival time, on the clock of elapsed
	place   int           // in the schedule
}

// schedule is a heap: the cell that is fresh again first is in front, so that
// one look tells whether any can be given up.
type schedule []*cell

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].arrival < s[j].arrival }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push is for container/heap.
func (s *schedule) Push(x any) {
	c := x.(*cell)
	c.place = len(*s)
	*s = append(*s, c)
}

// Pop is for container/heap.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	c := (*s)[last]
	(*s)[last] = nil // the array must not keep it
	*s = (*s)[:last]
	return c
}

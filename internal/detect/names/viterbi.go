package names

// row is the score of each tag at one token.
type row [tags]int32

// decoder finds the best sequence of tags of a stretch of tokens. Its memory grows with the stretch.
type decoder struct {
	rows  []row // scores of the tags by themselves
	best  []row // of the best sequence that ends with the tag
	from  [][tags]tag
	tags  []tag
	trans *[tags][tags]int32
}

func (d *decoder) size(n int) {
	if cap(d.rows) < n {
		d.rows, d.best = make([]row, n), make([]row, n)
		d.from, d.tags = make([][tags]tag, n), make([]tag, n)
	}
	d.rows, d.best, d.from, d.tags = d.rows[:n], d.best[:n], d.from[:n], d.tags[:n]
}

// decode sets tags from rows.
func (d *decoder) decode() {
	n := len(d.rows)
	if n == 0 {
		return
	}
	for t := range tags {
		d.best[0][t] = d.rows[0][t] + d.trans[outside][t]
	}
	for i := 1; i < n; i++ {
		if d.rows[i] == outsideRow {
			d.fromAny(i)
			continue
		}
		for t := range tags {
			top, at := d.bestBefore(i, tag(t))
			d.best[i][t] = top + d.rows[i][t]
			d.from[i][t] = at
		}
	}
	last := outside
	for t := range tags {
		if d.best[n-1][t] > d.best[n-1][last] {
			last = tag(t)
		}
	}
	for i := n - 1; ; i-- {
		d.tags[i] = last
		if i == 0 {
			return
		}
		last = d.from[i][last]
	}
}

// bestBefore is the best sequence up to the token before i, of those that tag t may follow.
func (d *decoder) bestBefore(i int, t tag) (int32, tag) {
	before := &d.best[i-1]
	if t != outside && !t.begins() { // after the first or a later token of the same name only
		first, later := before[t-1]+d.trans[t-1][t], before[t]+d.trans[t][t]
		if first >= later {
			return first, t - 1
		}
		return later, t
	}
	top, at := before[outside]+d.trans[outside][t], outside
	for p := 1; p < tags; p++ {
		if s := before[p] + d.trans[p][t]; s > top {
			top, at = s, tag(p)
		}
	}
	return top, at
}

// fromAny is the step to a token that can only be outside. Scores start anew there, so that they do not grow without end.
func (d *decoder) fromAny(i int) {
	top, at := int32(impossible*2), outside
	for p := range tags {
		if s := d.best[i-1][p] + d.trans[p][outside]; s > top {
			top, at = s, tag(p)
		}
	}
	d.best[i] = outsideRow
	d.from[i] = [tags]tag{}
	d.from[i][outside] = at
}

var outsideRow = func() (r row) {
	for t := range r {
		r[t] = impossible
	}
	r[outside] = 0
	return r
}()

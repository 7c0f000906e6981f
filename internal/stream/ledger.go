package stream

// ledger knows which raw bytes of a channel spell the characters of a text that
// are not decided yet.
type ledger struct {
	raw  int // where the first of them begins, counted from the channel's beginning
	runs []run
	done int // runs that are used up
}

// run is some characters that are spelled as they are, or a single one that is
// not. The two never have as many bytes: an escape is longer than what it
// stands for.
type run struct{ text, raw int }

// add puts characters behind the others.
func (l *ledger) add(text, raw int) {
	if last := len(l.runs) - 1; text == raw && last >= l.done && l.runs[last].text == l.runs[last].raw {
		l.runs[last].text += text
		l.runs[last].raw += raw
		return
	}
	l.runs = append(l.runs, run{text, raw})
}

// take moves over so many bytes of text, whole characters, and returns where the
// next one begins.
func (l *ledger) take(text int) int {
	for text > 0 {
		r := &l.runs[l.done]
		if r.text == r.raw {
			n := min(text, r.text)
			l.raw, text = l.raw+n, text-n
			r.text, r.raw = r.text-n, r.raw-n
		} else {
			l.raw, text = l.raw+r.raw, text-r.text
			r.text = 0
		}
		if r.text == 0 {
			l.done++
		}
	}
	l.compact()
	return l.raw
}

// compact forgets what is used up, so that a text of which something is always
// held does not keep all that it ever had.
func (l *ledger) compact() {
	if 2*l.done < len(l.runs) {
		return
	}
	rest := l.runs[l.done:]
	if l.done = 0; cap(l.runs) > manyRuns && len(rest) < manyRuns/2 {
		l.runs = append([]run(nil), rest...)
		return
	}
	l.runs = l.runs[:copy(l.runs, rest)]
}

// manyRuns is for how many runs room is kept. A candidate has fewer.
const manyRuns = 256

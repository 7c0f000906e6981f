package report

import "github.com/counterfoil/counterfoil/internal/evidence"

// resultColumn of the table of controls holds the result of each.
const resultColumn = "result"

// maxControls is how many controls are printed: all of any catalogue.
const maxControls = 2000

// results are what a control can come to, the worst first.
var results = []struct{ code, word, sentence string }{
	{"fail", "Fail", "did not hold; the exceptions name their entries"},
	{"partial", "Partial", "held, and some of it could not be judged"},
	{"not_tested", "Not tested", "nothing to look at, or what it takes was not given"},
	{"pass", "Pass", "held for all that was looked at"},
}

// A verdict is what the controls came to.
type verdict struct {
	Results []resultCount
	Sheet   sheet
}

// A resultCount is how many controls came to a result.
type resultCount struct {
	Badge    *badge
	Sentence string
	Count    string
}

// A badge shows a result by a word and a sign; its colour adds nothing to them.
type badge struct{ Code, Word string }

// newBadge takes a result that it does not know at its word.
func newBadge(code string) *badge {
	for _, r := range results {
		if r.code == code {
			return &badge{r.code, r.word}
		}
	}
	return &badge{"unknown", code}
}

func newVerdict(e *evidence.Evidence) *verdict {
	t, given := e.Table(evidence.TableControls)
	if !given {
		return nil
	}
	v := &verdict{Sheet: newSheet(t, maxControls)}
	counts := make(map[string]int64)
	if c := column(t, resultColumn); c >= 0 {
		for _, row := range t.Rows {
			counts[row[c]]++
		}
	}
	for _, r := range results {
		v.Results = append(v.Results, resultCount{&badge{r.code, r.word}, r.sentence, count(counts[r.code])})
	}
	return v
}

// column is the place of a column, -1 where the table has none of that name.
func column(t evidence.Table, name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

package audit

// What became of a value that went to its destination as it was.
const (
	ResultAllowed = "allowed"
	ResultWarned  = "warned" // and the caller was told
)

// CountUnanalyzed is how many texts of a request an external analyzer did not see,
// since it did not answer and the tenant had said that it may be missing.
const CountUnanalyzed = "unanalyzed"

// ResultsInClear are the results of a tokenize entry that count values in clear.
func ResultsInClear() []string { return []string{ResultAllowed, ResultWarned} }

// InClear is how many values a tokenize entry let through as they were.
func (e *Entry) InClear() int {
	total := 0
	for _, result := range ResultsInClear() {
		total += e.Results[result]
	}
	return total
}

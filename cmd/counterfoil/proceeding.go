package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

// ask asks one thing of a service and prints the answer: as JSON, or in the words
// for people.
func ask[A any](r *remote, s streams, question func(*client.Client) (A, error), people func(io.Writer, A)) error {
	service, err := r.open()
	if err != nil {
		return err
	}
	defer service.Close()
	answer, err := question(service)
	if err != nil {
		return problem(err)
	}
	return r.print(s, answer, func(w io.Writer) { people(w, answer) })
}

// list asks for all pages and prints them as a table.
func list[A any](r *remote, s streams, page func(service *client.Client, cursor string) ([]A, string, error), head string, row func(A) []any) error {
	all := func(service *client.Client) ([]A, error) {
		everything := []A{}
		for cursor := ""; ; {
			some, next, err := page(service, cursor)
			if err != nil {
				return nil, err
			}
			everything = append(everything, some...)
			if cursor = next; cursor == "" {
				return everything, nil
			}
		}
	}
	return ask(r, s, all, func(w io.Writer, answer []A) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, strings.ReplaceAll(head, " ", "\t"))
		for _, one := range answer {
			cells := row(one)
			_, _ = fmt.Fprintf(table, strings.Repeat("%v\t", len(cells)-1)+"%v\n", cells...)
		}
		_ = table.Flush() // into memory
	})
}

// lines prints names and what they are, but for what is empty.
func lines(w io.Writer, pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			_, _ = fmt.Fprintf(w, "%-9s %s\n", pair[0], pair[1])
		}
	}
}

// moment is a time as people read it, "" where there is none.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// howMany says how many there are of each, as in "EMAIL_ADDRESS 2".
func howMany(counts map[string]int) string {
	parts := make([]string, 0, len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

// describeDecisions says who agreed and who did not.
func describeDecisions(w io.Writer, decisions []client.Decision, required int) {
	agreed := 0
	for _, d := range decisions {
		lines(w, "decision", d.Decision+" by "+d.By+" on "+d.At.Format(time.RFC3339))
		if d.Decision == client.Approve {
			agreed++
		}
	}
	lines(w, "needs", fmt.Sprintf("%d, has %d", required, agreed))
}

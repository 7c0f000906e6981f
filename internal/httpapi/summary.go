package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// RequestSummary counts the requests of a period.
func (a *api) RequestSummary(ctx context.Context, r gen.RequestSummaryRequestObject) (gen.RequestSummaryResponseObject, error) {
	ctx, x := begin(ctx)
	from, errFrom := instant("query:from", &r.Params.From)
	to, errTo := instant("query:to", &r.Params.To)
	if err := errors.Join(errFrom, errTo); err != nil {
		return nil, err
	}
	if !from.Before(to) {
		return nil, vault.Invalid("query:to", "must be after from")
	}
	summary, err := a.service.RequestSummary(ctx, x.call, from, to)
	if err != nil {
		return nil, err
	}
	answer := gen.RequestSummary{
		From: summary.From, To: summary.To, Lines: make([]gen.RequestSummaryLine, 0, len(summary.Lines)),
		More: summary.More, RequestId: x.requestID,
	}
	for i := range summary.Lines {
		answer.Lines = append(answer.Lines, summaryLine(&summary.Lines[i]))
	}
	return ok(answer), nil
}

func summaryLine(l *vault.RequestSummaryLine) gen.RequestSummaryLine {
	line := gen.RequestSummaryLine{
		Kind: gen.SubjectRequestKind(l.Kind), Regime: gen.Regime(l.Regime), Received: int64(l.Received),
		ByStatus: tally(l.ByStatus), Refused: tally(l.Refused), Extended: int64(l.Extended), Overdue: int64(l.Overdue),
	}
	for status, n := range l.ByStatus {
		if status.Closes() && n > 0 {
			line.MedianDays, line.LongestDays = &l.MedianDays, &l.LongestDays
		}
	}
	return line
}

// tally makes counts of an answer, never null.
func tally[K ~string](counts map[K]int) map[string]int64 {
	out := make(map[string]int64, len(counts))
	for key, n := range counts {
		out[string(key)] = int64(n)
	}
	return out
}

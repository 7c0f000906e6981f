package vault

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// MaxSummaryRequests bounds the requests that one summary counts: a year of a
// large company.
const MaxSummaryRequests = 100_000

// RequestSummary counts the requests that were received in a period.
func (s *Service) RequestSummary(ctx context.Context, call Call, from, to time.Time) (RequestSummary, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionRequestRead); err != nil {
		return RequestSummary{}, err
	}
	if from.IsZero() || !from.Before(to) {
		return RequestSummary{}, Invalid("/to", "must be after from, and both given")
	}
	type group struct {
		kind   RequestKind
		regime string
	}
	rows := make(map[group][]SubjectRequest)
	summary := RequestSummary{From: from, To: to}
	q := RequestQuery{From: from, To: to, Limit: PageRequests}
	for counted := 0; ; counted += PageRequests {
		if counted >= MaxSummaryRequests {
			summary.More = true
			break
		}
		page, err := s.requests.Requests(ctx, call.Caller.Tenant, q)
		if err != nil {
			return RequestSummary{}, public(err)
		}
		for _, r := range page {
			g := group{r.Kind, r.Regime}
			rows[g] = append(rows[g], r)
			q.Before = r.ID
		}
		if len(page) < PageRequests {
			break
		}
	}
	for g, requests := range rows {
		summary.Lines = append(summary.Lines, summarise(g.kind, g.regime, requests, s.clock()))
	}
	slices.SortFunc(summary.Lines, func(a, b RequestSummaryLine) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Regime, b.Regime))
	})
	return summary, nil
}

func summarise(kind RequestKind, regime string, rows []SubjectRequest, now time.Time) RequestSummaryLine {
	line := RequestSummaryLine{
		Kind: kind, Regime: regime, Received: len(rows),
		ByStatus: make(map[RequestState]int), Refused: make(map[RefusalCode]int),
	}
	var days []float64
	for i := range rows {
		r := &rows[i]
		line.ByStatus[r.State]++
		if r.RefusalCode != "" {
			line.Refused[RefusalCode(r.RefusalCode)]++
		}
		line.Extended += rank(r.Extended)
		line.Overdue += rank(r.overdue(now))
		if !r.ClosedAt.IsZero() {
			days = append(days, r.ClosedAt.Sub(r.ReceivedAt).Hours()/24)
		}
	}
	if n := len(days); n > 0 {
		slices.Sort(days)
		line.MedianDays, line.LongestDays = (days[(n-1)/2]+days[n/2])/2, days[n-1]
	}
	return line
}

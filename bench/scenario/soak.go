package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/bench/fill"
	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	soakWork = "soak"
	// soakEvery is how often the service is sampled, and soakTrial in a soak that is
	// too short for that.
	soakEvery = 10 * time.Second
	soakTrial = time.Second
	// soakShort is below how many requests a soak is a trial.
	soakShort = 100_000
	// soakClients keep two cores busy.
	soakClients = usual
	// soakTerms is after how many requests what entries are searched by is thrown away.
	// It is three quarters of what a log takes on the disk, which would be nearly fifty
	// gigabytes for a soak; nothing that is sent here reads it.
	soakTerms = 500_000
	// soakWAL leaves room for what stays: how fast a soak is, is not what it is about.
	soakWAL = "max_wal_size=1GB"
)

// soakSample is what a service had at one time.
type soakSample struct {
	at         time.Duration
	rss, heap  float64 // MiB
	goroutines float64
	perSecond  float64 // since the sample before
}

// soak is one on its way.
type soak struct {
	*core
	db      *fill.Fill
	every   time.Duration
	begun   system.Sample
	samples []soakSample

	answered, thrown int64
	since            int64 // good answers since the last sample
	last             time.Duration
	failed           error // of a sample
}

// Soak sends a mix of everything for as many requests as the service gets in a day, and
// looks for what grows that should not.
func Soak(ctx context.Context, e *Env) error {
	return e.alone(ctx, "soak", func(ctx context.Context, c *core, l lengths) (err error) {
		s := &soak{core: c, every: soakEvery}
		if l.soak < soakShort {
			s.every = soakTrial
		}
		if s.db, err = fill.Open(ctx, c.Site.AdminDSN(), c.Site.Tenants()[0]); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.db.Close(context.WithoutCancel(ctx))) }()
		m, err := newMix(ctx, c, soakClients)
		if err != nil {
			return err
		}
		requests, err := s.room(l.soak)
		if err != nil {
			return err
		}
		return s.run(ctx, m, requests)
	}, soakWAL)
}

func (s *soak) run(ctx context.Context, m *mix, requests int64) error {
	on := s.service.services()
	sample := func() system.Sample {
		at, err := s.Site.Sample(ctx, on...)
		s.failed = errors.Join(s.failed, err)
		return at
	}
	var end system.Sample
	result, err := load.Closed(ctx, load.Plan{
		Clients: soakClients, Requests: requests,
		Begin: func() { s.begun = sample() },
		End:   func() { end = sample() },
		Every: func(at time.Duration, since load.Result) { s.tick(ctx, at, since, requests, sample) },
	}, m.do)
	if err := errors.Join(err, s.failed); err != nil {
		return fmt.Errorf("scenario: soak: %w", err)
	}
	measured := report.Measurement{Work: soakWork, Of: system.Counterfoil,
		Load: fmt.Sprintf("%s, %s requests", loadOf(soakClients), grouped(requests))}
	add(&measured, result, s.begun.Until(end), float64(result.Good+result.Failed+result.Refused))
	s.Report.Measurements = append(s.Report.Measurements, measured)
	if result.First != nil {
		s.Report.Notes = append(s.Report.Notes, fmt.Sprintf("soak: %d failed, the first: %v", result.Failed, result.First))
	}
	s.conclude(requests, result.Elapsed)
	return nil
}

// tick is called each second.
func (s *soak) tick(ctx context.Context, at time.Duration, since load.Result, requests int64, sample func() system.Sample) {
	s.answered += since.Good + since.Failed + since.Refused
	s.since += since.Good
	if at-s.last < s.every {
		return
	}
	used := s.begun.Until(sample())
	s.samples = append(s.samples, soakSample{
		at: at, rss: float64(used.RSS[system.Counterfoil]) / (1 << 20), heap: float64(used.HeapInUse) / (1 << 20),
		goroutines: float64(used.Goroutines), perSecond: float64(s.since) / (at - s.last).Seconds(),
	})
	s.since, s.last = 0, at
	if done := s.answered / soakTerms; done > s.thrown {
		s.thrown = done
		s.failed = errors.Join(s.failed, s.db.DropTerms(ctx))
		s.Say("soak: %s of %s requests", grouped(s.answered), grouped(requests))
	}
}

// mix is what a day consists of: half of it tokenizes, half restores, one in a hundred is
// refused, and one in a thousand is a grant and a short answer that streams under it.
type mix struct {
	*core
	held     []holding
	refusal  []byte
	hands    []hand
	grantees []*grantee
	series   int64
}

const (
	// refusedEach and streamEach are every how many requests one is refused, or streams.
	refusedEach, streamEach = 100, 1000
	// freshEach is every how many of those that tokenize one brings values that nobody
	// sent before; the others are the turns of chats, whose values stand.
	freshEach = 5
	// soakFrames are those of an answer that streams, a millisecond apart.
	soakFrames = 30
	// freshTTL lets what is fresh expire, so that the sweep has to keep up: otherwise
	// a soak would be a measurement of growth.
	freshTTL = 5 * time.Minute
)

func newMix(ctx context.Context, c *core, clients int) (*mix, error) {
	held, err := c.holdings(ctx, c.service, scopesOfFew, few)
	if err != nil {
		return nil, fmt.Errorf("scenario: what is restored: %w", err)
	}
	m := &mix{core: c, held: held, refusal: refusedBody(held[0]), hands: make([]hand, clients), series: c.series.Add(1)}
	for range clients {
		m.grantees = append(m.grantees, newGrantee(c.service.on, c.service.bearer))
	}
	return m, nil
}

func (m *mix) do(ctx context.Context, client int, n int64) error {
	h, at := &m.hands[client], n%int64(len(m.held))
	switch {
	case n%refusedEach == refusedEach-1:
		h.body = append(h.body[:0], m.refusal...)
		return m.service.post(ctx, m.service.restorePath(), h, http.StatusForbidden)
	case n%streamEach == streamEach/2:
		return m.stream(ctx, client)
	case n%2 == 1:
		h.body = append(h.body[:0], m.held[at].request...)
		if err := m.service.post(ctx, m.service.restorePath(), h, http.StatusOK); err != nil {
			return err
		}
		return sameList(h.answer.Bytes(), "values", m.held[at].values)
	case n/2%freshEach == 0:
		h.sent = values(h.sent[:0], m.series, n, few)
		h.body = lastingBody(h.body[:0], conversation(n), h.sent)
	default:
		h.sent = append(h.sent[:0], m.held[at].values...)
		h.body = valuesBody(h.body[:0], heldScope(few, int(at)), h.sent)
	}
	if err := m.service.post(ctx, m.service.tokenizePath(), h, http.StatusOK); err != nil {
		return err
	}
	_, err := tokensIn(h.answer.Bytes(), m.service.tokensMember(), h.sent)
	return err
}

// lastingBody is a body of values that are to be kept for freshTTL.
func lastingBody(into []byte, scope string, values []string) []byte {
	into = fmt.Appendf(into, `{"ttl":%d,`, int(freshTTL.Seconds()))
	from := len(into)
	into = valuesBody(into, scope, values)
	return append(into[:from], into[from+1:]...) // its own brace
}

// stream has an answer restored while it streams, from its grant to its end.
func (m *mix) stream(ctx context.Context, client int) (err error) {
	line, err := m.grantees[client].open(ctx, client, soakFrames)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, line.close()) }()
	spoken := make(chan error, 1)
	go func() { spoken <- line.speak(ctx, time.Now(), time.Millisecond) }()
	if err := line.listen(); err != nil {
		_ = line.conn.SetDeadline(time.Now()) // nobody goes on to speak into it
		return errors.Join(err, <-spoken)
	}
	return <-spoken
}

// refusedBody asks for the values of a holding for a reason that a gateway has no right to.
func refusedBody(of holding) []byte {
	return bytes.Replace(of.request, []byte(`"LLM_RESPONSE"`), []byte(`"CUSTOMER_SUPPORT","reference":"TICKET-7"`), 1)
}

// heldScope is the scope of the holding of a number.
func heldScope(items, n int) string { return "held-" + strconv.Itoa(items) + "-" + strconv.Itoa(n) }

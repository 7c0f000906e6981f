package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

const (
	// usual is the number of clients of a work that is measured at one number only: as
	// many as keep two cores busy, and few enough that latencies are those of the work.
	usual = 16
	// connections of a client are kept alive, one for each that may send at once.
	connections = 128
	// conversations are the scopes in rotation, as of a gateway on a working day: enough
	// that no answer comes from one row or one key.
	conversations = 1000
	// few and many are the tokens of one restoration.
	few, many = 5, 50

	echoWork  = "echo 1 KB"
	echoBytes = 1 << 10
)

// core is what the works of Core share.
type core struct {
	*Env
	service, floor *face
	series         atomic.Int64 // numbers the loads, so that none sends the values of another
}

// face is one of the two that every work is put on.
type face struct {
	of     string
	on     *system.Service
	client *load.Client
	bearer string // empty for the floor, which asks nobody who they are
	// forUsers carries what is asked for an end user, which the client has no word for.
	forUsers *http.Transport
}

// Core measures what gateways do all day, on the service and on the floor in turns:
// values, chats and tokens in, tokens and values out, what is refused, and what the
// transit server alone would give.
func Core(ctx context.Context, e *Env) (err error) {
	service, err := e.Site.Serve(ctx, "vault-core")
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	defer func() { err = errors.Join(err, service.Stop(context.WithoutCancel(ctx))) }()
	floor, err := e.Site.Floor(ctx)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	defer func() { err = errors.Join(err, floor.Stop(context.WithoutCancel(ctx))) }()
	c := &core{
		Env: e,
		service: &face{of: system.Counterfoil, on: service, client: load.NewClient(connections),
			bearer:   e.Site.Credential(e.Site.Tenants()[0], "gateway"),
			forUsers: &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}},
		floor: &face{of: system.Floor, on: floor, client: load.NewClient(connections)},
	}
	defer c.service.forUsers.CloseIdleConnections()
	defer c.service.client.Close()
	defer c.floor.client.Close()
	for _, work := range c.works() {
		if err := work(ctx); err != nil {
			return err
		}
	}
	c.judge()
	return nil
}

// works are in the order of the table of goals.
func (c *core) works() []func(context.Context) error {
	return []func(context.Context) error{c.newTransitKey, c.echo, c.tokenizeValues, c.chats, c.restore, c.refused}
}

// faces are the floor and the service, in the order in which they take turns.
func (c *core) faces() []*face { return []*face{c.floor, c.service} }

// trial is a work on a face. Once says how one run of it goes: what is sent, and what is
// checked when it is over.
func (c *core) trial(f *face, work string, clients, items int, once func() (load.Do, func(context.Context) error)) *trial {
	return &trial{
		Measurement: report.Measurement{Work: work, Of: f.of, Load: loadOf(clients), Items: items},
		services:    f.services(),
		run: func(ctx context.Context, plan load.Plan) (load.Result, error) {
			do, after := once()
			plan.Clients = clients
			result, err := load.Closed(ctx, plan, do)
			if err != nil || after == nil {
				return result, err
			}
			if wrong := after(ctx); wrong != nil {
				result.Failed++
				result.First = errors.Join(result.First, wrong)
			}
			return result, nil
		},
	}
}

// at are the numbers of clients of a work that is measured at several.
func (c *core) at() []int {
	if len(c.Clients) == 0 {
		return []int{usual}
	}
	return slices.Clone(c.Clients)
}

// services are the processes to be sampled besides those that the site itself has.
func (f *face) services() []*system.Service {
	if f.of == system.Transit {
		return nil
	}
	return []*system.Service{f.on}
}

// echo is what the harness and a bare service can do with nothing between them: it tells
// how busy the machine is.
func (c *core) echo(ctx context.Context) error {
	body := make([]byte, echoBytes)
	for i := range body {
		body[i] = 'x'
	}
	return c.interleave(ctx, c.trial(c.floor, echoWork, usual, 0, func() (load.Do, func(context.Context) error) {
		hands := make([]hand, usual)
		return func(ctx context.Context, client int, _ int64) error {
			h := &hands[client]
			h.body = body
			if err := c.floor.post(ctx, "/echo", h, http.StatusOK); err != nil {
				return err
			}
			if !bytes.Equal(h.answer.Bytes(), body) {
				return fmt.Errorf("%w: it is no echo", errAnswer)
			}
			return nil
		}, nil
	}))
}

func loadOf(clients int) string {
	if clients == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients", clients)
}

// post sends a body, reads the answer into the hand's buffer, and demands its status.
func (f *face) post(ctx context.Context, path string, h *hand, want int) error {
	status, _, err := f.client.Call(ctx, http.MethodPost, f.on.URL+path, f.bearer, h.body, &h.answer)
	if err != nil {
		return err
	}
	if status != want {
		// The body is not quoted: what was sent may stand in it.
		return fmt.Errorf("%s%s: status %d, want %d", f.of, path, status, want)
	}
	return nil
}

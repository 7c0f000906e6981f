package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/counterfoil/counterfoil/client"
)

type restorationCommands struct {
	Request restorationRequestCommand `cmd:"" help:"Ask that others agree to a restoration."`
	Approve restorationApproveCommand `cmd:"" help:"Agree to somebody else's restoration."`
	Reject  restorationRejectCommand  `cmd:"" help:"Do not agree, which ends it."`
	Redeem  restorationRedeemCommand  `cmd:"" help:"Have the values back that were approved, once. A restoration, and in the log."`
	List    restorationListCommand    `cmd:"" help:"List the restorations that wait or waited for others, the newest first."`
}

// wanted is what somebody wants back, and why: the same when it is asked for and
// when it is redeemed.
type wanted struct {
	Scope     string   `required:"" help:"Where the tokens are from."`
	ReadScope []string `help:"A further scope whose tokens may stand there; may be given several times."`
	Reason    string   `required:"" help:"Code of the reason, by the catalogue of the policy."`
	Reference string   `help:"Number of the ticket, matter or incident. It goes into the log: no names."`
	Recipient string   `help:"Who will see the values, where it is not the caller."`
	Token     []string `xor:"content" required:"" sep:"none" help:"A token; may be given several times."`
	Text      string   `xor:"content" required:"" type:"path" help:"File with a text in which tokens stand, - for standard input."`
	Payload   string   `xor:"content" required:"" type:"path" help:"File with the JSON body of a model provider, - for standard input."`
}

func (f wanted) request() (client.DetokenizeRequest, error) {
	r := client.DetokenizeRequest{
		Scope: f.Scope, ReadScopes: f.ReadScope, Recipient: f.Recipient, Reason: client.Reason{Code: f.Reason, Reference: f.Reference},
	}
	switch {
	case len(f.Token) > 0:
		r.Content = client.Tokens(f.Token)
	case f.Text != "":
		text, err := readInput(f.Text)
		if err != nil {
			return r, fmt.Errorf("--text: %w", err)
		}
		r.Content = client.Text(text)
	default:
		body, err := readInput(f.Payload)
		if err != nil {
			return r, fmt.Errorf("--payload: %w", err)
		}
		r.Content = client.Payload{JSON: body}
	}
	return r, nil
}

type restorationRequestCommand struct {
	remote
	wanted
}

// Run asks.
func (c *restorationRequestCommand) Run(ctx context.Context, s streams) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.Restoration, error) {
		return service.RequestRestoration(ctx, request)
	}, describeRestoration)
}

func describeRestoration(w io.Writer, r *client.Restoration) {
	lines(w, "request", r.ID, "status", r.Status, "by", r.Requester, "reason", strings.TrimSpace(r.Reason+" "+r.Reference),
		"tokens", fmt.Sprintf("%d: %s", r.Tokens, howMany(r.Entities)))
	describeDecisions(w, r.Decisions, r.ApprovalsRequired)
	lines(w, "until", moment(&r.ExpiresAt), "closed", moment(r.ClosedAt))
	entryLine(w, r.Receipt)
}

// verdict is what is said of what somebody else asked for.
type verdict struct {
	remote
	ID   string `arg:"" help:"The request."`
	Note string `type:"path" help:"File with a note, - for standard input. Only a digest of it is kept."`
}

func (v verdict) note() (string, error) {
	if v.Note == "" {
		return "", nil
	}
	text, err := readInput(v.Note)
	if err != nil {
		return "", fmt.Errorf("--note: %w", err)
	}
	return string(text), nil
}

func (v verdict) ofRestoration(ctx context.Context, s streams, decision string) error {
	note, err := v.note()
	if err != nil {
		return err
	}
	return ask(&v.remote, s, func(service *client.Client) (*client.Restoration, error) {
		return service.DecideRestoration(ctx, v.ID, decision, note)
	}, describeRestoration)
}

type restorationApproveCommand struct{ verdict }

// Run agrees.
func (c *restorationApproveCommand) Run(ctx context.Context, s streams) error {
	return c.ofRestoration(ctx, s, client.Approve)
}

type restorationRejectCommand struct{ verdict }

// Run does not agree.
func (c *restorationRejectCommand) Run(ctx context.Context, s streams) error {
	return c.ofRestoration(ctx, s, client.Reject)
}

type restorationRedeemCommand struct {
	remote
	wanted
	ID string `arg:"" help:"The request."`
}

// Run has the values back: alone on standard output, so that they can be piped.
func (c *restorationRedeemCommand) Run(ctx context.Context, s streams) error {
	request, err := c.request()
	if err != nil {
		return err
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.DetokenizeAnswer, error) {
		return service.RedeemRestoration(ctx, c.ID, request)
	}, func(w io.Writer, answer *client.DetokenizeAnswer) {
		switch {
		case answer.Payload != nil:
			_, _ = fmt.Fprintf(w, "%s\n", answer.Payload)
		case answer.Values != nil:
			_, _ = fmt.Fprintln(w, strings.Join(answer.Values, "\n"))
		default:
			_, _ = fmt.Fprint(w, answer.Text)
		}
	})
}

type restorationListCommand struct {
	remote
	Status string `enum:",pending,approved,rejected,expired,redeemed" default:"" help:"Only those with this status: pending, approved, rejected, expired or redeemed."`
}

// Run lists all pages.
func (c *restorationListCommand) Run(ctx context.Context, s streams) error {
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Restoration, string, error) {
		page, err := service.Restorations(ctx, c.Status, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Restorations, page.NextCursor, nil
	}, "REQUEST STATUS REASON REFERENCE TOKENS BY UNTIL", func(r client.Restoration) []any {
		return []any{r.ID, r.Status, r.Reason, r.Reference, howMany(r.Entities), r.Requester, moment(&r.ExpiresAt)}
	})
}

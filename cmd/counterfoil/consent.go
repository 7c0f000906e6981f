package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

type consentCommands struct {
	Give     consentGiveCommand     `cmd:"" help:"Write down that a person consents to a purpose."`
	Withdraw consentWithdrawCommand `cmd:"" help:"End a consent."`
	List     consentListCommand     `cmd:"" help:"List consents, the newest first."`
}

type consentGiveCommand struct {
	remote
	Who       string    `required:"" type:"path" help:"File with who consents, - for standard input: {\"subject\": \"\"}."`
	Purpose   string    `required:"" help:"To what, in a word, as the catalogue of reasons has it."`
	Reference string    `required:"" help:"Number of the form. It goes into the log: no names."`
	Until     time.Time `format:"2006-01-02" help:"Day on which it ends; never by itself if it is left out."`
}

// Run writes it down.
func (c *consentGiveCommand) Run(ctx context.Context, s streams) error {
	subject, err := subjectIn(c.Who)
	if err != nil {
		return err
	}
	return ask(&c.remote, s, func(service *client.Client) (*client.Consent, error) {
		return service.GiveConsent(ctx, client.ConsentRequest{
			Subject: subject, Purpose: c.Purpose, Reference: c.Reference, ExpiresAt: given(&c.Until),
		})
	}, describeConsent)
}

// subjectIn reads a file with the caller's name for a person.
func subjectIn(path string) (string, error) {
	var who struct {
		Subject string `json:"subject"`
	}
	if err := readJSON(path, &who); err != nil {
		return "", fmt.Errorf("--who: %w", err)
	}
	return who.Subject, nil
}

func describeConsent(w io.Writer, one *client.Consent) {
	lines(w, "consent", one.ID, "subject", one.SubjectRef, "purpose", one.Purpose, "reference", one.Reference, "status", one.Status,
		"given", moment(&one.GivenAt), "until", moment(one.ExpiresAt), "withdrawn", moment(one.WithdrawnAt))
	entryLine(w, one.Receipt)
}

type consentWithdrawCommand struct {
	remote
	ID        string `arg:"" help:"The consent."`
	Reference string `required:"" help:"Number of the letter. It goes into the log: no names."`
}

// Run ends it.
func (c *consentWithdrawCommand) Run(ctx context.Context, s streams) error {
	return ask(&c.remote, s, func(service *client.Client) (*client.Consent, error) {
		return service.WithdrawConsent(ctx, c.ID, c.Reference)
	}, describeConsent)
}

type consentListCommand struct {
	remote
	Who  string `type:"path" help:"File with whose, - for standard input: {\"subject\": \"\"}; of all if it is left out."`
	Live bool   `help:"Only those that are not ended."`
}

// Run lists all pages.
func (c *consentListCommand) Run(ctx context.Context, s streams) error {
	subject := ""
	if c.Who != "" {
		var err error
		if subject, err = subjectIn(c.Who); err != nil {
			return err
		}
	}
	return list(&c.remote, s, func(service *client.Client, cursor string) ([]client.Consent, string, error) {
		page, err := service.Consents(ctx, subject, c.Live, cursor)
		if err != nil {
			return nil, "", err
		}
		return page.Consents, page.NextCursor, nil
	}, "CONSENT SUBJECT PURPOSE REFERENCE STATUS GIVEN UNTIL", func(one client.Consent) []any {
		return []any{one.ID, one.SubjectRef, one.Purpose, one.Reference, one.Status, moment(&one.GivenAt), moment(one.ExpiresAt)}
	})
}

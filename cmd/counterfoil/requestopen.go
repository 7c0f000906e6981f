package main

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

// identityNeeded are the flags of a command that wants to know how it was
// established that the person asks.
type identityNeeded struct {
	IdentityMethod    string    `required:"" help:"How it was established that the person asks, such as in_person."`
	IdentityReference string    `required:"" help:"Number of that check."`
	VerifiedBy        string    `required:"" help:"Code of who did it."`
	VerifiedAt        time.Time `format:"2006-01-02T15:04:05Z07:00" help:"When; now, if it is left out."`
}

// identityGiven are the same where all of them may be left out, or none.
type identityGiven struct {
	IdentityMethod    string    `and:"identity" help:"How it was established that the person asks, such as in_person."`
	IdentityReference string    `and:"identity" help:"Number of that check."`
	VerifiedBy        string    `and:"identity" help:"Code of who did it."`
	VerifiedAt        time.Time `format:"2006-01-02T15:04:05Z07:00" help:"When; now, if it is left out."`
}

func (i identityNeeded) check() client.IdentityCheck {
	if i.VerifiedAt.IsZero() {
		i.VerifiedAt = time.Now()
	}
	return client.IdentityCheck{Method: i.IdentityMethod, Reference: i.IdentityReference, VerifiedBy: i.VerifiedBy, At: i.VerifiedAt}
}

type requestOpenCommand struct {
	remote
	identityGiven
	Kind       string    `required:"" enum:"access,erasure,restriction,objection,accounting" help:"What the person asks for: access, erasure, restriction, objection or accounting."`
	Regime     string    `required:"" enum:"gdpr,ccpa,hipaa" help:"Under which law: gdpr, ccpa or hipaa."`
	Reference  string    `required:"" help:"Number of the request. It goes into the log: no names."`
	Who        string    `type:"path" help:"File with whom, - for standard input: {\"subject\": \"\", \"identifiers\": [{\"entity\": \"\", \"value\": \"\"}]}. It may be said later, with the identity."`
	Assignee   string    `help:"Code of who works on it."`
	ReceivedAt time.Time `format:"2006-01-02T15:04:05Z07:00" help:"When the person asked; now, if it is left out."`
}

// Run opens the request.
func (c *requestOpenCommand) Run(ctx context.Context, s streams) error {
	who, err := readPerson(c.Who)
	if err != nil {
		return err
	}
	request := client.IntakeRequest{
		Kind: c.Kind, Regime: c.Regime, Reference: c.Reference, Subject: who.Subject, Identifiers: who.Identifiers,
		Assignee: c.Assignee, ReceivedAt: given(&c.ReceivedAt),
	}
	if c.IdentityMethod != "" {
		check := identityNeeded(c.identityGiven).check()
		request.Identity = &check
	}
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.OpenSubjectRequest(ctx, request)
	})
}

// readPerson reads whom a command is about, nobody where there is no file.
func readPerson(path string) (person, error) {
	var who person
	if path == "" {
		return who, nil
	}
	if err := readJSON(path, &who); err != nil {
		return who, fmt.Errorf("--who: %w", err)
	}
	return who, nil
}

type requestIdentityCommand struct {
	remote
	identityNeeded
	ID  string `arg:"" help:"The request."`
	Who string `type:"path" help:"File with whom the request is about, where it does not say so yet; as of open."`
}

// Run says who asks.
func (c *requestIdentityCommand) Run(ctx context.Context, s streams) error {
	who, err := readPerson(c.Who)
	if err != nil {
		return err
	}
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		return service.IdentifyRequest(ctx, c.ID, client.IdentifyRequest{
			Identity: c.check(), Subject: who.Subject, Identifiers: who.Identifiers,
		})
	})
}

// erasing are the flags of what erases.
type erasing struct {
	Preview  string `help:"The preview of a dry run: where another match would be erased by now, nothing is."`
	Approval string `help:"Id of the approval of that preview, where the policy demands one: counterfoil approval request."`
	Suppress string `enum:",none,30d,forever" default:"" help:"Of an erasure, for how long what was erased is masked when it is sent again: none, 30d or forever; 30d, if it is left out."`
	DryRun   bool   `help:"Erase nothing and tell what would be erased."`
}

type requestEraseCommand struct {
	remote
	identityNeeded
	erasing
	Who       string `required:"" type:"path" help:"File with whom, - for standard input: {\"subject\": \"\", \"confirm_subject\": \"\"}; the second is not needed for a dry run. Values that nobody is tied to: {\"identifiers\": [{\"entity\": \"\", \"value\": \"\"}]}, with the preview of a dry run."`
	Regime    string `required:"" enum:"gdpr,ccpa,hipaa" help:"Under which law the person asks: gdpr, ccpa or hipaa."`
	Reference string `required:"" help:"Number of the request. It goes into the log: no names."`
}

// Run erases.
func (c *requestEraseCommand) Run(ctx context.Context, s streams) error {
	var who struct {
		person
		ConfirmSubject string `json:"confirm_subject"`
	}
	if err := readJSON(c.Who, &who); err != nil {
		return fmt.Errorf("--who: %w", err)
	}
	request := client.ErasureRequest{
		Regime: c.Regime, Subject: who.Subject, ConfirmSubject: who.ConfirmSubject, Identifiers: who.Identifiers,
		Reference: c.Reference, Identity: c.check(), PreviewID: c.Preview, ApprovalID: c.Approval, Suppress: c.Suppress,
	}
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		if c.DryRun {
			return service.TryErasure(ctx, request)
		}
		return service.Erase(ctx, request)
	})
}

type requestExecuteCommand struct {
	remote
	erasing
	ID  string `arg:"" help:"The request."`
	Who string `type:"path" help:"File that says the subject of the request again, - for standard input: {\"confirm_subject\": \"\"}; not needed for a dry run, nor where it names values only."`
}

// Run does what the request asks for.
func (c *requestExecuteCommand) Run(ctx context.Context, s streams) error {
	var who struct {
		ConfirmSubject string `json:"confirm_subject"`
	}
	if c.Who != "" {
		if err := readJSON(c.Who, &who); err != nil {
			return fmt.Errorf("--who: %w", err)
		}
	}
	return c.step(s, func(service *client.Client) (*client.SubjectRequestStep, error) {
		if c.DryRun {
			return service.TryRequest(ctx, c.ID)
		}
		return service.ExecuteRequest(ctx, c.ID, client.ExecuteRequest{
			ConfirmSubject: who.ConfirmSubject, PreviewID: c.Preview, ApprovalID: c.Approval, Suppress: c.Suppress,
		})
	})
}

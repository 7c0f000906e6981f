package main

import (
	"context"
	"fmt"
	"os"

	"github.com/counterfoil/counterfoil/internal/detect/names"
)

type detectTrainCommand struct {
	Data  string `required:"" type:"existingdir" placeholder:"DIR" help:"Folder of the labelled sets: wnut17_train.jsonl, btc.jsonl, wikigold.jsonl."`
	Lists string `required:"" type:"existingdir" placeholder:"DIR" help:"Folder of the lists of names, places and words."`
	Code  string `required:"" type:"existingdir" placeholder:"GOROOT/src" help:"Folder of Go sources, which serve as texts without names."`
	Out   string `required:"" placeholder:"FILE" help:"Where the model goes."`
}

// Help says what comes of it.
func (detectTrainCommand) Help() string {
	return "The model is what finds names and places; the one that ships is internal/detect/names/names.model.\n" +
		"The same data give the same bytes. Figures are printed for those sets in the folder that are not trained on."
}

// Run trains, writes the model, and measures it.
func (c detectTrainCommand) Run(ctx context.Context, s streams) error {
	m, data, err := names.Train(ctx, names.Training{Data: c.Data, Lists: c.Lists, Code: c.Code, Log: s.err})
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, data, 0o644); err != nil { //nolint:gosec // a model holds nothing secret
		return fmt.Errorf("--out: %w", err)
	}
	figures, err := names.Measure(ctx, m, c.Data)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "model %s, %d bytes\n", m.Hash(), len(data)); err != nil {
		return err
	}
	return names.WriteFigures(s.out, figures)
}

package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// NoteOnRequest writes a note on a request.
func (a *api) NoteOnRequest(ctx context.Context, r gen.NoteOnRequestRequestObject) (gen.NoteOnRequestResponseObject, error) {
	ctx, x := begin(ctx)
	return stepped(a.service.NoteOnRequest(ctx, x.call, r.RequestId, r.Body.Text))
}

// NotesOfRequest gives the notes on a request.
func (a *api) NotesOfRequest(ctx context.Context, r gen.NotesOfRequestRequestObject) (gen.NotesOfRequestResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.NotesOfRequest(ctx, x.call, r.RequestId)
	if err != nil {
		return nil, err
	}
	answer := gen.RequestNotes{Notes: make([]gen.RequestNote, 0, len(result.Notes)), Audit: receipt(result.Audit)}
	for _, n := range result.Notes {
		answer.Notes = append(answer.Notes, gen.RequestNote{NoteId: n.ID, Author: n.Author, Text: n.Text, At: n.At})
	}
	return ok(answer), nil
}

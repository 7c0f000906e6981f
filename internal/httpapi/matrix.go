package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// PolicyMatrix says who can restore what for which reason.
func (a *api) PolicyMatrix(ctx context.Context, r gen.PolicyMatrixRequestObject) (gen.PolicyMatrixResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.PolicyMatrix(ctx, x.call)
	if err != nil {
		return nil, err
	}
	switch value(r.Params.Format) {
	case gen.MatrixFormatMarkdown:
		return newMatrixTable(&result, access.FormatMarkdown, "text/markdown; charset=utf-8")
	case gen.MatrixFormatCsv:
		return newMatrixTable(&result, access.FormatCSV, "text/csv; charset=utf-8")
	}
	return ok(gen.MatrixAnswer{
		PolicyVersion: result.PolicyVersion, Rights: each(result.Lines, right),
		UsesSince: result.Since, UsesTruncated: result.Truncated, RequestId: x.requestID,
	}), nil
}

func right(l *vault.MatrixLine) gen.Right {
	out := gen.Right{
		Role: l.Role, Reason: l.Reason, Class: gen.EntityClass(l.Class), Form: gen.Form(l.Form),
		Conditions: list(l.Conditions), Approvals: int64(l.Approvals), Mfa: l.MFA, Reference: optional(l.Reference),
		Places: list(l.Places), Budgets: list(l.Budgets), Rule: l.Rule, Uses: int64(l.Uses), LastUsedAt: moment(l.LastUsed),
	}
	if len(l.Entities) > 0 {
		out.Entities = &l.Entities
	}
	return out
}

// matrixTable is the matrix as a text.
type matrixTable struct {
	mediaType string
	text      []byte
}

func newMatrixTable(result *vault.MatrixResult, format, mediaType string) (matrixTable, error) {
	rights := make([]access.Right, 0, len(result.Lines))
	for i := range result.Lines {
		rights = append(rights, result.Lines[i].Right)
	}
	var out bytes.Buffer
	if err := access.WriteMatrix(&out, format, rights); err != nil {
		return matrixTable{}, fmt.Errorf("httpapi: write the matrix: %w", err)
	}
	return matrixTable{mediaType, out.Bytes()}, nil
}

// VisitPolicyMatrixResponse writes the text.
func (t matrixTable) VisitPolicyMatrixResponse(w http.ResponseWriter) error {
	return writeBytes(w, http.StatusOK, t.mediaType, t.text)
}

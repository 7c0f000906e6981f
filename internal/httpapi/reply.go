package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// reply is the answer to any operation. The generated answers escape <, > and
// & even inside raw JSON, which would change the bytes of an entry; and one
// type for all keeps the encoding in one place.
type reply struct {
	status int
	body   any
}

func ok(body any) reply      { return reply{http.StatusOK, body} }
func created(body any) reply { return reply{http.StatusCreated, body} }

// accepted: what was asked for is not done yet.
func accepted(body any) reply { return reply{http.StatusAccepted, body} }

func (r reply) write(w http.ResponseWriter) error {
	return writeJSON(w, r.status, "application/json", r.body)
}

// writeJSON encodes before it writes, so that a value that cannot be encoded
// is a 500 and not half an answer.
func writeJSON(w http.ResponseWriter, status int, contentType string, body any) error {
	encoded, err := encodeJSON(body)
	if err != nil {
		return err
	}
	return writeBytes(w, status, contentType, encoded)
}

func encodeJSON(body any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, fmt.Errorf("httpapi: encode an answer: %w", err)
	}
	return buf.Bytes(), nil
}

func writeBytes(w http.ResponseWriter, status int, contentType string, body []byte) error {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("httpapi: write an answer: %w", err)
	}
	return nil
}

// note is an answer in plain text: a signed note.
type note []byte

// The generated interface has one method for each operation; here they are all
// the same.

// VisitTokenizeResponse writes the answer.
func (r reply) VisitTokenizeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDetokenizeResponse writes the answer.
func (r reply) VisitDetokenizeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitOpenScopeResponse writes the answer.
func (r reply) VisitOpenScopeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSourceTokensResponse writes the answer.
func (r reply) VisitSourceTokensResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCloseScopeResponse writes the answer.
func (r reply) VisitCloseScopeResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPlaceHoldResponse writes the answer.
func (r reply) VisitPlaceHoldResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitHoldsResponse writes the answer.
func (r reply) VisitHoldsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitHoldResponse writes the answer.
func (r reply) VisitHoldResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReviewHoldResponse writes the answer.
func (r reply) VisitReviewHoldResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReleaseHoldResponse writes the answer.
func (r reply) VisitReleaseHoldResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSearchSubjectsResponse writes the answer.
func (r reply) VisitSearchSubjectsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitLinkSubjectResponse writes the answer.
func (r reply) VisitLinkSubjectResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitOpenSubjectRequestResponse writes the answer.
func (r reply) VisitOpenSubjectRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRequestSummaryResponse writes the answer.
func (r reply) VisitRequestSummaryResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitIdentifyRequestResponse writes the answer.
func (r reply) VisitIdentifyRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAssignRequestResponse writes the answer.
func (r reply) VisitAssignRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitNoteOnRequestResponse writes the answer.
func (r reply) VisitNoteOnRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitNotesOfRequestResponse writes the answer.
func (r reply) VisitNotesOfRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitExtendRequestResponse writes the answer.
func (r reply) VisitExtendRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRefuseRequestResponse writes the answer.
func (r reply) VisitRefuseRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitWithdrawRequestResponse writes the answer.
func (r reply) VisitWithdrawRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitExecuteRequestResponse writes the answer.
func (r reply) VisitExecuteRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCompleteRequestResponse writes the answer.
func (r reply) VisitCompleteRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitLiftRestrictionResponse writes the answer.
func (r reply) VisitLiftRestrictionResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReportOnRequestResponse writes the answer, where it is no page.
func (r reply) VisitReportOnRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRestoreNamesResponse writes the answer.
func (r reply) VisitRestoreNamesResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRetentionReportResponse writes the answer.
func (r reply) VisitRetentionReportResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSubjectRequestsResponse writes the answer.
func (r reply) VisitSubjectRequestsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSubjectRequestResponse writes the answer.
func (r reply) VisitSubjectRequestResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitErasureReceiptResponse writes the answer.
func (r reply) VisitErasureReceiptResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditEntriesResponse writes the answer.
func (r reply) VisitAuditEntriesResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditEntryResponse writes the answer.
func (r reply) VisitAuditEntryResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditProofResponse writes the answer.
func (r reply) VisitAuditProofResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditKeysResponse writes the answer.
func (r reply) VisitAuditKeysResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPolicyResponse writes the answer.
func (r reply) VisitPolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPreambleResponse writes the answer.
func (r reply) VisitPreambleResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitLimitsResponse writes the answer.
func (r reply) VisitLimitsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitHealthzResponse writes the answer.
func (r reply) VisitHealthzResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReadyzResponse writes the answer.
func (r reply) VisitReadyzResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRequestRestorationResponse writes the answer.
func (r reply) VisitRequestRestorationResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRestorationsResponse writes the answer.
func (r reply) VisitRestorationsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRestorationResponse writes the answer.
func (r reply) VisitRestorationResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDecideRestorationResponse writes the answer.
func (r reply) VisitDecideRestorationResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRedeemRestorationResponse writes the answer.
func (r reply) VisitRedeemRestorationResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRequestApprovalResponse writes the answer.
func (r reply) VisitRequestApprovalResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitApprovalsResponse writes the answer.
func (r reply) VisitApprovalsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitApprovalResponse writes the answer.
func (r reply) VisitApprovalResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDecideApprovalResponse writes the answer.
func (r reply) VisitDecideApprovalResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReviewsResponse writes the answer.
func (r reply) VisitReviewsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCloseReviewResponse writes the answer.
func (r reply) VisitCloseReviewResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitQuotaResponse writes the answer.
func (r reply) VisitQuotaResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGiveConsentResponse writes the answer.
func (r reply) VisitGiveConsentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSearchConsentsResponse writes the answer.
func (r reply) VisitSearchConsentsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitWithdrawConsentResponse writes the answer.
func (r reply) VisitWithdrawConsentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSuspendResponse writes the answer.
func (r reply) VisitSuspendResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSuspensionsResponse writes the answer.
func (r reply) VisitSuspensionsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitLiftSuspensionResponse writes the answer.
func (r reply) VisitLiftSuspensionResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAssessIncidentResponse writes the answer.
func (r reply) VisitAssessIncidentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitOpenIncidentResponse writes the answer.
func (r reply) VisitOpenIncidentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitIncidentsResponse writes the answer.
func (r reply) VisitIncidentsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitIncidentResponse writes the answer.
func (r reply) VisitIncidentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitNoteIncidentResponse writes the answer.
func (r reply) VisitNoteIncidentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCloseIncidentResponse writes the answer.
func (r reply) VisitCloseIncidentResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitExposureResponse writes the answer.
func (r reply) VisitExposureResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitReloadPolicyResponse writes the answer.
func (r reply) VisitReloadPolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitProposePolicyResponse writes the answer.
func (r reply) VisitProposePolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitProposalsResponse writes the answer.
func (r reply) VisitProposalsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPromotePolicyResponse writes the answer.
func (r reply) VisitPromotePolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDropPolicyResponse writes the answer.
func (r reply) VisitDropPolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRollbackPolicyResponse writes the answer.
func (r reply) VisitRollbackPolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitExplainPolicyResponse writes the answer.
func (r reply) VisitExplainPolicyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitPolicyMatrixResponse writes the answer, where it is no table.
func (r reply) VisitPolicyMatrixResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRecordAccessReviewResponse writes the answer.
func (r reply) VisitRecordAccessReviewResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAccessReviewsResponse writes the answer.
func (r reply) VisitAccessReviewsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitSearchEntriesResponse writes the answer.
func (r reply) VisitSearchEntriesResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditConsistencyResponse writes the answer.
func (r reply) VisitAuditConsistencyResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitDispatchResponse writes the answer.
func (r reply) VisitDispatchResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRequestEvidenceResponse writes the answer.
func (r reply) VisitRequestEvidenceResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitEvidencesResponse writes the answer.
func (r reply) VisitEvidencesResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitEvidenceResponse writes the answer.
func (r reply) VisitEvidenceResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitControlsResponse writes the answer.
func (r reply) VisitControlsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCheckControlsResponse writes the answer.
func (r reply) VisitCheckControlsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitOpenGrantResponse writes the answer.
func (r reply) VisitOpenGrantResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGrantsResponse writes the answer.
func (r reply) VisitGrantsResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitGrantResponse writes the answer.
func (r reply) VisitGrantResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitRenewGrantResponse writes the answer.
func (r reply) VisitRenewGrantResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitCloseGrantResponse writes the answer.
func (r reply) VisitCloseGrantResponse(w http.ResponseWriter) error { return r.write(w) }

// VisitAuditCheckpointResponse writes the note as it is.
func (n note) VisitAuditCheckpointResponse(w http.ResponseWriter) error {
	return writeBytes(w, http.StatusOK, "text/plain; charset=utf-8", n)
}

// pointer, optional, moment, list and value go between Go's zero values and
// the optional fields of JSON.
func pointer[T any](v T) *T { return &v }

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// moment is optional for a time, which is the zero one whatever its location.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// list is never null: a list of an answer that is empty says so.
func list(items []string) []string {
	if items == nil {
		return []string{}
	}
	return items
}

// each makes a list of an answer, which is never null.
func each[T, U any](items []T, of func(*T) U) []U {
	out := make([]U, 0, len(items))
	for i := range items {
		out = append(out, of(&items[i]))
	}
	return out
}

// counts is never null either.
func counts(by map[string]int) map[string]int64 {
	out := make(map[string]int64, len(by))
	for name, n := range by {
		out[name] = int64(n)
	}
	return out
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

package assembly

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/analyzer"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// limits are those of the parts around the domain, for GET /v1/limits.
func limits() []vault.Limit {
	seconds := func(d time.Duration) int64 { return int64(d / time.Second) }
	return []vault.Limit{
		{Name: "commit_queue", Unit: "count", Value: commitqueue.MaxQueued, Why: "changes of one tenant that wait for their commit"},
		{Name: "commit_queue_total", Unit: "count", Value: commitqueue.MaxQueuedTotal, Why: "changes of all tenants that wait"},
		{Name: "commit_wait_seconds", Unit: "seconds", Value: seconds(commitqueue.MaxWait), Why: "time that a change waits for its commit"},
		{Name: "commit_batch", Unit: "count", Value: commitqueue.MaxBatch, Why: "changes that share one commit"},
		{Name: "commit_batch_rows", Unit: "count", Value: commitqueue.MaxBatchRows, Why: "rows that one commit is expected to touch"},
		{Name: "credential_bytes", Unit: "bytes", Value: authn.MaxTokenBytes, Why: "one credential"},
		{Name: "credential_seconds", Unit: "seconds", Value: seconds(authn.MaxLifetime), Why: "life of a credential"},
		{Name: "credential_leeway_seconds", Unit: "seconds", Value: seconds(authn.Leeway), Why: "difference of clocks to the issuer"},
		{Name: "credential_cache", Unit: "count", Value: authn.MaxCachedTokens, Why: "verified credentials in memory"},
		{Name: "credential_actors", Unit: "count", Value: authn.MaxActDepth, Why: "nested actors of a credential"},
		{Name: "issuer_keys_seconds", Unit: "seconds", Value: seconds(authn.RefreshEvery), Why: "time between looks at the keys that an issuer publishes"},
		{Name: "issuer_keys_retry_seconds", Unit: "seconds", Value: seconds(authn.RetryEvery), Why: "pause after such a look failed"},
		{Name: "issuer_keys_keep_seconds", Unit: "seconds", Value: seconds(authn.KeepKeysFor), Why: "life of the last known keys of an issuer that does not answer"},
		{Name: "issuer_keys_fetch_seconds", Unit: "seconds", Value: seconds(authn.JWKSTimeout), Why: "one look at the keys of an issuer"},
		{Name: "issuer_keys_bytes", Unit: "bytes", Value: authn.MaxJWKSBytes, Why: "the key set of an issuer"},
		{Name: "issuer_keys", Unit: "count", Value: authn.MaxJWKSKeys, Why: "keys in that set"},
		{Name: "issuer_keys_unknown", Unit: "count", Value: authn.UnknownKeyBurst, Why: "looks at once because of keys that are not known"},
		{Name: "issuer_keys_unknown_seconds", Unit: "seconds", Value: seconds(authn.UnknownKeyEvery), Why: "time between further such looks"},
		{Name: "issuer_keys_waiting", Unit: "count", Value: authn.MaxKeyWaiters, Why: "requests that wait for one issuer"},
		{Name: "detection_patterns", Unit: "count", Value: detect.MaxPatterns, Why: "patterns of one tenant"},
		{Name: "detection_pattern_bytes", Unit: "bytes", Value: detect.MaxPatternBytes, Why: "an expression of a pattern"},
		{Name: "detection_pattern_steps", Unit: "count", Value: detect.MaxPatternSteps, Why: "steps of its program, which one byte of text may cost"},
		{Name: "detection_pattern_match_bytes", Unit: "bytes", Value: detect.MaxPatternMatch, Why: "a match that is found whole wherever it stands"},
		{Name: "detection_phrases", Unit: "count", Value: detect.MaxPhrases, Why: "phrases in all lists of one tenant"},
		{Name: "detection_phrase_bytes", Unit: "bytes", Value: detect.MaxPhraseBytes, Why: "one phrase"},
		{Name: "detection_phrase_words", Unit: "count", Value: detect.MaxPhraseWords, Why: "words of one phrase"},
		{Name: "detection_lists", Unit: "count", Value: detect.MaxLists, Why: "deny lists, or allow lists, of one tenant"},
		{Name: "analyses_at_once", Unit: "count", Value: vault.AnalysesAtOnce, Why: "texts of one request that are with an external analyzer"},
		{Name: "analyzer_connections", Unit: "count", Value: analyzer.MaxConnections, Why: "connections to one analyzer"},
		{Name: "analyzer_seconds", Unit: "seconds", Value: seconds(analyzer.MaxTimeout), Why: "one text at an analyzer, where the configuration says no less"},
		{Name: "analyzer_answer_bytes", Unit: "bytes", Value: analyzer.MaxAnswerBytes, Why: "one answer of an analyzer"},
		{Name: "analyzer_findings", Unit: "count", Value: analyzer.MaxFindings, Why: "findings in one answer"},
		{Name: "analyzer_languages", Unit: "count", Value: analyzer.MaxLanguages, Why: "languages that are asked for"},
		{Name: "analyzer_failures", Unit: "count", Value: analyzer.BreakAfter, Why: "failures in a row after which nobody is asked"},
		{Name: "analyzer_pause_seconds", Unit: "seconds", Value: seconds(analyzer.BreakFor), Why: "pause after them"},
		{Name: "checkpoint_seconds", Unit: "seconds", Value: seconds(lifecycle.PublishEvery), Why: "time between published checkpoints and anchors"},
		{Name: "sweep_seconds", Unit: "seconds", Value: seconds(lifecycle.SweepEvery), Why: "time between sweeps; expiry does not wait for them"},
	}
}

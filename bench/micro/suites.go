package main

// suite is a package and which of its benchmarks count.
type suite struct {
	what  string // for people
	dir   string // from the top of the tree
	bench string // as -test.bench takes it
}

// suites are the stages of a request, in the order in which it passes them. Names
// stand whole and in parentheses, so that a test can look each of them up.
var suites = []suite{
	{"verified JWT, from the cache", "internal/authn", "^(Verify)$/^ES256$/^cached$"},
	{"JSON of a request, its schema, its type", "internal/httpapi", "^(Decode|Validate|Bind)$"},
	{"decide", "internal/access", "^(Decide100Rules50Reasons|RestoreOf50|Catalogue)$"},
	{"token scan", "internal/token", "^(ScanProse|Scan20Tokens|ScanOne|TokenLikeProse|Stream|Mint)$"},
	{"detect", "internal/detect", "^(Prompt2kB)$"},
	{"render, payload", "internal/payload", "^(Parse|Splice)$/^chat_(2|30)KB$"},
	{"render, text", "internal/vault", "^(Render)$"},
	{"seal and open", "internal/envelope", "^(Seal64|Open64|Identity|CacheHit)$"},
	{"append: leaf, tree, signature", "internal/audit", "^(Leaf|Link|Append|Sign|Commit)$"},
}

package access

// PhraseOfWhy is what Explain says of a denial.
func PhraseOfWhy(w Why) string { return whyPhrases[w] }

package storagetest

// reviewClauses are about reviews that a restoration opens, and those that are overdue.
var reviewClauses = []clause{}

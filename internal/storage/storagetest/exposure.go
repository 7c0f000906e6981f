package storagetest

// exposureClauses are about what is stored of what was sent where.
var exposureClauses = []clause{}

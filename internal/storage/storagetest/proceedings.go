package storagetest

// proceedingClauses are about what people have to come back to.
var proceedingClauses = []clause{}

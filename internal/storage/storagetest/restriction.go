package storagetest

var restrictionClauses = []clause{}

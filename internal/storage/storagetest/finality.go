package storagetest

var finalityClauses = []clause{}

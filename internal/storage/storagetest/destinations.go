package storagetest

var destinationClauses = []clause{}

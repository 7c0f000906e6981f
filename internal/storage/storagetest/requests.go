package storagetest

var requestClauses = []clause{}

package storagetest

// redeemClauses are about approvals that a change uses.
var redeemClauses = []clause{}

package storagetest

// budgetClauses are about budgets that are counted in the commit.
var budgetClauses = []clause{}

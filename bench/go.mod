module github.com/counterfoil/counterfoil/bench

go 1.26.0

package names

// markLines says of each token how its line is written.
func markLines(tokens []token) {
	from := 0
	for i := range tokens {
		if tokens[i].kind == lineToken {
			markLine(tokens[from:i])
			from = i + 1
		}
	}
	markLine(tokens[from:])
}

func markLine(tokens []token) {
	var words, lower, upper, title, marks int
	for i := range tokens {
		t := &tokens[i]
		switch t.kind {
		case wordToken:
			switch t.shape {
			case lowerShape:
				words++
				lower++
			case upperShape:
				words++
				upper++
			case titleShape, mixedShape:
				words++
				title++
			case letterShape, initialShape:
				upper++
			}
		case punctToken:
			if t.left == wordSide && t.right == wordSide || t.mark == codeSide {
				marks++
			}
		case addressToken:
			marks++
		}
	}
	line := mixedLine
	switch {
	case words == 0:
	case upper == 0 && title == 0:
		line = lowerLine
	case lower == 0 && title == 0 && words > 1:
		line = upperLine
	case title > 2 && lower*3 <= title:
		line = titleLine
	}
	if marks*5 > len(tokens) && marks > 1 {
		line += codeLine
	}
	for i := range tokens {
		tokens[i].line = line
	}
}
